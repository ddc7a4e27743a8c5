use serde_json::json;
use tokio::{
    sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
    task::JoinHandle,
};

use super::*;
use crate::{
    fault::{ForgeMethod, ResponseFate, Selector},
    live::provider::testing::{self, Manner, Seen, TestReceiver, secret},
    model::{AttemptOutcome, EventId, GiveUp, RunId},
    scenario::{Ends, Plan},
    wire,
};

/// One endpoint's driver with a receiver of its own.
struct Rig {
    context: Arc<Context>,
    receiver: TestReceiver,
    records: UnboundedReceiver<Record>,
    feed: UnboundedSender<Event>,
    stop: watch::Sender<bool>,
    driver: JoinHandle<()>,
}

impl Rig {
    async fn start(plan: Plan, manner: impl Fn(&Seen) -> Manner + Send + Sync + 'static) -> Rig {
        let receiver = TestReceiver::start(manner).await;
        let endpoint = receiver.endpoint(0);
        Rig::start_at(plan, receiver, endpoint)
    }

    fn start_at(plan: Plan, receiver: TestReceiver, endpoint: Endpoint) -> Rig {
        let (sink, records) = testing::records();
        let context = testing::context_at(plan, sink, Span::from_secs(1));
        let (feed, events) = unbounded_channel();
        let (stop, stop_signal) = watch::channel(false);
        let driver =
            tokio::spawn(drive(Arc::clone(&context), Arc::new(endpoint), None, Inbox::new(events).0, stop_signal));
        Rig { context, receiver, records, feed, stop, driver }
    }

    fn deliver(&self, seqs: std::ops::RangeInclusive<u32>) {
        for seq in seqs {
            self.context.counts.emitted(1, 1);
            self.feed.send(testing::event(seq)).unwrap();
        }
    }

    /// The next `count` attempts' ends: (attempt, copy, outcome).
    async fn attempts(&mut self, count: usize) -> Vec<(u32, u32, AttemptOutcome)> {
        let mut found = Vec::new();
        while found.len() < count {
            if let Some(Record::Attempt(attempt)) = self.records.recv().await {
                assert!(attempt.intended <= attempt.sent && attempt.sent <= attempt.done);
                found.push((attempt.number, attempt.copy, attempt.outcome));
            }
        }
        found
    }

    /// Stops the driver and gives what it still recorded and what the receiver saw.
    async fn end(mut self) -> (Vec<Record>, Vec<Seen>) {
        drop(self.feed);
        self.stop.send(true).unwrap();
        self.driver.await.unwrap();
        let records = std::iter::from_fn(|| self.records.try_recv().ok()).collect();
        (records, std::iter::from_fn(|| self.receiver.seen.try_recv().ok()).collect())
    }
}

fn webhook_plan() -> Plan {
    testing::plan(testing::webhook_consumer(1))
}

fn with_fault(kind: serde_json::Value, selector: Selector) -> Plan {
    Plan { faults: vec![testing::fault(0, kind, selector)], ..webhook_plan() }
}

/// The fault hits the first attempt only.
fn once() -> Selector {
    Selector { attempts: vec![1], ..Selector::default() }
}

fn impatient(mut plan: Plan) -> Plan {
    plan.providers[0].ack_timeout = Span::from_millis(250);
    plan
}

const OK: AttemptOutcome = AttemptOutcome::Status(200);

