//! What somebody does with it who is let in.

use std::path::Path;

use pushpull::record::{Record, read_dir};

use super::{
    Provider, QUIET,
    http::{Receiver, exchange},
};

fn records(work: &Path) -> Vec<Record> {
    let mut records = Vec::new();
    read_dir(&work.join("part/records"), |record| records.push(record)).expect("the provider's records");
    records
}

#[test]
fn an_endpoint_is_added_and_gets_what_is_emitted_signed() {
    let provider = Provider::start(QUIET);
    let (first, second) = (Receiver::start(), Receiver::start());
    let (id, secret) = provider.add(&first.url);
    let (_, other_secret) = provider.add(&second.url);
    let event = provider.emit(r#"{"type": "invoice.paid", "subject": 7, "data": {"amount": 1.10}}"#);

    let webhook = first.next();
    assert_eq!((webhook.header("webhook-id"), webhook.header("pushpull-attempt")), (event.as_str(), "1"));
    assert!(webhook.verifies_with(&secret) && !webhook.verifies_with(&other_secret));
    let said = webhook.json();
    assert_eq!((said["type"].as_str(), said["subject"].as_u64()), (Some("invoice.paid"), Some(7)));
    assert!(String::from_utf8_lossy(&webhook.body).contains(r#""data":{"amount": 1.10}"#), "byte for byte");
    assert!(second.next().verifies_with(&other_secret), "every endpoint has a secret of its own");

    let page = exchange(provider.pull_api, b"GET /events HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").json();
    assert_eq!(page["data"][0], said, "the pull side has the same event");

    let delivery = provider.newest_once("delivered");
    assert_eq!((delivery["event"].as_str(), delivery["type"].as_str()), (Some(event.as_str()), Some("invoice.paid")));
    assert_eq!((delivery["attempts"].as_u64(), delivery["last_outcome"].as_str()), (Some(1), Some("200")));
    let listed = provider.done("GET", &format!("/endpoints/{id}"), "");
    assert_eq!(listed["url"].as_str(), Some(first.url.as_str()));

    provider.done("DELETE", &format!("/endpoints/{id}"), "");
    let last = provider.emit("{}");
    let webhook = second.next();
    assert_eq!((webhook.header("webhook-id"), webhook.json()["type"].as_str()), (last.as_str(), Some("order.updated")));
    assert_eq!(provider.done("GET", "/endpoints", "")["data"].as_array().map(Vec::len), Some(1));
    assert_eq!(provider.ask("GET", &format!("/endpoints/{id}"), "").refusal().0, 404);
    let (_, work) = provider.end();
    assert!(!first.has_more(), "nothing goes to an endpoint that is removed");
    let records = records(work.path());
    let emitted = records.iter().filter(|record| matches!(record, Record::Emitted { .. })).count();
    let attempts = records.iter().filter(|record| matches!(record, Record::Attempt(_))).count();
    assert_eq!((emitted, attempts), (2, 3), "what is done by hand is recorded like everything else");
}

#[test]
fn what_the_scenario_emits_goes_on_around_what_is_made_by_hand() {
    let busy = QUIET.replace("\"10ms\"", "\"300ms\"").replace("\"1/s\"", "\"200/s\"");
    let provider = Provider::start(&busy);
    let receiver = Receiver::start();
    provider.add(&receiver.url);
    let made: Vec<String> = (0..5).map(|_| provider.emit(r#"{"type": "ping"}"#)).collect();
    let read = || exchange(provider.pull_api, b"GET /events HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").json();
    // 200/s for 300 ms, the end excluded.
    let due = 59;
    let mut page = read();
    while page["data"].as_array().unwrap().len() < due + made.len() {
        page = read();
    }
    let text = |key: &str| -> Vec<String> {
        page["data"].as_array().unwrap().iter().map(|event| event[key].as_str().unwrap().to_owned()).collect()
    };
    let sequences: Vec<u64> =
        page["data"].as_array().unwrap().iter().map(|e| e["sequence"].as_u64().unwrap()).collect();
    assert_eq!(sequences, (1..=64).collect::<Vec<_>>());
    assert!(text("timestamp").is_sorted(), "the log is in the order of the instants");
    let (ids, types) = (text("id"), text("type"));
    let by_hand: Vec<String> =
        ids.iter().zip(&types).filter(|(_, kind)| *kind == "ping").map(|(id, _)| id.clone()).collect();
    assert_eq!(by_hand, made);
    let last = made.last().unwrap();
    while receiver.next().header("webhook-id") != last {}
}

#[test]
fn a_delivery_that_has_ended_is_sent_again() {
    let provider = Provider::start(QUIET);
    let receiver = Receiver::start();
    let (endpoint, secret) = provider.add(&receiver.url);
    receiver.answers(503);
    let event = provider.emit("{}");
    receiver.next();
    let failed = provider.newest_once("failed");
    assert_eq!(failed["last_outcome"].as_str(), Some("503"));
    assert_eq!(failed["why_failed"].as_str(), Some("its schedule is used up"));
    let id = failed["id"].as_str().unwrap();

    receiver.answers(200);
    for attempt in ["2", "3"] {
        let accepted = provider.ask("POST", &format!("/deliveries/{id}/redeliver"), "");
        assert_eq!(accepted.status, 202, "{accepted:?}");
        let webhook = receiver.next();
        assert_eq!((webhook.header("webhook-id"), webhook.header("pushpull-attempt")), (event.as_str(), attempt));
        assert!(webhook.verifies_with(&secret));
        provider.newest_once("delivered");
    }
    let counts = provider.done("GET", &format!("/endpoints/{endpoint}"), "");
    assert_eq!(counts["deliveries"], serde_json::json!({"pending": 0, "delivered": 1, "failed": 0}));
    assert_eq!(counts["attempts"].as_u64(), Some(3));
    let of = |query: &str| provider.done("GET", &format!("/deliveries?{query}"), "")["data"].as_array().unwrap().len();
    assert_eq!((of("state=delivered"), of("state=failed")), (1, 0));
    assert_eq!((of(&format!("endpoint={endpoint}")), of("endpoint=ep_9_9")), (1, 0));
    assert_eq!(provider.ask("POST", "/deliveries/dlv_1_0_99/redeliver", "").refusal().0, 404);
    let (_, work) = provider.end();
    let again = records(work.path()).iter().filter(|record| matches!(record, Record::Redelivered { .. })).count();
    assert_eq!(again, 2);
}

#[test]
fn in_a_rotation_both_secrets_sign_and_behind_it_the_new_one_does() {
    let provider = Provider::start(QUIET);
    let receiver = Receiver::start();
    let (id, first) = provider.add(&receiver.url);
    let rotate = |body: &str| {
        let rotated = provider.done("POST", &format!("/endpoints/{id}/rotate"), body);
        assert!(rotated["former_valid_until"].is_string());
        rotated["secret"].as_str().expect("a new secret").to_owned()
    };
    let next = || {
        provider.emit("{}");
        receiver.next()
    };
    assert!(next().verifies_with(&first));
    let second = rotate("");
    let webhook = next();
    assert!(webhook.verifies_with(&first) && webhook.verifies_with(&second));
    assert_eq!(webhook.header("webhook-signature").split(' ').count(), 2);
    let third = rotate(r#"{"overlap_ms": 0}"#);
    let webhook = next();
    assert!(webhook.verifies_with(&third) && !webhook.verifies_with(&first) && !webhook.verifies_with(&second));
    assert_eq!(webhook.header("webhook-signature").split(' ').count(), 1);
    // So short an overlap is over when the next event is.
    let fourth = rotate(r#"{"overlap_ms": 1}"#);
    let only_new = (0..1_000).map(|_| next()).find(|webhook| !webhook.verifies_with(&third));
    assert!(only_new.expect("the overlap ends").verifies_with(&fourth));
    for _ in 0..4 {
        rotate("");
    }
    let refused = provider.ask("POST", &format!("/endpoints/{id}/rotate"), "").refusal();
    assert_eq!(refused, (409, format!("5 secrets of \"{id}\" are valid at once already")));
}

#[test]
fn an_endpoint_that_says_410_is_off_until_it_is_switched_on() {
    let provider = Provider::start(QUIET);
    let receiver = Receiver::start();
    let (id, _) = provider.add(&receiver.url);
    receiver.answers(410);
    provider.emit("{}");
    receiver.next();
    let failed = provider.newest_once("failed");
    assert_eq!(provider.done("GET", &format!("/endpoints/{id}"), "")["enabled"].as_bool(), Some(false));
    let redeliver = format!("/deliveries/{}/redeliver", failed["id"].as_str().unwrap());
    assert_eq!(provider.ask("POST", &redeliver, "").refusal(), (409, format!("\"{id}\" is switched off")));

    receiver.answers(200);
    assert_eq!(provider.done("POST", &format!("/endpoints/{id}/enable"), "")["enabled"].as_bool(), Some(true));
    provider.done("POST", &redeliver, "");
    assert_eq!(receiver.next().header("pushpull-attempt"), "2");
    provider.newest_once("delivered");
}

#[test]
fn a_fault_has_its_effect_while_it_is_on() {
    let faults = "[[fault]]\nkind = \"respond\"\nstatus = 418\n[[fault]]\nkind = \"duplicate\"\n\
                  [[fault]]\nkind = \"crash\"\nat = [\"5ms\"]\n";
    let provider = Provider::start(&format!("{QUIET}\n{faults}"));
    let receiver = Receiver::start();
    provider.add(&receiver.url);
    let switch = |index: u16, on: bool| {
        let fault = provider.done("POST", &format!("/faults/{index}"), &format!("{{\"enabled\": {on}}}"));
        assert_eq!((fault["index"].as_u64(), fault["enabled"].as_bool()), (Some(u64::from(index)), Some(on)));
    };
    let listed = provider.done("GET", "/faults", "");
    let kinds: Vec<_> = listed["data"].as_array().unwrap().iter().map(|fault| fault["does"]["kind"].clone()).collect();
    assert_eq!(kinds, ["respond", "duplicate", "crash"]);
    assert_eq!(listed["data"][0]["added_endpoints"].as_bool(), Some(true));

    switch(1, false);
    provider.emit("{}");
    assert_eq!(provider.newest_once("failed")["last_outcome"].as_str(), Some("418"), "on from the start");
    assert!(!receiver.has_more(), "it never got there");
    switch(0, false);
    let event = provider.emit("{}");
    assert_eq!(receiver.next().header("webhook-id"), event);
    provider.newest_once("delivered");
    assert!(!receiver.has_more(), "switched off it has none");
    switch(1, true);
    let event = provider.emit("{}");
    assert_eq!((receiver.next().header("webhook-id"), receiver.next().header("webhook-id")), (&*event, &*event));
    switch(0, true);
    provider.emit("{}");
    provider.newest_once("failed");

    let crash = provider.ask("POST", "/faults/2", r#"{"enabled": false}"#).refusal();
    assert_eq!(crash, (422, "\"crash\" is done to a consumer's process, and not by its provider".to_owned()));
    assert_eq!(provider.ask("POST", "/faults/3", r#"{"enabled": false}"#).refusal().0, 404);
}

#[test]
fn an_endpoint_that_is_removed_gives_the_shared_sender_back() {
    let provider = Provider::start(&QUIET.replace("retry", "sender_pool = 1\nack_timeout = \"60s\"\nretry"));
    // It takes connections and never answers.
    let deaf = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let (holds, _) = provider.add(&format!("http://{}/hook", deaf.local_addr().unwrap()));
    provider.emit("{}");
    let _held = deaf.accept().unwrap();
    let receiver = Receiver::start();
    let (waits, secret) = provider.add(&receiver.url);
    provider.done("DELETE", &format!("/endpoints/{holds}"), "");
    let event = provider.emit("{}");
    let webhook = receiver.next();
    assert!(webhook.header("webhook-id") == event && webhook.verifies_with(&secret));
    assert_eq!(provider.newest_once("delivered")["endpoint"].as_str(), Some(waits.as_str()));
    let (_, work) = provider.end();
    let open = records(work.path()).iter().filter(|record| matches!(record, Record::Open { .. })).count();
    assert_eq!(open, 1, "what was on its way to it stays open in the records");
}

#[test]
fn a_reset_leaves_the_scenario_and_the_log() {
    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    let receiver = Receiver::start();
    let scenario = format!("{QUIET}\n[[fault]]\nkind = \"respond\"\nstatus = 418\nclients = [1]\n");
    let to = format!("webhook={}", receiver.url);
    let provider = Provider::start_with(&scenario, &["--to", &to, "--secret-env", "HOOK_SECRET"], Some(SECRET));
    let added = Receiver::start();
    let (id, _) = provider.add(&added.url);
    let planned = "ep_0_0";
    assert_eq!(provider.ask("DELETE", &format!("/endpoints/{planned}"), "").refusal().0, 409);
    provider.done("POST", &format!("/endpoints/{planned}/rotate"), r#"{"overlap_ms": 0}"#);
    provider.done("POST", "/faults/0", r#"{"enabled": false}"#);
    provider.emit("{}");
    assert!(!receiver.next().verifies_with(SECRET));
    added.next();

    assert_eq!(provider.done("POST", "/reset", ""), serde_json::json!({"endpoints_removed": 1}));
    let endpoints = provider.done("GET", "/endpoints", "");
    assert_eq!(endpoints["data"].as_array().map(Vec::len), Some(1));
    assert_eq!(endpoints["data"][0]["id"], planned);
    assert_eq!(provider.ask("GET", &format!("/endpoints/{id}"), "").status, 404);
    assert_eq!(provider.done("GET", "/deliveries", "")["data"], serde_json::json!([]));
    assert_eq!(provider.done("GET", "/faults", "")["data"][0]["enabled"].as_bool(), Some(true));
    let event = provider.emit("{}");
    let webhook = receiver.next();
    assert!(event.ends_with("_0000000002"), "{event}: the log forgets nothing");
    assert!(webhook.verifies_with(SECRET) && webhook.header("webhook-id") == event);
    provider.end();
    assert!(!added.has_more());
}
