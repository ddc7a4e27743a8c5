use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;

fn schedule(delays_ms: &[u64]) -> RetrySchedule {
    RetrySchedule {
        delays: delays_ms.iter().map(|&ms| Span::from_millis(ms)).collect(),
        jitter: 0.0,
        backoff: crate::policy::Backoff::Plain,
    }
}

fn event(seq: Seq, at_ms: u64) -> Event {
    Event { seq, subject: seq % 3, version: 1, occurred_at: ms(at_ms) }
}

fn ms(ms: u64) -> Time {
    Time::ZERO + Span::from_millis(ms)
}

fn starts(machine: &mut Dispatch, now: Time) -> Vec<Start> {
    let mut out = Vec::new();
    machine.drain(now, &mut out);
    out.iter().filter_map(|o| if let Output::Start(start) = o { Some(*start) } else { None }).collect()
}

#[test]
fn a_failure_is_retried_when_due_and_given_up_when_the_schedule_ends() {
    let mut machine = Dispatch::new(schedule(&[10]), 4, Draws::new(1), 0);
    machine.deliver(event(1, 5));
    assert_eq!(starts(&mut machine, ms(4)), []);
    assert_eq!(machine.next_deadline(), Some(ms(5)));
    let first = starts(&mut machine, ms(5))[0];
    machine.ended(&first, AttemptOutcome::Status(302), ms(6));
    assert_eq!(starts(&mut machine, ms(15)), []);
    let second = starts(&mut machine, ms(16))[0];
    assert_eq!((second.number, second.intended), (2, ms(16)));
    assert_eq!(machine.open().collect::<Vec<_>>(), [(event(1, 5), 2)]);
    machine.ended(&second, AttemptOutcome::Timeout, ms(20));
    let mut out = Vec::new();
    machine.drain(ms(20), &mut out);
    assert_eq!(out, [Output::GaveUp { event: event(1, 5), attempts: 2, at: ms(20), why: GiveUp::Exhausted }]);
    assert_eq!((machine.open_count(), machine.next_deadline()), (0, None));
}

#[test]
fn retry_after_moves_the_retry() {
    let mut machine = Dispatch::new(schedule(&[10]), 1, Draws::new(1), 0);
    machine.deliver(event(1, 0));
    let first = starts(&mut machine, ms(0))[0];
    let retry_after = Some(Span::from_millis(17));
    machine.ended(&first, Ending { retry_after, ..AttemptOutcome::Status(503).into() }, ms(1));
    starts(&mut machine, ms(1));
    assert_eq!(machine.next_deadline(), Some(ms(18)));
}

#[test]
fn what_is_due_earlier_goes_first_whether_fresh_or_retried() {
    let mut machine = Dispatch::new(schedule(&[3]), 1, Draws::new(1), 0);
    machine.deliver(event(1, 0));
    let first = starts(&mut machine, ms(0))[0];
    machine.ended(&first, AttemptOutcome::Reset, ms(0));
    machine.deliver(event(2, 2));
    machine.deliver(event(3, 4));
    let mut order = Vec::new();
    for now in 10..13 {
        let start = starts(&mut machine, ms(now))[0];
        order.push(start.event.seq);
        machine.ended(&start, AttemptOutcome::Status(200), ms(now));
    }
    assert_eq!(order, [2, 1, 3]);
}

#[test]
fn a_copy_never_counts_as_the_deliverys_attempt() {
    let mut machine = Dispatch::new(schedule(&[10]), 4, Draws::new(1), 0);
    machine.deliver(event(1, 0));
    let original = starts(&mut machine, ms(0))[0];
    machine.duplicate(&original, Copies { count: 2, lag: Span::from_millis(3) }, ms(0));
    let copy = starts(&mut machine, ms(3))[0];
    assert_eq!((copy.number, copy.copy, copy.intended), (1, 1, ms(3)));
    machine.ended(&copy, AttemptOutcome::Status(200), ms(4));
    assert_eq!(machine.open_count(), 1);
    machine.ended(&original, AttemptOutcome::Timeout, ms(5));
    assert_eq!(starts(&mut machine, ms(6))[0].copy, 2);
    assert_eq!(starts(&mut machine, ms(15))[0].number, 2);
}

#[test]
fn two_consumers_see_the_same_jitter() {
    let jittery = RetrySchedule { jitter: 0.5, ..schedule(&[1_000]) };
    let due = |client| {
        let mut machine = Dispatch::new(jittery.clone(), 1, Draws::new(9), client);
        machine.deliver(event(1, 0));
        let first = starts(&mut machine, ms(0))[0];
        machine.ended(&first, AttemptOutcome::Reset, ms(0));
        machine.next_deadline()
    };
    assert_eq!(due(3), due(3));
    assert_ne!(due(3), due(4));
}

