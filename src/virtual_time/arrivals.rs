//! The events to come, and those that are announced already.
//!
//! A request that leaves now may be on its way when an event happens. So an event is announced when the
//! longest request before it could leave: what is not announced by then cannot be seen by a poll.

use std::collections::VecDeque;

use crate::{
    model::{Event, Seq, Span, Time},
    workload::{Arrival, Schedule, Source},
};

/// Events known before they are announced.
const AHEAD: usize = 8;

/// The schedule, looked at a little ahead.
pub(super) struct Arrivals<'a> {
    schedule: Schedule<'a>,
    source: Source,
    /// How long before its instant an event is announced.
    notice: Span,
    /// The events that are announced and have not happened, and some behind them.
    known: VecDeque<Arrival>,
    /// How many of them are announced.
    announced: usize,
    /// The sequence of the last event that has happened.
    happened: Seq,
}

impl<'a> Arrivals<'a> {
    /// The events of a schedule.
    pub fn new(mut schedule: Schedule<'a>, notice: Span) -> Arrivals<'a> {
        let known = schedule.by_ref().take(AHEAD).collect();
        Arrivals { schedule, source: Source::default(), notice, known, announced: 0, happened: 0 }
    }

    /// When the next event is due.
    #[inline]
    pub fn next_at(&self) -> Option<Time> {
        self.known.front().map(|arrival| arrival.at)
    }

    /// When the next event is to be announced.
    #[inline]
    pub fn notice_at(&self) -> Option<Time> {
        self.known.get(self.announced).map(|arrival| arrival.at - self.notice)
    }

    /// Announces the next event: its sequence, and what it is about.
    pub fn announce(&mut self) -> Option<(Seq, Arrival)> {
        let arrival = *self.known.get(self.announced)?;
        self.announced += 1;
        self.known.extend(self.schedule.next());
        Some((self.announced_upto(), arrival))
    }

    /// An event that will be announced soon.
    pub fn soon(&self) -> Option<Arrival> {
        self.known.get(self.announced + AHEAD - 1).copied()
    }

    /// The sequence of the last event that is announced.
    #[inline]
    pub fn announced_upto(&self) -> Seq {
        self.happened + self.announced as Seq
    }

    /// The next event happens; it has been announced.
    pub fn happen(&mut self) -> Option<Event> {
        self.announced = self.announced.checked_sub(1)?;
        self.happened += 1;
        self.known.pop_front().map(|arrival| self.source.next(arrival))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_announced_before_it_happens_and_both_come_in_order() {
        let at = |at| Arrival { at: Time(at), subject: at as u32 };
        let mut arrivals = Arrivals::new(Box::new([at(5), at(12), at(13), at(40)].into_iter()), Span(10));
        assert_eq!((arrivals.next_at(), arrivals.notice_at()), (Some(Time(5)), Some(Time::ZERO)));
        assert_eq!(arrivals.happen(), None, "not yet announced");
        assert_eq!(arrivals.announce(), Some((1, at(5))));
        assert_eq!(arrivals.notice_at(), Some(Time(2)));
        assert_eq!(arrivals.announce(), Some((2, at(12))));
        assert_eq!(arrivals.announce(), Some((3, at(13))));
        assert_eq!(arrivals.happen().map(|event| (event.seq, event.subject)), Some((1, 5)));
        assert_eq!((arrivals.next_at(), arrivals.notice_at()), (Some(Time(12)), Some(Time(30))));
        assert_eq!(arrivals.announced_upto(), 3);
        while arrivals.announce().is_some() {}
        let happened: Vec<u32> = std::iter::from_fn(|| arrivals.happen()).map(|event| event.seq).collect();
        assert_eq!((happened, arrivals.next_at(), arrivals.notice_at()), (vec![2, 3, 4], None, None));
    }
}
