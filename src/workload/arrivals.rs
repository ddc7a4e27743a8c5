//! Arrival processes: the scheduled instant of every event.

use serde::{Deserialize, Serialize};

use crate::model::{Span, Time};
use crate::rng::{Draws, Purpose};

/// An arrival process.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Arrivals {
    /// One event every `per / count`.
    Constant {
        /// Events per `per`.
        count: u64,
        /// The rate's unit of time.
        per: Span,
    },
    /// Independent exponential gaps with mean `per / count`.
    Poisson {
        /// Events per `per`, on average.
        count: u64,
        /// The rate's unit of time.
        per: Span,
    },
}

impl Arrivals {
    /// Events per second on average.
    #[must_use]
    pub fn rate_per_sec(&self) -> f64 {
        let (Arrivals::Constant { count, per } | Arrivals::Poisson { count, per }) = *self;
        count as f64 / per.as_secs_f64()
    }

    /// The scheduled instants before `end`, in order. The first is event 1's.
    pub fn schedule(self, draws: Draws, end: Time) -> impl Iterator<Item = Time> {
        let mut number = 0u64;
        let mut last = Time::ZERO;
        std::iter::from_fn(move || {
            number += 1;
            last = match self {
                // From the number, never accumulated: no rounding drifts in.
                Arrivals::Constant { count, per } => Time::ZERO + per.scaled(number, count),
                Arrivals::Poisson { count, per } => {
                    let mean_ns = per.0 as f64 / count as f64;
                    last + Span((draws.exponential(Purpose::Arrival, 0, number) * mean_ns) as u64)
                }
            };
            Some(last)
        })
        .take_while(move |&at| at < end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constant_arrivals_keep_their_rate_without_drift() {
        let arrivals = Arrivals::Constant { count: 3, per: Span::from_secs(1) };
        let at: Vec<u64> = arrivals.schedule(Draws::new(1), Time(2_100_000_000)).map(|t| t.0).collect();
        assert_eq!(at.len(), 6);
        assert_eq!(at[2], 1_000_000_000);
        assert_eq!(at[5], 2_000_000_000);
    }

    #[test]
    fn poisson_arrivals_have_the_mean_and_the_spread_of_their_rate() {
        let arrivals = Arrivals::Poisson { count: 1_000, per: Span::from_secs(1) };
        let counts: Vec<f64> =
            (0..200).map(|seed| arrivals.schedule(Draws::new(seed), Time(1_000_000_000)).count() as f64).collect();
        let mean = counts.iter().sum::<f64>() / 200.0;
        let variance = counts.iter().map(|c| (c - mean).powi(2)).sum::<f64>() / 199.0;
        // sd of the mean is sqrt(1000/200) = 2.2; the variance of a Poisson count is its mean.
        assert!((mean - 1_000.0).abs() < 9.0, "{mean}");
        assert!((variance / 1_000.0 - 1.0).abs() < 0.4, "{variance}");
    }
}
