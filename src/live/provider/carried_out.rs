//! Every fault that the table says exists on a path is really carried out there, over sockets.

use std::{sync::Arc, time::Duration};

use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::{mpsc::unbounded_channel, oneshot, watch},
};

use super::{
    dispatcher,
    inbox::Inbox,
    log::EventLog,
    pull_api::PullApi,
    pull_server,
    testing::{self, Manner, Seen, TestReceiver},
};
use crate::{
    fault::{FaultKind, Selector, Way},
    live::clock::{Clock, Epoch},
    model::{AttemptOutcome, Event, EventId, Span, Time},
    record::{Attempt, Record},
    scenario::{Mode, Plan},
    wire,
};

/// A fault of this kind as a scenario writes it, hard enough to show.
fn example(name: &str) -> serde_json::Value {
    match name {
        "delay" => json!({"kind": name, "delay": "20ms"}),
        "respond" => json!({"kind": name, "status": 418}),
        "slow-body" => json!({"kind": name, "bytes_per_s": 10_000}),
        "clock-skew" => json!({"kind": name, "by": "-310s"}),
        _ => json!({"kind": name}),
    }
}

/// What the two ends saw of three events, the first of which was hit.
struct Pushed {
    attempts: Vec<Attempt>,
    attacks: usize,
    hits: usize,
    seen: Vec<Seen>,
}

/// A receiver that verifies as it should.
fn verifying(clock: Clock) -> impl Fn(&Seen) -> Manner + Send + Sync {
    move |seen| {
        let signature = seen.signature.as_deref().unwrap_or_default();
        let (now, tolerance) = (clock.unix_secs(), Span::from_secs(300));
        let verified =
            wire::verify(&[testing::secret()], &seen.id, &seen.timestamp, signature, &seen.body, now, tolerance);
        Manner::Answer(if verified.is_ok() { 200 } else { 401 })
    }
}

async fn push(fault: serde_json::Value) -> Pushed {
    let selector = Selector { event: Some(1), attempts: vec![1], ..Selector::default() };
    let faults = vec![testing::fault(0, fault.clone(), selector)];
    let mut plan = Plan { faults, ..testing::plan(testing::webhook_consumer(1)) };
    plan.providers[0].concurrency = 1;
    let (sink, mut records) = testing::records();
    let context = testing::context_at(plan, sink, Span::from_secs(1));
    let mut receiver = TestReceiver::start(verifying(Clock::new(Epoch::ahead(Duration::ZERO)))).await;
    let (feed, events) = unbounded_channel();
    for seq in 1..=3 {
        context.counts.emitted(1, 1);
        feed.send(Event { occurred_at: Time(u64::from(seq)), ..testing::event(seq) }).unwrap();
    }
    let (stop, stopped) = watch::channel(false);
    let endpoint = Arc::new(receiver.endpoint(0));
    let driver = tokio::spawn(dispatcher::drive(Arc::clone(&context), endpoint, None, Inbox::new(events).0, stopped));
    let mut pushed = Pushed { attempts: Vec::new(), attacks: 0, hits: 0, seen: Vec::new() };
    while context.counts.progress().open > 0 {
        match records.recv().await.unwrap() {
            Record::Attempt(attempt) => pushed.attempts.push(attempt),
            Record::Attack { .. } => pushed.attacks += 1,
            Record::FaultHit { fault: 0, number: 1, .. } => pushed.hits += 1,
            other => panic!("{fault}: {other:?}"),
        }
    }
    drop(feed);
    stop.send(true).unwrap();
    driver.await.unwrap();
    while let Ok(record) = records.try_recv() {
        match record {
            Record::Attempt(attempt) => pushed.attempts.push(attempt),
            Record::Attack { .. } => pushed.attacks += 1,
            _ => {}
        }
    }
    pushed.seen = std::iter::from_fn(|| receiver.seen.try_recv().ok()).collect();
    pushed
}

impl Pushed {
    /// The first attempt of the event that was hit: its outcome, and how often it reached the receiver.
    fn first(&self) -> (AttemptOutcome, usize) {
        let reached = self.seen.iter().filter(|seen| seen.attempt == 1 && seq_of(seen) == 1).count();
        (self.attempt().outcome, reached)
    }

    fn attempt(&self) -> &Attempt {
        let first = |attempt: &&Attempt| (attempt.what.seq, attempt.number, attempt.copy) == (1, 1, 0);
        self.attempts.iter().find(first).expect("a first attempt")
    }

    fn took(&self) -> Span {
        self.attempt().done.since(self.attempt().sent)
    }

    fn order(&self) -> Vec<u32> {
        self.seen.iter().map(seq_of).collect()
    }

