//! The on/off source: imports, batch jobs, campaigns. Nothing for a while, then everything.

use serde::{Deserialize, Serialize};

use super::{
    Poisson, Process, Schedule,
    poisson::{BURSTS, SILENCES},
    to_any_subject,
};
use crate::model::{Span, Time};
use crate::rng::{Draws, Purpose};
use crate::scenario::Distribution;

/// Poisson arrivals within bursts, and silence between them. The first burst begins at t0.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Bursty {
    /// The rate within a burst.
    pub within: Poisson,
    /// How long a burst lasts, on average.
    pub burst: Span,
    /// The silence after it, on average.
    pub gap: Span,
    /// How both lengths are distributed.
    pub distribution: Distribution,
}

impl Process for Bursty {
    const SUMMARY: &'static str = "Poisson arrivals in bursts, and nothing between them";

    fn rate_per_sec(&self) -> f64 {
        let (burst, gap) = (self.burst.as_secs_f64(), self.gap.as_secs_f64());
        self.within.rate_per_sec() * burst / (burst + gap)
    }

    fn schedule(&self, subjects: u32, draws: Draws) -> Schedule<'_> {
        let mut burst =
            Burst { number: 1, opens: Time::ZERO, before: Span::ZERO, length: self.length(BURSTS, 1, draws) };
        // A Poisson process on a clock that runs only during bursts.
        let instants = self.within.instants(draws).map(move |Time(running_ns)| {
            while running_ns >= (burst.before + burst.length).0 {
                burst = self.after(&burst, draws);
            }
            burst.opens + Span(running_ns - burst.before.0)
        });
        to_any_subject(instants, subjects, draws)
    }
}

/// One burst.
struct Burst {
    number: u64,
    opens: Time,
    /// The length of all bursts before it.
    before: Span,
    length: Span,
}

impl Bursty {
    fn after(&self, last: &Burst, draws: Draws) -> Burst {
        let number = last.number + 1;
        Burst {
            number,
            opens: last.opens + last.length + self.length(SILENCES, last.number, draws),
            before: last.before + last.length,
            length: self.length(BURSTS, number, draws),
        }
    }

    fn length(&self, of: u64, number: u64, draws: Draws) -> Span {
        let mean = if of == BURSTS { self.burst } else { self.gap };
        match self.distribution {
            Distribution::Constant => mean,
            Distribution::Exponential => Span((draws.exponential(Purpose::Arrival, of, number) * mean.0 as f64) as u64),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn source(burst_ms: u64, gap_ms: u64, distribution: Distribution) -> Bursty {
        Bursty {
            within: Poisson { count: 200, per: Span::from_secs(1) },
            burst: Span::from_millis(burst_ms),
            gap: Span::from_millis(gap_ms),
            distribution,
        }
    }

    proptest! {
        #[test]
        fn constant_bursts_keep_to_their_windows(burst_ms in 1u64..500, gap_ms in 0u64..500, seed: u64) {
            let source = source(burst_ms, gap_ms, Distribution::Constant);
            let cycle = (source.burst + source.gap).0;
            for arrival in source.schedule(3, Draws::new(seed)).take(300) {
                prop_assert!(arrival.at.0 % cycle < source.burst.0, "{} in {cycle}", arrival.at.0);
            }
        }
    }

    #[test]
    fn both_kinds_of_lengths_come_to_the_mean_rate() {
        for distribution in [Distribution::Constant, Distribution::Exponential] {
            let source = source(100, 300, distribution);
            let end = Time(200_000_000_000);
            let counts = (0..20).map(|seed| {
                source.schedule(3, Draws::new(seed)).take_while(|arrival| arrival.at < end).count() as f64 / 200.0
            });
            let mean = counts.sum::<f64>() / 20.0;
            // 50 events per second; the longest sd is that of exponential lengths, near 0.5 for the mean.
            assert!(
                (source.rate_per_sec() - 50.0).abs() < 1e-9 && (mean - 50.0).abs() < 2.0,
                "{distribution:?}: {mean}"
            );
        }
    }

    #[test]
    fn silences_are_longer_than_any_gap_within_a_burst_would_be() {
        let source = source(100, 60_000, Distribution::Exponential);
        let at: Vec<Time> = source.schedule(3, Draws::new(5)).take(400).map(|arrival| arrival.at).collect();
        let silences = at.windows(2).filter(|pair| pair[1].since(pair[0]) > Span::from_secs(1)).count();
        // 400 events at 20 per burst.
        assert!((10..40).contains(&silences), "{silences}");
    }
}
