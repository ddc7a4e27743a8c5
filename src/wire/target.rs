//! Where a request goes, read from its URL.

/// The place that a URL of plain HTTP names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Name or address, without brackets.
    pub host: String,
    /// The port; 80 where the URL has none.
    pub port: u16,
    /// `host:port` as the URL writes it, for the Host header.
    pub authority: String,
    /// Path and query.
    pub path: String,
}

/// A URL that no request is sent to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// Not a URL.
    #[error("is no URL ({0})\n  fix: write http://127.0.0.1:PORT/PATH")]
    Malformed(String),
    /// Another scheme than HTTP without TLS, or none.
    #[error("is not plain HTTP\n  fix: write http://127.0.0.1:PORT/PATH; what speaks TLS needs a proxy that ends it")]
    Scheme,
    /// A user before the host. Not shown: what is behind the colon is a password.
    #[error("has a user or a password before the host\n  fix: remove them, and add --header 'Authorization: ...'")]
    User,
}

impl Target {
    /// Reads `http://host:port/path?query`.
    pub fn parse(url: &str) -> Result<Target, TargetError> {
        let uri: http::Uri =
            url.parse().map_err(|error: http::uri::InvalidUri| TargetError::Malformed(error.to_string()))?;
        if uri.scheme_str() != Some("http") {
            return Err(TargetError::Scheme);
        }
        let authority = uri.authority().ok_or(TargetError::Scheme)?;
        if authority.as_str().contains('@') {
            return Err(TargetError::User);
        }
        if authority.host().is_empty() {
            return Err(TargetError::Malformed("it has no host".to_owned()));
        }
        let port = match authority.as_str().strip_prefix(authority.host()).unwrap_or_default().strip_prefix(':') {
            None => 80,
            Some(port) => {
                let bad = || TargetError::Malformed("its port is no number from 1 to 65535".to_owned());
                port.parse().ok().filter(|port| *port > 0).ok_or_else(bad)?
            }
        };
        Ok(Target {
            host: authority.host().trim_matches(['[', ']']).to_owned(),
            port,
            authority: authority.to_string(),
            path: uri.path_and_query().map_or("/", |path| path.as_str()).to_owned(),
        })
    }
}

/// Appends a whole POST to `out`: what the protocol needs, these headers, and the body.
///
/// # Panics
///
/// Where a header is none: whoever takes one from outside checks it before ([`is_header_value`]).
pub fn render_post(out: &mut Vec<u8>, target: &Target, headers: &[(String, Vec<u8>)], body: &[u8]) {
    let head = format!("POST {} HTTP/1.1\r\nhost: {}\r\n", target.path, target.authority);
    out.extend_from_slice(head.as_bytes());
    for (name, value) in headers {
        assert!(http::HeaderName::from_bytes(name.as_bytes()).is_ok() && is_header_value(value), "{name} is no header");
        out.extend_from_slice(name.as_bytes());
        out.extend_from_slice(b": ");
        out.extend_from_slice(value);
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(format!("content-length: {}\r\n\r\n", body.len()).as_bytes());
    out.extend_from_slice(body);
}

/// Whether a header can have this value: no line ends in it.
#[must_use]
pub fn is_header_value(value: &[u8]) -> bool {
    http::HeaderValue::from_bytes(value).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_taken_apart() {
        let target = Target::parse("http://127.0.0.1:8080/hooks?x=y").unwrap();
        assert_eq!((target.host.as_str(), target.port, target.path.as_str()), ("127.0.0.1", 8080, "/hooks?x=y"));
        let target = Target::parse("http://[::1]").unwrap();
        assert_eq!((target.host.as_str(), target.port, target.path.as_str()), ("::1", 80, "/"));
        assert_eq!(target.authority, "[::1]");
    }

    #[test]
    fn what_is_no_target_is_told_and_a_password_is_not() {
        let said = |url| Target::parse(url).unwrap_err();
        for url in ["", "http://", "http://:80/", "http://127.0.0.1:/", "http://h:0/", "http://h:65536/", "http://é/"]
        {
            assert!(matches!(said(url), TargetError::Malformed(_)), "{url:?}: {:?}", said(url));
        }
        for url in ["https://127.0.0.1/", "127.0.0.1:80", "/hooks", "localhost"] {
            assert_eq!(said(url), TargetError::Scheme, "{url}");
        }
        assert_eq!(said("http://me:hunter2@127.0.0.1/"), TargetError::User);
    }

    #[test]
    fn a_request_reads_back_as_http() {
        let target = Target::parse("http://localhost:81/hooks?a=1").unwrap();
        let headers = [("X-One".to_owned(), b"1 2".to_vec()), ("x-two".to_owned(), "é".as_bytes().to_vec())];
        let mut bytes = Vec::new();
        render_post(&mut bytes, &target, &headers, b"body");
        let mut slots = [httparse::EMPTY_HEADER; 8];
        let mut request = httparse::Request::new(&mut slots);
        let length = request.parse(&bytes).unwrap().unwrap();
        assert_eq!((request.method, request.path), (Some("POST"), Some("/hooks?a=1")));
        let read: Vec<(&str, &[u8])> = request.headers.iter().map(|header| (header.name, header.value)).collect();
        let wanted: [(&str, &[u8]); 4] =
            [("host", b"localhost:81"), ("X-One", b"1 2"), ("x-two", "é".as_bytes()), ("content-length", b"4")];
        assert_eq!(read, wanted);
        assert_eq!(&bytes[length..], b"body");
    }
}
