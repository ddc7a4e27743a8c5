//! What independent losses do to webhook deliveries.

/// What independent losses do to one webhook delivery: its request is lost with probability `p_r`
/// (no effect), its ack with `p_a` (effect done, the sender sees a failure), attempts at most `k`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Losses {
    /// Probability that a request is lost, 0 to 1.
    pub p_r: f64,
    /// Probability that an ack is lost, given that the request arrived, 0 to 1.
    pub p_a: f64,
    /// Attempts at most, from 1.
    pub k: u32,
}

/// Mean and standard deviation per event.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Moments {
    /// Mean.
    pub mean: f64,
    /// Standard deviation.
    pub sd: f64,
}

impl Losses {
    /// The probability that an attempt fails as the sender sees it.
    fn f(self) -> f64 {
        1.0 - (1.0 - self.p_r) * (1.0 - self.p_a)
    }

    /// Attempts per event: (1 - f^k) / s.
    #[must_use]
    pub fn attempts(self) -> f64 {
        self.tries()
    }

    /// Receipts per event: (1 - f^k) / (1 - p_a).
    #[must_use]
    pub fn receipts(self) -> f64 {
        self.tries() * (1.0 - self.p_r)
    }

    /// Receipts beyond the first per event: receipts less the probability of any.
    #[must_use]
    pub fn duplicates(self) -> f64 {
        self.receipts() - (1.0 - self.p_r.powi(self.k as i32))
    }

    /// Probability that the sender gives up: f^k.
    #[must_use]
    pub fn gave_up(self) -> f64 {
        self.f().powi(self.k as i32)
    }

    /// Probability that no request ever arrives: p_r^k.
    #[must_use]
    pub fn never_received(self) -> f64 {
        self.p_r.powi(self.k as i32)
    }

    /// Probability that the sender gives up what was received: f^k - p_r^k.
    #[must_use]
    pub fn gave_up_but_received(self) -> f64 {
        self.gave_up() - self.never_received()
    }

    /// Mean offset of the first receipt, of those that are received, where attempts come at `offsets_s`.
    #[must_use]
    pub fn first_receipt_s(self, offsets_s: &[f64]) -> f64 {
        let mut lost = 1.0;
        let mut sum = 0.0;
        for offset in offsets_s.iter().take(self.k as usize) {
            sum += lost * (1.0 - self.p_r) * offset;
            lost *= self.p_r;
        }
        sum / (1.0 - lost)
    }

    /// The geometric sum 1 + f + ... + f^(k-1), which is (1 - f^k) / s and also right where s = 0.
    fn tries(self) -> f64 {
        let f = self.f();
        (0..self.k).fold((0.0, 1.0), |(sum, power), _| (sum + power, power * f)).0
    }

    /// Mean and spread of (attempts, receipts, duplicates) per event, summed over every way in which
    /// a delivery can go. The means repeat the closed forms; the spread gives the standard errors.
    #[must_use]
    pub fn enumerate(self) -> [Moments; 3] {
        let (acked, dropped, lost) = ((1.0 - self.p_r) * (1.0 - self.p_a), (1.0 - self.p_r) * self.p_a, self.p_r);
        // going[r]: the probability that all attempts so far have failed, r of them received.
        let mut going = vec![1.0];
        let mut sums = [(0.0, 0.0); 3];
        let mut end = |probability: f64, attempts: u32, receipts: usize| {
            let values = [f64::from(attempts), receipts as f64, receipts.saturating_sub(1) as f64];
            for (sum, value) in sums.iter_mut().zip(values) {
                sum.0 += probability * value;
                sum.1 += probability * value * value;
            }
        };
        for attempt in 1..=self.k {
            let mut next = vec![0.0; going.len() + 1];
            for (received, &p) in going.iter().enumerate() {
                end(p * acked, attempt, received + 1);
                next[received] += p * lost;
                next[received + 1] += p * dropped;
            }
            going = next;
        }
        going.iter().enumerate().for_each(|(received, &p)| end(p, self.k, received));
        sums.map(|(mean, square)| Moments { mean, sd: (square - mean * mean).max(0.0).sqrt() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::{Draws, Purpose};

    const LOSSES: Losses = Losses { p_r: 0.3, p_a: 0.2, k: 4 };

    /// (attempts, receipts, gave up) of event `i`, drawn.
    fn deliver(losses: Losses, draws: Draws, i: u64) -> (u32, u32, bool) {
        let mut receipts = 0;
        for attempt in 1..=losses.k {
            let key = i << 8 | u64::from(attempt);
            if draws.unit(Purpose::FaultHit, 1, key) < losses.p_r {
                continue;
            }
            receipts += 1;
            if draws.unit(Purpose::FaultHit, 2, key) >= losses.p_a {
                return (attempt, receipts, false);
            }
        }
        (losses.k, receipts, true)
    }

    #[test]
    fn losses_agree_with_the_published_row_and_with_a_simulation() {
        assert!((LOSSES.attempts() - 1.7188).abs() < 5e-5);
        assert!((LOSSES.receipts() - 1.2031).abs() < 1e-4);
        assert!((LOSSES.duplicates() - 0.2112).abs() < 1e-4);
        assert!((LOSSES.gave_up() - 0.03748).abs() < 1e-5);
        assert!((LOSSES.never_received() - 0.0081).abs() < 1e-6);
        assert!((LOSSES.gave_up_but_received() - 0.02938).abs() < 1e-5);
        // 2.6: the standard schedule at 5 % is 1.28 s late on average.
        let offsets = [0.0, 5.0, 305.0, 2_105.0, 9_305.0, 27_305.0, 63_305.0, 113_705.0, 185_705.0, 272_105.0];
        let late = Losses { p_r: 0.05, p_a: 0.0, k: 10 }.first_receipt_s(&offsets);
        assert!((late - 1.28).abs() < 5e-3, "{late}");
        let n = 200_000u64;
        let (mut attempts, mut receipts, mut duplicates, mut gave_up) = (0u64, 0u64, 0u64, 0u64);
        for i in 0..n {
            let (a, r, g) = deliver(LOSSES, Draws::new(7), i);
            attempts += u64::from(a);
            receipts += u64::from(r);
            duplicates += u64::from(r.saturating_sub(1));
            gave_up += u64::from(g);
        }
        let [a, r, d] = LOSSES.enumerate();
        for (sum, moments) in [(attempts, a), (receipts, r), (duplicates, d)] {
            let errors = (sum as f64 / n as f64 - moments.mean) / (moments.sd / (n as f64).sqrt());
            assert!(errors.abs() < 4.0, "{errors}");
        }
        assert!((gave_up as f64 / n as f64 / LOSSES.gave_up() - 1.0).abs() < 0.05);
    }

    #[test]
    fn the_enumeration_repeats_the_closed_forms_also_at_the_edges() {
        for (p_r, p_a, k) in [(0.3, 0.2, 4), (0.0, 0.0, 10), (1.0, 0.5, 3), (0.0, 1.0, 5), (0.5, 0.0, 1)] {
            let losses = Losses { p_r, p_a, k };
            let [a, r, d] = losses.enumerate();
            let closed = [losses.attempts(), losses.receipts(), losses.duplicates()];
            for (enumerated, closed) in [a, r, d].iter().zip(closed) {
                assert!((enumerated.mean - closed).abs() < 1e-12, "{losses:?}");
            }
        }
    }
}
