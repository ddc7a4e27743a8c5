//! One endpoint's deliveries: what to send when, how many at once, when to give up.
//!
//! A machine knows one endpoint only, so one that hangs cannot delay another: isolation is
//! structural, unless its driver lets endpoints share their slots ([`Dispatch::drain_while`]). It
//! knows no socket and no clock; time comes in as an argument.
//!
//! ```text
//!   deliver --> [held] --lane free--> [waiting] --Start--> [in flight] --ack--> gone
//!     (ordered only)                      ^                      |
//!                                         |------- retry --------|
//!   redeliver <-- [dead letters] <-- exhausted, 410, switched off
//! ```
//!
//! Contract, in this order: mutate ([`Dispatch::deliver`], [`Dispatch::deliver_held`],
//! [`Dispatch::ended`], [`Dispatch::duplicate`], [`Dispatch::redeliver`], [`Dispatch::enable`], [`Dispatch::close`]),
//! then [`Dispatch::drain`], then ask [`Dispatch::next_deadline`]. A deadline asked for between a
//! mutation and its drain may lie in the past; one asked for after the drain lies in the future, or
//! is `None` when only another mutation, or a slot that others share, can make something happen.

use std::collections::BTreeMap;

use super::{
    RetrySchedule,
    gate::Gate,
    health::{Health, Seen},
    lanes::Lanes,
    siding::Siding,
    verdict::{self, Failure},
    waiting::{Line, Waiting},
};
use crate::{
    fault::{Copies, Hold, Stop},
    model::{AttemptOutcome, ClientNo, DisabledBy, Event, GiveUp, Seq, Span, Time},
    rng::Draws,
    scenario::{AnswersPlan, SendingPlan, WhilePaused},
};

/// What the driver shall do, or shall know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Output {
    /// Start an attempt, and report its end.
    Start(Start),
    /// A delivery ends without an ack. It is a dead letter from here on.
    GaveUp {
        /// The event that stays undelivered.
        event: Event,
        /// Attempts made.
        attempts: u32,
        /// When that was known.
        at: Time,
        /// Why nothing more is tried.
        why: GiveUp,
    },
    /// A delivery that had ended is open again.
    Redelivered {
        /// Its event.
        event: Event,
        /// Attempts made before.
        attempts: u32,
        /// When.
        at: Time,
    },
    /// The endpoint is switched off: what is open or comes from now on is given up.
    Disabled {
        /// When.
        at: Time,
        /// Until when; `None`: until somebody switches it on.
        until: Option<Time>,
        /// Why.
        why: DisabledBy,
    },
    /// The endpoint is sent to again.
    Enabled {
        /// When.
        at: Time,
    },
}

/// One attempt that shall leave now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Start {
    /// The event.
    pub event: Event,
    /// The attempt, from 1.
    pub number: u32,
    /// 0 for the original, k for its k-th copy.
    pub copy: u32,
    /// When it was due: the event's instant, the retry's, or the copy's.
    pub intended: Time,
}

/// How an attempt ended, and what the receiver asked for with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ending {
    /// How, as the provider takes it.
    pub outcome: AttemptOutcome,
    /// How long the receiver asks to wait, in the driver's time.
    pub retry_after: Option<Span>,
    /// Whether it wants no more, said by a header.
    pub stop: Option<Stop>,
}

impl From<AttemptOutcome> for Ending {
    fn from(outcome: AttemptOutcome) -> Ending {
        Ending { outcome, retry_after: None, stop: None }
    }
}

/// The machine of one endpoint.
#[derive(Debug)]
pub struct Dispatch {
    schedule: RetrySchedule,
    draws: Draws,
    client: ClientNo,
    concurrency: usize,
    line: Line,
    /// Deliveries that wait for another one's end; `None` where none does.
    lanes: Option<Lanes<Waiting>>,
    /// First attempts that a fault holds back. They hold no slot.
    siding: Siding<Waiting>,
    /// Bounded by the concurrency, so a scan is the fastest look-up.
    in_flight: Vec<Waiting>,
    answers: AnswersPlan,
    health: Health,
    while_paused: WhilePaused,
    gate: Gate,
    /// What was given up, by sequence; the number is that of the attempts made.
    dead: BTreeMap<Seq, Waiting>,
    replay_at: Option<Time>,
    /// What is told at the next drain.
    told: Vec<Output>,
    open: usize,
    closed: bool,
    /// The last drain left something due to a slot that others hold.
    held_back: bool,
}

