//! Reading one HTTP/1.1 answer from the front of a buffer.

/// What the front of a buffer holds.
#[derive(Debug, PartialEq, Eq)]
pub enum Front {
    /// Not all of an answer yet.
    Partial,
    /// An answer with this status, this many bytes long.
    Whole(u16, usize),
    /// No HTTP.
    Broken,
}

/// Looks at the front of `bytes`.
pub fn front(bytes: &[u8]) -> Front {
    let mut headers = [httparse::EMPTY_HEADER; 32];
    let mut response = httparse::Response::new(&mut headers);
    let head_bytes = match response.parse(bytes) {
        Ok(httparse::Status::Complete(count)) => count,
        Ok(httparse::Status::Partial) => return Front::Partial,
        Err(_) => return Front::Broken,
    };
    let length = response.headers.iter().find(|header| header.name.eq_ignore_ascii_case("content-length"));
    let body_bytes = length.and_then(|header| std::str::from_utf8(header.value).ok()?.parse().ok()).unwrap_or(0usize);
    match response.code {
        Some(status) if bytes.len() >= head_bytes + body_bytes => Front::Whole(status, head_bytes + body_bytes),
        Some(_) => Front::Partial,
        None => Front::Broken,
    }
}
