//! When the next attempt of a delivery is due.

use serde::{Deserialize, Serialize};

use crate::model::{Span, Time};
use crate::rng::{Draws, Purpose};

/// A retry schedule, any formula already written out: attempt k+1 is due `delays[k-1]` after
/// attempt k has failed. The delivery is given up when the delays are used up.
///
/// The delay counts from the failure, not from the attempt's start: a timeout adds its detection
/// time to every later offset.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RetrySchedule {
    /// Delay before attempt 2, 3, ...
    pub delays: Vec<Span>,
    /// A delay is stretched or shortened by up to this share, uniform, keyed; 0 to 1.
    pub jitter: f64,
    /// What else chance does to a delay.
    #[serde(default)]
    pub backoff: Backoff,
}

/// What chance makes of a delay, so that those who failed together do not come back together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Backoff {
    /// Nothing.
    #[default]
    Plain,
    /// Anything from nothing to the delay.
    Full,
    /// Half of it, and anything up to the other half.
    Equal,
    /// Anything from the first delay to three times the last one that was made, at most the longest.
    Decorrelated,
}

/// The named schedules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetryRule {
    /// 5 min, 30 min, 2 h, then 5, 10, 14 and 20 h and a last step to three days in all.
    Classic,
    /// The example of Standard Webhooks 1.0: 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h, 24 h.
    StandardWebhooks,
    /// No second attempt.
    Never,
}

impl RetryRule {
    /// Names in the scenario file.
    pub const TABLE: [(&'static str, RetryRule); 3] = [
        ("classic", RetryRule::Classic),
        ("standard-webhooks", RetryRule::StandardWebhooks),
        ("never", RetryRule::Never),
    ];

    /// The delays, written out.
    #[must_use]
    pub fn delays(self) -> Vec<Span> {
        const MIN: u64 = 60;
        const H: u64 = 3_600;
        let secs: &[u64] = match self {
            RetryRule::Classic => &[5 * MIN, 30 * MIN, 2 * H, 5 * H, 10 * H, 14 * H, 20 * H, 20 * H + 25 * MIN],
            RetryRule::StandardWebhooks => &[5, 5 * MIN, 30 * MIN, 2 * H, 5 * H, 10 * H, 14 * H, 20 * H, 24 * H],
            RetryRule::Never => &[],
        };
        secs.iter().map(|&s| Span::from_secs(s)).collect()
    }
}

impl RetrySchedule {
    /// Attempts at most: the first and one per delay.
    #[must_use]
    pub fn max_attempts(&self) -> u32 {
        self.delays.len() as u32 + 1
    }

    /// `base * factor^k`, at most `cap`, for `retries` retries.
    #[must_use]
    pub fn exponential(base: Span, factor: f64, cap: Span, retries: u32) -> Vec<Span> {
        let mut delay = base.0 as f64;
        (0..retries)
            .map(|_| {
                let this = Span((delay as u64).min(cap.0));
                delay = (delay * factor).min(u64::MAX as f64);
                this
            })
            .collect()
    }

