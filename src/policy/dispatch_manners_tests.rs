//! Ordered delivery, switched-off endpoints, dead letters and their replay.

use std::collections::{BTreeMap, VecDeque};

use proptest::prelude::*;

use super::*;
use crate::scenario::{AutoDisable, DeliveryOrder, DropAbove, Pause};

const FAILED: AttemptOutcome = AttemptOutcome::Status(500);
const ACK: AttemptOutcome = AttemptOutcome::Status(204);
const GONE: AttemptOutcome = AttemptOutcome::Status(410);

fn ms(ms: u64) -> Time {
    Time::ZERO + Span::from_millis(ms)
}

fn event(seq: Seq, subject: u32) -> Event {
    Event { seq, subject, version: 1, occurred_at: Time::ZERO }
}

/// Retries of 10 ms each, and `concurrency` slots.
fn machine(retries: usize, concurrency: u32, manners: SendingPlan) -> Dispatch {
    let schedule = RetrySchedule {
        delays: vec![Span::from_millis(10); retries],
        jitter: 0.0,
        backoff: crate::policy::Backoff::Plain,
    };
    Dispatch::new(schedule, concurrency, Draws::new(1), 0).with_manners(&manners)
}

fn ordered(ordering: DeliveryOrder) -> SendingPlan {
    SendingPlan { ordering, ..SendingPlan::default() }
}

fn tired(failures: u32, pause: Option<Pause>) -> SendingPlan {
    SendingPlan {
        auto_disable: Some(AutoDisable { failures: Some(failures), pause, ..AutoDisable::default() }),
        ..SendingPlan::default()
    }
}

/// What the machine says at an instant: the attempts to start, and the rest.
fn drained(machine: &mut Dispatch, now: Time) -> (Vec<Start>, Vec<Output>) {
    let mut out = Vec::new();
    machine.drain(now, &mut out);
    let starts = out.iter().filter_map(|o| if let Output::Start(start) = o { Some(*start) } else { None }).collect();
    out.retain(|o| !matches!(o, Output::Start(_)));
    (starts, out)
}

fn seqs(starts: &[Start]) -> Vec<Seq> {
    starts.iter().map(|start| start.event.seq).collect()
}

fn gave_up(seq: Seq, subject: u32, attempts: u32, at: Time, why: GiveUp) -> Output {
    Output::GaveUp { event: event(seq, subject), attempts, at, why }
}

#[test]
fn the_next_event_of_a_subject_waits_for_the_end_of_the_one_before_it() {
    let mut machine = machine(1, 8, ordered(DeliveryOrder::Subject));
    for (seq, subject) in [(1, 7), (2, 7), (3, 8), (4, 7)] {
        machine.deliver(event(seq, subject));
    }
    let (starts, _) = drained(&mut machine, ms(0));
    assert_eq!(seqs(&starts), [1, 3], "other subjects do not wait");
    assert_eq!((machine.open_count(), machine.open().count()), (4, 4));
    machine.ended(&starts[0], FAILED, ms(1));
    assert_eq!(drained(&mut machine, ms(1)).0, [], "a retry holds its subject as well");
    let (retry, _) = drained(&mut machine, ms(11));
    assert_eq!(seqs(&retry), [1]);
    machine.ended(&retry[0], FAILED, ms(12));
    let (starts, said) = drained(&mut machine, ms(12));
    assert_eq!((seqs(&starts), said), (vec![2], vec![gave_up(1, 7, 2, ms(12), GiveUp::Exhausted)]));
    machine.ended(&starts[0], ACK, ms(13));
    assert_eq!(seqs(&drained(&mut machine, ms(13)).0), [4]);
}

#[test]
fn an_ordered_endpoint_sends_one_event_at_a_time() {
    let mut machine = machine(0, 8, ordered(DeliveryOrder::Endpoint));
    (1..=3).for_each(|seq| machine.deliver(event(seq, seq)));
    for seq in 1..=3 {
        let (starts, _) = drained(&mut machine, ms(5));
        assert_eq!(seqs(&starts), [seq]);
        machine.ended(&starts[0], ACK, ms(5));
    }
    assert_eq!(machine.open_count(), 0);
}

