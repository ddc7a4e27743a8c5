//! The events to come, and those that are announced already.
//!
//! A request that leaves now may be on its way when an event happens. So an event is announced when the
//! longest request before it could leave: what is not announced by then cannot be seen by a poll.

use std::collections::VecDeque;

use crate::{
    model::{Event, Seq, Span, Time},
    workload::{Schedule, Source},
};

/// Events that become known together. Who has a million subjects finds each of them in far memory, and to wait
/// for many at once takes as long as for one.
const AT_ONCE: usize = 64;

/// The schedule, looked at a little ahead.
pub(super) struct Arrivals<'a> {
    schedule: Schedule<'a>,
    source: Source,
    /// How long before its instant an event is announced.
    notice: Span,
    /// The events that are announced and have not happened, and some behind them.
    known: VecDeque<Event>,
    /// How many of them are announced.
    announced: usize,
    /// The sequence of the last event that has happened.
    happened: Seq,
    /// How many became known since somebody asked.
    fresh: usize,
}

impl<'a> Arrivals<'a> {
    /// The events of a schedule.
    pub fn new(schedule: Schedule<'a>, notice: Span) -> Arrivals<'a> {
        let known = VecDeque::with_capacity(2 * AT_ONCE);
        let mut arrivals =
            Arrivals { schedule, source: Source::default(), notice, known, announced: 0, happened: 0, fresh: 0 };
        arrivals.look_ahead();
        arrivals
    }

    /// When the next event is due.
    #[inline]
    pub fn next_at(&self) -> Option<Time> {
        self.known.front().map(|event| event.occurred_at)
    }

    /// When the next event is to be announced.
    #[inline]
    pub fn notice_at(&self) -> Option<Time> {
        self.known.get(self.announced).map(|event| event.occurred_at - self.notice)
    }

    /// Announces the next event.
    pub fn announce(&mut self) -> Option<Event> {
        let event = *self.known.get(self.announced)?;
        self.announced += 1;
        if self.known.len() == self.announced {
            self.look_ahead();
        }
        Some(event)
    }

    /// Gets to know the next few events.
    fn look_ahead(&mut self) {
        let before = self.known.len();
        let mut coming = [None; AT_ONCE];
        // First when, then how their subjects stand: so the second part has nothing to wait for but memory.
        coming.iter_mut().for_each(|place| *place = self.schedule.next());
        self.source.look_at(coming.iter().flatten());
        self.known.extend(coming.into_iter().flatten().map(|arrival| self.source.next(arrival)));
        self.fresh = self.known.len() - before;
    }

    /// The events that became known since this was asked last.
    pub fn just_known(&mut self) -> impl ExactSizeIterator<Item = &Event> + Clone {
        let fresh = std::mem::take(&mut self.fresh).min(self.known.len());
        self.known.range(self.known.len() - fresh..)
    }

    /// The sequence of the last event that is announced.
    #[inline]
    pub fn announced_upto(&self) -> Seq {
        self.happened + self.announced as Seq
    }

    /// An event that is announced and has not happened yet.
    #[inline]
    pub fn known(&self, seq: Seq) -> Option<Event> {
        let place = seq.checked_sub(self.happened + 1)? as usize;
        self.known.get(place).filter(|_| place < self.announced).copied()
    }

    /// The sequence of the last event that will have happened by `at`, before which everything is announced
    /// now; none where one happens at that very instant.
    #[inline]
    pub fn head_at(&self, at: Time) -> Option<Seq> {
        let mut head = self.happened;
        for event in self.known.iter().take_while(|event| event.occurred_at <= at) {
            if event.occurred_at == at {
                return None;
            }
            head += 1;
        }
        Some(head)
    }

    /// The next event happens; it has been announced.
    pub fn happen(&mut self) -> Option<Event> {
        self.announced = self.announced.checked_sub(1)?;
        self.happened += 1;
        self.known.pop_front()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workload::Arrival;

    #[test]
    fn an_event_is_announced_before_it_happens_and_both_come_in_order() {
        let at = |at| Arrival { at: Time(at), subject: at as u32 };
        let mut arrivals = Arrivals::new(Box::new([at(5), at(12), at(13), at(40)].into_iter()), Span(10));
        let announce = |arrivals: &mut Arrivals<'_>| arrivals.announce().map(|event| (event.seq, event.subject));
        assert_eq!((arrivals.next_at(), arrivals.notice_at()), (Some(Time(5)), Some(Time::ZERO)));
        assert_eq!(arrivals.happen(), None, "not yet announced");
        assert_eq!(announce(&mut arrivals), Some((1, 5)));
        assert_eq!(arrivals.notice_at(), Some(Time(2)));
        assert_eq!(announce(&mut arrivals), Some((2, 12)));
        assert_eq!(
            (arrivals.head_at(Time(11)), arrivals.head_at(Time(12)), arrivals.head_at(Time(14))),
            (Some(1), None, Some(3))
        );
        assert_eq!(announce(&mut arrivals), Some((3, 13)));
        assert_eq!(arrivals.happen().map(|event| (event.seq, event.subject)), Some((1, 5)));
        assert_eq!((arrivals.next_at(), arrivals.notice_at()), (Some(Time(12)), Some(Time(30))));
        assert_eq!(arrivals.announced_upto(), 3);
        assert_eq!((arrivals.known(1), arrivals.known(4)), (None, None), "over, and not announced");
        assert_eq!(arrivals.known(3).map(|event| event.subject), Some(13));
        while arrivals.announce().is_some() {}
        let happened: Vec<u32> = std::iter::from_fn(|| arrivals.happen()).map(|event| event.seq).collect();
        assert_eq!((happened, arrivals.next_at(), arrivals.notice_at()), (vec![2, 3, 4], None, None));
    }

    #[test]
    fn what_becomes_known_is_told_once_and_all_of_it() {
        let all = (1..=100).map(|at| Arrival { at: Time(at), subject: 0 });
        let mut arrivals = Arrivals::new(Box::new(all), Span::ZERO);
        let mut known = Vec::new();
        loop {
            known.extend(arrivals.just_known().map(|event| event.seq));
            if arrivals.announce().is_none() {
                break;
            }
            arrivals.happen();
        }
        assert_eq!(known, (1..=100).collect::<Vec<u32>>());
    }
}
