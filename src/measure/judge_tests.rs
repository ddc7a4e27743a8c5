//! Negative controls: every planted miscount voids the run, every broken promise is named.

use super::*;
use crate::measure::{PromiseVerdict, RunResult};
use crate::{
    audit::fixture::{self, replay},
    fault::{CrashPoint, ForgeMethod},
    model::{AttemptOutcome, EffectOutcome, GiveUp, PollOutcome},
    record::{AttackKind, Attempt, CursorPosition, EffectRow, ProcessChange},
    scenario::{Comparison, EffectKind, ExternalReceiver, Path as Way},
};

const POLL: ConsumerNo = 0;
const HOOK: ConsumerNo = 1;

fn quiet() -> (Plan, Vec<Record>) {
    let mut plan = fixture::comparison();
    plan.faults.clear();
    plan.consumers.truncate(2);
    let records = fixture::records(&plan);
    (plan, records)
}

fn judged(plan: &Plan, records: &[Record]) -> RunResult {
    judge(plan, &replay(records, 0)).unwrap()
}

/// Removes the first record that `is` and returns it.
fn drop_one(records: &mut Vec<Record>, is: impl Fn(&Record) -> bool) -> Record {
    let place = records.iter().position(is).expect("the run has such a record");
    records.remove(place)
}

fn is_about(record: &Record, what: Obligation) -> bool {
    crate::audit::obligation_of(record) == Some(what)
}

/// The webhook's obligation to event `seq`.
fn hook(records: &[Record], seq: u32) -> Obligation {
    let mut all = records.iter().filter_map(crate::audit::obligation_of);
    all.find(|what| what.consumer == HOOK && what.seq == seq).unwrap()
}

/// Forgets that anything was done with an event after it had been received.
fn unwork(records: &mut Vec<Record>, what: Obligation) {
    records.retain(|r| !(is_about(r, what) && matches!(r, Record::Worked { .. } | Record::Effect(_))));
}

#[test]
fn a_faithful_run_is_valid_and_all_its_promises_are_kept() {
    let (plan, records) = quiet();
    let run = judged(&plan, &records);
    assert_eq!(run.why_void, Vec::<String>::new());
    assert!(run.valid && run.passes());
    assert_eq!(run.broken().count(), 0);
    for consumer in &run.consumers {
        assert_eq!(consumer.applied, Some(consumer.due));
        assert_eq!(consumer.due, run.provider.emitted);
        assert_eq!(consumer.requests, consumer.useful_requests + consumer.wasted_requests + consumer.failed_requests);
    }
    let sent: u64 = run.consumers[1].series.buckets.iter().map(|bucket| bucket.attempts).sum();
    assert_eq!(sent, run.consumers[1].attempts);
}

