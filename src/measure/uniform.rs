//! How far the ages of polled events are from uniform over an interval: every age, exactly.

use crate::{
    model::Span,
    scenario::{ConsumerNo, Mode, Plan},
};

/// Every age of one consumer, to be held against the uniform distribution that a fixed timer leads to.
#[derive(Debug)]
pub(super) struct Uniform {
    /// The smallest age that there can be: the answer's way to the client.
    least: Span,
    interval: Span,
    ages_ns: Vec<u64>,
    censored: bool,
}

impl Uniform {
    /// For one whose polls lie on an even grid, where a condition of the plan asks.
    pub(super) fn of(plan: &Plan, no: ConsumerNo) -> Option<Uniform> {
        const NAME: &str = "age_ks_uniform";
        let asked = plan
            .expects
            .iter()
            .chain(&plan.goals)
            .any(|condition| condition.quantity == NAME && condition.consumer.is_none_or(|named| named == no));
        let polling = plan.consumers.get(usize::from(no))?.polling().filter(|_| asked)?;
        let interval = polling.strategy.grid()?.interval;
        let least = match plan.mode {
            Mode::Live => Span::ZERO,
            Mode::Virtual => plan.virtual_time.one_way_delay,
        };
        Some(Uniform { least, interval, ages_ns: Vec::new(), censored: false })
    }

    /// One obligation took effect at this age.
    pub(super) fn take(&mut self, age: Span) {
        self.ages_ns.push(age.0);
    }

    /// One had no effect: the ages that are known are not all there are.
    pub(super) fn censor(&mut self) {
        self.censored = true;
    }

    /// The Kolmogorov-Smirnov distance of the ages to the uniform distribution over one interval.
    pub(super) fn distance(&self) -> Option<f64> {
        if self.censored || self.ages_ns.is_empty() {
            return None;
        }
        let mut sorted = self.ages_ns.clone();
        sorted.sort_unstable();
        let n = sorted.len() as f64;
        let expected = |age_ns: u64| (age_ns as f64 - self.least.0 as f64).max(0.0) / self.interval.0.max(1) as f64;
        // The empirical distribution jumps at each age: just below it and at it.
        let apart = sorted.iter().enumerate().map(|(i, &age_ns)| {
            let expected = expected(age_ns).min(1.0);
            (expected - i as f64 / n).max((i + 1) as f64 / n - expected)
        });
        Some(apart.fold(0.0, f64::max))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::{Draws, Purpose};

    fn distance(ages_s: impl Iterator<Item = f64>) -> Option<f64> {
        let (least, interval) = (Span::from_secs(1), Span::from_secs(10));
        let mut uniform = Uniform { least, interval, ages_ns: Vec::new(), censored: false };
        ages_s.for_each(|age_s| uniform.take(Span((age_s * 1e9) as u64)));
        uniform.distance()
    }

    #[test]
    fn an_even_spread_is_as_near_as_can_be_and_a_lump_is_far() {
        // Ten ages in the middle of ten tenths: half a step from the line at each.
        let even = distance((0..10).map(|i| 1.5 + f64::from(i))).unwrap();
        assert!((even - 0.05).abs() < 1e-9, "{even}");
        assert!((distance(std::iter::repeat_n(6.0, 100)).unwrap() - 0.5).abs() < 1e-9);
        assert_eq!(distance(std::iter::empty()), None);
    }

    #[test]
    fn uniform_draws_are_within_the_critical_value_and_skewed_ones_are_not() {
        let (draws, n) = (Draws::new(3), 10_000u64);
        let unit = |i| draws.unit(Purpose::Phase, 1, i);
        // 1.95 / sqrt(n) is passed once in a thousand.
        let bound = 1.95 / (n as f64).sqrt();
        assert!(distance((0..n).map(|i| 1.0 + 10.0 * unit(i))).unwrap() < bound);
        assert!(distance((0..n).map(|i| 1.0 + 10.0 * unit(i).powf(1.2))).unwrap() > 2.0 * bound);
    }
}
