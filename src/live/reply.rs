//! Reads a receiver's answer from the bytes that have come so far.
//!
//! Senders speak HTTP/1.1 by their own hand: faults cut requests and connections at a chosen
//! byte, bytes are counted as they pass, and a signed attempt costs what the sockets cost. Reading
//! is one pure function over a prefix of the answer, so it gives the same result however the bytes
//! were split on their way.

use tokio::io::{AsyncRead, AsyncReadExt};

use crate::{fault::Stop, model::AttemptOutcome, scenario::StopHeaders};

/// The longest answer that is read, head and body. A webhook's answer says next to nothing.
const REPLY_MAX: usize = 64 * 1024;

const HEADERS_MAX: usize = 64;
/// Interim answers (1xx) that may precede the real one.
const INTERIM_MAX: usize = 8;

/// A complete answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reply {
    /// The status, 200 to 599.
    pub status: u16,
    /// The value of `Retry-After`.
    pub retry_after: Option<String>,
    body_at: usize,
    chunked: bool,
    /// Length of the answer in bytes.
    pub length: usize,
    /// Whether the connection may carry another request.
    pub keep_alive: bool,
}

impl Reply {
    /// Its body, out of the bytes that it was read from.
    pub fn body(&self, bytes: &[u8]) -> Vec<u8> {
        let mut rest = bytes.get(self.body_at..self.length).unwrap_or_default();
        if !self.chunked {
            return rest.to_vec();
        }
        let mut body = Vec::new();
        while let Ok(httparse::Status::Complete((line, size @ 1..))) = httparse::parse_chunk_size(rest) {
            let end = usize::try_from(size).map_or(rest.len(), |size| line.saturating_add(size));
            body.extend_from_slice(rest.get(line..end).unwrap_or_default());
            rest = rest.get(end.saturating_add(2)..).unwrap_or_default();
        }
        body
    }
}

/// The bytes are no HTTP answer, or one that breaks a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct BadReply;

/// How a body ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Framing {
    Length(usize),
    Chunked,
    UntilClose,
}

/// Reads one whole answer into `bytes`, which held another one before. The error is what the sender saw instead.
pub(super) async fn receive_reply(
    stream: &mut (impl AsyncRead + Unpin),
    bytes: &mut Vec<u8>,
) -> Result<Reply, AttemptOutcome> {
    bytes.clear();
    loop {
        bytes.reserve(1_024);
        let read = stream.read_buf(bytes).await.map_err(|_| AttemptOutcome::Reset)?;
        match read_reply(bytes, read == 0) {
            Ok(Some(reply)) => return Ok(reply),
            Ok(None) if read == 0 => return Err(AttemptOutcome::Reset),
            Ok(None) => {}
            Err(BadReply) => return Err(AttemptOutcome::BadResponse),
        }
    }
}

/// The answer that `bytes` hold, or `None` while it is not complete. `closed`: nothing more comes.
fn read_reply(bytes: &[u8], closed: bool) -> Result<Option<Reply>, BadReply> {
    let mut start = 0;
    for _ in 0..=INTERIM_MAX {
        let Some(head) = read_head(bytes, start)? else { return within_limit(bytes, None) };
        if !(100..200).contains(&head.status) {
            return within_limit(bytes, complete(bytes, head, closed)?);
        }
        if head.status == 101 {
            return Err(BadReply);
        }
        start = head.body_at;
    }
    Err(BadReply)
}

/// What an answer that was read asks its sender for with one of these headers.
pub(super) fn stop_in(bytes: &[u8], wanted: &StopHeaders) -> Option<Stop> {
    let mut start = 0;
    for _ in 0..=INTERIM_MAX {
        let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
        let mut parsed = httparse::Response::new(&mut headers);
        let httparse::Status::Complete(length) = parsed.parse(bytes.get(start..)?).ok()? else { return None };
        if !parsed.code.is_some_and(|code| (100..200).contains(&code)) {
            return wanted.asked_for(parsed.headers.iter().map(|header| (header.name, header.value)));
        }
        start += length;
    }
    None
}

fn within_limit(bytes: &[u8], reply: Option<Reply>) -> Result<Option<Reply>, BadReply> {
    let length = reply.as_ref().map_or(bytes.len(), |reply| reply.length);
    if length > REPLY_MAX { Err(BadReply) } else { Ok(reply) }
}

struct Head {
    status: u16,
    body_at: usize,
    framing: Framing,
    keep_alive: bool,
    retry_after: Option<String>,
}

