//! Adaptive polling: gaps that grow while nothing comes.

/// What adaptive polling comes to in the long run, for Poisson arrivals.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Adaptive {
    /// Polls per second and client.
    pub polls_per_s: f64,
    /// Mean age in seconds.
    pub mean_age_s: f64,
}

/// Polling after gaps min x factor^k, at most `max`, back to `min` after an event, for Poisson arrivals
/// of `lambda` per second and client: a chain of states k that is left upwards with probability
/// e^(-lambda T_k) and begins again otherwise.
#[must_use]
pub fn adaptive(lambda: f64, min: f64, max: f64, factor: f64) -> Adaptive {
    let (mut visits, mut reached, mut gap) = (0.0, 1.0, min);
    let (mut time, mut waited) = (0.0, 0.0);
    loop {
        let idle = libm::exp(-lambda * gap);
        // The last state is visited again and again; a factor of 1 makes the first the last.
        let last = gap >= max || factor <= 1.0;
        let here = if last { reached / (1.0 - idle) } else { reached };
        visits += here;
        time += here * gap;
        waited += here * gap * gap / 2.0;
        if last || reached < 1e-12 {
            return Adaptive { polls_per_s: visits / time, mean_age_s: waited / time };
        }
        reached *= idle;
        gap = (gap * factor).min(max);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn adaptive_polls_agree_with_the_published_row() {
        // models.md S6: 10 to 640 s at one event per 600 s.
        let found = adaptive(1.0 / 600.0, 10.0, 640.0, 2.0);
        assert!((found.polls_per_s - 0.007204).abs() < 1e-6, "{found:?}");
        assert!((found.mean_age_s - 193.0).abs() < 0.1, "{found:?}");
        // With one gap only it is a fixed interval.
        let fixed = adaptive(0.5, 2.0, 2.0, 2.0);
        assert!((fixed.polls_per_s - 0.5).abs() < 1e-9 && (fixed.mean_age_s - 1.0).abs() < 1e-9);
    }
}