#[tokio::test]
async fn an_attempt_is_signed_afresh_and_verifies() {
    let mut rig = Rig::start(webhook_plan(), |seen| Manner::Answer(if seen.attempt == 1 { 500 } else { 204 })).await;
    rig.deliver(1..=1);
    let outcomes = rig.attempts(2).await;
    assert_eq!(outcomes, [(1, 0, AttemptOutcome::Status(500)), (2, 0, AttemptOutcome::Status(204))]);
    let context = Arc::clone(&rig.context);
    let (_, seen) = rig.end().await;
    for request in &seen {
        assert_eq!(request.id, EventId::genuine(RunId::from_bits(7), 1).to_string());
        let signature = request.signature.as_deref().unwrap();
        let now = context.clock.unix_secs();
        let verified = wire::verify(
            &[secret()],
            &request.id,
            &request.timestamp,
            signature,
            &request.body,
            now,
            Span::from_secs(300),
        );
        assert_eq!(verified, Ok(()));
        assert_eq!(wire::EventBody::parse(&request.body).unwrap().id, request.id.as_str());
    }
    assert_eq!(seen.len(), 2);
    let progress = context.counts.progress();
    assert_eq!((progress.open, progress.requests), (0, 2));
    let (up, down, requests) = context.traffic(0).totals();
    assert!(up > 0 && down > 600 && requests == 2, "{up} {down} {requests}");
}

#[tokio::test]
async fn a_used_up_schedule_is_given_up_and_a_redirect_is_a_failure() {
    let mut rig = Rig::start(webhook_plan(), |_| Manner::Redirect).await;
    rig.deliver(1..=1);
    assert!(rig.attempts(3).await.iter().all(|(_, _, outcome)| *outcome == AttemptOutcome::Status(307)));
    let Some(Record::GaveUp { attempts: 3, .. }) = rig.records.recv().await else { panic!("not given up") };
    let context = Arc::clone(&rig.context);
    let (records, seen) = rig.end().await;
    assert_eq!((records, seen.len(), context.counts.progress().open), (vec![], 3, 0));
}

#[tokio::test]
async fn an_ack_is_what_the_provider_takes_for_one() {
    let with = |success: Vec<Ends>| {
        let mut plan = webhook_plan();
        plan.providers[0].sending.answers.success = success;
        plan
    };
    let mut lax = Rig::start(with(vec![Ends::Class(2), Ends::Class(3)]), |_| Manner::Redirect).await;
    lax.deliver(1..=1);
    assert_eq!(lax.attempts(1).await, [(1, 0, AttemptOutcome::Accepted(307))]);
    assert_eq!(lax.context.counts.progress().open, 0);
    lax.end().await;
    let second = |seen: &Seen| Manner::Answer(if seen.attempt == 1 { 200 } else { 204 });
    let mut strict = Rig::start(with(vec![Ends::Status(204)]), second).await;
    strict.deliver(1..=1);
    let wanted = [(1, 0, AttemptOutcome::NotAccepted(200)), (2, 0, AttemptOutcome::Status(204))];
    assert_eq!(strict.attempts(2).await, wanted);
    strict.end().await;
}

#[tokio::test]
async fn what_is_not_tried_again_is_given_up_at_once() {
    let mut plan = webhook_plan();
    plan.providers[0].sending.answers.retry_on = Some(vec![Ends::Class(5)]);
    let mut rig = Rig::start(plan, |seen| Manner::Answer(if seen.attempt == 1 { 503 } else { 429 })).await;
    rig.deliver(1..=1);
    rig.attempts(2).await;
    let Some(Record::GaveUp { attempts: 2, why, .. }) = rig.records.recv().await else { panic!("not given up") };
    assert_eq!(why, GiveUp::NotRetried);
    rig.end().await;
}

#[tokio::test]
async fn retry_after_holds_the_retry_back_in_the_runs_time() {
    let mut plan = webhook_plan();
    plan.time_scale = 1_000.0;
    plan.providers[0].retry.delays = vec![Span::from_millis(6)];
    let busy = Manner::AnswerLater { status: 503, retry_after_s: 9 };
    let mut rig = Rig::start(plan, move |seen| if seen.attempt == 1 { busy } else { Manner::Answer(200) }).await;
    rig.deliver(1..=1);
    let mut attempts = Vec::new();
    while attempts.len() < 2 {
        if let Some(Record::Attempt(attempt)) = rig.records.recv().await {
            attempts.push(attempt);
        }
    }
    // 9 s of scenario time are 9 ms here, between the schedule's 6 ms and twice that.
    assert_eq!(attempts[1].intended.since(attempts[0].done), Span::from_millis(9));
    rig.end().await;
}

