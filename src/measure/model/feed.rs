//! Polling a feed of who has changed, and being pinged.

/// Fetches behind one look at a feed: of `subjects` that change at `lambda` per second each, those that have
/// within `t` seconds.
#[must_use]
pub fn fetches_per_look(subjects: f64, lambda: f64, t: f64) -> f64 {
    subjects * -libm::expm1(-lambda * t)
}

/// Requests for each that finds something, where a share `precision` of the pings means something.
#[must_use]
pub fn requests_per_find(precision: f64) -> f64 {
    1.0 / precision
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::{Draws, Purpose};

    #[test]
    fn fetches_agree_with_a_simulation_and_requests_with_what_was_published() {
        let (subjects, lambda, t, looks, draws) = (50u64, 0.02, 30.0, 2_000u64, Draws::new(7));
        let changed = |i| draws.exponential(Purpose::Arrival, 9, i) < lambda * t;
        let fetches = (0..subjects * looks).filter(|&i| changed(i)).count() as f64 / looks as f64;
        let predicted = fetches_per_look(subjects as f64, lambda, t);
        assert!((fetches / predicted - 1.0).abs() < 0.01, "{fetches} against {predicted}");
        // Superfeedr: 58 % and 22 %.
        assert!((requests_per_find(0.58) - 1.72).abs() < 0.005 && (requests_per_find(0.22) - 4.55).abs() < 0.005);
    }
}
