//! One on/off source per subject: each customer, repository or account has busy spells of its own.

use std::{cmp::Reverse, collections::BinaryHeap};

use serde::{Deserialize, Serialize};

use super::{
    Arrival, Poisson, Process, Schedule,
    poisson::{BURSTS, SILENCES},
};
use crate::model::{Span, Subject, Time};
use crate::rng::{Draws, Purpose};
use crate::scenario::Distribution;

/// Poisson arrivals in bursts and nothing between them, for each subject independently. The run begins in
/// the middle of it: a source is as likely to be busy at t0 as at any other instant.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct OnOff {
    /// The rate of one subject within its burst.
    pub within: Poisson,
    /// How long a burst lasts, on average.
    pub burst: Span,
    /// The silence after it, on average.
    pub gap: Span,
    /// How both lengths are distributed.
    pub distribution: Distribution,
    /// How many sources there are.
    pub sources: u32,
}

/// The entity of the draw that says where in its cycle a source begins.
const BEGIN: u64 = 4;
/// The entity of the gaps between two events of a source.
const GAPS: u64 = 0;

impl Process for OnOff {
    const SUMMARY: &'static str = "each subject by itself: Poisson arrivals in bursts, and nothing between them";

    fn rate_per_sec(&self) -> f64 {
        let (burst, gap) = (self.burst.as_secs_f64(), self.gap.as_secs_f64());
        f64::from(self.sources) * self.within.rate_per_sec() * burst / (burst + gap)
    }

    fn schedule(&self, subjects: u32, draws: Draws) -> Schedule<'_> {
        let mut sources: Vec<Source> = (0..subjects).map(|subject| self.begin(subject, draws)).collect();
        let mut next: BinaryHeap<Reverse<(Time, Subject)>> =
            sources.iter_mut().map(|source| Reverse((self.advance(source, draws), source.subject))).collect();
        Box::new(std::iter::from_fn(move || {
            let Reverse((at, subject)) = next.pop()?;
            next.push(Reverse((self.advance(&mut sources[subject as usize], draws), subject)));
            Some(Arrival { at, subject })
        }))
    }
}

/// Where a source stands.
#[derive(Debug)]
struct Source {
    subject: Subject,
    /// Its last event, or the beginning of its burst.
    at: Time,
    burst_ends: Time,
    bursts: u64,
    gaps: u64,
}

impl OnOff {
    /// A source at t0, somewhere in its cycle.
    fn begin(&self, subject: Subject, draws: Draws) -> Source {
        let cycle = self.burst.0.saturating_add(self.gap.0).max(1);
        let place = draws.below(cycle, Purpose::Arrival, entity(subject, BEGIN), 0);
        let in_burst = place < self.burst.0;
        // An exponential length has no memory: what is left of it is as long as a whole one.
        let rest = match self.distribution {
            Distribution::Exponential => self.length(subject, if in_burst { BURSTS } else { SILENCES }, 0, draws),
            Distribution::Constant if in_burst => Span(self.burst.0 - place),
            Distribution::Constant => Span(cycle - place),
        };
        let (at, burst_ends) = if in_burst {
            (Time::ZERO, Time::ZERO + rest)
        } else {
            let opens = Time::ZERO + rest;
            (opens, opens + self.length(subject, BURSTS, 1, draws))
        };
        Source { subject, at, burst_ends, bursts: 1, gaps: 0 }
    }

    /// A source's next event.
    fn advance(&self, source: &mut Source, draws: Draws) -> Time {
        loop {
            source.gaps += 1;
            let gap = draws.exponential(Purpose::Arrival, entity(source.subject, GAPS), source.gaps);
            source.at = source.at + Span((gap * self.within.per.0 as f64 / self.within.count as f64) as u64);
            if source.at < source.burst_ends {
                return source.at;
            }
            let silence = self.length(source.subject, SILENCES, source.bursts, draws);
            source.bursts += 1;
            source.at = source.burst_ends + silence;
            source.burst_ends = source.at + self.length(source.subject, BURSTS, source.bursts, draws);
        }
    }

    fn length(&self, subject: Subject, of: u64, number: u64, draws: Draws) -> Span {
        let mean = if of == BURSTS { self.burst } else { self.gap };
        match self.distribution {
            Distribution::Constant => mean,
            Distribution::Exponential => {
                Span((draws.exponential(Purpose::Arrival, entity(subject, of), number) * mean.0 as f64) as u64)
            }
        }
    }
}

/// The key of a source's draws; those of the other processes lie below.
fn entity(subject: Subject, of: u64) -> u64 {
    (u64::from(subject) + 1) << 8 | of
}

#[cfg(test)]
mod tests {
    use super::*;

    fn on_off(distribution: Distribution, sources: u32) -> OnOff {
        let within = Poisson { count: 20, per: Span::from_secs(1) };
        OnOff { within, burst: Span::from_secs(2), gap: Span::from_secs(6), distribution, sources }
    }

    fn until(source: OnOff, seed: u64, end: Time) -> Vec<Arrival> {
        source.schedule(source.sources, Draws::new(seed)).take_while(|arrival| arrival.at < end).collect()
    }

    #[test]
    fn both_kinds_of_lengths_come_to_the_mean_rate_from_the_start() {
        for distribution in [Distribution::Constant, Distribution::Exponential] {
            let source = on_off(distribution, 2_000);
            // 2,000 sources, 20/s in a quarter of the time: 10,000 a second, in the first second as well.
            assert!((source.rate_per_sec() - 10_000.0).abs() < 1e-6);
            let first = until(source, 3, Time(1_000_000_000)).len() as f64;
            // A source is busy or not: sd 20 sqrt(2,000 x 3/16) = 390.
            assert!((first - 10_000.0).abs() < 1_600.0, "{distribution:?}: {first}");
        }
    }

    #[test]
    fn sources_know_nothing_of_each_other_and_keep_to_their_bursts() {
        let source = on_off(Distribution::Constant, 50);
        let all = until(source, 7, Time(40_000_000_000));
        let mut opened = std::collections::BTreeSet::new();
        for subject in 0..50 {
            let own: Vec<Time> = all.iter().filter(|a| a.subject == subject).map(|a| a.at).collect();
            // Within a cycle of 8 s all events of a source lie within one burst of 2 s.
            let cycle = Span::from_secs(8).0;
            let begin = source.begin(subject, Draws::new(7));
            let burst_begins = (begin.burst_ends.0 + cycle - source.burst.0) % cycle;
            assert!(own.iter().all(|at| (at.0 + cycle - burst_begins) % cycle < source.burst.0), "{subject}");
            opened.insert(burst_begins / 100_000_000);
        }
        // Fifty sources over 80 tenths of a second.
        assert!(opened.len() > 20, "{opened:?}");
    }

    #[test]
    fn a_source_is_the_same_whoever_stands_beside_it() {
        let end = Time(60_000_000_000);
        let of_first = |sources| {
            let all = until(on_off(Distribution::Exponential, sources), 5, end);
            all.into_iter().filter(|arrival| arrival.subject == 0).collect::<Vec<_>>()
        };
        assert!(of_first(1).len() > 20);
        assert_eq!(of_first(1), of_first(30));
    }
}
