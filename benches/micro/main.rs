//! What the steps of a receipt and of an attempt cost, each as a ratio to the least that could do the same, measured in
//! turns within one run: a ratio holds on any machine, nanoseconds on one.
//!
//! `cargo bench --bench micro`
#![allow(clippy::disallowed_methods, reason = "a bench measures time")]

#[path = "../support/figures.rs"]
#[allow(dead_code, reason = "each bench uses its part")]
mod figures;
mod sender;

use std::{
    fs::File,
    hint::black_box,
    io::{Seek, SeekFrom, Write},
    path::Path,
    time::Instant,
};

use figures::Figure;
use hmac::{Hmac, KeyInit, Mac};
use pushpull::{
    backend::{Copies, Item, open_queue_with},
    fault::TargetPath,
    model::{EventId, RunId, Span, Time},
    policy::receive::{Checks, SignedRequest, decide},
    profile::{embedded_profile, load_profile},
    record::{Obligation, Record, RecordLog, RecordSink},
    scenario::QueueKind,
    wire::{
        EventBody, Secret,
        scheme::{Check, Message, Request},
        sign,
    },
};
use sha2::Sha256;

const ROUNDS: usize = 9;
const NOW_S: u64 = 1_760_000_000;
const KEY: [u8; 32] = [42; 32];
/// Events in one commit, about what a loaded receiver has waiting.
const BATCH: u32 = 128;

/// Measures `subject` and `yardstick` in turns, `calls` of each per turn, and tells the ratio.
fn compare(what: &str, calls: u32, yardstick: &mut dyn FnMut(u32), subject: &mut dyn FnMut(u32)) {
    let (mut least, mut cost, mut ratio) = (Figure::default(), Figure::default(), Figure::default());
    let mut number = 0;
    let mut time = |run: &mut dyn FnMut(u32)| {
        let begun = Instant::now();
        for _ in 0..calls {
            run(number);
            number += 1;
        }
        begun.elapsed().as_nanos() as f64 / f64::from(calls)
    };
    for _ in 0..ROUNDS {
        let (a, b) = (time(yardstick), time(subject));
        least.note(a);
        cost.note(b);
        ratio.note(b / a);
    }
    println!("{what:<78} {:>26}   {:>9.0} ns to {:>9.0} ns", ratio.told(2), cost.median(), least.median());
}

/// A body of a kilobyte as the provider writes it.
fn body(id: &str) -> Vec<u8> {
    let start = format!(
        "{{\"type\":\"order.updated\",\"id\":\"{id}\",\"timestamp\":\"2026-01-01T00:00:00.000000000Z\",\
         \"sequence\":7,\"subject\":10,\"version\":7,\"data\":{{\"amount\":12.340,\"note\":\""
    );
    let padding = ".".repeat(1_021 - start.len());
    format!("{start}{padding}\"}}}}").into_bytes()
}

fn id(number: u32) -> String {
    EventId::genuine(RunId::from_bits(1), number).to_string()
}

/// HMAC-SHA256 of these bytes under a key that is hashed already: what a signature cannot do without.
fn keyed_hash(bytes: &[u8]) -> impl FnMut(u32) {
    let keyed = Hmac::<Sha256>::new_from_slice(&KEY).expect("HMAC takes any key");
    move |_| {
        let mut mac = keyed.clone();
        mac.update(bytes);
        black_box(mac.finalize());
    }
}

fn main() {
    println!("{}", figures::machine());
    println!("{:<78} {:>26}", "what, to what", "ratio (least to greatest)");
    sender::machine();
    sender::request();
    requests();
    let dir = tempfile::tempdir().expect("a temporary folder");
    records(dir.path());
    queue(dir.path());
}