#[test]
fn planted_miscounts_void_the_run() {
    type Plant = fn(&mut Vec<Record>);
    let plants: [(&str, Plant); 12] = [
        ("not in the log", |r| r.retain(|r| !matches!(r, Record::Emitted { event, .. } if event.seq == 7))),
        ("not in the log", |r| {
            let last = r.iter().rposition(|r| matches!(r, Record::Emitted { .. })).unwrap();
            r.remove(last);
        }),
        ("its scheduled subject", |r| {
            let event =
                r.iter_mut().find_map(|r| if let Record::Emitted { event, .. } = r { Some(event) } else { None });
            event.unwrap().subject += 1;
        }),
        ("never due", |r| {
            let what = Obligation { consumer: HOOK, client: 0, seq: 999_999 };
            r.push(Record::Effect(EffectRow {
                what,
                subject: 0,
                version: 1,
                at: Time(1),
                forged: false,
                superseded: false,
            }));
        }),
        ("never due", |r| {
            let Obligation { client, .. } = hook(r, 3);
            let what = Obligation { consumer: HOOK, client: client + 1, seq: 3 };
            r.push(Record::Receipt { what, forged: false, by: crate::fault::TargetPath::Webhook, at: Time(1) });
        }),
        ("do not balance", |r| {
            let what = hook(r, 5);
            drop_one(r, |r| is_about(r, what) && matches!(r, Record::Attempt(_)));
            unwork(r, what);
        }),
        ("do not balance", |r| {
            let what = hook(r, 5);
            r.push(Record::GaveUp { what, at: Time(1), attempts: 1, why: GiveUp::Exhausted });
        }),
        ("unknown consumer", |r| r.push(Record::Bytes { consumer: 9, up: 0, down: 0, requests: 0 })),
        ("process failed", |r| {
            r.push(Record::Process { role: Role::Receiver(HOOK), change: ProcessChange::Failed, at: Time(1) });
        }),
        ("cursor stands", |r| {
            r.push(Record::Cursor { consumer: POLL, client: 0, passed: CursorPosition::Seq(5_000) });
        }),
        ("no end", |r| r.retain(|r| !matches!(r, Record::End { .. }))),
        ("before its event", |r| {
            let row = r.iter_mut().find_map(|r| if let Record::Effect(row) = r { Some(row) } else { None });
            row.unwrap().at = Time::ZERO;
        }),
    ];
    for (expected, plant) in plants {
        let (plan, mut records) = quiet();
        plant(&mut records);
        let run = judged(&plan, &records);
        assert!(!run.valid && run.why_void.iter().any(|why| why.contains(expected)), "{expected}: {:?}", run.why_void);
    }
}

#[test]
fn a_queue_row_that_vanishes_is_a_miscount_unless_its_holder_died() {
    let (plan, mut records) = quiet();
    let what = hook(&records, 9);
    unwork(&mut records, what);
    let queued = Record::Queued { what, forged: false };
    records.push(queued.clone());
    let run = judged(&plan, &records);
    assert!(run.valid, "{:?}", run.why_void);
    assert_eq!(run.consumers[1].pending, Some(1));
    drop_one(&mut records, |record| *record == queued);
    let run = judged(&plan, &records);
    assert!(run.why_void[0].contains("event 9") && run.why_void[0].contains("acked, received"), "{:?}", run.why_void);
    assert!(run.promises.iter().any(|p| p.name == "books-balance" && p.verdict == PromiseVerdict::Broken));
    for (change, at) in [(ProcessChange::Killed, 70), (ProcessChange::Ready, 71)] {
        records.push(Record::Process { role: Role::Receiver(HOOK), change, at: Time(at * 1_000_000_000) });
    }
    let run = judged(&plan, &records);
    assert!(run.valid, "{:?}", run.why_void);
    assert_eq!(run.consumers[1].lost, Some(1));
}

#[test]
fn each_class_is_reached_from_records() {
    let (plan, mut records) = quiet();
    let [superseded, dead, lost, pending, undelivered] = [11, 12, 13, 14, 15].map(|seq| hook(&records, seq));
    for what in [superseded, dead, lost, pending, undelivered] {
        unwork(&mut records, what);
    }
    records.retain(|r| !(matches!(r, Record::Receipt { .. }) && (is_about(r, lost) || is_about(r, undelivered))));
    records.retain(|r| !(matches!(r, Record::Attempt(_)) && (is_about(r, pending) || is_about(r, undelivered))));
    let at = Time(80_000_000_000);
    let row = EffectRow { what: superseded, subject: 0, version: 1, at, forged: false, superseded: true };
    records.push(Record::Effect(row));
    records.push(Record::DeadLetter { what: dead, forged: false });
    records.push(Record::Open { what: pending, attempts: 2 });
    records.push(Record::GaveUp { what: undelivered, at, attempts: 5, why: GiveUp::Exhausted });
    let run = judged(&plan, &records);
    let c = &run.consumers[1];
    assert!(run.valid, "{:?}", run.why_void);
    let classes = [c.superseded, c.dead_lettered, c.lost, c.pending, c.undelivered];
    assert_eq!(classes, [Some(1); 5]);
    assert_eq!(c.applied, Some(c.due - 5));
    assert_eq!(c.age_s.as_ref().map(|age| (age.count, age.censored)), Some((c.due, 4)));
    assert_eq!(c.age_s.as_ref().and_then(|age| age.max), None);
}

