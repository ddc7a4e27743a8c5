//! A webhook's bytes: the POST of one attempt, head and body.

use std::io::Write;

use super::headers;
use crate::model::EventId;

/// What the head of an attempt says.
#[derive(Debug, Clone, Copy)]
pub struct WebhookHead<'a> {
    /// Path and query of the endpoint.
    pub path: &'a str,
    /// `host:port` as the endpoint's URL writes it.
    pub authority: &'a str,
    /// The event's id.
    pub id: EventId,
    /// When it was signed, in Unix seconds.
    pub timestamp_s: u64,
    /// `None`: the header is left out.
    pub signature: Option<&'a str>,
    /// The attempt's number, from 1.
    pub attempt: u32,
}

/// Appends the whole request to `out`.
pub fn render_webhook(out: &mut Vec<u8>, head: &WebhookHead<'_>, body: &[u8]) {
    let WebhookHead { path, authority, id, timestamp_s, signature, attempt } = head;
    let length = body.len();
    // Writing into a Vec cannot fail.
    let _ = write!(
        out,
        "POST {path} HTTP/1.1\r\nhost: {authority}\r\nuser-agent: pushpull/{}\r\n\
         content-type: application/json\r\ncontent-length: {length}\r\n\
         {}: {id}\r\n{}: {timestamp_s}\r\n{}: {attempt}\r\n",
        env!("CARGO_PKG_VERSION"),
        headers::WEBHOOK_ID,
        headers::WEBHOOK_TIMESTAMP,
        headers::ATTEMPT,
    );
    if let Some(signature) = signature {
        let _ = write!(out, "{}: {signature}\r\n", headers::WEBHOOK_SIGNATURE);
    }
    out.extend_from_slice(b"\r\n");
    out.extend_from_slice(body);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::RunId;

    #[test]
    fn a_request_reads_back_as_http_and_an_unsigned_one_has_no_signature() {
        let mut head = WebhookHead {
            path: "/hooks/3?x=y",
            authority: "127.0.0.1:8080",
            id: EventId::genuine(RunId::from_bits(1), 7),
            timestamp_s: 1_760_000_000,
            signature: Some("v1,abc"),
            attempt: 2,
        };
        for signature in [Some("v1,abc"), None] {
            head.signature = signature;
            let mut bytes = Vec::new();
            render_webhook(&mut bytes, &head, b"{}");
            let mut headers = [httparse::EMPTY_HEADER; 16];
            let mut request = httparse::Request::new(&mut headers);
            let length = request.parse(&bytes).unwrap().unwrap();
            let value = |name: &str| {
                let found = request.headers.iter().find(|header| header.name == name);
                found.map(|header| std::str::from_utf8(header.value).unwrap())
            };
            assert_eq!((request.method, request.path), (Some("POST"), Some("/hooks/3?x=y")));
            assert_eq!((value("host"), value("content-length")), (Some("127.0.0.1:8080"), Some("2")));
            assert_eq!(value("webhook-id"), Some("evt_000000000001_0000000007"));
            assert_eq!((value("webhook-timestamp"), value("pushpull-attempt")), (Some("1760000000"), Some("2")));
            assert_eq!(value("webhook-signature"), signature);
            assert_eq!(&bytes[length..], b"{}");
        }
    }
}
