//! The day's course: people are awake, then asleep.
//!
//! The rate follows a raised cosine to a power, `((1 + cos 2 pi (t - peak)) / 2) ^ n`: one smooth
//! hill a day, quiet on the other side of the clock. Its mean over a day is
//! `gamma(n + 1/2) / (sqrt(pi) gamma(n + 1))`, so the power follows from the ratio of peak to mean,
//! and the expected number of events in a whole day is `per_day` exactly.
//!
//! Drawn by thinning (Lewis and Shedler, 1979): candidates at the peak's rate, each kept with the
//! probability that the hill has at its instant.

use std::f64::consts::PI;

use serde::{Deserialize, Serialize};

use super::{
    Process, Schedule,
    poisson::{self, THINNING},
    to_any_subject,
};
use crate::model::{Span, Time};
use crate::rng::{Draws, Purpose};

/// A Poisson process whose rate follows the time of day.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Diurnal {
    /// Events in a day, on average.
    pub per_day: u64,
    /// A day in driver time.
    pub day: Span,
    /// The time of day at t0, in driver time.
    pub starts_at: Span,
    /// The time of day of the highest rate, in driver time.
    pub peak_at: Span,
    /// The highest rate over the mean rate, from 1.
    pub peak_to_mean: f64,
}

impl Process for Diurnal {
    const SUMMARY: &'static str = "a rate that follows the time of day";

    fn rate_per_sec(&self) -> f64 {
        self.per_day as f64 / self.day.as_secs_f64()
    }

    fn schedule(&self, subjects: u32, draws: Draws) -> Schedule<'_> {
        let power = power_of(self.peak_to_mean);
        let candidates = poisson::instants(self.day.0 as f64 / (self.per_day as f64 * self.peak_to_mean), draws);
        let kept = (1u64..).zip(candidates).filter(move |(number, at)| {
            draws.unit(Purpose::Arrival, THINNING, *number) < hill(self.turn_from_peak(*at), power)
        });
        to_any_subject(kept.map(|(_, at)| at), subjects, draws)
    }
}

impl Diurnal {
    /// The share of a day between the peak and `at`. Integers first: a week at nanoseconds would not
    /// fit the precision of a float.
    fn turn_from_peak(&self, at: Time) -> f64 {
        let day = u128::from(self.day.0);
        let since_peak = u128::from(at.0) + u128::from(self.starts_at.0) + day - u128::from(self.peak_at.0) % day;
        (since_peak % day) as f64 / day as f64
    }
}

/// The rate at `turn` of a day from the peak, as a share of the peak's.
fn hill(turn: f64, power: f64) -> f64 {
    libm::pow((1.0 + libm::cos(2.0 * PI * turn)) / 2.0, power)
}

/// The mean of [`hill`] over a day.
fn mean_of_hill(power: f64) -> f64 {
    libm::exp(libm::lgamma(power + 0.5) - libm::lgamma(power + 1.0)) / PI.sqrt()
}

/// The power at which the hill's peak is `peak_to_mean` times its mean. The mean falls as the power
/// grows; halving an interval finds it to the last bit in a few dozen steps.
fn power_of(peak_to_mean: f64) -> f64 {
    let (mut low, mut high) = (0.0, 4.0 * peak_to_mean * peak_to_mean);
    for _ in 0..100 {
        let middle = (low + high) / 2.0;
        if 1.0 / mean_of_hill(middle) < peak_to_mean { low = middle } else { high = middle }
    }
    (low + high) / 2.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_day_brings_per_day_events_whatever_the_peak(peak_to_mean in 1.0f64..20.0) {
            // The midpoint rule: near 1 the hill has a cusp opposite its peak.
            let (power, steps) = (power_of(peak_to_mean), 20_000);
            let sum: f64 = (0..steps).map(|i| hill((f64::from(i) + 0.5) / f64::from(steps), power)).sum();
            let mean = sum / f64::from(steps);
            prop_assert!((mean * peak_to_mean - 1.0).abs() < 1e-5, "{}", mean * peak_to_mean);
            prop_assert_eq!(hill(0.0, power), 1.0);
        }
    }

    #[test]
    fn the_events_of_many_days_follow_the_hill() {
        // A day of 24 s; it starts at 06:00, so the peak comes six seconds in.
        let hours = |hours| Span::from_secs(hours);
        let source =
            Diurnal { per_day: 24_000, day: hours(24), starts_at: hours(6), peak_at: hours(12), peak_to_mean: 3.0 };
        let (days, mut by_hour) = (40u64, [0u64; 24]);
        let end = Time(days * source.day.0);
        for arrival in source.schedule(1, Draws::new(3)).take_while(|arrival| arrival.at < end) {
            by_hour[(arrival.at.0 / 1_000_000_000 % 24) as usize] += 1;
        }
        let power = power_of(3.0);
        let total: u64 = by_hour.iter().sum();
        // The sd of a Poisson count is its square root; four of them are allowed.
        assert!((total as f64 - 960_000.0).abs() < 4.0 * 960_000f64.sqrt(), "{total}");
        for (hour, &count) in by_hour.iter().enumerate() {
            let turn = |minute: u32| (hour as f64 + f64::from(minute) / 60.0 - 6.0) / 24.0;
            let share = (0..60).map(|minute| hill(turn(minute) + 0.5 / 1440.0, power)).sum::<f64>() / 60.0;
            let expected = 40.0 * 1_000.0 * 3.0 * share;
            assert!((count as f64 - expected).abs() < 4.5 * expected.sqrt() + 3.0, "hour {hour}: {count}, {expected}");
        }
    }
}
