//! Which client's poll is due next: a calendar of the near future, with a heap for the rest.
//!
//! The order is exact: by instant, and within one instant by client. A day of the calendar is a short chain
//! of boxes that hold its polls side by side, so that a day is read in one go and not along a list through
//! the memory; it is sorted when it comes. While few polls wait, they are all in the heap. What is put down
//! for the day that is open, or for beyond the calendar's year, goes to the heap, whose head is always looked
//! at too.

use std::{cmp::Reverse, collections::BinaryHeap};

use crate::model::{Span, Time};

/// No box.
const NONE: u32 = u32::MAX;
/// Polls in a box, which with its header fills two lines of the processor's cache.
const PER_BOX: usize = 15;
/// A day is at most 2^32 ns long, so that an instant within it takes half a word.
const SHIFT_MAX: u32 = u32::BITS;
/// So many polls are better off in the heap, which is near, than in the calendar.
const FEW: usize = 32;
/// Words of the calendar's map of days that are not empty.
const WORD: usize = u64::BITS as usize;

/// The polls to come.
#[derive(Debug)]
pub(super) struct PollQueue {
    boxes: Vec<DayBox>,
    /// Boxes that are empty; the last one used is the nearest.
    spare: Vec<u32>,
    /// By day of the year: the first box of its chain.
    days: Vec<u32>,
    /// Which days have one.
    busy: Vec<u64>,
    /// A day is 2^shift nanoseconds.
    shift: u32,
    /// The day that is open: no earlier one has a poll left.
    today: u64,
    /// The polls of the open day that are left, the last one first.
    open: Vec<Entry>,
    aside: BinaryHeap<Reverse<(Time, u32)>>,
    /// While fewer polls wait, they do so in the heap.
    few: usize,
    /// Those that are to be put into boxes before the next day is opened: place, poll.
    coming: Vec<(usize, Entry)>,
    /// How many wait in the boxes, or are to be put there.
    boxed: usize,
}

/// A poll within its day: the instant in the upper half, the client in the lower one, so that entries sort by
/// both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Entry(u64);

impl Entry {
    /// Whose poll.
    #[inline]
    pub fn client(self) -> u32 {
        self.0 as u32
    }

    fn within_day_ns(self) -> u64 {
        self.0 >> u32::BITS
    }
}

/// Some polls of one day.
#[derive(Debug, Clone, Copy)]
#[repr(align(128))]
struct DayBox {
    used: u32,
    /// The next box of the day.
    next: u32,
    entries: [Entry; PER_BOX],
}

impl DayBox {
    const EMPTY: DayBox = DayBox { used: 0, next: NONE, entries: [Entry(0); PER_BOX] };

    fn entries(&self) -> &[Entry] {
        &self.entries[..(self.used as usize).min(PER_BOX)]
    }
}

impl PollQueue {
    /// For so many clients that together poll at this rate, a client at most `gap` after its last poll. A day has
    /// `per_day` polls at most on average: fewer make more days, more make longer sorting.
    pub fn new(clients: usize, per_second: f64, gap: Span, per_day: u64) -> PollQueue {
        let between = (1e9 / per_second.max(1e-9)).min(1e18) as u64;
        let shift = between.saturating_mul(per_day).max(1).ilog2().min(SHIFT_MAX);
        let year = (gap.0 >> shift).saturating_add(2).saturating_add(gap.0 >> (shift + 3));
        let days = year.min(4 * clients as u64).max(WORD as u64).next_power_of_two() as usize;
        PollQueue {
            boxes: Vec::new(),
            spare: Vec::new(),
            days: vec![NONE; days],
            busy: vec![0; days / WORD],
            shift,
            today: 0,
            open: Vec::new(),
            aside: BinaryHeap::new(),
            few: FEW,
            coming: Vec::new(),
            boxed: 0,
        }
    }

    /// A client's next poll, of which it has one at a time.
    #[inline]
    pub fn put(&mut self, at: Time, client: u32) {
        let day = at.0 >> self.shift;
        let few = self.boxed == 0 && self.aside.len() < self.few;
        if few || day <= self.today || day - self.today >= self.days.len() as u64 {
            return self.aside.push(Reverse((at, client)));
        }
        let entry = Entry((at.0 - (day << self.shift)) << u32::BITS | u64::from(client));
        self.coming.push((day as usize & (self.days.len() - 1), entry));
        self.boxed += 1;
    }

