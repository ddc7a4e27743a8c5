//! Ages over what was due: a histogram with three significant digits, and its censored rest.

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

use crate::model::Span;

/// How old events were when they took effect, over everything that was due. Seconds.
///
/// An obligation without an effect is censored: it counts as older than everything, so a percentile
/// that falls among such obligations is `None` and shows as "> run".
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Age {
    /// Obligations due.
    pub count: u64,
    /// Of these, without an effect by the end of the run.
    pub censored: u64,
    /// Mean over what was due; `None` where any is censored.
    pub mean: Option<f64>,
    /// Mean over what took effect only: too good where any is censored.
    pub mean_applied: Option<f64>,
    /// Median.
    pub p50: Option<f64>,
    /// 90th percentile.
    pub p90: Option<f64>,
    /// 95th percentile.
    #[serde(default)]
    pub p95: Option<f64>,
    /// 99th percentile.
    pub p99: Option<f64>,
    /// 99.9th percentile.
    pub p999: Option<f64>,
    /// Largest; `None` where any is censored.
    pub max: Option<f64>,
    /// The histogram: (highest value of a bucket in microseconds, count). Buckets of several runs
    /// merge by recording each value again; nothing is lost by it.
    pub histogram_us: Vec<(u64, u64)>,
}

impl Age {
    /// The share of what was due that was older than `bound`, or had no effect; to the grain of the
    /// histogram. `None` where nothing was due.
    #[must_use]
    pub fn share_over(&self, bound: Span) -> Option<f64> {
        let older = self.histogram_us.iter().filter(|(highest, _)| *highest > bound.0 / 1_000).map(|(_, count)| count);
        let older = older.sum::<u64>() + self.censored;
        (self.count > 0).then(|| older as f64 / self.count as f64)
    }
}

/// Collects ages.
#[derive(Debug, Clone)]
pub struct AgeRecorder {
    taken: Histogram<u64>,
    sum_ns: u128,
    max_ns: u64,
    censored: u64,
}

impl Default for AgeRecorder {
    fn default() -> Self {
        AgeRecorder::new()
    }
}

impl AgeRecorder {
    /// Ten years in microseconds: what is older counts as that old.
    const HIGHEST_US: u64 = 10 * 366 * 86_400 * 1_000_000;

    /// No ages yet.
    #[must_use]
    pub fn new() -> AgeRecorder {
        let taken = Histogram::new_with_bounds(1, Self::HIGHEST_US, 3).expect("the bounds are constants in range");
        AgeRecorder { taken, sum_ns: 0, max_ns: 0, censored: 0 }
    }

    /// One obligation took effect at this age.
    pub fn record(&mut self, age: Span) {
        self.record_n(age, 1);
    }

    /// `n` obligations took effect at this age.
    pub fn record_n(&mut self, age: Span, n: u64) {
        if n > 0 {
            self.taken.saturating_record_n(age.0 / 1_000, n);
            self.sum_ns += u128::from(age.0) * u128::from(n);
            self.max_ns = self.max_ns.max(age.0);
        }
    }

    /// Everything that another run's ages say: nothing but the place within a bucket is lost.
    pub fn add(&mut self, age: &Age) {
        for &(us, count) in &age.histogram_us {
            self.taken.saturating_record_n(us, count);
        }
        let taken = age.count - age.censored;
        self.sum_ns += (age.mean_applied.unwrap_or(0.0) * taken as f64 * 1e9).round() as u128;
        let highest = age.histogram_us.last().map_or(0, |(us, _)| us.saturating_mul(1_000));
        self.max_ns = self.max_ns.max(age.max.map_or(highest, |max_s| (max_s * 1e9).round() as u64));
        self.censored += age.censored;
    }

    /// One obligation had no effect.
    pub fn censor(&mut self) {
        self.censored += 1;
    }

    /// The value that `share` of everything due lies at or below, in seconds; `None` where that many
    /// had no effect, or nothing was due.
    #[must_use]
    pub fn quantile_s(&self, share: f64) -> Option<f64> {
        let due = self.taken.len() + self.censored;
        let rank = ((share * due as f64).ceil() as u64).clamp(1, due.max(1));
        let mut seen = 0;
        for bucket in self.taken.iter_recorded() {
            seen += bucket.count_at_value();
            if seen >= rank {
                return Some((bucket.value_iterated_to() as f64 / 1e6).min(self.max_ns as f64 / 1e9));
            }
        }
        None
    }

    /// The ages in numbers.
    #[must_use]
    pub fn summary(&self) -> Age {
        let taken = self.taken.len();
        let mean_applied = (taken > 0).then(|| self.sum_ns as f64 / taken as f64 / 1e9);
        let complete = self.censored == 0;
        Age {
            count: taken + self.censored,
            censored: self.censored,
            mean: mean_applied.filter(|_| complete),
            mean_applied,
            p50: self.quantile_s(0.5),
            p90: self.quantile_s(0.9),
            p95: self.quantile_s(0.95),
            p99: self.quantile_s(0.99),
            p999: self.quantile_s(0.999),
            max: (complete && taken > 0).then_some(self.max_ns as f64 / 1e9),
            histogram_us: self.taken.iter_recorded().map(|b| (b.value_iterated_to(), b.count_at_value())).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn percentiles_are_over_what_was_due() {
        let mut ages = AgeRecorder::new();
        (1..=98).for_each(|ms| ages.record(Span::from_millis(ms)));
        ages.censor();
        ages.censor();
        let age = ages.summary();
        assert_eq!((age.count, age.censored), (100, 2));
        assert!((age.p50.unwrap() - 0.050).abs() < 0.0001);
        assert!(age.p90.is_some() && age.p99.is_none() && age.max.is_none() && age.mean.is_none());
        assert!((age.mean_applied.unwrap() - 0.0495).abs() < 1e-9);
        // Between two ages, so that the histogram's grain does not matter.
        let over = |us| age.share_over(Span::from_micros(us));
        assert_eq!((over(0), over(90_500), over(98_500)), (Some(1.0), Some(0.1), Some(0.02)));
        assert_eq!(
            (AgeRecorder::new().summary().p50, AgeRecorder::new().summary().share_over(Span::ZERO)),
            (None, None)
        );
    }

    proptest! {
        #[test]
        fn buckets_merge_without_loss(ages in proptest::collection::vec(0u64..10_000_000_000_000, 1..200)) {
            let mut once = AgeRecorder::new();
            ages.iter().for_each(|&ns| once.record(Span(ns)));
            let mut again = AgeRecorder::new();
            for (us, count) in once.summary().histogram_us {
                (0..count).for_each(|_| again.record(Span(us * 1_000)));
            }
            prop_assert_eq!(again.summary().histogram_us, once.summary().histogram_us);
        }

        #[test]
        fn a_quantile_is_right_to_three_digits(mut ages in proptest::collection::vec(1_000u64..1_000_000_000_000, 1..300), q in 0.0f64..1.0) {
            let mut recorder = AgeRecorder::new();
            ages.iter().for_each(|&ns| recorder.record(Span(ns)));
            ages.sort_unstable();
            let rank = ((q * ages.len() as f64).ceil() as usize).clamp(1, ages.len());
            let exact = ages[rank - 1] as f64 / 1e9;
            let told = recorder.quantile_s(q).unwrap();
            prop_assert!((told - exact).abs() <= exact * 0.001 + 2e-6, "{} {}", told, exact);
        }
    }
}