    /// When the attempt after `failed` (from 1) is due, or `None` where the delivery is given up.
    ///
    /// `entity` and `seq` key the jitter. A `Retry-After` is honoured between the schedule's own
    /// delay and twice that, as Svix does: a receiver can ask for patience, not for oblivion.
    #[must_use]
    pub fn next(
        &self,
        failed: u32,
        failed_at: Time,
        retry_after: Option<Span>,
        draws: Draws,
        entity: u64,
        seq: u32,
    ) -> Option<Time> {
        let base = *self.delays.get(failed.checked_sub(1)? as usize)?;
        let key = u64::from(seq) << 16 | u64::from(failed & 0xffff);
        let unit = draws.unit(Purpose::RetryJitter, entity, key);
        let jittered = match self.backoff {
            Backoff::Plain => base.0 as f64 * (1.0 + self.jitter * (2.0 * unit - 1.0)),
            Backoff::Full => base.0 as f64 * unit,
            Backoff::Equal => base.0 as f64 * (0.5 + 0.5 * unit),
            Backoff::Decorrelated => self.decorrelated(failed, draws, entity, seq),
        } as u64;
        let asked = retry_after.map_or(0, |asked| asked.0.min(base.scaled(2, 1).0));
        Some(failed_at + Span(jittered.max(asked)))
    }
}

impl RetrySchedule {
    /// Each delay is drawn from the one before it, so that has to be drawn again first.
    fn decorrelated(&self, failed: u32, draws: Draws, entity: u64, seq: u32) -> f64 {
        let (first, longest) = (self.delays.first(), self.delays.iter().max());
        let (first, longest) = (first.map_or(0.0, |span| span.0 as f64), longest.map_or(0.0, |span| span.0 as f64));
        (1..=failed).fold(first, |last, attempt| {
            let key = u64::from(seq) << 16 | u64::from(attempt & 0xffff);
            let unit = draws.unit(Purpose::RetryJitter, entity, key);
            (first + unit * (3.0 * last - first)).min(longest)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn plain(delays: &[u64]) -> RetrySchedule {
        RetrySchedule {
            delays: delays.iter().map(|&s| Span::from_secs(s)).collect(),
            jitter: 0.0,
            backoff: Backoff::Plain,
        }
    }

    #[test]
    fn classic_ends_after_three_days_and_the_standard_after_75_h_35_min_5_s() {
        let total = |rule: RetryRule| rule.delays().iter().map(|d| d.0).sum::<u64>() / 1_000_000_000;
        assert_eq!(total(RetryRule::Classic), 72 * 3_600);
        assert_eq!(total(RetryRule::StandardWebhooks), 272_105);
    }

    #[test]
    fn a_delivery_is_given_up_when_the_delays_are_used_up() {
        let schedule = plain(&[1, 2]);
        let next = |failed| schedule.next(failed, Time::ZERO, None, Draws::new(1), 0, 1);
        assert_eq!(next(1), Some(Time(1_000_000_000)));
        assert_eq!(next(2), Some(Time(2_000_000_000)));
        assert_eq!(next(3), None);
        assert_eq!(next(0), None);
    }

    #[test]
    fn retry_after_is_honoured_between_the_delay_and_twice_it() {
        let schedule = plain(&[10]);
        let next = |asked| schedule.next(1, Time::ZERO, Some(Span::from_secs(asked)), Draws::new(1), 0, 1);
        assert_eq!(next(1), Some(Time(10_000_000_000)));
        assert_eq!(next(15), Some(Time(15_000_000_000)));
        assert_eq!(next(999), Some(Time(20_000_000_000)));
    }

    proptest! {
        #[test]
        fn chance_stays_within_its_bounds(seed: u64, seq: u32, failed in 1u32..12) {
            let delays = RetrySchedule::exponential(Span::from_millis(5), 2.0, Span::from_secs(2), 12);
            let (longest, due) = (delays[11], delays[failed as usize - 1]);
            let of = |backoff| {
                let schedule = RetrySchedule { delays: delays.clone(), jitter: 0.0, backoff };
                schedule.next(failed, Time::ZERO, None, Draws::new(seed), 0, seq).unwrap().since(Time::ZERO)
            };
            prop_assert_eq!(of(Backoff::Plain), due);
            prop_assert!(of(Backoff::Full) <= due);
            prop_assert!(of(Backoff::Equal) <= due && of(Backoff::Equal) >= due.scaled(1, 2));
            prop_assert!(of(Backoff::Decorrelated) >= Span::from_millis(5) && of(Backoff::Decorrelated) <= longest);
        }

        #[test]
        fn jitter_stays_within_its_share(seed: u64, seq: u32, base in 1u64..100_000, jitter in 0.0f64..1.0) {
            let schedule = RetrySchedule { delays: vec![Span::from_secs(base)], jitter, backoff: Backoff::Plain };
            let due = schedule.next(1, Time::ZERO, None, Draws::new(seed), 3, seq).unwrap();
            let share = due.0 as f64 / (base as f64 * 1e9);
            prop_assert!((share - 1.0).abs() <= jitter + 1e-6);
        }

        #[test]
        fn exponential_delays_never_shrink_nor_pass_the_cap(base in 1u64..1_000, factor in 1.0f64..10.0, n in 0u32..40) {
            let cap = Span::from_secs(86_400);
            let delays = RetrySchedule::exponential(Span::from_secs(base), factor, cap, n);
            prop_assert_eq!(delays.len(), n as usize);
            prop_assert!(delays.windows(2).all(|w| w[0] <= w[1]));
            prop_assert!(delays.iter().all(|&d| d <= cap));
        }
    }
}