#[tokio::test]
async fn a_receiver_that_never_answers_times_out_and_a_closed_port_refuses() {
    let mut rig = Rig::start(impatient(webhook_plan()), |_| Manner::Hang).await;
    rig.deliver(1..=1);
    assert_eq!(rig.attempts(1).await, [(1, 0, AttemptOutcome::Timeout)]);
    rig.end().await;

    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let free_port = listener.local_addr().unwrap().port();
    drop(listener);
    let receiver = TestReceiver::start(|_| Manner::Hang).await;
    let endpoint = Endpoint { port: free_port, ..receiver.endpoint(0) };
    let mut rig = Rig::start_at(webhook_plan(), receiver, endpoint);
    rig.deliver(1..=1);
    assert_eq!(rig.attempts(1).await, [(1, 0, AttemptOutcome::Refused)]);
    rig.end().await;
}

#[tokio::test]
async fn an_answer_over_the_limit_is_a_bad_one() {
    let mut rig = Rig::start(webhook_plan(), |_| Manner::Talk(70_000)).await;
    rig.deliver(1..=1);
    assert_eq!(rig.attempts(1).await, [(1, 0, AttemptOutcome::BadResponse)]);
    rig.end().await;
}

/// Runs one event through a fault on its first attempt: that attempt's outcome, and how often the
/// receiver saw it whole.
async fn fate_of(kind: serde_json::Value, plan: fn(Plan) -> Plan) -> (AttemptOutcome, usize) {
    let mut rig = Rig::start(plan(with_fault(kind, once())), |_| Manner::Answer(200)).await;
    rig.deliver(1..=1);
    let (number, copy, outcome) = rig.attempts(1).await[0];
    assert_eq!((number, copy), (1, 0));
    while !rig.attempts(1).await[0].2.is_ack() {}
    let (_, seen) = rig.end().await;
    (outcome, seen.iter().filter(|request| request.attempt == 1).count())
}

#[tokio::test]
async fn every_loss_is_seen_as_it_should_be_and_reaches_the_receiver_or_not() {
    use AttemptOutcome::{Refused, Reset, Status, Timeout};
    let cases = [
        (json!({"kind": "drop-request"}), Reset, 0),
        (json!({"kind": "drop-request", "seen_as": "timeout"}), Timeout, 0),
        (json!({"kind": "outage"}), Refused, 0),
        (json!({"kind": "outage", "how": "hang"}), Timeout, 0),
        (json!({"kind": "reset"}), Reset, 0),
        (json!({"kind": "slow-body", "bytes_per_s": 1}), Timeout, 0),
        (json!({"kind": "respond", "status": 503, "retry_after_s": 0}), Status(503), 0),
        (json!({"kind": "drop-ack"}), Reset, 1),
        (json!({"kind": "drop-ack", "seen_as": "timeout"}), Timeout, 1),
        (json!({"kind": "delay", "delay": "1h"}), Timeout, 0),
        (json!({"kind": "delay", "delay": "1h", "leg": "response"}), Timeout, 1),
    ];
    let runs = cases.map(|(kind, outcome, reached)| async move {
        let plan: fn(Plan) -> Plan = if outcome == Timeout { impatient } else { |plan| plan };
        assert_eq!(fate_of(kind.clone(), plan).await, (outcome, reached), "{kind}");
    });
    futures_util::future::join_all(runs).await;
}

#[tokio::test]
async fn an_ack_dropped_before_processing_is_a_reset_behind_the_whole_request() {
    // Whether the receiver begins is its own affair: it may see the request or only its end.
    let (outcome, reached) = fate_of(json!({"kind": "drop-ack", "when": "before"}), |plan| plan).await;
    assert_eq!(outcome, AttemptOutcome::Reset);
    assert!(reached <= 1);
}