#[test]
fn a_410_ends_everything_at_once_and_for_good() {
    let mut machine = machine(3, 2, ordered(DeliveryOrder::Subject));
    for (seq, subject) in [(1, 1), (2, 2), (3, 3), (4, 1)] {
        machine.deliver(event(seq, subject));
    }
    let (starts, _) = drained(&mut machine, ms(0));
    assert_eq!(seqs(&starts), [1, 2]);
    machine.ended(&starts[0], GONE, ms(1));
    let (none, said) = drained(&mut machine, ms(1));
    let disabled = Output::Disabled { at: ms(1), until: None, why: DisabledBy::Gone };
    let expected = [
        disabled,
        gave_up(1, 1, 1, ms(1), GiveUp::Gone),
        gave_up(3, 3, 0, ms(1), GiveUp::Disabled),
        gave_up(4, 1, 0, ms(1), GiveUp::Disabled),
    ];
    assert_eq!((none, said), (vec![], expected.to_vec()));
    // What was under way may still be acked; what comes later is not attempted.
    machine.ended(&starts[1], ACK, ms(2));
    machine.deliver(event(5, 2));
    let (none, said) = drained(&mut machine, ms(3));
    assert_eq!((none, said), (vec![], vec![gave_up(5, 2, 0, ms(3), GiveUp::Disabled)]));
    assert_eq!((machine.open_count(), machine.is_enabled(), machine.next_deadline()), (0, false, None));
}

#[test]
fn a_receivers_header_ends_its_delivery_or_everything() {
    let mut machine = machine(3, 3, SendingPlan::default());
    (1..=4).for_each(|seq| machine.deliver(event(seq, 0)));
    let (starts, _) = drained(&mut machine, ms(0));
    let asks = |stop, outcome: AttemptOutcome| Ending { stop: Some(stop), ..outcome.into() };
    machine.ended(&starts[0], asks(Stop::GiveUp, FAILED), ms(1));
    let (next, said) = drained(&mut machine, ms(1));
    assert_eq!((seqs(&next), said), (vec![4], vec![gave_up(1, 0, 1, ms(1), GiveUp::Stopped)]));
    machine.ended(&starts[1], asks(Stop::GiveUp, ACK), ms(2));
    assert_eq!(drained(&mut machine, ms(2)), (vec![], vec![]), "there is nothing to stop");
    machine.ended(&starts[2], FAILED, ms(3));
    machine.ended(&next[0], asks(Stop::Disable, ACK), ms(4));
    let disabled = Output::Disabled { at: ms(4), until: None, why: DisabledBy::Asked };
    let wanted = vec![disabled, gave_up(3, 0, 1, ms(4), GiveUp::Disabled)];
    assert_eq!((drained(&mut machine, ms(4)).1, machine.open_count()), (wanted, 0));
}

#[test]
fn what_is_skipped_or_dropped_is_no_dead_letter() {
    let pause = Some(Pause { first: Span::from_millis(50), max: Span::from_millis(50) });
    let drop_above = Some(DropAbove { events: 3, per: Span::from_millis(1_000) });
    let manners = SendingPlan { while_paused: WhilePaused::Skip, drop_above, ..tired(1, pause) };
    let mut machine = machine(3, 1, manners);
    (1..=4).for_each(|seq| machine.deliver(event(seq, 0)));
    let (starts, said) = drained(&mut machine, ms(0));
    assert_eq!(said, [gave_up(4, 0, 0, ms(0), GiveUp::Dropped)]);
    assert_eq!((seqs(&starts), machine.open_count()), (vec![1], 3));
    machine.ended(&starts[0], FAILED, ms(1));
    let (_, said) = drained(&mut machine, ms(1));
    let ends = [
        gave_up(1, 0, 1, ms(1), GiveUp::Disabled),
        gave_up(2, 0, 0, ms(1), GiveUp::Skipped),
        gave_up(3, 0, 0, ms(1), GiveUp::Skipped),
    ];
    assert_eq!(said[1..], ends);
    let late = Event { occurred_at: ms(1_001), ..event(5, 0) };
    machine.deliver(late);
    assert_eq!(drained(&mut machine, ms(1_001)).0.len(), 1, "the next window, behind the pause");
    assert_eq!(machine.dead_letters().map(|(event, _)| event.seq).collect::<Vec<_>>(), [1]);
}