#[test]
fn a_closed_machine_starts_nothing_and_still_hears_the_end() {
    let mut machine = Dispatch::new(schedule(&[10]), 1, Draws::new(1), 0);
    machine.deliver(event(1, 0));
    machine.deliver(event(2, 0));
    let first = starts(&mut machine, ms(0))[0];
    machine.close();
    machine.ended(&first, AttemptOutcome::Status(200), ms(1));
    assert_eq!((starts(&mut machine, ms(1)), machine.next_deadline()), (vec![], None));
    assert_eq!(machine.open().collect::<Vec<_>>(), [(event(2, 0), 0)]);
}

/// What a random driver does next.
#[derive(Debug, Clone)]
enum Step {
    Deliver { in_ms: u64 },
    End { which: prop::sample::Index, ack: bool, retry_after_ms: Option<u64> },
    Duplicate { which: prop::sample::Index, count: u32, lag_ms: u64 },
    Pass { ms: u64 },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (0u64..20).prop_map(|in_ms| Step::Deliver { in_ms }),
        (any::<prop::sample::Index>(), any::<bool>(), proptest::option::of(0u64..40))
            .prop_map(|(which, ack, retry_after_ms)| Step::End { which, ack, retry_after_ms }),
        (any::<prop::sample::Index>(), 1u32..4, 0u64..10).prop_map(|(which, count, lag_ms)| Step::Duplicate {
            which,
            count,
            lag_ms
        }),
        (0u64..30).prop_map(|ms| Step::Pass { ms }),
    ]
}

proptest! {
    #[test]
    fn every_delivery_is_acked_given_up_or_open_and_no_limit_is_passed(
        steps in proptest::collection::vec(step(), 1..150),
        delays in proptest::collection::vec(0u64..20, 0..4),
        concurrency in 1u32..5,
        jitter in 0.0f64..1.0,
    ) {
        let plan = RetrySchedule { jitter, ..schedule(&delays) };
        let max_attempts = plan.max_attempts();
        let mut machine = Dispatch::new(plan, concurrency, Draws::new(7), 0);
        let (mut now, mut seq) = (ms(0), 0);
        let mut flying: Vec<Start> = Vec::new();
        let mut attempts: BTreeMap<Seq, u32> = BTreeMap::new();
        let (mut acked, mut gave_up) = (Vec::new(), Vec::new());
        let (mut out, mut copied) = (Vec::new(), BTreeSet::new());
        for step in steps {
            match step {
                Step::Deliver { in_ms } => {
                    seq += 1;
                    attempts.insert(seq, 0);
                    machine.deliver(Event { occurred_at: now + Span::from_millis(in_ms), ..event(seq, 0) });
                }
                Step::End { which, ack, retry_after_ms } if !flying.is_empty() => {
                    let start = flying.swap_remove(which.index(flying.len()));
                    let outcome = if ack { AttemptOutcome::Status(204) } else { AttemptOutcome::Status(500) };
                    let retry_after = retry_after_ms.map(Span::from_millis);
                    machine.ended(&start, Ending { retry_after, ..outcome.into() }, now);
                    // A second report of the same end must change nothing.
                    machine.ended(&start, outcome, now);
                    if ack && start.copy == 0 {
                        acked.push(start.event.seq);
                    }
                }
                Step::Duplicate { which, count, lag_ms } if !flying.is_empty() => {
                    let start = flying[which.index(flying.len())];
                    // Copies have no copies, and one fault copies an attempt once.
                    if start.copy == 0 && copied.insert((start.event.seq, start.number)) {
                        let lag = Span::from_millis(lag_ms);
                        machine.duplicate(&start, Copies { count, lag }, now);
                    }
                }
                Step::Pass { ms } => now = now + Span::from_millis(ms),
                _ => {}
            }
            machine.drain(now, &mut out);
            for output in out.drain(..) {
                match output {
                    Output::Start(start) => {
                        prop_assert!(start.intended <= now, "never before it is due");
                        if start.copy == 0 {
                            let made = attempts.get_mut(&start.event.seq).unwrap();
                            *made += 1;
                            prop_assert_eq!(start.number, *made);
                            prop_assert!(*made <= max_attempts);
                        }
                        flying.push(start);
                    }
                    Output::GaveUp { event, attempts: made, .. } => {
                        prop_assert_eq!(made, max_attempts);
                        gave_up.push(event.seq);
                    }
                    other => prop_assert!(false, "{:?}", other),
                }
            }
            prop_assert!(flying.len() <= concurrency as usize);
            if let Some(deadline) = machine.next_deadline() {
                prop_assert!(deadline > now, "a drained machine has nothing left that is due");
            }
            let open: Vec<(Seq, u32)> = machine.open().map(|(event, made)| (event.seq, made)).collect();
            prop_assert_eq!(open.len(), machine.open_count());
            prop_assert!(open.iter().all(|(seq, made)| attempts[seq] == *made));
            let mut classes: Vec<Seq> = open.into_iter().map(|(seq, _)| seq).collect();
            classes.extend(acked.iter().chain(&gave_up));
            classes.sort_unstable();
            prop_assert_eq!(classes, (1..=seq).collect::<Vec<_>>(), "each delivery in exactly one class");
        }
    }
}