#[test]
fn pollers_lose_what_their_cursor_passes() {
    let (plan, mut records) = quiet();
    let what =
        records.iter().filter_map(crate::audit::obligation_of).find(|w| w.consumer == POLL && w.seq > 100).unwrap();
    records.retain(|r| !is_about(r, what));
    let run = judged(&plan, &records);
    assert!(run.valid && run.consumers[0].lost == Some(1), "{:?}", run.why_void);
    assert_eq!(run.broken().map(|p| p.name.as_str()).collect::<Vec<_>>(), ["cursor-skips-nothing"]);
    for record in &mut records {
        if let Record::Cursor { passed, .. } = record {
            *passed = CursorPosition::Created(Time::ZERO);
        }
    }
    let run = judged(&plan, &records);
    assert!(run.valid && run.consumers[0].pending == Some(1), "{:?}", run.why_void);
}

/// The names of the promises that the webhook breaks after `plant`.
fn broken_by(prepare: fn(&mut Plan), plant: fn(&mut Vec<Record>)) -> (Vec<String>, RunResult) {
    let (mut plan, _) = quiet();
    prepare(&mut plan);
    let mut records = fixture::records(&plan);
    plant(&mut records);
    let run = judged(&plan, &records);
    assert!(run.valid, "{:?}", run.why_void);
    (run.broken().map(|promise| promise.name.clone()).collect(), run)
}

