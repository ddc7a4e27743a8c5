//! Who and what is refused, and that no secret gets out.

use std::{io::Write, net::TcpStream, path::Path};

use base64::Engine as _;

use super::{Provider, QUIET, http::Receiver};
use crate::support::pushpull;

const EVENT: &str = r#"{"type": "a.b"}"#;

#[test]
fn a_request_from_elsewhere_is_refused() {
    let provider = Provider::start(QUIET);
    let (address, port) = (provider.control, provider.control.port());
    let json = "content-type: application/json\r\n";
    let status = |head: &str| provider.ask_with("POST", "/events", &format!("{head}{json}"), EVENT).status;
    for head in
        [format!("host: {address}\r\n"), format!("host: localhost:{port}\r\norigin: http://localhost:{port}\r\n")]
    {
        assert_eq!(status(&head), 202, "{head}");
    }
    for head in [
        format!("host: {address}\r\norigin: https://example.com\r\n"),
        format!("host: {address}\r\norigin: null\r\n"),
        format!("host: {address}\r\norigin: http://127.0.0.1:1\r\n"),
        format!("host: {address}\r\nsec-fetch-site: cross-site\r\n"),
        format!("host: rebound.example:{port}\r\n"),
        format!("host: rebound.example:{port}\r\norigin: http://rebound.example:{port}\r\n"),
        "host: 127.0.0.1:1\r\n".to_owned(),
        String::new(),
    ] {
        let answer = provider.ask_with("POST", "/events", &format!("{head}{json}"), EVENT);
        assert_eq!(answer.refusal().0, 403, "{head}");
        assert!(!answer.head.contains("access-control"), "{answer:?}");
    }
    let preflight =
        format!("host: {address}\r\norigin: https://example.com\r\naccess-control-request-method: POST\r\n");
    assert_eq!(provider.ask_with("OPTIONS", "/events", &preflight, "").status, 403);
    let page = crate::control_api::http::exchange(
        provider.pull_api,
        b"GET /events HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n",
    );
    assert_eq!(page.json()["data"].as_array().map(Vec::len), Some(2), "what is refused is not done");
}

#[test]
fn what_cannot_be_done_is_refused_with_the_right_status() {
    let provider = Provider::start(QUIET);
    let host = format!("host: {}\r\n", provider.control);
    let large = format!("{{\"data\": {{\"x\": \"{}\"}}}}", "x".repeat(100_000));
    assert_eq!(provider.ask("POST", "/events", &large).refusal().0, 413);
    for kind in ["", "content-type: text/plain\r\n", "content-type: application/x-www-form-urlencoded\r\n"] {
        assert_eq!(provider.ask_with("POST", "/events", &format!("{host}{kind}"), EVENT).refusal().0, 415, "{kind}");
    }
    assert_eq!(provider.ask("POST", "/events", "{").refusal().0, 400);
    assert_eq!(provider.ask("POST", "/events", r#"{"typ": "a"}"#).refusal().0, 422);
    assert_eq!(provider.ask("POST", "/events", r#"{"subject": 1000000}"#).refusal().0, 422);
    assert_eq!(provider.ask("GET", "/nothing", "").refusal().0, 404);
    let wrong_method = provider.ask("PUT", "/endpoints", "{}");
    assert_eq!(wrong_method.refusal().0, 405);
    assert!(wrong_method.head.contains("allow: get, post"), "{wrong_method:?}");
    for url in ["http://example.com/hook", "https://127.0.0.1/hook", "http://127.0.0.1@example.com/", "nonsense"] {
        assert_eq!(provider.ask("POST", "/endpoints", &format!("{{\"url\": \"{url}\"}}")).refusal().0, 422, "{url}");
    }
    assert_eq!(provider.done("GET", "/endpoints", "")["data"], serde_json::json!([]));
    let help = provider.ask("GET", "/", "");
    assert!(help.status == 200 && help.body.contains("/deliveries/{id}/redeliver"), "{help:?}");
    for n in 0..64 {
        provider.add(&format!("http://127.0.0.1:9/{n}"));
    }
    let one_more = provider.ask("POST", "/endpoints", r#"{"url": "http://127.0.0.1:9/"}"#);
    assert_eq!(one_more.refusal(), (409, "64 endpoints are there already".to_owned()));
}

#[test]
fn a_control_api_that_others_could_reach_is_refused_before_anything_is_written() {
    let work = tempfile::tempdir().unwrap();
    for exposed in ["0.0.0.0:4001", "[::]:4001", "192.0.2.1:4001"] {
        let output = pushpull(work.path()).args(["provider", "--control", exposed]).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{said}");
        assert!(said.contains(exposed) && said.contains("fix: write --control 127.0.0.1:4001"), "{said}");
    }
    let twice = ["provider", "--listen", "127.0.0.1:4001", "--control", "127.0.0.1:4001"];
    let output = pushpull(work.path()).args(twice).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.code() == Some(2) && said.contains("cannot listen on 127.0.0.1:4001"), "{said}");
    assert_eq!(std::fs::read_dir(work.path()).unwrap().count(), 0);
}

#[test]
fn connections_that_say_nothing_keep_nobody_from_the_desk_and_the_provider_from_no_end() {
    let provider = Provider::start(QUIET);
    let silent: Vec<TcpStream> = (0..60).map(|_| TcpStream::connect(provider.control).unwrap()).collect();
    let mut half = TcpStream::connect(provider.control).unwrap();
    half.write_all(b"POST /reset HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\n").unwrap();
    assert_eq!(provider.ask("GET", "/faults", "").status, 200);
    let garbage = crate::control_api::http::exchange(provider.control, b"\x16\x03\x01 hello\r\n\r\n");
    assert_eq!(garbage.status, 400);
    provider.end();
    drop((silent, half));
}

#[test]
fn a_secret_is_told_once_and_stands_nowhere_else() {
    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    let receiver = Receiver::start();
    let to = format!("webhook={}", receiver.url);
    let provider = Provider::start_with(QUIET, &["--to", &to, "--secret-env", "HOOK_SECRET"], Some(SECRET));
    let (id, added) = provider.add(&receiver.url);
    let rotated = provider.done("POST", &format!("/endpoints/{id}/rotate"), "");
    let rotated = rotated["secret"].as_str().unwrap();
    provider.emit(EVENT);
    assert!([receiver.next(), receiver.next()].iter().any(|webhook| webhook.verifies_with(rotated)));
    provider.newest_once("delivered");
    provider.ask("POST", "/endpoints", &format!("{{\"url\": \"{SECRET}\"}}"));
    let shown: String = ["/", "/endpoints", &format!("/endpoints/{id}"), "/deliveries", "/faults"]
        .map(|path| provider.ask("GET", path, "").body)
        .concat();
    let (said, work) = provider.end();
    let mut written = format!("{shown}{said}").into_bytes();
    collect(&work.path().join("part"), &mut written);
    assert!(written.len() > 1_000, "something was said and written");
    for secret in [SECRET, &added, rotated] {
        let text = secret.strip_prefix("whsec_").unwrap();
        let bytes = base64::engine::general_purpose::STANDARD.decode(text).unwrap();
        assert!(!contains(&written, text.as_bytes()) && !contains(&written, &bytes), "a secret got out");
    }
}

fn collect(dir: &Path, into: &mut Vec<u8>) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { collect(&path, into) } else { into.extend(std::fs::read(path).unwrap()) }
    }
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle)
}
