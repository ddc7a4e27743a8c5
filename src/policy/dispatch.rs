//! One endpoint's deliveries: what to send when, how many at once, when to give up.
//!
//! A machine knows one endpoint only, so one that hangs cannot delay another: isolation is
//! structural. It knows no socket and no clock; time comes in as an argument.
//!
//! ```text
//!   deliver --> [waiting] --Start--> [in flight] --ack-----> gone
//!                  ^                      |------exhausted-> GaveUp
//!                  |------- retry --------|
//! ```
//!
//! Contract, in this order: mutate ([`Dispatch::deliver`], [`Dispatch::ended`],
//! [`Dispatch::duplicate`], [`Dispatch::close`]), then [`Dispatch::drain`], then ask
//! [`Dispatch::next_deadline`]. A deadline asked for between a mutation and its drain may lie in
//! the past; one asked for after the drain lies in the future, or is `None` when only another
//! mutation can make something happen.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, VecDeque},
};

use super::RetrySchedule;
use crate::{
    fault::Copies,
    model::{AttemptOutcome, ClientNo, Event, Seq, Span, Time},
    rng::Draws,
};

/// What the driver shall do, or shall know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Output {
    /// Start an attempt, and report its end.
    Start(Start),
    /// The schedule is used up without an ack.
    GaveUp {
        /// The event that stays undelivered.
        event: Event,
        /// Attempts made.
        attempts: u32,
        /// When the last one was known to have failed.
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

/// What waits for its instant and a free slot. Orders by due instant, then by sequence, so that a
/// run replays; no kind of work goes before another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Waiting {
    due: Time,
    seq: Seq,
    number: u32,
    copy: u32,
    subject: u32,
    version: u32,
    occurred_at: Time,
}

/// The machine of one endpoint.
#[derive(Debug)]
pub struct Dispatch {
    schedule: RetrySchedule,
    draws: Draws,
    client: ClientNo,
    concurrency: usize,
    /// First attempts in the order in which they came, as long as that is the order of their due
    /// instants: a backlog of a million events is a plain queue.
    fresh: VecDeque<Waiting>,
    /// Everything else that waits: retries, copies, and events that came out of order.
    later: BinaryHeap<Reverse<Waiting>>,
    /// Bounded by the concurrency, so a scan is the fastest look-up.
    in_flight: Vec<Waiting>,
    gave_up: Vec<Output>,
    open: usize,
    closed: bool,
}

impl Dispatch {
    /// A machine for the endpoint of `client`. At least one attempt may be in flight.
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
            fresh: VecDeque::new(),
            later: BinaryHeap::new(),
            in_flight: Vec::new(),
            gave_up: Vec::new(),
            open: 0,
            closed: false,
        }
    }

    /// A new delivery: due at the event's instant, which may have passed or may lie ahead.
    pub fn deliver(&mut self, event: Event) {
        self.open += 1;
        let waiting = Waiting::new(event, 1, 0, event.occurred_at);
        if self.fresh.back().is_none_or(|last| *last <= waiting) {
            self.fresh.push_back(waiting);
        } else {
            self.later.push(Reverse(waiting));
        }
    }

    /// An attempt that was started has ended. `retry_after` is what the receiver asked for, in the
    /// driver's time.
    ///
    /// The end of a copy frees its slot and changes nothing else: an ack of a copy does not end the
    /// delivery, because a copy is the network's doing and the provider does not know of it. The end
    /// of an attempt that is not in flight is ignored.
    pub fn ended(&mut self, of: &Start, outcome: AttemptOutcome, retry_after: Option<Span>, now: Time) {
        let same = |w: &Waiting| (w.seq, w.number, w.copy) == (of.event.seq, of.number, of.copy);
        let Some(at) = self.in_flight.iter().position(same) else { return };
        let attempt = self.in_flight.swap_remove(at);
        if attempt.copy > 0 {
            return;
        }
        if outcome.is_ack() {
            self.open -= 1;
            return;
        }
        let entity = u64::from(self.client);
        match self.schedule.next(attempt.number, now, retry_after, self.draws, entity, attempt.seq) {
            Some(due) => self.later.push(Reverse(Waiting { due, number: attempt.number + 1, ..attempt })),
            None => {
                self.open -= 1;
                self.gave_up.push(Output::GaveUp { event: attempt.event(), attempts: attempt.number, at: now });
            }
        }
    }

    /// The duplicate fault hit an attempt that leaves at `from`: copy k is due k x lag after it.
    /// Copies take a slot like any attempt; they never count as the delivery's attempts.
    pub fn duplicate(&mut self, of: &Start, copies: Copies, from: Time) {
        for copy in 1..=copies.count {
            let due = from + copies.lag.scaled(u64::from(copy), 1);
            self.later.push(Reverse(Waiting::new(of.event, of.number, copy, due)));
        }
    }

    /// From now on nothing is started; attempts in flight may still end.
    pub fn close(&mut self) {
        self.closed = true;
    }

    /// Appends what is to be done at `now`. A started attempt counts as in flight from here on.
    pub fn drain(&mut self, now: Time, out: &mut Vec<Output>) {
        out.append(&mut self.gave_up);
        while !self.closed && self.in_flight.len() < self.concurrency {
            let Some(next) = self.pop_due(now) else { return };
            self.in_flight.push(next);
            out.push(Output::Start(next.start()));
        }
    }

    /// When [`Dispatch::drain`] will have something without another mutation.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Time> {
        if self.closed || self.in_flight.len() >= self.concurrency {
            return None;
        }
        self.peek().map(|next| next.due)
    }

    /// Deliveries that are neither acked nor given up, with the attempts started so far. In no
    /// particular order.
    pub fn open(&self) -> impl Iterator<Item = (Event, u32)> {
        let waiting = self.fresh.iter().chain(self.later.iter().map(|Reverse(w)| w));
        let waiting = waiting.filter(|w| w.copy == 0).map(|w| (w.event(), w.number - 1));
        let in_flight = self.in_flight.iter().filter(|w| w.copy == 0).map(|w| (w.event(), w.number));
        waiting.chain(in_flight)
    }

    /// How many deliveries [`Dispatch::open`] yields.
    #[must_use]
    pub fn open_count(&self) -> usize {
        self.open
    }

    fn peek(&self) -> Option<&Waiting> {
        match (self.fresh.front(), self.later.peek()) {
            (Some(fresh), Some(Reverse(later))) => Some(fresh.min(later)),
            (fresh, later) => fresh.or(later.map(|Reverse(w)| w)),
        }
    }

    fn pop_due(&mut self, now: Time) -> Option<Waiting> {
        let next = *self.peek()?;
        if next.due > now {
            return None;
        }
        if self.fresh.front() == Some(&next) {
            self.fresh.pop_front();
        } else {
            self.later.pop();
        }
        Some(next)
    }
}

impl Waiting {
    fn new(event: Event, number: u32, copy: u32, due: Time) -> Waiting {
        let Event { seq, subject, version, occurred_at } = event;
        Waiting { due, seq, number, copy, subject, version, occurred_at }
    }

    fn event(&self) -> Event {
        Event { seq: self.seq, subject: self.subject, version: self.version, occurred_at: self.occurred_at }
    }

    fn start(&self) -> Start {
        Start { event: self.event(), number: self.number, copy: self.copy, intended: self.due }
    }
}

#[cfg(test)]
#[path = "dispatch_tests.rs"]
mod tests;
