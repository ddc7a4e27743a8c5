//! Everything else that reads bytes from outside: no input makes it panic.

use std::hint::black_box;

use pushpull::{
    profile::{PROFILES, load_profile},
    wire::{
        CaptureKeys, EventBody, Secret, control, parse_instant, parse_page, parse_poll_interval, parse_retry_after,
        parse_state, parse_states, read_captured, require_loopback, reserialise,
        scheme::{HeaderName, Pointer, Template},
    },
};

use super::each_input;

const TEXTS: [&[u8]; 14] = [
    br#"{"type":"t","id":"evt_1","subject":4,"version":2,"data":{"amount":1.50}}"#,
    br#"{"data":[{"type":"t","id":"evt_bea14c7bd934_0000000001","subject":4,"version":2,"data":{}}],"next_cursor":"17","has_more":true}"#,
    br#"{"data":[{"subject":4,"version":2,"updated_at":"t15","latest":{"type":"t","id":"e","subject":4,"version":2,"data":{}}}],"as_of":"t17","next_cursor":null,"has_more":false}"#,
    br#"{"subject":4,"version":0,"updated_at":null,"latest":null}"#,
    br#"{"created":"2025-10-09T08:53:20.123+02:00","id":"a","data":{"object":{"id":"in_1"}}}"#,
    br#"{"timestamp":1760000000.25,"subject":7}"#,
    br#"{"url":"http://127.0.0.1:8080/hook"}"#,
    br#"{"type":"invoice.paid","subject":7,"data":{"amount":12},"overlap_ms":60000,"enabled":false}"#,
    b"Wed, 21 Oct 2026 07:28:00 GMT",
    b"120",
    b"t1234567890",
    b"whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
    b"{id}.{timestamp}.{body}{{}}",
    b"/data/~0object/~1id/0",
];

const PATHS: [(&str, &str); 8] = [
    ("GET", "/deliveries"),
    ("POST", "/endpoints"),
    ("POST", "/events"),
    ("POST", "/endpoints/ep_2_0/rotate"),
    ("PATCH", "/endpoints/ep_2_0"),
    ("PUT", "/faults/0"),
    ("POST", "/deliveries/dlv_2_0_1/redeliver"),
    ("GET", "/deliveries/dlv_2_0_1"),
];

fn read_all(bytes: &[u8], method: &str, path: &str) -> bool {
    let body = EventBody::parse(bytes).is_ok();
    black_box((parse_page(bytes).is_ok(), parse_state(bytes).is_ok(), parse_states(bytes).is_ok()));
    let _ = black_box(reserialise(bytes));
    if let Ok((route, id)) = control::route_of(method, path) {
        let _ = black_box(route.read(id, "state=failed&limit=3", bytes));
    }
    let text = String::from_utf8_lossy(bytes);
    if let Ok((route, id)) = control::route_of(method, &text) {
        let _ = black_box(route.read(id, &text, b"{}"));
    }
    let _ = black_box((parse_retry_after(&text, 1_760_000_000), parse_poll_interval(&text), parse_instant(&text)));
    let _ = black_box((require_loopback(&text), Secret::parse(&text), Template::parse(&text)));
    let _ = black_box((HeaderName::parse(&text), Pointer::parse(&text)));
    let keys = CaptureKeys { time: None, id: None, subject: Some("data.object.id".to_owned()) };
    let _ = black_box(read_captured(&text, &keys).is_ok());
    body
}

#[test]
fn no_input_makes_a_parser_panic() {
    let [read, refused] = each_input(|mutator| {
        let mut bytes = mutator.pick(&TEXTS).to_vec();
        let other = *mutator.pick(&TEXTS);
        for _ in 0..mutator.below(4) {
            mutator.mutate(&mut bytes, other);
        }
        let (method, path) = *mutator.pick(&PATHS);
        let mut path = path.as_bytes().to_vec();
        if mutator.once_in(2) {
            mutator.mutate(&mut path, other);
        }
        if read_all(&bytes, method, &String::from_utf8_lossy(&path)) { [1, 0] } else { [0, 1] }
    });
    assert!(read > 0 && refused > 0, "{read} read, {refused} refused");
}

/// A profile is a file of somebody's: slower to read, so fewer of them.
#[test]
fn no_profile_makes_its_reader_panic() {
    let [read, refused] = each_input(|mutator| {
        if !mutator.number.is_multiple_of(100) {
            return [0, 0];
        }
        let mut bytes = mutator.pick(PROFILES).text.as_bytes().to_vec();
        let other = mutator.pick(PROFILES).text.as_bytes();
        for _ in 0..1 + mutator.below(4) {
            mutator.mutate(&mut bytes, other);
        }
        match load_profile(&String::from_utf8_lossy(&bytes), "mine.toml") {
            Ok(_) => [1, 0],
            Err(error) => {
                let said = error.to_string();
                assert!(
                    said.starts_with("mine.toml") && said.contains("\n  fix: "),
                    "input {}: {said}",
                    mutator.number
                );
                [0, 1]
            }
        }
    });
    assert!(read > 0 && refused > 0, "{read} read, {refused} refused");
}