#[test]
fn a_pause_gives_up_what_falls_into_it_and_ends_by_itself() {
    let pause = Some(Pause { first: Span::from_millis(50), max: Span::from_millis(80) });
    let mut machine = machine(9, 4, tired(2, pause));
    (1..=2).for_each(|seq| machine.deliver(event(seq, 0)));
    let (starts, _) = drained(&mut machine, ms(0));
    starts.iter().for_each(|start| machine.ended(start, FAILED, ms(1)));
    let (_, said) = drained(&mut machine, ms(1));
    assert!(said.contains(&Output::Disabled { at: ms(1), until: Some(ms(51)), why: DisabledBy::Failures(2) }));
    assert_eq!((machine.open_count(), machine.next_deadline()), (0, Some(ms(51))));
    machine.deliver(Event { occurred_at: ms(20), ..event(3, 0) });
    assert_eq!(drained(&mut machine, ms(20)).1.len(), 1);
    machine.deliver(Event { occurred_at: ms(51), ..event(4, 0) });
    let (starts, said) = drained(&mut machine, ms(51));
    assert_eq!((seqs(&starts), said), (vec![4], vec![Output::Enabled { at: ms(51) }]));
    machine.ended(&starts[0], FAILED, ms(52));
    let (_, said) = drained(&mut machine, ms(52));
    assert!(said.contains(&Output::Disabled { at: ms(52), until: Some(ms(132)), why: DisabledBy::Failures(2) }));
}

#[test]
fn dead_letters_are_replayed_once_with_their_attempts_numbered_on() {
    let manners = SendingPlan { replay_dead_letters_at: Some(ms(40)), ..tired(3, None) };
    let mut machine = machine(1, 1, manners);
    (1..=2).for_each(|seq| machine.deliver(event(seq, 0)));
    for (at, seq) in [(0, 1), (0, 2), (10, 1)] {
        let (starts, _) = drained(&mut machine, ms(at));
        assert_eq!(seqs(&starts), [seq]);
        machine.ended(&starts[0], FAILED, ms(at));
    }
    // The third failure ended event 1's schedule and switched the endpoint off.
    drained(&mut machine, ms(10));
    assert_eq!(machine.dead_letters().map(|(event, made)| (event.seq, made)).collect::<Vec<_>>(), [(1, 2), (2, 1)]);
    assert_eq!(machine.next_deadline(), Some(ms(40)));
    let (starts, said) = drained(&mut machine, ms(40));
    let again = |seq, attempts| Output::Redelivered { event: event(seq, 0), attempts, at: ms(40) };
    assert_eq!(said, [Output::Enabled { at: ms(40) }, again(1, 2), again(2, 1)]);
    assert_eq!((starts[0].event.seq, starts[0].number, starts[0].intended), (1, 3, ms(40)));
    machine.ended(&starts[0], FAILED, ms(41));
    let (starts, _) = drained(&mut machine, ms(41));
    machine.ended(&starts[0], ACK, ms(42));
    // The whole schedule lies ahead of it again: one retry.
    let (starts, _) = drained(&mut machine, ms(51));
    assert_eq!((starts[0].event.seq, starts[0].number), (1, 4));
    machine.ended(&starts[0], FAILED, ms(52));
    assert_eq!(drained(&mut machine, ms(52)).1, [gave_up(1, 0, 4, ms(52), GiveUp::Exhausted)]);
    assert_eq!((machine.dead_letters().count(), machine.next_deadline()), (1, None), "only once");
}

#[test]
fn a_delivery_is_sent_again_on_request_unless_it_is_open() {
    let mut machine = machine(0, 1, SendingPlan::default());
    machine.deliver(event(1, 0));
    assert!(!machine.redeliver(event(1, 0), 0, ms(0)));
    let (starts, _) = drained(&mut machine, ms(0));
    assert!(!machine.redeliver(event(1, 0), 1, ms(0)));
    machine.ended(&starts[0], ACK, ms(1));
    assert!(machine.redeliver(event(1, 0), 1, ms(2)));
    let (starts, said) = drained(&mut machine, ms(2));
    assert_eq!(said, [Output::Redelivered { event: event(1, 0), attempts: 1, at: ms(2) }]);
    assert_eq!((starts[0].number, machine.open_count()), (2, 1));
}

