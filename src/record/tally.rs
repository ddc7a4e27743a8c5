//! Uneventful polls, counted per second of their intended instant.

use std::collections::BTreeMap;

use super::Record;
use crate::{
    model::{Span, Time},
    scenario::ConsumerNo,
};

const SECOND: u64 = 1_000_000_000;

/// The tallies of one consumer's polls.
#[derive(Debug)]
pub struct PollTallies {
    consumer: ConsumerNo,
    window_end: Time,
    /// By second, and whether the window of arrivals was over.
    seconds: BTreeMap<(u32, bool), Tally>,
    /// The places that were counted in last, each second's at its remainder: polls come almost in the order of
    /// their instants.
    open: [Open; OPEN],
}

/// Seconds that are counted in at the same time.
const OPEN: usize = 8;

/// What is not yet in the map of seconds.
#[derive(Debug, Clone, Copy)]
struct Open {
    place: (u32, bool),
    /// From and until when polls belong there.
    from: Time,
    until: Time,
    counted: Tally,
}

impl Open {
    /// No poll belongs there.
    const NOWHERE: Open = Open {
        place: (0, false),
        from: Time::ZERO,
        until: Time::ZERO,
        counted: Tally { empty: 0, not_modified: 0, lag_max: Span::ZERO },
    };
}

/// What is counted in one place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Tally {
    empty: u32,
    not_modified: u32,
    lag_max: Span,
}

impl PollTallies {
    /// Nothing counted. `window_end` is the end of arrivals.
    #[must_use]
    pub fn new(consumer: ConsumerNo, window_end: Time) -> PollTallies {
        PollTallies { consumer, window_end, seconds: BTreeMap::new(), open: [Open::NOWHERE; OPEN] }
    }

    /// Counts a poll that found nothing.
    #[inline]
    pub fn count(&mut self, intended: Time, sent: Time, not_modified: bool) {
        let number = (intended.0 / SECOND) as usize % OPEN;
        let open = &self.open[number];
        if intended < open.from || intended >= open.until {
            self.turn_to(number, intended);
        }
        let counted = &mut self.open[number].counted;
        counted.lag_max = counted.lag_max.max(sent.since(intended));
        counted.not_modified += u32::from(not_modified);
        counted.empty += u32::from(!not_modified);
    }

    /// Counts prompt polls that were due in this second, all within the window of arrivals.
    pub fn count_many(&mut self, second: u32, empty: u32, not_modified: u32) {
        let tally = self.seconds.entry((second, false)).or_default();
        tally.empty += empty;
        tally.not_modified += not_modified;
    }

    /// Opens the place of this instant.
    #[cold]
    fn turn_to(&mut self, number: usize, intended: Time) {
        self.put_away(number);
        let second = intended.0 / SECOND;
        let after_window = intended >= self.window_end;
        let place = (u32::try_from(second).unwrap_or(u32::MAX), after_window);
        let (from, until) = (Time(second * SECOND), Time((second * SECOND).saturating_add(SECOND)));
        let (from, until) =
            if after_window { (from.max(self.window_end), until) } else { (from, until.min(self.window_end)) };
        self.open[number] = Open { place, from, until, counted: Tally::default() };
    }

    fn put_away(&mut self, number: usize) {
        let Open { place, counted, .. } = &mut self.open[number];
        let Tally { empty, not_modified, lag_max } = std::mem::take(counted);
        if empty + not_modified > 0 {
            let tally = self.seconds.entry(*place).or_default();
            tally.empty += empty;
            tally.not_modified += not_modified;
            tally.lag_max = tally.lag_max.max(lag_max);
        }
    }

    /// Hands over what is counted so far, one record a second, and begins anew.
    pub fn drain(&mut self, each: &mut dyn FnMut(Record)) {
        (0..OPEN).for_each(|number| self.put_away(number));
        let consumer = self.consumer;
        for ((second, after_window), Tally { empty, not_modified, lag_max }) in std::mem::take(&mut self.seconds) {
            each(Record::PollTally { consumer, second, after_window, empty, not_modified, lag_max });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn drained(tallies: &mut PollTallies) -> Vec<((u32, bool), Tally)> {
        let mut found = Vec::new();
        tallies.drain(&mut |record| match record {
            Record::PollTally { second, after_window, empty, not_modified, lag_max, .. } => {
                found.push(((second, after_window), Tally { empty, not_modified, lag_max }));
            }
            other => panic!("{other:?}"),
        });
        found
    }

    proptest! {
        #[test]
        fn each_poll_is_counted_where_it_was_due_in_whatever_order_they_come(
            polls in proptest::collection::vec((0u64..40, 0u64..5, any::<bool>()), 0..200), window in 0u64..40,
        ) {
            let tenth = Span::from_millis(100).0;
            let window_end = Time(window * tenth);
            let mut tallies = PollTallies::new(0, window_end);
            let mut wanted: BTreeMap<(u32, bool), Tally> = BTreeMap::new();
            for (at, lag, not_modified) in polls {
                let intended = Time(at * tenth);
                tallies.count(intended, intended + Span(lag), not_modified);
                let tally = wanted.entry(((at / 10) as u32, at >= window)).or_default();
                tally.empty += u32::from(!not_modified);
                tally.not_modified += u32::from(not_modified);
                tally.lag_max = tally.lag_max.max(Span(lag));
            }
            prop_assert_eq!(drained(&mut tallies), wanted.into_iter().collect::<Vec<_>>());
            prop_assert_eq!(drained(&mut tallies), vec![], "what is handed over is not counted again");
        }
    }

    #[test]
    fn many_add_to_what_is_counted_one_by_one() {
        let mut tallies = PollTallies::new(0, Time::MAX);
        tallies.count(Time(SECOND), Time(SECOND), true);
        tallies.count_many(1, 2, 3);
        assert_eq!(drained(&mut tallies), [((1, false), Tally { empty: 2, not_modified: 4, lag_max: Span::ZERO })]);
    }
}
