//! Two updates of one thing in short succession: where order goes wrong when the first is delayed.

use std::{collections::VecDeque, iter::Peekable};

use serde::{Deserialize, Serialize};

use super::{Arrival, Poisson, Process, Schedule};
use crate::model::{Span, Subject, Time};
use crate::rng::Draws;

/// Pairs of events at Poisson instants. Both of a pair are about one subject, `gap` apart; the
/// subjects take turns, so that the pairs of one subject are as far apart as can be.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Pairs {
    /// The rate of pairs.
    pub pairs: Poisson,
    /// From the first event of a pair to the second.
    pub gap: Span,
}

impl Process for Pairs {
    const SUMMARY: &'static str = "two updates of one subject shortly after each other";

    fn rate_per_sec(&self) -> f64 {
        2.0 * self.pairs.rate_per_sec()
    }

    fn schedule(&self, subjects: u32, draws: Draws) -> Schedule<'_> {
        let turns = (0..subjects.max(1)).cycle();
        let firsts = self.pairs.instants(draws).zip(turns).peekable();
        Box::new(Merge { firsts, seconds: VecDeque::new(), gap: self.gap })
    }
}

/// Two ordered streams, of which one is the other, later.
struct Merge<I: Iterator<Item = (Time, Subject)>> {
    firsts: Peekable<I>,
    /// Seconds whose firsts are out.
    seconds: VecDeque<Arrival>,
    gap: Span,
}

impl<I: Iterator<Item = (Time, Subject)>> Iterator for Merge<I> {
    type Item = Arrival;

    fn next(&mut self) -> Option<Arrival> {
        let due = self.seconds.front().map_or(Time::MAX, |second| second.at);
        match self.firsts.next_if(|(at, _)| *at <= due) {
            Some((at, subject)) => {
                self.seconds.push_back(Arrival { at: at + self.gap, subject });
                Some(Arrival { at, subject })
            }
            None => self.seconds.pop_front(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_first_has_its_second_a_gap_later(gap_us in 0u64..100_000, subjects in 1u32..50, seed: u64) {
            let gap = Span(gap_us * 1_000);
            let source = Pairs { pairs: Poisson { count: 100, per: Span::from_secs(1) }, gap };
            let end = Time(1_000_000_000);
            let firsts: Vec<Time> = source.pairs.instants(Draws::new(seed)).take_while(|at| *at < end).collect();
            let mut wanted: Vec<(Time, Subject)> = Vec::new();
            for (&at, subject) in firsts.iter().zip((0..subjects).cycle()) {
                wanted.extend([(at, subject), (at + gap, subject)]);
            }
            let all: Vec<Arrival> = source.schedule(subjects, Draws::new(seed)).take(wanted.len() + 100).collect();
            prop_assert!(all.is_sorted_by_key(|arrival| arrival.at));
            for (at, subject) in wanted {
                prop_assert!(all.contains(&Arrival { at, subject }), "{at:?} {subject}");
            }
        }
    }
}