#[test]
fn a_slot_that_others_share_is_asked_for_and_a_refusal_is_remembered() {
    let mut machine = machine(0, 4, SendingPlan::default());
    (1..=3).for_each(|seq| machine.deliver(event(seq, 0)));
    let (mut out, mut asked) = (Vec::new(), Vec::new());
    let grant_one = |due: Time, seq: Seq| {
        asked.push((due, seq));
        asked.len() < 2
    };
    machine.drain_while(ms(5), grant_one, &mut out);
    assert_eq!((out.len(), asked), (1, vec![(ms(0), 1), (ms(0), 2)]));
    assert_eq!((machine.is_held_back(), machine.next_deadline()), (true, None));
    drained(&mut machine, ms(6));
    assert!(!machine.is_held_back());
}

/// What a random driver does next.
#[derive(Debug, Clone)]
enum Step {
    Deliver { subject: u32 },
    End { which: prop::sample::Index, outcome: AttemptOutcome },
    Redeliver { seq: Seq },
    Replay,
    Enable,
    Pass { ms: u64 },
}

fn step() -> impl Strategy<Value = Step> {
    let outcome = prop_oneof![6 => Just(ACK), 6 => Just(FAILED), 1 => Just(GONE)];
    prop_oneof![
        6 => (0u32..4).prop_map(|subject| Step::Deliver { subject }),
        8 => (any::<prop::sample::Index>(), outcome).prop_map(|(which, outcome)| Step::End { which, outcome }),
        1 => (1u32..30).prop_map(|seq| Step::Redeliver { seq }),
        1 => Just(Step::Replay),
        1 => Just(Step::Enable),
        3 => (0u64..30).prop_map(|ms| Step::Pass { ms }),
    ]
}

/// A machine under a random driver, and what the driver knows of it.
struct World {
    machine: Dispatch,
    now: Time,
    flying: Vec<Start>,
    /// Per delivery: subject, attempts started, and whether it is open.
    deliveries: BTreeMap<Seq, (u32, u32, bool)>,
    /// Per lane: deliveries in the order in which they were asked for.
    lanes: BTreeMap<u32, VecDeque<Seq>>,
    on: bool,
}

impl World {
    fn lane(&self, ordering: DeliveryOrder, seq: Seq) -> u32 {
        if ordering == DeliveryOrder::Endpoint { 0 } else { self.deliveries[&seq].0 }
    }

    fn open(&mut self, ordering: DeliveryOrder, seq: Seq) {
        self.deliveries.get_mut(&seq).unwrap().2 = true;
        let lane = self.lane(ordering, seq);
        self.lanes.entry(lane).or_default().push_back(seq);
    }

    fn close(&mut self, ordering: DeliveryOrder, seq: Seq) {
        let delivery = self.deliveries.get_mut(&seq).unwrap();
        assert!(std::mem::take(&mut delivery.2), "{seq} ends twice");
        let lane = self.lane(ordering, seq);
        self.lanes.get_mut(&lane).unwrap().retain(|other| *other != seq);
    }

    fn step(&mut self, ordering: DeliveryOrder, step: Step) {
        match step {
            Step::Deliver { subject } => {
                let seq = self.deliveries.len() as Seq + 1;
                self.deliveries.insert(seq, (subject, 0, false));
                self.machine.deliver(Event { occurred_at: self.now, ..event(seq, subject) });
                self.open(ordering, seq);
            }
            Step::End { which, outcome } if !self.flying.is_empty() => {
                self.end(ordering, which.index(self.flying.len()), outcome);
            }
            Step::Redeliver { seq } if self.deliveries.contains_key(&seq) => {
                let (subject, made, open) = self.deliveries[&seq];
                assert_eq!(self.machine.redeliver(event(seq, subject), made, self.now), !open);
            }
            Step::Replay => self.machine.replay_dead_letters(self.now),
            Step::Enable => self.machine.enable(self.now),
            Step::Pass { ms } => self.now = self.now + Span::from_millis(ms),
            Step::End { .. } | Step::Redeliver { .. } => {}
        }
        self.drain(ordering);
    }