fn read_head(bytes: &[u8], start: usize) -> Result<Option<Head>, BadReply> {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
    let mut parsed = httparse::Response::new(&mut headers);
    let length = match parsed.parse(&bytes[start..]).map_err(|_| BadReply)? {
        httparse::Status::Complete(length) => length,
        httparse::Status::Partial => return Ok(None),
    };
    let status = parsed.code.filter(|code| (100..600).contains(code)).ok_or(BadReply)?;
    let mut head = Head {
        status,
        body_at: start + length,
        framing: Framing::UntilClose,
        keep_alive: parsed.version == Some(1),
        retry_after: None,
    };
    for header in parsed.headers.iter() {
        head.take_header(header)?;
    }
    if matches!(status, 100..200 | 204 | 304) {
        head.framing = Framing::Length(0);
    }
    Ok(Some(head))
}

impl Head {
    fn take_header(&mut self, header: &httparse::Header<'_>) -> Result<(), BadReply> {
        let name_is = |name: &str| header.name.eq_ignore_ascii_case(name);
        if name_is("content-length") {
            let text = std::str::from_utf8(header.value).map_err(|_| BadReply)?.trim();
            let digits_only = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
            let length = text.parse().ok().filter(|_| digits_only).ok_or(BadReply)?;
            match self.framing {
                // RFC 9112, section 6.3: Transfer-Encoding overrides Content-Length.
                Framing::Chunked => self.keep_alive = false,
                Framing::Length(other) if other != length => return Err(BadReply),
                _ => self.framing = Framing::Length(length),
            }
        } else if name_is("transfer-encoding") {
            if !header.value.trim_ascii().eq_ignore_ascii_case(b"chunked") {
                return Err(BadReply);
            }
            self.keep_alive &= !matches!(self.framing, Framing::Length(_));
            self.framing = Framing::Chunked;
        } else if name_is("connection") {
            let says_close = |option: &[u8]| option.trim_ascii().eq_ignore_ascii_case(b"close");
            self.keep_alive &= !header.value.split(|&b| b == b',').any(says_close);
        } else if name_is("retry-after") {
            self.retry_after = std::str::from_utf8(header.value).ok().map(str::to_owned);
        }
        Ok(())
    }
}

fn complete(bytes: &[u8], head: Head, closed: bool) -> Result<Option<Reply>, BadReply> {
    let (end, keep_alive) = match head.framing {
        Framing::Length(length) => (head.body_at.checked_add(length), head.keep_alive),
        Framing::Chunked => (chunks_end(bytes, head.body_at)?, head.keep_alive),
        Framing::UntilClose => (closed.then_some(bytes.len()), false),
    };
    if matches!(head.framing, Framing::Length(_)) && end.is_none_or(|end| end > REPLY_MAX) {
        return Err(BadReply);
    }
    Ok(end.filter(|&end| end <= bytes.len()).map(|length| Reply {
        status: head.status,
        body_at: head.body_at,
        chunked: head.framing == Framing::Chunked,
        retry_after: head.retry_after,
        length,
        keep_alive,
    }))
}

/// Where the chunked body from `at` on ends, trailers included.
fn chunks_end(bytes: &[u8], mut at: usize) -> Result<Option<usize>, BadReply> {
    loop {
        let rest = bytes.get(at..).unwrap_or_default();
        let (line, size) = match httparse::parse_chunk_size(rest).map_err(|_| BadReply)? {
            httparse::Status::Complete(found) => found,
            httparse::Status::Partial => return Ok(None),
        };
        at += line;
        if size == 0 {
            return trailers_end(bytes, at);
        }
        let size = usize::try_from(size).ok().filter(|&size| size <= REPLY_MAX).ok_or(BadReply)?;
        at += size;
        match bytes.get(at..at + 2) {
            Some(b"\r\n") => at += 2,
            Some(_) => return Err(BadReply),
            None => return Ok(None),
        }
    }
}

