//! A webhook and a poll of one client.

/// A webhook whose requests get lost, and a poll that reconciles.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Hybrid<'a> {
    /// Probability that one request is lost, 0 to 1.
    pub p_r: f64,
    /// When each attempt comes, in seconds after the event.
    pub offsets_s: &'a [f64],
    /// Seconds between two polls of a client.
    pub poll_s: f64,
}

impl Hybrid<'_> {
    /// Mean age: what attempt i is the first to bring waits o_i, or for an earlier poll; what none brings
    /// waits for a poll, half an interval. With one attempt this is (1-p) W + p T/2.
    #[must_use]
    pub fn mean_age_s(self) -> f64 {
        // E[min(o, U)] for U uniform on (0, T).
        let waits = |o: f64| if o < self.poll_s { o - o * o / (2.0 * self.poll_s) } else { self.poll_s / 2.0 };
        self.over_attempts(waits, self.poll_s / 2.0)
    }

    /// Mean of the squared age, for its spread.
    #[must_use]
    pub fn mean_square_age(self) -> f64 {
        let t = self.poll_s;
        // E[min(o, U)^2] = o^3/3T + o^2 (1 - o/T).
        let squares = |o: f64| if o < t { o * o - 2.0 * o * o * o / (3.0 * t) } else { t * t / 3.0 };
        self.over_attempts(squares, t * t / 3.0)
    }

    /// The probability that an event is older than `y` seconds, which a webhook that arrives at once never is: it
    /// is lost for good, and no poll has come yet (models.md 2.13).
    #[must_use]
    pub fn older_than(self, y: f64) -> f64 {
        let no_poll = (1.0 - y / self.poll_s).max(0.0);
        let attempts = self.offsets_s.iter().filter(|offset| **offset <= y).count() as i32;
        self.p_r.powi(attempts) * no_poll
    }

    /// The share of events that a poll sees first.
    #[must_use]
    pub fn poll_first(self) -> f64 {
        self.over_attempts(|o| (o / self.poll_s).min(1.0), 1.0)
    }

    /// Averages over the attempt that is the first to arrive; `never` where none is.
    fn over_attempts(self, at: impl Fn(f64) -> f64, never: f64) -> f64 {
        let (mut sum, mut lost) = (0.0, 1.0);
        for &offset in self.offsets_s {
            sum += lost * (1.0 - self.p_r) * at(offset);
            lost *= self.p_r;
        }
        sum + lost * never
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::{Draws, Purpose};

    #[test]
    fn a_hybrid_agrees_with_a_simulation_and_with_its_one_line_form() {
        let once = Hybrid { p_r: 0.002, offsets_s: &[0.0], poll_s: 900.0 };
        assert!((once.mean_age_s() - 0.9).abs() < 1e-9 && (once.poll_first() - 0.002).abs() < 1e-12);
        // S18: 0.187 % older than a minute.
        assert!((once.older_than(60.0) - 0.00187).abs() < 5e-6 && once.older_than(900.0) == 0.0);
        let hybrid = Hybrid { p_r: 0.4, offsets_s: &[0.0, 1.0, 7.0], poll_s: 5.0 };
        let (draws, n) = (Draws::new(11), 200_000u64);
        let (mut sum, mut square, mut first) = (0.0, 0.0, 0.0);
        for i in 0..n {
            let arrives = |k: usize| draws.unit(Purpose::FaultHit, k as u64, i) >= hybrid.p_r;
            let pushed = (0..3).find(|&k| arrives(k)).map_or(f64::INFINITY, |k| hybrid.offsets_s[k]);
            let polled = draws.unit(Purpose::Phase, 9, i) * hybrid.poll_s;
            let age = pushed.min(polled);
            sum += age;
            square += age * age;
            first += f64::from(u8::from(polled < pushed));
        }
        let n = n as f64;
        assert!((sum / n / hybrid.mean_age_s() - 1.0).abs() < 0.01, "{}", sum / n);
        assert!((square / n / hybrid.mean_square_age() - 1.0).abs() < 0.02, "{}", square / n);
        assert!((first / n / hybrid.poll_first() - 1.0).abs() < 0.01, "{}", first / n);
    }
}