#[tokio::test]
async fn a_short_delay_is_waited_out_on_both_legs() {
    let mut plan = with_fault(json!({"kind": "delay", "delay": "3ms"}), once());
    plan.faults.push(testing::fault(1, json!({"kind": "delay", "delay": "2ms", "leg": "response"}), once()));
    let mut rig = Rig::start(plan, |_| Manner::Answer(200)).await;
    rig.deliver(1..=1);
    let hits: Vec<u16> = [rig.records.recv().await, rig.records.recv().await]
        .into_iter()
        .map(|record| if let Some(Record::FaultHit { fault, .. }) = record { fault } else { panic!("{record:?}") })
        .collect();
    assert_eq!(hits, [0, 1]);
    let Some(Record::Attempt(attempt)) = rig.records.recv().await else { panic!("no attempt") };
    assert!(attempt.done.since(attempt.sent) >= Span::from_millis(5));
    rig.end().await;
}

#[tokio::test]
async fn keyed_losses_replay_exactly() {
    let selector = Selector { probability: Some(0.3), ..Selector::default() };
    let mut rig = Rig::start(with_fault(json!({"kind": "drop-ack"}), selector), |_| Manner::Answer(200)).await;
    rig.deliver(1..=200);
    let mut resets = 0;
    let mut ended = 0;
    while ended < 200 {
        match rig.records.recv().await {
            Some(Record::Attempt(attempt)) if attempt.outcome.is_ack() => ended += 1,
            Some(Record::Attempt(_)) => resets += 1,
            Some(Record::GaveUp { .. }) => ended += 1,
            _ => {}
        }
    }
    let context = &rig.context;
    let mut predicted = 0;
    for number in 1..=200 {
        for attempt in 1..=3 {
            let at = Time::ZERO;
            let path = TargetPath::Webhook;
            let target = Target { path, consumer: 0, client: 0, number, attempt, copy: 0, at };
            let fate = context.fate(&target);
            if matches!(fate.response, ResponseFate::Deliver) {
                break;
            }
            predicted += 1;
        }
    }
    assert!(predicted > 40);
    assert_eq!(resets, predicted);
    rig.end().await;
}

#[tokio::test]
async fn copies_are_twins_with_signatures_of_their_own() {
    let plan = with_fault(json!({"kind": "duplicate", "copies": 2, "lag": "1ms"}), Selector::default());
    let mut rig = Rig::start(plan, |_| Manner::Answer(200)).await;
    rig.deliver(1..=1);
    let mut attempts = rig.attempts(3).await;
    attempts.sort_unstable_by_key(|(_, copy, _)| *copy);
    assert_eq!(attempts, [(1, 0, OK), (1, 1, OK), (1, 2, OK)]);
    assert_eq!(rig.context.counts.progress().open, 0);
    let (_, seen) = rig.end().await;
    assert!(seen.iter().all(|request| request.id == seen[0].id && request.signature.is_some()));
    assert_eq!(seen.len(), 3);
}

/// The genuine request and the attack beside it, with the run's time.
async fn attacked(kind: serde_json::Value) -> (AttackKind, Seen, Seen, u64) {
    let mut rig = Rig::start(with_fault(kind, Selector::default()), |_| Manner::Answer(200)).await;
    rig.deliver(1..=1);
    let (mut attack, mut genuine_done) = (None, false);
    while attack.is_none() || !genuine_done {
        match rig.records.recv().await {
            Some(Record::Attack { kind, seq: 1, outcome: OK, .. }) => attack = Some(kind),
            Some(Record::Attempt(_)) => genuine_done = true,
            other => assert!(matches!(other, Some(Record::FaultHit { .. })), "{other:?}"),
        }
    }
    let now = rig.context.clock.unix_secs();
    assert_eq!((rig.context.counts.progress().open, rig.context.traffic(0).totals().2), (0, 1));
    let (_, mut seen) = rig.end().await;
    let verifies = |seen: &Seen| verdict(seen, now).is_ok();
    let genuine = seen.iter().position(verifies).unwrap();
    let genuine = seen.remove(genuine);
    (attack.unwrap(), genuine, seen.remove(0), now)
}