    fn end(&mut self, ordering: DeliveryOrder, which: usize, outcome: AttemptOutcome) {
        let start = self.flying.swap_remove(which);
        self.machine.ended(&start, outcome, self.now);
        if outcome.is_ack() {
            self.close(ordering, start.event.seq);
        }
    }

    fn drain(&mut self, ordering: DeliveryOrder) {
        let mut out = Vec::new();
        self.machine.drain(self.now, &mut out);
        for output in out {
            match output {
                Output::Start(start) => {
                    let seq = start.event.seq;
                    let made = &mut self.deliveries.get_mut(&seq).unwrap().1;
                    *made += 1;
                    assert_eq!(start.number, *made, "attempts are numbered on");
                    assert!(self.on, "nothing is attempted at an endpoint that is off");
                    if ordering != DeliveryOrder::None {
                        let lane = self.lane(ordering, seq);
                        assert_eq!(self.lanes[&lane].front(), Some(&seq), "an event overtakes another");
                    }
                    self.flying.push(start);
                }
                Output::GaveUp { event, attempts, .. } => {
                    assert_eq!(attempts, self.deliveries[&event.seq].1);
                    self.close(ordering, event.seq);
                }
                Output::Redelivered { event, attempts, .. } => {
                    assert_eq!(attempts, self.deliveries[&event.seq].1);
                    self.open(ordering, event.seq);
                }
                Output::Disabled { .. } => self.on = false,
                Output::Enabled { .. } => self.on = true,
            }
        }
    }

    /// What the machine believes is what the driver saw.
    fn check(&self, concurrency: u32) {
        assert!(self.flying.len() <= concurrency as usize);
        assert_eq!(self.machine.is_enabled(), self.on);
        let mut open: Vec<Seq> = self.machine.open().map(|(event, _)| event.seq).collect();
        open.sort_unstable();
        let known: Vec<Seq> = self.deliveries.iter().filter(|(_, known)| known.2).map(|(seq, _)| *seq).collect();
        assert_eq!((open.len(), &open), (self.machine.open_count(), &known));
        assert!(self.machine.dead_letters().all(|(event, made)| self.deliveries[&event.seq].1 == made));
        if let Some(deadline) = self.machine.next_deadline() {
            assert!(deadline > self.now, "a drained machine has nothing left that is due");
        }
    }
}

proptest! {
    #[test]
    fn order_is_kept_nobody_starves_and_every_delivery_ends(
        steps in proptest::collection::vec(step(), 1..200),
        which in 0usize..3,
        concurrency in 1u32..5,
        rule in proptest::option::of((1u32..5, proptest::option::of(1u64..40))),
    ) {
        let ordering = [DeliveryOrder::None, DeliveryOrder::Subject, DeliveryOrder::Endpoint][which];
        let auto_disable = rule.map(|(failures, pause)| AutoDisable {
            failures: Some(failures),
            pause: pause.map(|ms| Pause { first: Span::from_millis(ms), max: Span::from_millis(3 * ms) }),
            ..AutoDisable::default()
        });
        let manners = SendingPlan { ordering, auto_disable, ..SendingPlan::default() };
        let machine = machine(2, concurrency, manners);
        let (deliveries, lanes) = (BTreeMap::new(), BTreeMap::new());
        let mut world = World { machine, now: ms(0), flying: Vec::new(), deliveries, lanes, on: true };
        for step in steps {
            world.step(ordering, step);
            world.check(concurrency);
            // A free slot, an endpoint that is on, and nothing under way: whoever is due has started.
            let idle = world.flying.is_empty() && world.on && world.machine.next_deadline().is_none();
            prop_assert!(!idle || world.machine.open_count() == 0, "somebody starves");
        }
        // Answered and given time, every delivery ends.
        for _ in 0..10_000 {
            if world.machine.open_count() == 0 {
                break;
            }
            if world.flying.is_empty() {
                world.now = world.machine.next_deadline().expect("an open delivery has its instant");
                world.drain(ordering);
            } else {
                world.end(ordering, 0, FAILED);
                world.drain(ordering);
            }
        }
        prop_assert_eq!(world.machine.open_count(), 0);
        prop_assert!(world.flying.is_empty());
    }
}