fn trailers_end(bytes: &[u8], at: usize) -> Result<Option<usize>, BadReply> {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
    match httparse::parse_headers(&bytes[at..], &mut headers).map_err(|_| BadReply)? {
        httparse::Status::Complete((length, _)) => Ok(Some(at + length)),
        httparse::Status::Partial => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::HeaderLine;
    use proptest::prelude::*;

    fn whole(text: &str) -> Result<Option<Reply>, BadReply> {
        read_reply(text.as_bytes(), true)
    }

    fn reply(text: &str) -> Reply {
        whole(text).unwrap().unwrap()
    }

    const ANSWERS: [&str; 8] = [
        "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok",
        "HTTP/1.1 204 No Content\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n10;x=y\r\n0123456789abcdef\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nDigest: x\r\n\r\n",
        "HTTP/1.1 503 Busy\r\nretry-after: 7\r\ncontent-length: 0\r\n\r\n",
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: <a>\r\n\r\nHTTP/1.1 202 A\r\ncontent-length: 0\r\n\r\n",
        "HTTP/1.1 200\r\nconnection: Keep-Alive, Close\r\ncontent-length: 0\r\n\r\n",
        "HTTP/1.0 200 OK\r\ncontent-length: 1\r\n\r\nx",
    ];

    #[test]
    fn answers_are_read_to_their_last_byte() {
        let read: Vec<(u16, bool)> = ANSWERS
            .iter()
            .map(|text| {
                let reply = reply(text);
                assert_eq!(reply.length, text.len(), "{text}");
                (reply.status, reply.keep_alive)
            })
            .collect();
        let keep = [true, true, true, true, true, true, false, false];
        assert_eq!(read, [200, 204, 200, 200, 503, 202, 200, 200].into_iter().zip(keep).collect::<Vec<_>>());
        assert_eq!(reply(ANSWERS[4]).retry_after.as_deref(), Some("7"));
    }

    #[test]
    fn a_header_that_stops_is_found_on_the_answer_itself() {
        let line = |name: &str, value: &str| HeaderLine { name: name.to_owned(), value: value.to_owned() };
        let wanted = StopHeaders { give_up: vec![line("x-slack-no-retry", "1")], disable: Vec::new() };
        let asked = |text: &str| stop_in(text.as_bytes(), &wanted);
        assert_eq!(asked("HTTP/1.1 500 Oh\r\nX-Slack-No-Retry: 1\r\ncontent-length: 0\r\n\r\n"), Some(Stop::GiveUp));
        assert_eq!(asked("HTTP/1.1 500 Oh\r\ncontent-length: 0\r\n\r\n"), None);
        let hint = "HTTP/1.1 103 Early Hints\r\nX-Slack-No-Retry: 1\r\n\r\n";
        assert_eq!(asked(&format!("{hint}{}", ANSWERS[4])), None, "a hint is no answer");
        assert_eq!([asked(""), asked("nonsense"), asked(hint)], [None; 3]);
    }

    #[test]
    fn bodies_are_taken_out_however_they_come() {
        let bodies: Vec<String> =
            ANSWERS.iter().map(|text| String::from_utf8(reply(text).body(text.as_bytes())).unwrap()).collect();
        assert_eq!(bodies, ["ok", "", "abc0123456789abcdef", "", "", "", "", "x"]);
    }

    #[test]
    fn a_body_without_a_length_ends_with_the_connection() {
        let text = "HTTP/1.1 200 OK\r\n\r\nwhatever";
        assert_eq!(read_reply(text.as_bytes(), false), Ok(None));
        assert!(!reply(text).keep_alive);
    }

    #[test]
    fn what_is_no_answer_or_too_long_is_refused() {
        for bad in [
            "SSH-2.0-OpenSSH\r\n\r\n",
            "HTTP/1.1 999 Odd\r\n\r\n",
            "HTTP/1.1 101 Switching\r\n\r\n",
            "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nxx",
            "HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n",
            "HTTP/1.1 200 OK\r\ncontent-length: 99999999999999999999\r\n\r\n",
            "HTTP/1.1 200 OK\r\ncontent-length: 70000\r\n\r\n",
            "HTTP/1.1 200 OK\r\ntransfer-encoding: gzip\r\n\r\n",
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nffffffff\r\n",
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\nabcd",
        ] {
            assert_eq!(whole(bad), Err(BadReply), "{bad}");
        }
        let endless = [b"HTTP/1.1 200 OK\r\n\r\n".as_slice(), &[b'x'; REPLY_MAX]].concat();
        assert_eq!(read_reply(&endless, false), Err(BadReply));
    }

    proptest! {
        #[test]
        fn every_strict_prefix_is_incomplete(which in 0usize..ANSWERS.len(), cut: prop::sample::Index) {
            let bytes = ANSWERS[which].as_bytes();
            prop_assert_eq!(read_reply(&bytes[..cut.index(bytes.len())], false), Ok(None));
        }

        #[test]
        fn no_answer_makes_the_reader_panic(which in 0usize..ANSWERS.len(), at: prop::sample::Index, byte: u8, tail in proptest::collection::vec(any::<u8>(), 0..60), closed: bool) {
            let mut bytes = ANSWERS[which].as_bytes().to_vec();
            let at = at.index(bytes.len());
            bytes[at] = byte;
            bytes.extend(tail);
            let _ = read_reply(&bytes, closed);
        }
    }
}
