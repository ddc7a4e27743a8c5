//! Long polls: requests that are held until there is something.

/// Long polls of one client.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LongPolls {
    /// Requests that begin within the window.
    pub polls: f64,
    /// Of these, how many find nothing.
    pub empty: f64,
}

/// Long polls of one client within the `d` seconds of arrivals, the first one at their beginning, each held
/// for at most `hold`: Poisson arrivals of `lambda` per second and a round trip of no length.
///
/// A request ends with each event, and k holds after an event, or after the start, if none has come
/// meanwhile. One is being held when the arrivals end; nothing comes any more, so it finds nothing. Per
/// second, over a long window, that is `lambda / (1 - e^-x)` with `x = lambda x hold`.
#[must_use]
pub fn long_polls(lambda: f64, hold: f64, d: f64) -> LongPolls {
    let mut in_vain = 1.0;
    for holds in (1u32..).map(|k| f64::from(k) * hold).take_while(|holds| *holds < d) {
        let ended = libm::exp(-lambda * holds) * (1.0 + lambda * (d - holds));
        in_vain += ended;
        if ended < 1e-12 {
            break;
        }
    }
    LongPolls { polls: lambda * d + in_vain, empty: in_vain }
}

/// Seconds from the start of one long poll to that of the next, over a long time (models.md 2.5): each is held
/// for at most `hold`, and a round trip takes `r`.
#[must_use]
pub fn long_poll_cycle_s(lambda: f64, hold: f64, r: f64) -> f64 {
    let held = if lambda > 0.0 { (1.0 - libm::exp(-lambda * hold)) / lambda } else { hold };
    r + libm::exp(-lambda * r) * held
}

/// The share of long polls that find nothing.
#[must_use]
pub fn long_poll_empty_share(lambda: f64, hold: f64, r: f64) -> f64 {
    libm::exp(-lambda * (r + hold))
}

/// Mean age under long polling: an event that comes while no request is held waits for the next one, and its
/// own way back takes `r / 2`.
#[must_use]
pub fn long_poll_mean_age_s(lambda: f64, hold: f64, r: f64) -> f64 {
    r / 2.0 + r / long_poll_cycle_s(lambda, hold, r) * (r / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::{Draws, Purpose};

    #[test]
    fn long_polls_agree_with_the_published_row() {
        // models.md S7: H = 30 s, r = 0.2 s.
        for (lambda, rate, age_s) in [(0.05, 0.06417, 0.1013), (2.0, 1.869, 0.1374), (20.0, 4.977, 0.1995)] {
            assert!((1.0 / long_poll_cycle_s(lambda, 30.0, 0.2) / rate - 1.0).abs() < 5e-4, "{lambda}");
            assert!((long_poll_mean_age_s(lambda, 30.0, 0.2) - age_s).abs() < 1e-4, "{lambda}");
        }
        // Without a round trip, over a long window, the count to the last one says the same.
        for lambda in [0.05, 2.0] {
            let (form, d) = (long_polls(lambda, 30.0, 1e6), 1e6);
            assert!((d / form.polls / long_poll_cycle_s(lambda, 30.0, 0.0) - 1.0).abs() < 1e-3, "{lambda}");
            assert!((form.empty / form.polls - long_poll_empty_share(lambda, 30.0, 0.0)).abs() < 1e-3, "{lambda}");
        }
        assert_eq!(long_poll_cycle_s(0.0, 30.0, 0.2), 30.2);
    }

    #[test]
    fn long_polls_are_counted_to_the_last_one_however_short_the_window() {
        let (draws, n) = (Draws::new(5), 100_000u64);
        for (lambda, hold, d) in [(0.5, 2.0, 3.0), (0.2, 1.0, 7.5), (2.0, 30.0, 4.0)] {
            let (mut polls, mut empty) = (0u64, 0u64);
            for i in 0..n {
                let (mut now, mut event, mut k) = (0.0, 0.0, 0);
                while now < d {
                    if event <= now {
                        k += 1;
                        event = now - libm::log(1.0 - draws.unit(Purpose::Arrival, i, k)) / lambda;
                    }
                    let answered = event < d && event <= now + hold;
                    polls += 1;
                    empty += u64::from(!answered);
                    now = if answered { event } else { now + hold };
                }
            }
            let (form, n) = (long_polls(lambda, hold, d), n as f64);
            assert!((polls as f64 / n / form.polls - 1.0).abs() < 0.01, "{polls} against {form:?}");
            assert!((empty as f64 / n / form.empty - 1.0).abs() < 0.01, "{empty} against {form:?}");
        }
        // Nothing ever comes: at the start and after each hold.
        assert_eq!(long_polls(0.0, 30.0, 60.0), LongPolls { polls: 2.0, empty: 2.0 });
        assert_eq!(long_polls(0.0, 30.0, 61.0), LongPolls { polls: 3.0, empty: 3.0 });
    }
}