impl Dispatch {
    /// A machine for the endpoint of `client`: unordered, and never tired of its endpoint. At least
    /// one attempt may be in flight.
    ///
    /// The client's number keys the jitter, and the consumer does not: two consumers of the same
    /// events see the same retry instants.
    #[must_use]
    pub fn new(schedule: RetrySchedule, concurrency: u32, draws: Draws, client: ClientNo) -> Dispatch {
        Dispatch {
            schedule,
            draws,
            client,
            concurrency: concurrency.max(1) as usize,
            line: Line::default(),
            lanes: None,
            siding: Siding::new(),
            in_flight: Vec::new(),
            answers: AnswersPlan::default(),
            health: Health::new(None),
            while_paused: WhilePaused::default(),
            gate: Gate::new(None),
            dead: BTreeMap::new(),
            replay_at: None,
            told: Vec::new(),
            open: 0,
            closed: false,
            held_back: false,
        }
    }

    /// The same with a provider's manners.
    #[must_use]
    pub fn with_manners(self, plan: &SendingPlan) -> Dispatch {
        let (lanes, health) = (Lanes::of(plan.ordering), Health::new(plan.auto_disable));
        let (answers, gate, while_paused) = (plan.answers.clone(), Gate::new(plan.drop_above), plan.while_paused);
        Dispatch { lanes, answers, health, gate, while_paused, replay_at: plan.replay_dead_letters_at, ..self }
    }

    /// A new delivery: due at the event's instant, which may have passed or may lie ahead.
    pub fn deliver(&mut self, event: Event) {
        if !self.let_in(&event) {
            return;
        }
        self.open += 1;
        self.siding.overtake(event.occurred_at);
        self.admit(Waiting::new(event, 1, 0, event.occurred_at));
    }

    /// A new delivery that a fault holds back, so that later ones overtake it.
    pub fn deliver_held(&mut self, event: Event, hold: Hold) {
        if !self.let_in(&event) {
            return;
        }
        self.open += 1;
        self.siding.overtake(event.occurred_at);
        let waiting = Waiting { held: true, ..Waiting::new(event, 1, 0, event.occurred_at) };
        self.siding.hold(waiting, event.occurred_at, hold);
    }

    /// Whether a new event is sent at all.
    fn let_in(&mut self, event: &Event) -> bool {
        let admitted = self.gate.admits(event.occurred_at);
        if !admitted {
            let (event, at) = (*event, event.occurred_at);
            self.told.push(Output::GaveUp { event, attempts: 0, at, why: GiveUp::Dropped });
        }
        admitted
    }

    /// Sends a delivery again that has ended: a fresh delivery of the same event, due at once, with
    /// the whole schedule ahead of it. Its attempts are numbered on from those of the dead letter,
    /// or, where it was acked, from `made`. False where the delivery is open.
    pub fn redeliver(&mut self, event: Event, made: u32, now: Time) -> bool {
        if self.open().any(|(open, _)| open.seq == event.seq) {
            return false;
        }
        let made = self.dead.remove(&event.seq).map_or(made, |dead| dead.number);
        self.reopen(event, made, now);
        true
    }

    /// Sends all dead letters again, in the order of their events.
    pub fn replay_dead_letters(&mut self, now: Time) {
        for dead in std::mem::take(&mut self.dead).into_values() {
            self.reopen(dead.event(), dead.number, now);
        }
    }

    /// Deliveries given up and not sent again, with the attempts made.
    pub fn dead_letters(&self) -> impl Iterator<Item = (Event, u32)> {
        self.dead.values().map(|dead| (dead.event(), dead.number))
    }

    /// Switches the endpoint on again, whatever had switched it off. What was given up meanwhile
    /// stays a dead letter.
    pub fn enable(&mut self, now: Time) {
        if self.health.enable() {
            self.told.push(Output::Enabled { at: now });
        }
    }

    /// Whether the endpoint is sent to.
    #[must_use]
    pub fn is_enabled(&self) -> bool {
        self.health.is_on()
    }