/// The order in which events leave that are due 10 ms apart, some of them held.
fn order(events: Seq, concurrency: u32, held: &[(Seq, Hold)]) -> Vec<(Seq, Time)> {
    let mut machine = Dispatch::new(schedule(&[]), concurrency, Draws::new(1), 0);
    let mut left = Vec::new();
    for seq in 1..=events {
        let event = event(seq, 10 * u64::from(seq));
        match held.iter().find(|(which, _)| *which == seq) {
            Some((_, hold)) => machine.deliver_held(event, *hold),
            None => machine.deliver(event),
        }
        // Every instant at which the machine wants something, up to the next event.
        let mut now = event.occurred_at;
        while now < event.occurred_at + Span::from_millis(10) || seq == events {
            for start in starts(&mut machine, now) {
                assert_eq!(start.intended, start.event.occurred_at);
                left.push((start.event.seq, now));
                machine.ended(&start, AttemptOutcome::Status(200), now);
            }
            match machine.next_deadline() {
                Some(next) => now = now.max(next),
                None => break,
            }
        }
    }
    assert_eq!(machine.open_count(), 0);
    left
}

fn hold(overtaken_by: Option<u32>, at_most_ms: u64) -> Hold {
    Hold { overtaken_by, at_most: Span::from_millis(at_most_ms) }
}

#[test]
fn a_held_event_is_overtaken_by_as_many_as_asked_and_changes_nobody_else() {
    let seqs = |held: &[(Seq, Hold)]| order(6, 1, held).into_iter().map(|(seq, _)| seq).collect::<Vec<_>>();
    assert_eq!(seqs(&[]), [1, 2, 3, 4, 5, 6]);
    assert_eq!(seqs(&[(2, hold(Some(1), 1_000))]), [1, 3, 2, 4, 5, 6]);
    assert_eq!(seqs(&[(2, hold(Some(3), 1_000))]), [1, 3, 4, 5, 2, 6]);
    // The bound comes first: 25 ms after it was due.
    assert_eq!(seqs(&[(2, hold(Some(4), 25))]), [1, 3, 4, 2, 5, 6]);
    assert_eq!(seqs(&[(2, hold(None, 25))]), [1, 3, 4, 2, 5, 6]);
    // Nobody is left to overtake it; and who is held as well overtakes nobody.
    assert_eq!(seqs(&[(6, hold(Some(1), 1_000))]), [1, 2, 3, 4, 5, 6]);
    assert_eq!(seqs(&[(2, hold(Some(1), 1_000)), (3, hold(Some(1), 1_000))]), [1, 2, 4, 3, 5, 6]);
    for (seq, at) in order(6, 1, &[(2, hold(Some(3), 1_000))]) {
        assert!(seq == 2 || at == ms(10 * u64::from(seq)), "{seq} left at {at:?}");
    }
}

#[test]
fn a_held_event_is_open_and_never_starts_after_the_close() {
    let mut machine = Dispatch::new(schedule(&[]), 1, Draws::new(1), 0);
    machine.deliver_held(event(1, 0), hold(None, 5));
    assert_eq!(machine.open().collect::<Vec<_>>(), [(event(1, 0), 0)]);
    assert_eq!((machine.open_count(), machine.next_deadline()), (1, Some(ms(5))));
    machine.close();
    assert_eq!(starts(&mut machine, ms(9)), []);
    assert_eq!(machine.open().count(), 1);
}

proptest! {
    #[test]
    fn every_held_event_leaves_once_and_in_time(
        held in proptest::collection::btree_map(1u32..20, (proptest::option::of(1u32..5), 1u64..80), 0..8),
        concurrency in 1u32..3,
    ) {
        let held: Vec<(Seq, Hold)> = held.into_iter().map(|(seq, (by, most))| (seq, hold(by, most))).collect();
        let left = order(20, concurrency, &held);
        let seqs: BTreeSet<Seq> = left.iter().map(|(seq, _)| *seq).collect();
        prop_assert_eq!((left.len(), seqs.len()), (20, 20));
        for (seq, at) in left {
            let due = ms(10 * u64::from(seq));
            let bound = held.iter().find(|(which, _)| *which == seq).map_or(Span::ZERO, |(_, hold)| hold.at_most);
            prop_assert!(due <= at && at <= due + bound, "{seq} left at {at:?}");
        }
    }
}
