use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::{
    model::{RunId, Time},
    wire::EventBody,
};

const EVENT: Event = Event { seq: 7, subject: 3, version: 2, occurred_at: Time(1_500_000_000) };
const WALL: WallClock = WallClock { t0_unix_ns: 1_760_000_000_000_000_000 };

fn keys(time: Option<&str>, id: Option<&str>, subject: Option<&str>) -> CaptureKeys {
    let owned = |key: Option<&str>| key.map(str::to_owned);
    CaptureKeys { time: owned(time), id: owned(id), subject: owned(subject) }
}

fn replayed(line: &str, keys: &CaptureKeys) -> String {
    let mut out = Vec::new();
    let id = EventId::genuine(RunId::from_bits(1), 7);
    render_captured(&mut out, line, keys, id, &EVENT, WALL).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn an_event_keeps_its_bytes_but_for_id_and_instant() {
    let line =
        r#" {"id":"evt_original", "type":"order.paid","created":1700000000 ,"data":{"amount":12.50,"x":"\u00e9"}} "#;
    let captured = read_captured(line, &CaptureKeys::default()).unwrap();
    assert_eq!(captured, Captured { unix_ns: 1_700_000_000_000_000_000, subject: None });
    let ours = concat!(
        r#"{"sequence":7,"subject":3,"version":2,"id":"evt_000000000001_0000000007", "type":"order.paid","#,
        r#""created":1760000001 ,"data":{"amount":12.50,"x":"\u00e9"},"#,
        r#""replayed":{"id":"evt_original","created":1700000000}}"#
    );
    assert_eq!(replayed(line, &CaptureKeys::default()), ours);
}

#[test]
fn what_a_consumer_looks_for_is_ours_and_what_gave_way_is_kept() {
    let line = r#"{"subject":"acct_1","version":"2024-01","meta":{"event_id":17,"at":"2026-01-31T11:30:00.25+02:00"}}"#;
    let keys = keys(Some("meta.at"), Some("meta.event_id"), Some("subject"));
    let captured = read_captured(line, &keys).unwrap();
    assert_eq!(captured.subject, Some("\"acct_1\""));
    assert_eq!(
        captured.unix_ns,
        read_captured(r#"{"time":"2026-01-31T09:30:00.25Z"}"#, &CaptureKeys::default()).unwrap().unix_ns
    );
    let body = replayed(line, &keys);
    let read = EventBody::parse(body.as_bytes()).unwrap();
    assert_eq!((read.id.as_ref(), read.subject, read.version), ("evt_000000000001_0000000007", 3, 2));
    let value: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(value["meta"], json!({"event_id": "evt_000000000001_0000000007", "at": "2025-10-09T08:53:21.50Z"}));
    let kept = json!({"subject": "acct_1", "version": "2024-01", "meta.event_id": 17, "meta.at": "2026-01-31T11:30:00.25+02:00"});
    assert_eq!(value["replayed"], kept);
}

#[test]
fn instants_are_read_and_written_in_their_own_form() {
    let same = |json: &str| {
        let instant = Stamp::read(json).unwrap_or_else(|| panic!("{json}"));
        assert_eq!(instant.form.write(instant.unix_ns), json);
        instant.unix_ns
    };
    assert_eq!(same("1700000000"), 1_700_000_000_000_000_000);
    assert_eq!(same("1700000000.125"), 1_700_000_000_125_000_000);
    assert_eq!(same("1700000000125"), 1_700_000_000_125_000_000);
    assert_eq!(same("1700000000125.5"), 1_700_000_000_125_500_000);
    assert_eq!(same("\"2023-11-14T22:13:20Z\""), 1_700_000_000_000_000_000);
    assert_eq!(same("\"2023-11-14T22:13:20.125Z\""), 1_700_000_000_125_000_000);
    assert_eq!(Stamp::read("\"2023-11-14T17:13:20-05:00\"").unwrap().unix_ns, 1_700_000_000_000_000_000);
    for bad in [
        "\"yesterday\"",
        "\"2023-11-14\"",
        "-5",
        "1e9",
        "null",
        "true",
        "{}",
        "\"+02:00\"",
        "\"é+02:00\"",
        "\"1970-01-01T00:00:00+02:00\"",
    ] {
        assert_eq!(Stamp::read(bad), None, "{bad}");
    }
}

#[test]
fn what_cannot_be_sent_again_is_refused_with_a_fix() {
    let refused = |line: &str, keys: &CaptureKeys| read_captured(line, keys).unwrap_err().problem;
    let default = CaptureKeys::default();
    assert!(refused("", &default).contains("no JSON object"));
    assert!(refused("[1]", &default).contains("no JSON object"));
    assert!(refused("{\"time\":1} {}", &default).contains("no JSON object"));
    assert!(refused("{\"id\":1}", &default).contains("no instant"));
    assert!(refused("{\"time\":\"soon\"}", &default).contains("\"time\" is no instant: \"soon\""));
    assert!(refused("{\"time\":1,\"id\":1,\"id\":2}", &default).contains("in the way"));
    assert!(refused("{\"time\":1,\"replayed\":0}", &default).contains("in the way"));
    assert!(refused("{\"time\":1}", &keys(None, None, Some("data.id"))).contains("data.id"));
    assert!(refused("{\"time\":1,\"a\":{}}", &keys(None, Some("a"), None)).contains("\"a\""));
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "\\PC{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map("(id|subject|version|[a-z\\.\"]{0,5})", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn every_object_with_an_instant_can_be_sent_again(
        mut members in proptest::collection::btree_map("(id|subject|version|sequence|type|[a-z\\.\"]{0,5})", any_json(), 0..6),
        unix_s in 0u64..4_000_000_000,
    ) {
        members.insert("timestamp".to_owned(), Value::from(unix_s));
        let line = serde_json::to_string(&members).unwrap();
        let captured = read_captured(&line, &CaptureKeys::default()).unwrap();
        prop_assert_eq!(captured.unix_ns, unix_s * 1_000_000_000);
        let body = replayed(&line, &CaptureKeys::default());
        let read = EventBody::parse(body.as_bytes()).unwrap();
        prop_assert_eq!((read.subject, read.version), (3, 2));
        let value: Value = serde_json::from_str(&body).unwrap();
        for (name, original) in &members {
            let ours = ["id", "subject", "version", "sequence", "timestamp"].contains(&name.as_str());
            let now = if ours { &value["replayed"][name] } else { &value[name] };
            prop_assert_eq!(now, original);
        }
    }

    #[test]
    fn no_line_makes_the_reader_panic(line in "\\PC{0,60}", key in "[a-z\\.]{0,8}") {
        let keys = CaptureKeys { time: Some(key.clone()), id: Some(key.clone()), subject: Some(key) };
        let _ = (read_captured(&line, &keys), read_captured(&line, &CaptureKeys::default()));
    }
}
