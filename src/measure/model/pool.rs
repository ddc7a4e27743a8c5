//! A sender pool that many endpoints share.

/// A sender pool that healthy and dead endpoints share (2.16).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SharedPool {
    /// Attempts in flight at most.
    pub workers: f64,
    /// Attempts due per second.
    pub lambda: f64,
    /// How long a healthy endpoint holds a worker.
    pub service_s: f64,
    /// How long a dead one does.
    pub timeout_s: f64,
}

impl SharedPool {
    /// The share of attempts to dead endpoints above which the pool cannot keep up:
    /// (W/lambda - s) / (timeout - s).
    #[must_use]
    pub fn threshold(self) -> f64 {
        (self.workers / self.lambda - self.service_s) / (self.timeout_s - self.service_s)
    }

    /// The mean wait for a worker over `window_s` of arrivals with a share `phi` to dead endpoints. What
    /// is offered beyond the pool's rate queues up first come first served, so the wait of what comes at
    /// t is t x (load - 1), less a head start. Below the threshold nobody waits for long.
    #[must_use]
    pub fn mean_wait_s(self, phi: f64, window_s: f64) -> f64 {
        let growth = self.mean_service_s(phi) * self.lambda / self.workers - 1.0;
        if growth <= 0.0 { 0.0 } else { (growth * window_s / 2.0 - self.head_start_s(phi)).max(0.0) }
    }

    /// An attempt starts when those before it have started, not when they have ended: what is still being
    /// served (`E[S^2] / 2E[S]` per worker) was not waited for. Against that, workers idle until the dead
    /// attempts have filled them.
    fn head_start_s(self, phi: f64) -> f64 {
        let square = phi * self.timeout_s * self.timeout_s + (1.0 - phi) * self.service_s * self.service_s;
        let to_fill = (self.workers - self.lambda * (1.0 - phi) * self.service_s).max(0.0);
        let idle_s = to_fill * to_fill / (2.0 * self.workers * self.lambda * phi);
        square / (2.0 * self.mean_service_s(phi)) - idle_s
    }

    /// The spread of that mean where dead and healthy attempts come in random order, their share given:
    /// the work done runs ahead of its mean and back again like a Brownian bridge.
    #[must_use]
    pub fn mean_wait_sd_s(self, phi: f64, window_s: f64) -> f64 {
        let n = self.lambda * window_s;
        (n / 12.0).sqrt() * (self.timeout_s - self.service_s) * (phi * (1.0 - phi)).sqrt() / self.workers
    }

    fn mean_service_s(self, phi: f64) -> f64 {
        phi * self.timeout_s + (1.0 - phi) * self.service_s
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::{Draws, Purpose};

    /// Mean wait of `n` attempts at a constant rate, first come first served, each dead with `phi`.
    fn simulated_wait_s(pool: SharedPool, phi: f64, n: u64, draws: Draws) -> (f64, f64) {
        let mut free_at = vec![0.0f64; pool.workers as usize];
        let (mut waited, mut dead) = (0.0, 0.0);
        for i in 0..n {
            let due = i as f64 / pool.lambda;
            let first = free_at.iter_mut().min_by(|a, b| a.total_cmp(b)).unwrap();
            let start = first.max(due);
            let is_dead = draws.unit(Purpose::FaultHit, 3, i) < phi;
            *first = start + if is_dead { pool.timeout_s } else { pool.service_s };
            waited += start - due;
            dead += f64::from(u8::from(is_dead));
        }
        (waited / n as f64, dead / n as f64)
    }

    #[test]
    fn a_shared_pool_falls_over_at_its_threshold_as_published_and_as_simulated() {
        let pool = SharedPool { workers: 100.0, lambda: 100.0, service_s: 0.1, timeout_s: 30.0 };
        assert!((pool.threshold() - 0.0301).abs() < 5e-5);
        let (n, window_s) = (100_000, 1_000.0);
        let (below, _) = simulated_wait_s(pool, 0.024, n, Draws::new(5));
        assert!(below < 1.0 && pool.mean_wait_s(0.024, window_s) == 0.0, "{below}");
        let mut squares = 0.0;
        for seed in 0..40 {
            let (above, phi) = simulated_wait_s(pool, 0.05, n, Draws::new(seed));
            let (mean, sd) = (pool.mean_wait_s(phi, window_s), pool.mean_wait_sd_s(phi, window_s));
            assert!((above - mean).abs() < 4.0 * sd, "{above} against {mean} +- {sd}");
            squares += ((above - mean) / sd).powi(2);
        }
        // Chi-squared with 40 degrees of freedom: 18 to 73 holds 99.9 %.
        assert!((18.0..73.0).contains(&squares), "{squares}");
    }
}
