//! Polling at a fixed interval: how old events get, how many polls there are, how many find nothing.

/// Mean age under polling every `t`: an event waits for half an interval on average, and jitter of
/// `j` x `t` lets events fall into longer gaps more often than into shorter ones.
#[must_use]
pub fn polling_mean_age_s(t: f64, j: f64) -> f64 {
    t / 2.0 * (1.0 + j * j / 6.0)
}

/// The q-quantile of the age under polling every `t` without jitter: ages are uniform on (0, t).
#[must_use]
pub fn polling_age_quantile_s(t: f64, q: f64) -> f64 {
    q * t
}

/// Polls of `clients` on a fixed timer within `d` seconds.
#[must_use]
pub fn polls(clients: u32, d: f64, t: f64) -> f64 {
    f64::from(clients) * d / t
}

/// Share of polls that find nothing, for Poisson arrivals of `lambda` per second and client.
#[must_use]
pub fn empty_share(lambda: f64, t: f64) -> f64 {
    libm::exp(-lambda * t)
}

/// The same of the first polls at random phases: their interval begins with the run, so that it is uniform on
/// (0, `t`).
#[must_use]
pub fn first_empty_share(lambda: f64, t: f64) -> f64 {
    let x = lambda * t;
    if x < 1e-9 { 1.0 } else { (1.0 - libm::exp(-x)) / x }
}

/// The same where clients' rates differ: drawn from a gamma distribution of shape `k` with a mean of `x` events
/// per poll. More polls find nothing than at equal rates.
#[must_use]
pub fn empty_share_mixed(x: f64, k: f64) -> f64 {
    libm::pow(1.0 + x / k, -k)
}

/// Bytes per poll with `If-None-Match`: a 304 costs `not_modified`, a whole answer `whole`, head included, and
/// `x` changes come per poll (models.md 2.3).
#[must_use]
pub fn conditional_bytes(x: f64, not_modified: f64, whole: f64) -> f64 {
    not_modified + (1.0 - libm::exp(-x)) * (whole - not_modified)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::{Draws, Purpose};

    #[test]
    fn polling_ages_and_waste_agree_with_a_simulation() {
        let (t, jitter, draws, n) = (5.0, 0.5, Draws::new(3), 200_000u64);
        // Poll instants with jitter, and events uniform over the same time.
        let at = |i: u64| (i as f64 + jitter * (draws.unit(Purpose::PollJitter, 0, i) - 0.5)) * t;
        let polls: Vec<f64> = (0..n).map(at).collect();
        let span = (n - 2) as f64 * t;
        let age = |i: u64| {
            let event = draws.unit(Purpose::Arrival, 0, i) * span;
            polls[polls.partition_point(|poll| *poll < event)] - event
        };
        let mean = (0..n).map(age).sum::<f64>() / n as f64;
        assert!((mean / polling_mean_age_s(t, jitter) - 1.0).abs() < 0.006, "{mean}");
        assert_eq!(polling_age_quantile_s(300.0, 0.99), 297.0);
        assert_eq!(super::polls(20, 60.0, 5.0), 240.0);
        // Zapier's row: x = 0.015452 leaves 98.467 % of polls empty.
        assert!((empty_share(0.015_452, 1.0) - 0.984_67).abs() < 1e-5);
        // The mean of e^-x over first intervals of every length.
        let uniform =
            (0..n).map(|i| empty_share(0.2, draws.unit(Purpose::Arrival, 1, i) * 10.0)).sum::<f64>() / n as f64;
        assert!((first_empty_share(0.2, 10.0) - uniform).abs() < 0.002, "{uniform}");
        assert_eq!(first_empty_share(0.0, 10.0), 1.0);
    }

    #[test]
    fn mixed_rates_and_conditional_bytes_agree_with_the_published_rows() {
        // models.md 2.2 and H7.
        assert!((empty_share_mixed(0.015_452, 0.25) - 0.9851).abs() < 5e-5);
        assert!((empty_share_mixed(0.015_452, 1e9) - empty_share(0.015_452, 1.0)).abs() < 1e-6);
        let bytes = conditional_bytes(10.0 * 30.0 / 86_400.0, 250.0, 172_673.0);
        assert!((bytes - 848.0).abs() < 0.5 && (1.0 - bytes / 172_673.0 - 0.995).abs() < 2e-4, "{bytes}");
    }
}