fn verdict(seen: &Seen, now: u64) -> Result<(), wire::SignatureError> {
    let signature = seen.signature.as_deref().unwrap_or_default();
    let tolerance = Span::from_secs(300);
    wire::verify(&[secret()], &seen.id, &seen.timestamp, signature, &seen.body, now, tolerance)
}

#[tokio::test]
async fn forgeries_are_well_formed_and_never_verify() {
    for (name, method) in [
        ("wrong-secret", ForgeMethod::WrongSecret),
        ("unsigned", ForgeMethod::Unsigned),
        ("unkeyed-sha256", ForgeMethod::UnkeyedSha256),
        ("tampered", ForgeMethod::Tampered),
    ] {
        let (kind, genuine, forged, now) = attacked(json!({"kind": "forge", "method": name})).await;
        assert_eq!(kind, AttackKind::Forge(method));
        assert!(verdict(&forged, now).is_err(), "{name}");
        let tampered = method == ForgeMethod::Tampered;
        assert_eq!(forged.id == genuine.id, tampered);
        assert_eq!(forged.id.parse::<EventId>().unwrap().forged, !tampered);
        assert_eq!(wire::EventBody::parse(&forged.body).unwrap().id, forged.id.as_str());
        assert_ne!(forged.body, genuine.body);
        assert_eq!(forged.signature.is_none(), method == ForgeMethod::Unsigned);
        if tampered && forged.timestamp == genuine.timestamp {
            assert_eq!(forged.signature, genuine.signature);
        }
        let unkeyed = forged.signature.as_deref().map(|signature| {
            let tolerance = Span::from_secs(300);
            wire::verify_unkeyed(&forged.id, &forged.timestamp, signature, &forged.body, now, tolerance)
        });
        assert_eq!(unkeyed == Some(Ok(())), method == ForgeMethod::UnkeyedSha256);
    }
}

#[tokio::test]
async fn a_replay_is_genuine_and_old() {
    let (kind, genuine, replayed, now) = attacked(json!({"kind": "replay", "age": "10min"})).await;
    assert_eq!(kind, AttackKind::Replay);
    assert_eq!((&replayed.id, &replayed.body), (&genuine.id, &genuine.body));
    assert_eq!(verdict(&replayed, now), Err(wire::SignatureError::StaleTimestamp));
    let captured: u64 = replayed.timestamp.parse().unwrap();
    assert_eq!(verdict(&replayed, captured), Ok(()));
}

#[tokio::test]
async fn a_hanging_endpoint_holds_nobody_else_up() {
    let hanging = Rig::start(webhook_plan(), |_| Manner::Hang).await;
    hanging.deliver(1..=50);
    let mut other = Rig::start(webhook_plan(), |_| Manner::Answer(200)).await;
    other.deliver(1..=50);
    assert_eq!(other.attempts(50).await.len(), 50);
    other.end().await;
    let mut hanging = hanging;
    for _ in 0..4 {
        hanging.receiver.seen.recv().await.unwrap();
    }
    // Its four slots are taken and stay so; at the end everything is open.
    hanging.stop.send(true).unwrap();
    let (records, seen) = hanging.end().await;
    let open: Vec<u32> = records
        .iter()
        .map(|record| if let Record::Open { attempts, .. } = record { *attempts } else { panic!("{record:?}") })
        .collect();
    assert_eq!((open.len(), open.iter().sum::<u32>(), seen.len()), (50, 4, 0));
}

#[tokio::test]
async fn what_comes_after_the_stop_is_open_too() {
    let rig = Rig::start(webhook_plan(), |_| Manner::Answer(200)).await;
    rig.stop.send(true).unwrap();
    rig.deliver(1..=3);
    let (records, _) = rig.end().await;
    let ended = records.iter().filter(|r| matches!(r, Record::Open { .. } | Record::Attempt(_))).count();
    assert_eq!(ended, 3);
}
