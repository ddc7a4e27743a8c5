//! Negative controls of the books of one that asks for states.

use super::*;
use crate::{
    audit::fixture::{self, replay},
    measure::RunResult,
    model::Span,
    record::{CursorPosition, EffectRow},
};

/// A consumer of 20 clients that scans every 5 s, and a faithful run of it.
fn scanned() -> (Plan, Vec<Record>) {
    let mut plan = fixture::plan(60, 20);
    plan.consumers = vec![fixture::scanning("states", 20, Span::from_secs(5))];
    let records = fixture::records(&plan);
    (plan, records)
}

fn judged(plan: &Plan, records: &[Record]) -> RunResult {
    judge(plan, &replay(records, 0)).unwrap()
}

/// The last state of some subject, and an earlier one that took effect too.
fn first_and_last(records: &[Record]) -> (EffectRow, EffectRow) {
    let rows = || records.iter().filter_map(|r| if let Record::Effect(row) = r { Some(*row) } else { None });
    let first = rows().next().unwrap();
    let last = rows().filter(|row| row.subject == first.subject).max_by_key(|row| row.version).unwrap();
    assert!(last.version > first.version);
    (first, last)
}

fn forget(records: &mut Vec<Record>, what: Obligation) {
    records.retain(|r| crate::audit::obligation_of(r) != Some(what));
}

#[test]
fn what_a_later_state_overtook_is_superseded_and_as_old_as_that_state() {
    let (plan, records) = scanned();
    let run = judged(&plan, &records);
    assert_eq!((run.why_void.clone(), run.broken().count()), (Vec::new(), 0));
    let states = &run.consumers[0];
    let (applied, superseded) = (states.applied.unwrap(), states.superseded.unwrap());
    assert!(superseded > 0 && applied > 0, "{applied} and {superseded}");
    assert_eq!(applied + superseded, states.due);
    assert_eq!(states.receipts, Some(applied), "a state that is never seen is never received");
    // Every event counts, also those that nobody saw: half an interval on average.
    let age = states.age_s.as_ref().unwrap();
    assert_eq!((age.count, age.censored), (states.due, 0));
    let row = |part: &str| run.model.iter().find(|row| row.quantity.contains(part)).unwrap();
    for part in ["mean age = T / 2", "share superseded"] {
        assert!(row(part).standard_errors.unwrap().abs() < 4.0, "{:?}", row(part));
    }
    assert!(row("when seen").difference.unwrap().abs() < 0.1, "{:?}", row("when seen"));
}

#[test]
fn a_last_state_that_was_passed_is_lost_and_an_earlier_one_that_was_not_seen_is_none() {
    let (plan, mut records) = scanned();
    let (first, last) = first_and_last(&records);
    let before = judged(&plan, &records).consumers[0].superseded;
    forget(&mut records, first.what);
    let run = judged(&plan, &records);
    assert!(run.valid, "{:?}", run.why_void);
    assert_eq!(run.consumers[0].superseded, before.map(|count| count + 1));
    assert_eq!(run.consumers[0].lost, Some(0));
    forget(&mut records, last.what);
    let run = judged(&plan, &records);
    assert!(run.valid, "{:?}", run.why_void);
    // And with it whatever it had overtaken.
    let lost = run.consumers[0].lost.unwrap();
    assert!(lost >= 1);
    let broken: Vec<_> = run.broken().map(|promise| promise.name.clone()).collect();
    assert_eq!(broken, [promises::CURSOR_SKIPS_NOTHING]);
    // Ahead of the cursor it would still come.
    for record in &mut records {
        if let Record::Cursor { passed, .. } = record {
            *passed = CursorPosition::UpdatedSince(Time::ZERO);
        }
    }
    let run = judged(&plan, &records);
    assert_eq!((run.consumers[0].lost, run.consumers[0].pending), (Some(0), Some(lost)));
}

#[test]
fn a_consumer_of_events_gets_no_such_discount() {
    let (mut plan, mut records) = scanned();
    let (first, _) = first_and_last(&records);
    forget(&mut records, first.what);
    let mut events = fixture::polling("states", 20, Span::from_secs(5));
    events.effect = plan.consumers[0].effect;
    plan.consumers = vec![events];
    let run = judged(&plan, &records);
    assert_eq!(run.consumers[0].superseded, Some(0));
    assert!(run.consumers[0].lost.unwrap() > 0);
}

#[test]
fn a_state_that_vanished_from_its_queue_voids_the_run_whatever_was_seen_later() {
    let (plan, mut records) = scanned();
    let (first, _) = first_and_last(&records);
    records.retain(|r| {
        let about = crate::audit::obligation_of(r) == Some(first.what);
        !(about && matches!(r, Record::Worked { .. } | Record::Effect(_)))
    });
    let run = judged(&plan, &records);
    assert!(run.why_void.iter().any(|why| why.contains("do not balance")), "{:?}", run.why_void);
}

#[test]
fn the_story_of_a_state_that_nobody_saw_tells_the_later_one() {
    let (plan, records) = scanned();
    let seen = |what: &Obligation| records.iter().any(|r| matches!(r, Record::Effect(row) if row.what == *what));
    let emitted =
        records.iter().filter_map(|r| if let Record::Emitted { event, .. } = r { Some(*event) } else { None });
    let what = |event: Event| Obligation { consumer: 0, client: event.subject % 20, seq: event.seq };
    let unseen = emitted.map(what).find(|what| !seen(what)).unwrap();
    let stories = crate::audit::tell(&plan, &replay(&records, 0), &[unseen]).unwrap();
    let told = stories[0].in_one_line();
    assert!(told.contains("its client sees a later state: version") && told.contains("what changed from"), "{told}");
}
