//! Which client's poll is due next: a calendar of the near future, with a heap for the rest.
//!
//! The order is exact: by instant, and within one instant by client. A client waits for one poll at a
//! time, so it is its own entry: a day of the calendar is a list through the clients' slots, and sorted
//! when it comes. While few polls wait, they are all in the heap. What is put down for the day that is open, or for beyond the calendar's year, goes to
//! the heap, whose head is always looked at too.

use std::{cmp::Reverse, collections::BinaryHeap};

use crate::model::{Span, Time};

/// No client.
const NOBODY: u32 = u32::MAX;
/// Polls in a day of the calendar, about: fewer make more days, more make longer sorting.
const POLLS_PER_DAY: u64 = 4;
/// So many polls are better off in the heap, which is near, than in the calendar.
const FEW: usize = 512;
/// Words of the calendar's map of days that are not empty.
const WORD: usize = u64::BITS as usize;

/// The polls to come.
#[derive(Debug)]
pub(super) struct PollQueue {
    slots: Vec<Slot>,
    /// By day of the year: the first client of its list.
    days: Vec<u32>,
    /// Which days have one.
    busy: Vec<u64>,
    /// A day is 2^shift nanoseconds.
    shift: u32,
    /// The day that is open: no earlier one has a poll left.
    today: u64,
    /// The polls of the open day that are left, the last one first.
    open: Vec<(Time, u32)>,
    aside: BinaryHeap<Reverse<(Time, u32)>>,
    /// While fewer polls wait, they do so in the heap.
    few: usize,
    /// How many wait in the lists of days.
    listed: usize,
    /// Whether the open day has been opened since somebody asked.
    fresh: bool,
}

/// One client's entry.
#[derive(Debug, Clone, Copy)]
struct Slot {
    at: Time,
    next: u32,
}

impl PollQueue {
    /// For so many clients that together poll at this rate, a client at most `gap` after its last poll.
    pub fn new(clients: usize, per_second: f64, gap: Span) -> PollQueue {
        let between = (1e9 / per_second.max(1e-9)).min(1e18) as u64;
        let shift = between.saturating_mul(POLLS_PER_DAY).max(1).ilog2().min(56);
        let year = (gap.0 >> shift).saturating_add(2).saturating_add(gap.0 >> (shift + 3));
        let days = year.min(4 * clients as u64).max(WORD as u64).next_power_of_two() as usize;
        PollQueue {
            slots: vec![Slot { at: Time::ZERO, next: NOBODY }; clients],
            days: vec![NOBODY; days],
            busy: vec![0; days / WORD],
            shift,
            today: 0,
            open: Vec::new(),
            aside: BinaryHeap::new(),
            few: FEW,
            listed: 0,
            fresh: false,
        }
    }

    /// A client's next poll, of which it has one at a time.
    #[inline]
    pub fn put(&mut self, at: Time, client: u32) {
        let day = at.0 >> self.shift;
        let few = self.listed == 0 && self.aside.len() < self.few;
        if few || day <= self.today || day - self.today >= self.days.len() as u64 {
            return self.aside.push(Reverse((at, client)));
        }
        let place = day as usize & (self.days.len() - 1);
        self.slots[client as usize] = Slot { at, next: self.days[place] };
        self.days[place] = client;
        self.busy[place / WORD] |= 1 << (place % WORD);
        self.listed += 1;
    }

    /// The next poll.
    #[inline]
    pub fn first(&mut self) -> Option<(Time, u32)> {
        if self.open.is_empty() && self.listed > 0 {
            self.turn_over();
        }
        match (self.open.last(), self.aside.peek()) {
            (Some(&listed), Some(&Reverse(aside))) => Some(listed.min(aside)),
            (Some(&listed), None) => Some(listed),
            (None, aside) => aside.map(|Reverse(aside)| *aside),
        }
    }

    /// The polls of a day that was opened since this was asked last.
    #[inline]
    pub fn just_opened(&mut self) -> &[(Time, u32)] {
        if std::mem::take(&mut self.fresh) { &self.open } else { &[] }
    }

    /// Takes the next poll, which [`PollQueue::first`] has just told.
    #[inline]
    pub fn take_first(&mut self) {
        match (self.open.last(), self.aside.peek()) {
            (Some(listed), Some(Reverse(aside))) if aside < listed => drop(self.aside.pop()),
            (Some(_), _) => drop(self.open.pop()),
            (None, _) => drop(self.aside.pop()),
        }
    }

    /// Opens the next day that has a poll, unless one that is set aside comes before it.
    fn turn_over(&mut self) {
        let next = self.next_busy_day();
        if self.aside.peek().is_some_and(|Reverse((at, _))| at.0 >> self.shift < next) {
            return;
        }
        (self.today, self.fresh) = (next, true);
        let place = next as usize & (self.days.len() - 1);
        let mut client = std::mem::replace(&mut self.days[place], NOBODY);
        self.busy[place / WORD] &= !(1 << (place % WORD));
        while client != NOBODY {
            let Slot { at, next } = self.slots[client as usize];
            self.open.push((at, client));
            client = next;
        }
        self.listed -= self.open.len();
        self.open.sort_unstable_by(|a, b| b.cmp(a));
    }

    /// The first day behind the open one that has a poll; there is one.
    fn next_busy_day(&self) -> u64 {
        let days = self.days.len();
        let begin = (self.today + 1) as usize & (days - 1);
        let mut word = begin / WORD;
        let mut bits = self.busy[word] & (u64::MAX << (begin % WORD));
        while bits == 0 {
            word = (word + 1) % self.busy.len();
            bits = self.busy[word];
        }
        let place = word * WORD + bits.trailing_zeros() as usize;
        let ahead = place.wrapping_sub(begin) & (days - 1);
        self.today + 1 + ahead as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn polls_come_by_instant_and_then_by_client_however_far_ahead_they_are_put(
            per_second in 1.0f64..1e9, gap in 1u64..1_000_000, clients in 1usize..40, few in 0usize..20,
            steps in proptest::collection::vec((0u32..40, 0u64..3_000_000), 1..300),
        ) {
            let mut queue = PollQueue { few, ..PollQueue::new(clients, per_second, Span(gap)) };
            let mut waiting: Vec<(Time, u32)> = Vec::new();
            let mut now = Time::ZERO;
            for (client, ahead) in steps {
                if (client as usize) < clients && waiting.iter().all(|(_, other)| *other != client) {
                    // Mostly near, now and then far away.
                    let at = now + Span(if ahead % 3 == 0 { ahead } else { ahead % gap });
                    queue.put(at, client);
                    waiting.push((at, client));
                } else {
                    waiting.sort();
                    let first = (!waiting.is_empty()).then(|| waiting.remove(0));
                    prop_assert_eq!(queue.first(), first);
                    if let Some((at, _)) = first {
                        queue.take_first();
                        now = at;
                    }
                }
            }
            waiting.sort();
            for entry in waiting {
                prop_assert_eq!(queue.first(), Some(entry));
                queue.take_first();
            }
            prop_assert_eq!(queue.first(), None);
        }
    }
}
