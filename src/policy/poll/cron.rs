//! At the full minute, like everybody else.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Grid, Phase, PollStrategy, StrategyProblem, check_interval, scaled};
use crate::model::Span;

/// Polls at whole multiples of an interval, all clients together: a thundering herd, unless each
/// client's poll is spread.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Cron {
    /// Polls are due at whole multiples of this, counted from t0.
    #[serde(with = "crate::scenario::units::span_text")]
    #[schemars(with = "String")]
    pub interval: Span,
    /// Each poll of each client moves later by up to this, uniformly; at most the interval. Default "0s".
    #[serde(default, with = "crate::scenario::units::span_text")]
    #[schemars(with = "String")]
    pub spread: Span,
}

impl PollStrategy for Cron {
    const SUMMARY: &'static str = "asks at whole multiples of an interval, all clients together, or spread a little";

    fn shortest_gap(&self) -> Span {
        self.interval
    }

    fn grid(&self) -> Option<Grid> {
        Some(Grid { interval: self.interval, phase: Phase::Aligned, early: Span::ZERO, late: self.spread })
    }

    fn scale(&mut self, time_scale: f64) {
        self.interval = scaled(self.interval, time_scale);
        self.spread = scaled(self.spread, time_scale);
    }

    fn validate(&self) -> Result<(), StrategyProblem> {
        check_interval("interval", self.interval)?;
        if self.spread <= self.interval {
            return Ok(());
        }
        Err(StrategyProblem {
            key: "spread",
            problem: "polls spread beyond the interval would overtake each other".to_owned(),
            fix: "write a spread of at most the interval".to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::Time,
        policy::poll::{Came, Client, Due, Last},
        rng::Draws,
    };
    use proptest::prelude::*;

    fn who(number: u32) -> Client {
        Client { number, draws: Draws::new(5), incarnation: 0 }
    }

    #[test]
    fn without_a_spread_everybody_comes_at_once() {
        let cron = Cron { interval: Span::from_secs(60), spread: Span::ZERO };
        let minute = Time::ZERO + Span::from_secs(60);
        assert!((0..100).all(|n| cron.first(who(n), Time::ZERO) == Due { number: 1, at: minute }));
        let last = Last { due: Due { number: 1, at: minute }, came: Came::Nothing, idle: 1 };
        // Busy until after the third minute: the second and third poll are left out.
        let next = cron.next(who(0), &last, Time::ZERO + Span::from_secs(181));
        assert_eq!(next, Due { number: 4, at: Time::ZERO + Span::from_secs(240) });
    }

    proptest! {
        #[test]
        fn a_spread_moves_a_poll_later_only_and_within_its_bound(
            number: u32, interval_ms in 1u64..100_000, share in 0.0f64..=1.0, free_ms in 0u64..1_000_000
        ) {
            let interval = Span::from_millis(interval_ms);
            let cron = Cron { interval, spread: Span((interval.0 as f64 * share) as u64) };
            let due = cron.first(who(number), Time::ZERO + Span::from_millis(free_ms));
            let tick = Time::ZERO + interval.scaled(u64::from(due.number), 1);
            prop_assert!(due.at >= tick && due.at <= tick + cron.spread);
            prop_assert!(due.at >= Time::ZERO + Span::from_millis(free_ms));
        }
    }
}