    /// An attempt that was started has ended.
    ///
    /// The end of a copy frees its slot and changes nothing else: an ack of a copy does not end the
    /// delivery, because a copy is the network's doing and the provider does not know of it. The end
    /// of an attempt that is not in flight is ignored.
    pub fn ended(&mut self, of: &Start, ending: impl Into<Ending>, now: Time) {
        let same = |w: &Waiting| (w.seq, w.number, w.copy) == (of.event.seq, of.number, of.copy);
        let Some(at) = self.in_flight.iter().position(same) else { return };
        let attempt = self.in_flight.swap_remove(at);
        if attempt.copy > 0 {
            return;
        }
        let ending = ending.into();
        let word = match ending.stop {
            Some(Stop::Disable) => Some(DisabledBy::Asked),
            _ => verdict::is_gone(&self.answers, ending.outcome).then_some(DisabledBy::Gone),
        };
        let acked = ending.outcome.is_ack();
        let mut off = self.health.saw(Seen { acked, first: attempt.tried() == 1, word }, now);
        let next = if acked { None } else { Some(self.next_of(&attempt, ending, now)) };
        if let Some(Err(why)) = next {
            off = off.or_else(|| self.health.gave_up(why));
        }
        self.told.extend(off.map(|off| Output::Disabled { at: now, until: off.until, why: off.why }));
        match next {
            None => self.close_delivery(&attempt),
            Some(Ok(due)) => {
                self.line.come_back(Waiting { due, number: attempt.number + 1, held: false, ..attempt });
            }
            Some(Err(why)) => self.give_up(&attempt, attempt.number, why, now),
        }
        if off.is_some() {
            self.give_up_the_waiting(now);
        }
    }

    /// When the attempt after a failed one is due, or why there is none.
    fn next_of(&self, failed: &Waiting, ending: Ending, now: Time) -> Result<Time, GiveUp> {
        let failure = Failure { seq: failed.seq, since: failed.since(), tried: failed.tried(), ending, at: now };
        let next = verdict::next(&self.answers, &self.schedule, &failure, self.draws, u64::from(self.client));
        next.and_then(|due| if self.health.is_on() { Ok(due) } else { Err(GiveUp::Disabled) })
    }

    /// The duplicate fault hit an attempt that leaves at `from`: copy k is due k x lag after it.
    /// Copies take a slot like any attempt; they never count as the delivery's attempts. They leave
    /// whatever became of the delivery or the endpoint: the provider does not know of them.
    pub fn duplicate(&mut self, of: &Start, copies: Copies, from: Time) {
        for copy in 1..=copies.count {
            let due = from + copies.lag.scaled(u64::from(copy), 1);
            self.line.come_back(Waiting::new(of.event, of.number, copy, due));
        }
    }

    /// From now on nothing is started; attempts in flight may still end.
    pub fn close(&mut self) {
        self.closed = true;
    }

    /// Appends what is to be done at `now`. A started attempt counts as in flight from here on.
    pub fn drain(&mut self, now: Time, out: &mut Vec<Output>) {
        self.drain_while(now, |_, _| true, out);
    }

    /// Like [`Dispatch::drain`], where attempts need a slot that others share: `may_start` is asked
    /// for one with the due instant and the sequence of the attempt that is next, and once it has
    /// said no it is not asked again.
    pub fn drain_while(&mut self, now: Time, mut may_start: impl FnMut(Time, Seq) -> bool, out: &mut Vec<Output>) {
        self.held_back = false;
        if !self.closed && self.wakes_at() <= now {
            self.wake(now);
        }
        if !self.told.is_empty() {
            out.append(&mut self.told);
        }
        while !self.closed && self.in_flight.len() < self.concurrency {
            let Some(next) = self.line.first_due(now) else { return };
            if let Some(why) = self.in_vain(&next, now) {
                self.line.pop();
                self.give_up(&next, next.number - 1, why, now);
                out.append(&mut self.told);
                continue;
            }
            if !may_start(next.due, next.seq) {
                self.held_back = true;
                return;
            }
            self.line.pop();
            self.in_flight.push(next);
            out.push(Output::Start(next.start()));
        }
    }

    /// Why an attempt that is due is not made, if it is not. Copies leave whatever happens.
    fn in_vain(&self, next: &Waiting, now: Time) -> Option<GiveUp> {
        match next.copy {
            0 if !self.health.is_on() => Some(self.why_off(next)),
            0 if verdict::is_too_old(&self.answers, next.since(), now) => Some(GiveUp::TooOld),
            _ => None,
        }
    }

    /// Whether the last drain stopped for want of a shared slot.
    #[must_use]
    pub fn is_held_back(&self) -> bool {
        self.held_back
    }

