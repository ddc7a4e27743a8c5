//! What waits for its instant and a free slot, in the order in which it goes.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, VecDeque},
};

use super::dispatch::Start;
use crate::model::{Event, Seq, Time};

/// What waits for its instant and a free slot. Orders by due instant, then by sequence, so that a
/// run replays; no kind of work goes before another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Waiting {
    pub due: Time,
    pub seq: Seq,
    pub number: u32,
    pub copy: u32,
    /// Attempts made by earlier deliveries of the same event: the schedule begins behind them.
    pub before: u32,
    pub subject: u32,
    pub version: u32,
    pub occurred_at: Time,
    /// Whether a fault held it back until `due`.
    pub held: bool,
    /// Whether it is sent again on somebody's word.
    pub again: bool,
}

impl Waiting {
    pub fn new(event: Event, number: u32, copy: u32, due: Time) -> Waiting {
        let Event { seq, subject, version, occurred_at } = event;
        Waiting { due, seq, number, copy, before: 0, subject, version, occurred_at, held: false, again: false }
    }

    pub fn event(&self) -> Event {
        Event { seq: self.seq, subject: self.subject, version: self.version, occurred_at: self.occurred_at }
    }

    /// Attempts of this delivery, with this one.
    pub fn tried(&self) -> u32 {
        self.number - self.before
    }

    /// When its event happened, unless somebody sends it again.
    pub fn since(&self) -> Option<Time> {
        (!self.again).then_some(self.occurred_at)
    }

    pub fn start(&self) -> Start {
        // However long a fault held it back, it was due at the event's instant.
        let intended = if self.held { self.occurred_at } else { self.due };
        Start { event: self.event(), number: self.number, copy: self.copy, intended }
    }
}

/// Everything of one endpoint that waits so.
#[derive(Debug, Default)]
pub(super) struct Line {
    /// First attempts in the order in which they came, as long as that is the order of their due
    /// instants: a backlog of a million events is a plain queue.
    fresh: VecDeque<Waiting>,
    /// Everything else that waits: retries, copies, and events that came out of order.
    later: BinaryHeap<Reverse<Waiting>>,
}

impl Line {
    /// A delivery that may go once it is due.
    pub fn join(&mut self, delivery: Waiting) {
        if self.fresh.back().is_none_or(|last| *last <= delivery) {
            self.fresh.push_back(delivery);
        } else {
            self.come_back(delivery);
        }
    }

    /// A retry or a copy: due later than what has come meanwhile, as a rule.
    pub fn come_back(&mut self, delivery: Waiting) {
        self.later.push(Reverse(delivery));
    }

    /// Who goes next.
    pub fn first(&self) -> Option<&Waiting> {
        if self.fresh_goes_first() { self.fresh.front() } else { self.later.peek().map(|Reverse(later)| later) }
    }

    /// Who goes next, if it is due.
    pub fn first_due(&self, now: Time) -> Option<Waiting> {
        self.first().filter(|next| next.due <= now).copied()
    }

    /// Takes out what [`Line::first`] has shown.
    pub fn pop(&mut self) {
        if self.fresh_goes_first() {
            self.fresh.pop_front();
        } else {
            self.later.pop();
        }
    }

    /// All, in no particular order.
    pub fn iter(&self) -> impl Iterator<Item = &Waiting> {
        self.fresh.iter().chain(self.later.iter().map(|Reverse(w)| w))
    }

    /// Takes out the deliveries, in no particular order. Copies stay: they are the network's doing.
    pub fn take_deliveries(&mut self) -> Vec<Waiting> {
        let (copies, retries): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.later).into_iter().map(|Reverse(w)| w).partition(|w| w.copy > 0);
        self.later = copies.into_iter().map(Reverse).collect();
        self.fresh.drain(..).chain(retries).collect()
    }

    fn fresh_goes_first(&self) -> bool {
        match (self.fresh.front(), self.later.peek()) {
            (Some(fresh), Some(Reverse(later))) => fresh <= later,
            (fresh, _) => fresh.is_some(),
        }
    }
}