    /// Puts into boxes what has come in the meantime. Each box lies somewhere in far memory; one after the other
    /// without anything in between, they are waited for together.
    fn put_away(&mut self) {
        let mut coming = std::mem::take(&mut self.coming);
        for (place, entry) in coming.drain(..) {
            let first = self.days[place];
            if let Some(DayBox { used, entries, .. }) = self.boxes.get_mut(first as usize)
                && let Some(free) = entries.get_mut(*used as usize)
            {
                *free = entry;
                *used += 1;
                continue;
            }
            self.days[place] = self.box_before(first, entry);
            self.busy[place / WORD] |= 1 << (place % WORD);
        }
        self.coming = coming;
    }

    /// A box with one poll in front of another box.
    fn box_before(&mut self, next: u32, entry: Entry) -> u32 {
        let number = self.spare.pop().unwrap_or_else(|| {
            self.boxes.push(DayBox::EMPTY);
            self.boxes.len() as u32 - 1
        });
        let opened = &mut self.boxes[number as usize];
        (opened.used, opened.next, opened.entries[0]) = (1, next, entry);
        number
    }

    /// The next poll.
    #[inline]
    pub fn first(&mut self) -> Option<(Time, u32)> {
        if self.turn_over() {
            self.sort();
        }
        match (self.open.last(), self.aside.peek()) {
            (Some(&listed), Some(&Reverse(aside))) => Some(self.instant(listed).min(aside)),
            (Some(&listed), None) => Some(self.instant(listed)),
            (None, aside) => aside.map(|Reverse(aside)| *aside),
        }
    }

    /// When a poll of the open day is due, and whose it is.
    #[inline]
    fn instant(&self, entry: Entry) -> (Time, u32) {
        (Time((self.today << self.shift) + entry.within_day_ns()), entry.client())
    }

    /// Takes the next poll, if it is due by then.
    #[inline]
    pub fn take_until(&mut self, last: Time) -> Option<(Time, u32)> {
        match self.open.last() {
            Some(&listed) if self.aside.is_empty() => {
                let next = self.instant(listed);
                if next.0 > last {
                    return None;
                }
                self.open.pop();
                Some(next)
            }
            _ => {
                let next = self.first().filter(|(at, _)| *at <= last)?;
                self.take_first();
                Some(next)
            }
        }
    }

    /// Takes the next poll, which [`PollQueue::first`] has just told.
    #[inline]
    pub fn take_first(&mut self) {
        match (self.open.last(), self.aside.peek()) {
            (Some(&listed), Some(&Reverse(aside))) if aside < self.instant(listed) => drop(self.aside.pop()),
            (Some(_), _) => drop(self.open.pop()),
            (None, _) => drop(self.aside.pop()),
        }
    }

    /// Opens the next day that has a poll, if the one before is over and no poll that is set aside comes before
    /// it; tells whether it did. The polls of the day are in [`PollQueue::opened`], to be looked through and then
    /// sorted.
    #[inline]
    pub fn turn_over(&mut self) -> bool {
        self.open.is_empty() && self.boxed > 0 && self.open_next_day()
    }

    fn open_next_day(&mut self) -> bool {
        self.put_away();
        let next = self.next_busy_day();
        if self.aside.peek().is_some_and(|Reverse((at, _))| at.0 >> self.shift < next) {
            return false;
        }
        self.today = next;
        let place = next as usize & (self.days.len() - 1);
        let mut number = std::mem::replace(&mut self.days[place], NONE);
        self.busy[place / WORD] &= !(1 << (place % WORD));
        while let Some(opened) = self.boxes.get(number as usize) {
            self.open.extend_from_slice(opened.entries());
            self.spare.push(std::mem::replace(&mut number, opened.next));
        }
        self.boxed -= self.open.len();
        true
    }

    /// The polls of the open day.
    #[inline]
    pub fn opened(&mut self) -> &mut Vec<Entry> {
        &mut self.open
    }

    /// Puts the polls of the open day into their order.
    #[inline]
    pub fn sort(&mut self) {
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
            magnitude in 0.0f64..9.0, gap in 1u64..1_000_000, clients in 1usize..80, few in 0usize..20, per_day in 1u64..80,
            steps in proptest::collection::vec((0u32..80, 0u64..3_000_000), 1..300),
        ) {
            let per_second = 10f64.powf(magnitude);
            let mut queue = PollQueue { few, ..PollQueue::new(clients, per_second, Span(gap), per_day) };
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