#[test]
fn each_broken_promise_is_named_and_shown() {
    let nothing: fn(&mut Plan) = |_| {};
    let set: fn(&mut Plan) = |plan| plan.consumers[1].effect.kind = EffectKind::Set;
    type Case = (&'static str, fn(&mut Plan), fn(&mut Vec<Record>));
    let cases: [Case; 7] = [
        ("acked-is-kept", nothing, |r| {
            let what = hook(r, 4);
            unwork(r, what);
            r.push(Record::Worked { what, outcome: EffectOutcome::Duplicate, at: Time(61_000_000_000) });
        }),
        ("effect-at-most-once", nothing, |r| {
            let what = hook(r, 4);
            let row = r.iter().find(|r| is_about(r, what) && matches!(r, Record::Effect(_))).cloned();
            r.extend(row);
        }),
        ("no-forgery", nothing, |r| {
            let Obligation { consumer, client, seq } = hook(r, 4);
            let kind = AttackKind::Forge(ForgeMethod::Unsigned);
            let outcome = AttemptOutcome::Status(200);
            r.push(Record::Attack { consumer, client, seq, kind, sent: Time(1), outcome });
        }),
        ("newest-wins", set, |r| {
            let first = r.iter_mut().find_map(|r| match r {
                Record::Effect(row) if row.what.consumer == HOOK && row.version == 1 => Some(row),
                _ => None,
            });
            first.unwrap().at = Time(79_000_000_000);
        }),
        ("genuine-is-accepted", nothing, |r| plant_attempt(r, AttemptOutcome::Status(409), 1)),
        ("stored-before-ack", nothing, |r| {
            let what = hook(r, 4);
            let receipt = r.iter_mut().find(|r| is_about(r, what) && matches!(r, Record::Receipt { .. }));
            if let Some(Record::Receipt { at, .. }) = receipt {
                *at = *at + crate::model::Span::from_millis(50);
            }
        }),
        ("ack-in-budget", nothing, |r| plant_attempt(r, AttemptOutcome::Timeout, 1)),
    ];
    for (name, prepare, plant) in cases {
        let (broken, run) = broken_by(prepare, plant);
        assert_eq!(broken, [name]);
        let promise = run.broken().next().unwrap();
        // Moving one row may put others, which the fixture's slow effects inverted, in the wrong too.
        assert!(promise.count >= Some(1) && promise.consumer == "webhook");
        assert!(promise.example.as_ref().unwrap().story.len() >= 3, "{:?}", promise.example);
    }
}

/// One more attempt for event 4, before its ack.
fn plant_attempt(records: &mut Vec<Record>, outcome: AttemptOutcome, number: u32) {
    let what = hook(records, 4);
    let at = Time(30_000_000_000);
    records.push(Record::Attempt(Attempt { what, number, copy: 0, intended: at, sent: at, done: at, outcome }));
}

#[test]
fn a_timeout_in_an_outage_or_a_crash_is_not_the_receivers_fault() {
    let plant: fn(&mut Vec<Record>) = |r| {
        plant_attempt(r, AttemptOutcome::Timeout, 1);
        let role = Role::Receiver(HOOK);
        let crash = ProcessChange::Crashed(CrashPoint::AfterStore);
        r.push(Record::Process { role, change: crash, at: Time(29_900_000_000) });
        r.push(Record::Process { role, change: ProcessChange::Ready, at: Time(30_400_000_000) });
    };
    let (broken, run) = broken_by(|_| {}, plant);
    assert_eq!(broken, Vec::<String>::new());
    assert_eq!(run.disturbances.len(), 1);
    assert_eq!(run.consumers[1].cpu_s, None, "one of two incarnations was never told of");
}

#[test]
fn without_a_ledger_duplicates_take_effect_and_are_shown() {
    let plan = fixture::comparison();
    let run = judged(&plan, &fixture::records(&plan));
    assert!(run.valid && run.passes(), "{:?}", run.why_void);
    let [_, with, without] = &run.consumers[..] else { panic!("three consumers") };
    assert!(with.duplicates_received > Some(10));
    assert_eq!(with.duplicates_received, with.duplicates_suppressed);
    assert_eq!(with.duplicates_applied, Some(0));
    assert_eq!(without.duplicates_applied, with.duplicates_received, "equal faults under one seed");
    let told = run.broken().next().unwrap().example.as_ref().unwrap();
    assert_eq!(told.story.iter().filter(|line| line.what.starts_with("EFFECT")).count(), 2);
}

#[test]
fn closed_forms_agree_with_a_faithful_run() {
    let mut plan = fixture::plan(600, 20);
    plan.consumers =
        vec![fixture::polling("poll", 20, crate::model::Span::from_secs(2)), fixture::webhook("webhook", 20)];
    let fault = fixture::comparison().faults.remove(0);
    plan.faults = vec![crate::fault::FaultPlan { consumers: vec![HOOK], ..fault }];
    let run = judged(&plan, &fixture::records(&plan));
    assert!(run.valid, "{:?}", run.why_void);
    assert_eq!(run.model.len(), 7);
    for row in &run.model {
        // The fixture's polls take 3 ms that the formulas leave out.
        let close = row.difference.is_none_or(|difference| difference.abs() < 0.004);
        assert!(close || row.standard_errors.is_some_and(|errors| errors.abs() < 4.0), "{row:?}");
    }
}

#[test]
fn what_nobody_observed_is_null_and_fails_its_expectation() {
    let (mut plan, _) = quiet();
    plan.expects.push(fixture::condition(Some(HOOK), "applied", Comparison::AtLeast, 0.0));
    let records = fixture::records(&plan);
    let Way::Webhook(hooks) = &mut plan.consumers[1].path else { panic!("a webhook") };
    hooks.external = Some(ExternalReceiver { url: "http://127.0.0.1:9/{client}".to_owned(), secret_env: None });
    let sender_only: Vec<Record> = records
        .into_iter()
        .filter(|r| {
            let inner = matches!(r, Record::Receipt { .. } | Record::Worked { .. } | Record::Effect(_));
            !(inner && consumer_of(r) == Some(HOOK))
        })
        .collect();
    let run = judged(&plan, &sender_only);
    assert!(run.valid, "{:?}", run.why_void);
    let c = &run.consumers[1];
    assert_eq!((c.applied, c.lost, c.duplicates_applied, c.forged_accepted), (None, None, None, None));
    assert!(c.age_s.is_none() && c.acked == c.due);
    assert!(run.expectations.iter().all(|expectation| !expectation.pass && expectation.actual.is_none()));
}

#[test]
fn lag_and_torn_files_void_the_run() {
    let (plan, mut records) = quiet();
    assert!(!judge(&plan, &replay(&records, 1)).unwrap().valid);
    for record in &mut records {
        if let Record::Emitted { event, emitted_at } = record {
            *emitted_at = event.occurred_at + crate::model::Span::from_millis(11);
        }
    }
    let run = judged(&plan, &records);
    assert!(run.why_void[0].contains("the provider lagged 11.0 ms"), "{:?}", run.why_void);
}

#[test]
fn each_client_of_an_all_consumer_has_its_own_obligations() {
    let (mut plan, _) = quiet();
    for consumer in &mut plan.consumers {
        (consumer.follows, consumer.clients) = (crate::scenario::Follows::All, 3);
        consumer.effect.kind = EffectKind::Set;
    }
    let mut records = fixture::records(&plan);
    let what = Obligation { consumer: HOOK, client: 2, seq: 8 };
    unwork(&mut records, what);
    records.push(Record::DeadLetter { what, forged: false });
    let run = judged(&plan, &records);
    assert!(run.valid, "{:?}", run.why_void);
    for consumer in &run.consumers {
        assert_eq!(consumer.due, 3 * run.provider.emitted);
    }
    assert_eq!((run.consumers[1].dead_lettered, run.consumers[1].applied), (Some(1), Some(run.consumers[1].due - 1)));
}

#[test]
fn an_interrupted_run_may_end_early_but_has_no_gaps() {
    let (plan, mut records) = quiet();
    let early = |r: &Record| match r {
        Record::Emitted { event, .. } => event.seq < 100,
        Record::Cursor { .. } => false,
        other => crate::audit::obligation_of(other).is_none_or(|what| what.seq < 100),
    };
    records.retain(early);
    assert!(!judged(&plan, &records).valid);
    if let Some(Record::End { interrupted, .. }) = records.last_mut() {
        *interrupted = true;
    }
    let run = judged(&plan, &records);
    assert!(run.valid && run.interrupted, "{:?}", run.why_void);
    records.retain(|r| !matches!(r, Record::Emitted { event, .. } if event.seq == 50));
    assert!(!judged(&plan, &records).valid);
}

#[test]
fn a_redelivery_takes_the_give_up_back_and_must_end_like_any_delivery() {
    let (plan, clean) = quiet();
    let what = hook(&clean, 9);
    let (first, second) = (Time(30_000_000_000), Time(60_000_000_000));
    let gave_up = |at| Record::GaveUp { what, at, attempts: 1, why: GiveUp::Exhausted };
    let again = Record::Redelivered { what, at: second, attempts: 1 };
    // The acked attempt, its receipt and its effect come behind the redelivery.
    let mended = |r: &mut Vec<Record>| {
        let place = r.iter().position(|r| is_about(r, what)).unwrap();
        r.splice(place..place, [gave_up(first), again.clone()]);
    };
    let mut records = clean.clone();
    mended(&mut records);
    let run = judged(&plan, &records);
    let c = &run.consumers[1];
    assert!(run.valid, "{:?}", run.why_void);
    assert_eq!((c.applied, c.gave_up, c.undelivered, c.redelivered), (Some(c.due), 0, Some(0), 1));

    let without_the_end = |tail: &[Record]| {
        let mut records = clean.clone();
        mended(&mut records);
        records.retain(|r| !(is_about(r, what) && matches!(r, Record::Attempt(_) | Record::Receipt { .. })));
        unwork(&mut records, what);
        records.extend_from_slice(tail);
        judged(&plan, &records)
    };
    let run = without_the_end(&[gave_up(second)]);
    assert!(run.valid, "{:?}", run.why_void);
    assert_eq!((run.consumers[1].undelivered, run.consumers[1].gave_up), (Some(1), 1));
    let run = without_the_end(&[Record::Open { what, attempts: 2 }]);
    assert_eq!((run.valid, run.consumers[1].pending), (true, Some(1)));
    // Negative controls: a redelivery without an end, with two ends, and of what was open.
    assert!(without_the_end(&[]).why_void[0].contains("nothing known"));
    let run = without_the_end(&[gave_up(second), Record::Open { what, attempts: 2 }]);
    assert!(run.why_void[0].contains("do not balance"), "{:?}", run.why_void);
    let mut records = clean.clone();
    let place = records.iter().position(|r| is_about(r, what)).unwrap();
    records.insert(place, again);
    assert!(judged(&plan, &records).why_void[0].contains("still open"));
}

#[test]
fn an_ack_stays_known_when_the_event_is_sent_again() {
    let (plan, mut records) = quiet();
    let what = hook(&records, 9);
    unwork(&mut records, what);
    records.retain(|r| !(is_about(r, what) && matches!(r, Record::Receipt { .. })));
    let at = Time(60_000_000_000);
    records.push(Record::Redelivered { what, at, attempts: 1 });
    records.push(Record::GaveUp { what, at, attempts: 2, why: GiveUp::Exhausted });
    let run = judged(&plan, &records);
    assert!(run.valid, "{:?}", run.why_void);
    assert_eq!((run.consumers[1].lost, run.consumers[1].undelivered), (Some(1), Some(0)));
    let broken: Vec<&str> = run.broken().map(|p| p.name.as_str()).collect();
    assert_eq!(broken, ["acked-is-kept", "stored-before-ack"]);
}

#[test]
fn what_expires_ahead_of_the_cursor_is_lost_and_what_is_still_kept_is_pending() {
    let (mut plan, mut records) = quiet();
    // The cursors stand at the beginning, and nobody has received anything.
    records.retain(|r| crate::audit::consumer_of(r) != Some(POLL));
    let run = judged(&plan, &records);
    assert_eq!((run.valid, run.consumers[0].pending), (true, Some(run.consumers[0].due)));
    let end = plan.duration + plan.drain;
    plan.providers[0].pull.retention = Some(end);
    assert_eq!(judged(&plan, &records).consumers[0].lost, Some(0));
    // The run ends 80 s after t0: with 50 s of retention all of the first 30 s has expired.
    plan.providers[0].pull.retention = Some(crate::model::Span::from_secs(50));
    let run = judged(&plan, &records);
    let early = |r: &&Record| matches!(r, Record::Emitted { event, .. } if event.occurred_at < Time(30_000_000_000));
    let expired = records.iter().filter(early).count() as u64;
    assert!(run.valid, "{:?}", run.why_void);
    let c = &run.consumers[0];
    assert_eq!((c.lost, c.pending), (Some(expired), Some(c.due - expired)));
    assert_eq!(run.broken().map(|p| p.name.as_str()).collect::<Vec<_>>(), ["cursor-skips-nothing"]);
    // Negative control: what was received and then vanished is a miscount, expired or not.
    let what = Obligation { consumer: POLL, ..hook(&records, 9) };
    records.push(Record::Receipt {
        what,
        forged: false,
        by: crate::fault::TargetPath::Webhook,
        at: Time(40_000_000_000),
    });
    let run = judged(&plan, &records);
    assert!(run.why_void.iter().any(|why| why.contains("do not balance")), "{:?}", run.why_void);
}

#[test]
fn a_poll_that_fails_at_its_third_page_has_read_two() {
    let (plan, mut records) = quiet();
    let before = judged(&plan, &records).consumers[0].useful_requests;
    let poll = records.iter_mut().find_map(|r| if let Record::Poll(poll) = r { Some(poll) } else { None }).unwrap();
    assert_eq!(poll.requests, 1);
    (poll.requests, poll.outcome) = (3, PollOutcome::Status(429));
    let c = &judged(&plan, &records).consumers[0];
    assert_eq!((c.useful_requests, c.failed_requests), (before + 1, 1));
}