fn requests() {
    let secret = Secret::from_bytes(&KEY).expect("32 bytes are a secret");
    let id = id(7);
    let body = body(&id);
    let signature = sign(&secret, &id, NOW_S, &body);
    let timestamp = NOW_S.to_string();
    let secrets = [secret];
    let checks = Checks { secrets: &secrets, tolerance: Span::from_secs(300), now_unix_s: NOW_S, flaw: None };
    let request =
        SignedRequest { id: Some(&id), timestamp: Some(&timestamp), signatures: Some(&signature), body: &body };
    let mut hmac = keyed_hash(&body);
    compare("decide (verify, then read), to HMAC-SHA256 of the body", 20_000, &mut hmac, &mut |_| {
        let _ = black_box(decide(black_box(&request), &checks));
    });
    schemes(&id, &body);
    compare("read id, subject, version, to the same HMAC", 20_000, &mut hmac, &mut |_| {
        let _ = black_box(EventBody::parse(black_box(&body)));
    });
    compare("read into a serde_json::Value, to the same HMAC", 20_000, &mut hmac, &mut |_| {
        let _ = black_box(serde_json::from_slice::<serde_json::Value>(black_box(&body)));
    });
}

/// Signing and checking by a profile, to the hash that both are about.
fn schemes(id: &str, body: &[u8]) {
    let text = embedded_profile("standard-webhooks").expect("a profile of the binary").text;
    let scheme = load_profile(text, "standard-webhooks").expect("it is right").scheme.expect("it signs");
    let secret = Secret::from_bytes(&KEY).expect("32 bytes are a secret").reveal();
    let signing = [scheme.sign_key(&secret).expect("a key")];
    let verifying = [scheme.verify_key(&secret).expect("a key")];
    let message = Message { id, unix_ms: NOW_S * 1_000, url: "", method: "POST", body };
    let mut headers = http::HeaderMap::new();
    let written = scheme.sign(&signing, &message, |name, value| {
        let name: http::HeaderName = name.parse().expect("a header name");
        headers.insert(name, value.parse().expect("a header value"));
    });
    written.expect("nothing of the body is needed");
    let request = Request { url: "", method: "POST", body };
    let check = Check { now_unix_ms: NOW_S * 1_000, tolerance: scheme.tolerance };
    let mut hmac = keyed_hash(body);
    compare("check a signature by a profile, headers included, to the same HMAC", 20_000, &mut hmac, &mut |_| {
        let _ = black_box(scheme.verify(&verifying, black_box(&headers), &request, check));
    });
    compare("sign by a profile, three headers, to the same HMAC", 20_000, &mut hmac, &mut |_| {
        let _ = black_box(scheme.sign(&signing, black_box(&message), |name, value| {
            black_box((name, value));
        }));
    });
}

/// A batch of receipts with the flush that goes before its acks, to one write of as many bytes.
fn records(dir: &Path) {
    let log = RecordLog::create(&dir.join("bench.records")).expect("a record file");
    let mut plain = File::create(dir.join("plain")).expect("a file");
    let bytes = [7; 16 * BATCH as usize];
    compare(
        "128 receipts and a flush, to a write of 2 KB",
        500,
        &mut |_| plain.write_all(&bytes).expect("the disk has room"),
        &mut |round| {
            for seq in 0..BATCH {
                let what = Obligation { consumer: 0, client: 0, seq };
                log.put(Record::Receipt { what, forged: false, by: TargetPath::Webhook, at: Time(u64::from(round)) });
            }
            log.flush();
        },
    );
}

/// A batch of events put into the queue, durably, to one fdatasync of as many bytes in place.
fn queue(dir: &Path) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let mut segment = File::create(dir.join("segment")).expect("a file");
    segment.write_all(&vec![0; 16 << 20]).and_then(|()| segment.sync_all()).expect("the disk has room");
    let bytes = vec![7; 64 * BATCH as usize];
    let mut sync = |round: u32| {
        let at = u64::from(round % 1_024) * bytes.len() as u64;
        let written = segment.seek(SeekFrom::Start(at)).and_then(|_| segment.write_all(&bytes));
        written.and_then(|()| segment.sync_data()).expect("the disk works");
    };
    for copies in [Copies::Keep, Copies::Suppress] {
        let queue = open_queue_with(QueueKind::Sqlite, copies, &dir.join(format!("{copies:?}"))).expect("a queue");
        let mut next = 0;
        compare(
            &format!("128 events into SQLite ({copies:?} copies), to write and fdatasync"),
            100,
            &mut sync,
            &mut |_| {
                let event = |number| Item {
                    client: 0,
                    event_id: id(number),
                    subject: number % 50,
                    version: number,
                    received_at: Time(1),
                };
                let batch = (next..next + BATCH).map(event).collect();
                next += BATCH;
                runtime.block_on(queue.put(batch)).expect("the disk works");
            },
        );
    }
}