    /// When [`Dispatch::drain`] will have something without another mutation.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Time> {
        if self.closed {
            return None;
        }
        let blocked = self.held_back || self.in_flight.len() >= self.concurrency;
        let due = if blocked { None } else { self.line.first().map(|next| next.due) };
        let next = due.unwrap_or(Time::MAX).min(self.wakes_at());
        (next < Time::MAX).then_some(next)
    }

    /// Deliveries that are neither acked nor given up, with the attempts started so far. In no
    /// particular order.
    pub fn open(&self) -> impl Iterator<Item = (Event, u32)> {
        let held = self.lanes.iter().flat_map(Lanes::iter).chain(self.siding.iter());
        let waiting = self.line.iter().chain(held);
        let waiting = waiting.filter(|w| w.copy == 0).map(|w| (w.event(), w.number - 1));
        let in_flight = self.in_flight.iter().filter(|w| w.copy == 0).map(|w| (w.event(), w.number));
        waiting.chain(in_flight)
    }

    /// How many deliveries [`Dispatch::open`] yields.
    #[must_use]
    pub fn open_count(&self) -> usize {
        self.open
    }

    /// When the next thing happens that needs nobody's answer; at the end of time where nothing will.
    /// Every drain asks, and hardly ever is it time.
    fn wakes_at(&self) -> Time {
        let or_never = |at: Option<Time>| at.unwrap_or(Time::MAX);
        or_never(self.health.wakes_at()).min(or_never(self.replay_at)).min(or_never(self.siding.next_at()))
    }

    /// What happens at its instant and not through anybody's answer.
    fn wake(&mut self, now: Time) {
        while let Some((due, waiting)) = self.siding.take_free(now) {
            self.admit(Waiting { due, ..waiting });
        }
        if let Some(at) = self.health.wake(now) {
            self.told.push(Output::Enabled { at });
        }
        if self.replay_at.is_some_and(|at| at <= now) {
            self.replay_at = None;
            // Whoever replays has mended the endpoint first; it would all come back otherwise.
            self.enable(now);
            self.replay_dead_letters(now);
        }
    }

    fn reopen(&mut self, event: Event, made: u32, now: Time) {
        self.open += 1;
        self.told.push(Output::Redelivered { event, attempts: made, at: now });
        self.admit(Waiting { before: made, again: true, ..Waiting::new(event, made + 1, 0, now) });
    }

    /// A delivery has come to its end, and whatever waited for that may go.
    fn close_delivery(&mut self, delivery: &Waiting) {
        self.open -= 1;
        if let Some(next) = self.lanes.as_mut().and_then(|lanes| lanes.done(&delivery.event())) {
            self.line.join(next);
        }
    }

    /// Ends a delivery without an ack, after so many attempts.
    fn give_up(&mut self, delivery: &Waiting, attempts: u32, why: GiveUp, at: Time) {
        self.bury(delivery, attempts, why, at);
        self.close_delivery(delivery);
    }

    fn bury(&mut self, delivery: &Waiting, attempts: u32, why: GiveUp, at: Time) {
        self.told.push(Output::GaveUp { event: delivery.event(), attempts, at, why });
        if why == GiveUp::Skipped {
            return;
        }
        self.dead.insert(delivery.seq, Waiting { number: attempts, ..*delivery });
    }

    /// The endpoint is switched off: whatever waits for an attempt waits in vain.
    fn give_up_the_waiting(&mut self, now: Time) {
        let mut held = self.lanes.as_mut().map(Lanes::empty).unwrap_or_default();
        held.extend(self.siding.empty());
        let heads = self.line.take_deliveries().into_iter().map(|w| (w, true));
        let mut all: Vec<(Waiting, bool)> = heads.chain(held.into_iter().map(|w| (w, false))).collect();
        all.sort_unstable();
        for (delivery, is_head) in all {
            let why = self.why_off(&delivery);
            if is_head {
                self.give_up(&delivery, delivery.number - 1, why, now);
            } else {
                self.open -= 1;
                self.bury(&delivery, delivery.number - 1, why, now);
            }
        }
    }

    /// Why a delivery ends whose endpoint is switched off: what has not been attempted may not even be kept.
    fn why_off(&self, delivery: &Waiting) -> GiveUp {
        let skipped = self.while_paused == WhilePaused::Skip && delivery.tried() == 1;
        if skipped { GiveUp::Skipped } else { GiveUp::Disabled }
    }

    /// Lets a delivery wait for its instant, or first for the one before it.
    fn admit(&mut self, delivery: Waiting) {
        let free = match &mut self.lanes {
            None => Some(delivery),
            Some(lanes) => lanes.admit(&delivery.event(), delivery),
        };
        if let Some(delivery) = free {
            self.line.join(delivery);
        }
    }
}

#[cfg(test)]
#[path = "dispatch_manners_tests.rs"]
mod manners_tests;
#[cfg(test)]
#[path = "dispatch_tests.rs"]
mod tests;
