//! What an outage leaves behind: how late its events come, the backlog, the herd (models.md 2.7, 2.8, 2.16).

/// How webhooks come after an outage of `outage_s`, where attempts follow an event at `offsets_s` (the first
/// at 0) and all fail until it is over. What is left of the outage when an event comes is uniform.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OutageLag {
    /// From the end of the outage to the receipt, on average.
    pub mean_s: f64,
    /// Its standard deviation.
    pub sd_s: f64,
    /// At most, over all instants at which an event can come.
    pub max_s: f64,
    /// Attempts in vain per event.
    pub wasted: f64,
}

/// See [`OutageLag`]; `None` where the offsets end before the outage does, so that events are given up.
#[must_use]
pub fn outage_lag(outage_s: f64, offsets_s: &[f64]) -> Option<OutageLag> {
    let last = *offsets_s.last()?;
    if last < outage_s || outage_s <= 0.0 {
        return None;
    }
    let mut lag = OutageLag { mean_s: -outage_s / 2.0, sd_s: 0.0, max_s: 0.0, wasted: 0.0 };
    let mut square = 0.0;
    for (failed, pair) in (1u32..).zip(offsets_s.windows(2)) {
        let [from, next] = [pair[0], pair[1]];
        if from >= outage_s {
            break;
        }
        // What is left of the outage lies between two attempts with this probability.
        let share = (next.min(outage_s) - from) / outage_s;
        lag.mean_s += share * next;
        // The lag is uniform between what it is at both ends.
        let (most, least) = (next - from, next - next.min(outage_s));
        square += share * (most * most + most * least + least * least) / 3.0;
        lag.wasted += share * f64::from(failed);
        lag.max_s = lag.max_s.max(next - from);
    }
    lag.sd_s = (square - lag.mean_s * lag.mean_s).max(0.0).sqrt();
    Some(lag)
}

/// The offsets of all attempts, where each that fails takes `detection_s` to be known as failed.
#[must_use]
pub fn offsets_s(delays_s: &[f64], detection_s: f64) -> Vec<f64> {
    let mut offsets = vec![0.0];
    for delay in delays_s {
        offsets.push(offsets[offsets.len() - 1] + detection_s + delay);
    }
    offsets
}

/// Attempts per second at the end of an outage: one for each offset that lies within it.
#[must_use]
pub fn attempt_rate_at_end(lambda: f64, outage_s: f64, offsets_s: &[f64]) -> f64 {
    lambda * offsets_s.iter().filter(|offset| **offset <= outage_s).count() as f64
}

/// Seconds until what an outage left behind is worked off, at `mu` per second against `lambda` that go on
/// coming.
#[must_use]
pub fn drain_s(lambda: f64, mu: f64, outage_s: f64) -> f64 {
    if mu > lambda { lambda * outage_s / (mu - lambda) } else { f64::INFINITY }
}

/// Events that wait behind one that blocks its endpoint for `blocked_s`; each waits for half of that on
/// average.
#[must_use]
pub fn delayed_behind(lambda: f64, mu: f64, blocked_s: f64) -> f64 {
    if mu > lambda { lambda * blocked_s * mu / (mu - lambda) } else { f64::INFINITY }
}

/// The share of `n` clients that come at one instant and have left before a server of `mu` per second takes
/// them, where each waits for `patience_s`.
#[must_use]
pub fn herd_timed_out(n: f64, mu: f64, patience_s: f64) -> f64 {
    (1.0 - mu * patience_s / n).max(0.0)
}

/// Requests in the busiest second of `n` that are spread over `spread_s`: a little more than there are, by the
/// largest of so many Gaussians.
#[must_use]
pub fn spread_peak_per_s(n: f64, spread_s: f64) -> f64 {
    let mean = n / spread_s;
    mean + (2.0 * mean * libm::log(spread_s)).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    const STANDARD: [f64; 9] = [5.0, 300.0, 1_800.0, 7_200.0, 18_000.0, 36_000.0, 50_400.0, 72_000.0, 86_400.0];

    /// models.md 2.7.
    #[test]
    fn outages_leave_what_was_published() {
        let refused = offsets_s(&STANDARD, 0.0);
        assert_eq!(refused[9], 272_105.0);
        for (outage_s, mean, max, wasted) in [
            (60.0, 250.0, 300.0, 1.917),
            (600.0, 887.5, 1_800.0, 2.483),
            (3_600.0, 3_142.0, 7_200.0, 3.329),
            (86_400.0, 20_080.0, 50_400.0, f64::NAN),
        ] {
            let lag = outage_lag(outage_s, &refused).unwrap();
            assert!((lag.mean_s / mean - 1.0).abs() < 1e-3, "{lag:?}");
            assert_eq!(lag.max_s, max);
            assert!(wasted.is_nan() || (lag.wasted - wasted).abs() < 1e-3, "{lag:?}");
        }
        let hanging = offsets_s(&STANDARD, 15.0);
        for (outage_s, mean) in [(60.0, 200.0), (600.0, 826.0), (3_600.0, 3_088.0)] {
            let lag = outage_lag(outage_s, &hanging).unwrap();
            assert!((lag.mean_s / mean - 1.0).abs() < 1e-3, "{lag:?}");
        }
        assert_eq!(outage_lag(300_000.0, &refused), None);
        assert_eq!(attempt_rate_at_end(2.0, 3_600.0, &refused), 8.0);
    }

    /// models.md 2.8, S10, S15, S17.
    #[test]
    fn backlogs_and_herds_come_to_what_was_published() {
        assert_eq!(drain_s(80.0, 100.0, 600.0), 2_400.0);
        assert!((delayed_behind(1.0, 10.0, 2_105.0) - 2_339.0).abs() < 0.5);
        assert_eq!(herd_timed_out(10_000.0, 500.0, 10.0), 0.5);
        assert_eq!(herd_timed_out(10.0, 500.0, 10.0), 0.0);
        assert!((spread_peak_per_s(10_000.0, 60.0) - 204.0).abs() < 0.5);
    }
}
