//! A receiver that works within the request (models.md 2.9), and a queue that hands out too early (2.12).

/// Workers, each busy with one request for an exponential time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Workers {
    /// How many.
    pub c: u32,
    /// Seconds that a request takes on average.
    pub service_s: f64,
}

impl Workers {
    /// The probability that a request has to wait, at `lambda` per second: Erlang's C. 1 above capacity.
    #[must_use]
    pub fn waits(self, lambda: f64) -> f64 {
        let (a, c) = (lambda * self.service_s, f64::from(self.c));
        if a >= c {
            return 1.0;
        }
        // Erlang's B by its recursion, which stays within 0 and 1.
        let b = (1..=self.c).fold(1.0, |b, n| a * b / (f64::from(n) + a * b));
        b / (1.0 - a / c * (1.0 - b))
    }

    /// The probability that a request is answered later than `budget_s`.
    #[must_use]
    pub fn late(self, lambda: f64, budget_s: f64) -> f64 {
        let (a, c) = (lambda * self.service_s, f64::from(self.c));
        if a >= c {
            return 1.0;
        }
        let (left, t) = (c - 1.0 - a, budget_s / self.service_s);
        let fraction = if left.abs() < 1e-9 { t } else { (1.0 - libm::exp(-t * left)) / left };
        libm::exp(-t) * (1.0 + self.waits(lambda) * fraction)
    }

    /// Attempts per second that late answers make of `lambda` events, at most `k` attempts each: the load that
    /// makes just as many late answers. `None` where there is none below capacity. It is only metastable: a
    /// chance queue can leave it for good.
    #[must_use]
    pub fn load_with_retries(self, lambda: f64, budget_s: f64, k: u32) -> Option<f64> {
        const ROUNDS: usize = 10_000;
        let capacity = f64::from(self.c) / self.service_s;
        let mut load = lambda;
        for _ in 0..ROUNDS {
            let late = self.late(load, budget_s);
            let next = lambda * (0..k).fold((0.0, 1.0), |(sum, power), _| (sum + power, power * late)).0;
            if next >= capacity {
                return None;
            }
            if (next - load).abs() < 1e-9 {
                return Some(next);
            }
            load = next;
        }
        None
    }
}

/// Executions beyond the first per message, where one that is not deleted within `visibility_s` is handed out
/// again, work takes an exponential time of mean `service_s`, and whoever completes deletes it.
#[must_use]
pub fn extra_executions(visibility_s: f64, service_s: f64) -> f64 {
    let term = |j: u32| libm::exp(-f64::from(j * (j + 1)) * visibility_s / (2.0 * service_s));
    (1..1_000).map(term).take_while(|term| *term > 1e-12).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PUBLISHED: Workers = Workers { c: 8, service_s: 0.5 };

    /// models.md 2.9 and S12.
    #[test]
    fn late_answers_and_the_load_that_they_make_agree_with_the_published_rows() {
        for (lambda, late) in [(8.0, 0.002_53), (12.0, 0.003_36), (15.0, 0.078_9)] {
            assert!(
                (PUBLISHED.late(lambda, 3.0) / late - 1.0).abs() < 3e-3,
                "{lambda}: {}",
                PUBLISHED.late(lambda, 3.0)
            );
        }
        for (lambda, load) in [(12.0, 12.04), (13.0, 13.06), (14.0, 14.25)] {
            let found = PUBLISHED.load_with_retries(lambda, 3.0, 4).unwrap();
            assert!((found - load).abs() < 6e-3, "{lambda}: {found}");
        }
        assert_eq!(PUBLISHED.load_with_retries(15.0, 3.0, 4), None);
        assert_eq!((PUBLISHED.waits(16.0), PUBLISHED.late(20.0, 3.0)), (1.0, 1.0));
        // The limit at a = c - 1 joins its neighbours.
        let near = (PUBLISHED.late(13.999, 3.0) + PUBLISHED.late(14.001, 3.0)) / 2.0;
        assert!((PUBLISHED.late(14.0, 3.0) / near - 1.0).abs() < 1e-4);
    }

    /// models.md 2.12.
    #[test]
    fn a_short_visibility_executes_as_often_as_published() {
        for (ratio, extra) in [(3.0, 0.050), (1.0, 0.420), (0.5, 0.887)] {
            assert!((extra_executions(ratio, 1.0) - extra).abs() < 6e-4, "{ratio}: {}", extra_executions(ratio, 1.0));
        }
    }
}
