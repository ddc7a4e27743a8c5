//! The order in which two updates take effect.

/// Probability that the older of two updates takes effect last (2.14): attempts fail independently with
/// probability `p`, every retry comes later than the gap between the two.
#[must_use]
pub fn inverted_share(p: f64) -> f64 {
    p / (1.0 + p)
}

/// The same where nothing fails and each of the two takes an exponential time of mean `mean_s`, the second
/// sent `gap_s` after the first.
#[must_use]
pub fn inverted_by_delays(gap_s: f64, mean_s: f64) -> f64 {
    libm::exp(-gap_s / mean_s) / 2.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::{Draws, Purpose};

    #[test]
    fn a_pair_is_inverted_as_often_as_drawn_failures_say() {
        let (n, draws) = (200_000u64, Draws::new(11));
        for p in [0.05, 0.4] {
            let failures = |i: u64, of| (0..).take_while(|k| draws.unit(Purpose::FaultHit, of, i << 8 | k) < p).count();
            let inverted = (0..n).filter(|&i| failures(i, 4) > failures(i, 5)).count() as f64;
            let q = inverted_share(p);
            assert!((inverted - q * n as f64).abs() < 4.0 * (q * (1.0 - q) * n as f64).sqrt(), "{p}: {inverted}");
        }
        assert!((inverted_share(0.05) - 0.0476).abs() < 5e-5);
    }

    #[test]
    fn exponential_delays_invert_as_often_as_drawn() {
        let (n, draws) = (200_000u64, Draws::new(12));
        let delay = |i: u64, of| -libm::log(1.0 - draws.unit(Purpose::FaultHit, of, i));
        let inverted = (0..n).filter(|&i| delay(i, 4) > 0.7 + delay(i, 5)).count() as f64;
        let q = inverted_by_delays(0.7, 1.0);
        assert!((inverted - q * n as f64).abs() < 4.0 * (q * (1.0 - q) * n as f64).sqrt(), "{inverted}");
    }
}
