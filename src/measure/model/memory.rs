//! What a ledger forgets, a cursor passes over and a clock rejects (models.md 2.10, 2.15, 2.17).

use super::Moments;

/// Effects beyond the first per event, where the ledger forgets an event `ttl_s` after its receipt and acks are
/// lost with `p_a`: an attempt that comes later than that is new again. Requests all arrive.
#[must_use]
pub fn extra_effects(p_a: f64, offsets_s: &[f64], ttl_s: f64) -> Moments {
    // The k-th takes place with this probability, and all before it with it.
    let reached = (1u32..).zip(renewals(offsets_s, ttl_s).map(|failed| p_a.powi(failed)));
    let add = |(mean, square): (f64, f64), (k, p): (u32, f64)| (mean + p, square + f64::from(2 * k - 1) * p);
    let (mean, square) = reached.fold((0.0, 0.0), add);
    Moments { mean, sd: (square - mean * mean).max(0.0).sqrt() }
}

/// The probability that an event takes effect more than once, likewise.
#[must_use]
pub fn applied_twice(p_a: f64, offsets_s: &[f64], ttl_s: f64) -> f64 {
    renewals(offsets_s, ttl_s).next().map_or(0.0, |failed| p_a.powi(failed))
}

/// How many attempts have failed before each that finds the event forgotten.
fn renewals(offsets_s: &[f64], ttl_s: f64) -> impl Iterator<Item = i32> {
    let mut since = 0.0;
    let is_new = move |(_, offset): &(i32, &f64)| {
        let forgotten = **offset - since >= ttl_s;
        since = if forgotten { **offset } else { since };
        forgotten
    };
    (0..).zip(offsets_s).skip(1).filter(is_new).map(|(failed, _)| failed)
}

/// Events that a ledger remembers: those of the last `ttl_s`.
#[must_use]
pub fn ledger_size(lambda: f64, ttl_s: f64) -> f64 {
    lambda * ttl_s
}

/// The share of events that a cursor on the newest timestamp passes over, where events commit an exponential
/// time of mean `lag_s` after their timestamp and a client polls every `t`.
#[must_use]
pub fn commit_lag_loss(lambda: f64, lag_s: f64, t: f64) -> f64 {
    // Lost is what is not committed at a poll while a younger event is; `a` is its age then.
    let lost = |a: f64| {
        let younger = lambda * (a - lag_s * (1.0 - libm::exp(-a / lag_s)));
        libm::exp(-a / lag_s) * (1.0 - libm::exp(-younger))
    };
    // Simpson's rule; beyond 40 mean lags nothing is left.
    const STEPS: u32 = 4_000;
    let step = 40.0 * lag_s / f64::from(STEPS);
    let weight = |i: u32| if i == 0 || i == STEPS { 1.0 } else { f64::from(2 + 2 * (i % 2)) };
    (0..=STEPS).map(|i| weight(i) * lost(f64::from(i) * step)).sum::<f64>() * step / 3.0 / t
}

/// The probability that a webhook is lost whose retries carry the first attempt's timestamp: attempts later
/// than the tolerance are rejected, each of the others is lost with `p`.
#[must_use]
pub fn sign_once_loss(p: f64, offsets_s: &[f64], tolerance_s: f64) -> f64 {
    p.powi(offsets_s.iter().filter(|offset| **offset <= tolerance_s).count() as i32)
}

/// Whether a signature is rejected: its clock's skew and its transit together exceed the tolerance.
#[must_use]
pub fn is_stale(skew_s: f64, transit_s: f64, tolerance_s: f64) -> bool {
    (skew_s + transit_s).abs() > tolerance_s
}

#[cfg(test)]
mod tests {
    use super::*;

    const STANDARD: [f64; 10] =
        [0.0, 5.0, 305.0, 2_105.0, 9_305.0, 27_305.0, 63_305.0, 113_705.0, 185_705.0, 272_105.0];

    /// models.md 2.10.
    #[test]
    fn five_minutes_under_three_days_apply_twice_what_was_published() {
        assert!((applied_twice(0.05, &STANDARD, 300.0) - 0.0025).abs() < 1e-9);
        let extra = 0.05f64.powi(2) * (1.0 - 0.05f64.powi(8)) / 0.95;
        let form = extra_effects(0.05, &STANDARD, 300.0);
        assert!((form.mean - extra).abs() < 1e-12 && (extra - 0.00263).abs() < 5e-6);
        // Mostly none or one, so that the spread is nearly that of a coin.
        assert!(form.sd > (extra * (1.0 - extra)).sqrt() && form.sd < 1.1 * extra.sqrt());
        assert_eq!(extra_effects(0.05, &STANDARD, 273_600.0), Moments { mean: 0.0, sd: 0.0 });
        assert!((ledger_size(100.0, 75.6 * 3_600.0) / 27.2e6 - 1.0).abs() < 1e-3);
    }

    /// models.md 2.15 and 2.17.
    #[test]
    fn cursors_and_clocks_lose_what_was_published() {
        assert!((commit_lag_loss(50.0, 0.2, 10.0) - 0.0133).abs() < 1e-4, "{}", commit_lag_loss(50.0, 0.2, 10.0));
        // Its dense limit.
        assert!((commit_lag_loss(1e6, 0.2, 10.0) - 0.02).abs() < 1e-4);
        assert!((sign_once_loss(0.05, &STANDARD, 300.0) - 0.0025).abs() < 1e-12);
        assert!(is_stale(310.0, 0.05, 300.0) && !is_stale(-299.0, 0.05, 300.0));
    }
}