    /// Whether the fault has shown as its kind should.
    fn shows(&self, name: &str) -> bool {
        const OK: AttemptOutcome = AttemptOutcome::Status(200);
        const REFUSED: (AttemptOutcome, usize) = (AttemptOutcome::Status(401), 1);
        match name {
            "delay" => self.took() >= Span::from_millis(20),
            "drop-request" | "reset" => self.first() == (AttemptOutcome::Reset, 0),
            "outage" => self.first() == (AttemptOutcome::Refused, 0),
            "drop-ack" => self.first() == (AttemptOutcome::Reset, 1),
            "respond" => self.first() == (AttemptOutcome::Status(418), 0),
            "duplicate" => self.first() == (OK, 2) && self.attempts.len() == 4,
            "forge" | "replay" => self.attacks == 1 && self.first().0 == OK && self.seen.len() == 4,
            "reorder" => self.order() == [2, 1, 3] && self.first() == (OK, 1),
            "corrupt" | "clock-skew" | "rotate-secret" => self.first() == REFUSED,
            // 250 bytes and more at 10,000 a second.
            "slow-body" => self.took() >= Span::from_millis(25),
            _ => panic!("how does \"{name}\" show on the push path?"),
        }
    }
}

fn seq_of(seen: &Seen) -> u32 {
    seen.id.parse::<EventId>().unwrap().seq
}

#[tokio::test]
async fn every_fault_of_the_push_path_is_carried_out() {
    for kind in FaultKind::TABLE.iter().filter(|kind| kind.reaches(Way::Push, Mode::Live).is_ok()) {
        let pushed = push(example(kind.name)).await;
        assert!(pushed.shows(kind.name), "{}: {:?}, seen {:?}", kind.name, pushed.attempts, pushed.order());
        assert_eq!(pushed.hits, 1, "{}", kind.name);
        let acked: Vec<u32> =
            pushed.attempts.iter().filter(|a| a.outcome.is_ack() && a.copy == 0).map(|a| a.what.seq).collect();
        assert_eq!(acked.len(), 3, "{}: every event is acked in the end, not {acked:?}", kind.name);
    }
}

#[tokio::test]
async fn what_a_receiver_must_refuse_depends_on_the_attributes() {
    for (fault, status) in [
        (json!({"kind": "corrupt", "what": "signature"}), 401),
        (json!({"kind": "clock-skew", "by": "310s"}), 401),
        (json!({"kind": "clock-skew", "by": "-290s"}), 200),
        (json!({"kind": "clock-skew", "by": "290s"}), 200),
        (json!({"kind": "rotate-secret", "overlap": true}), 200),
    ] {
        let pushed = push(fault.clone()).await;
        assert_eq!(pushed.first(), (AttemptOutcome::Status(status), 1), "{fault}");
    }
}

/// What came of one poll under the fault, to the connection's end.
async fn pull(name: &str) -> Vec<u8> {
    let faults = vec![testing::fault(0, example(name), Selector { first: Some(1), ..Selector::default() })];
    let (sink, mut records) = testing::records();
    let plan = Plan { faults, ..testing::plan(testing::polling_consumer(1)) };
    let context = testing::context_at(plan, sink, Span::from_secs(1));
    let log = Arc::new(EventLog::new([1]));
    log.append(&[testing::event(1)]);
    let api = Arc::new(PullApi::new(Arc::clone(&context), log));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel();
    let server = tokio::spawn(pull_server::serve(Arc::clone(&context), api, listener, stopped));
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = "GET /events HTTP/1.1\r\nhost: x\r\nconnection: close\r\npushpull-consumer: poll\r\n\
                   pushpull-poll: 1\r\n\r\n";
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    stop.send(()).unwrap();
    server.await.unwrap();
    assert!(matches!(records.recv().await, Some(Record::FaultHit { fault: 0, .. })), "{name}");
    answer
}

fn page_in(answer: &[u8]) -> Option<wire::Page> {
    let body = answer.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    wire::parse_page(&answer[body..]).ok()
}

#[tokio::test]
async fn every_fault_of_the_pull_path_is_carried_out() {
    for kind in FaultKind::TABLE.iter().filter(|kind| kind.reaches(Way::Pull, Mode::Live).is_ok()) {
        let clock = Clock::new(Epoch::ahead(Duration::ZERO));
        let answer = pull(kind.name).await;
        let took = Span(clock.now().0);
        let whole = page_in(&answer).is_some_and(|page| page.events.len() == 1);
        let shows = match kind.name {
            "delay" => whole && took >= Span::from_millis(20),
            "drop-request" | "drop-ack" | "outage" => answer.is_empty(),
            "reset" | "corrupt" => answer.starts_with(b"HTTP/1.1 200") && !whole,
            "respond" => answer.starts_with(b"HTTP/1.1 418"),
            "slow-body" => whole && took >= Span::from_millis(25),
            name => panic!("how does \"{name}\" show on the pull path?"),
        };
        assert!(shows, "{}: {} after {took}", kind.name, String::from_utf8_lossy(&answer));
    }
}
