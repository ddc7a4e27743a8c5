//! Seldom while nothing happens, often while something does.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Client, Due, Last, PollStrategy, StrategyProblem, check_interval, first_number, scaled};
use crate::{
    model::{Span, Time},
    rng::Purpose,
};

/// After k polls in a row without an event the next one is due min(min x factor^k, max) after the last
/// was; an event brings the gap back to `min`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Adaptive {
    /// The gap after a poll that brought something.
    #[serde(with = "crate::scenario::units::span_text")]
    #[schemars(with = "String")]
    pub min: Span,
    /// No gap is longer.
    #[serde(with = "crate::scenario::units::span_text")]
    #[schemars(with = "String")]
    pub max: Span,
    /// Each poll in vain makes the gap this many times longer, 1 to 1000. Default 2.
    #[serde(default = "two")]
    pub factor: f64,
}

fn two() -> f64 {
    2.0
}

impl Adaptive {
    /// The gap after `idle` polls in a row without an event.
    #[must_use]
    pub fn gap(&self, idle: u32) -> Span {
        let grown = self.min.0 as f64 * libm::pow(self.factor, f64::from(idle));
        // A float beyond u64 saturates, and NaN cannot come: the factor is finite and at least 1.
        Span(grown as u64).min(self.max)
    }
}

impl PollStrategy for Adaptive {
    const SUMMARY: &'static str = "asks less and less often while nothing comes, and often again once something does";

    fn first(&self, who: Client, now: Time) -> Due {
        let phase = Span(who.draws.below(self.min.0, Purpose::Phase, u64::from(who.number), 0));
        Due { number: first_number(who), at: now + phase }
    }

    fn next(&self, _who: Client, last: &Last, free: Time) -> Due {
        Due { number: last.due.number.saturating_add(1), at: (last.due.at + self.gap(last.idle)).max(free) }
    }

    fn shortest_gap(&self) -> Span {
        self.min
    }

    fn scale(&mut self, time_scale: f64) {
        self.min = scaled(self.min, time_scale);
        self.max = scaled(self.max, time_scale);
    }

    fn validate(&self) -> Result<(), StrategyProblem> {
        check_interval("min", self.min)?;
        if self.max < self.min {
            return Err(StrategyProblem {
                key: "max",
                problem: "the longest gap is shorter than the shortest".to_owned(),
                fix: "write a max that is longer than min".to_owned(),
            });
        }
        if !(1.0..=1_000.0).contains(&self.factor) {
            return Err(StrategyProblem {
                key: "factor",
                problem: format!("{} is out of bounds", self.factor),
                fix: "write a number from 1 to 1000".to_owned(),
            });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        policy::poll::{Came, PollTimer, Strategy},
        rng::Draws,
    };
    use proptest::prelude::*;

    fn who(incarnation: u32) -> Client {
        Client { number: 3, draws: Draws::new(5), incarnation }
    }

    #[test]
    fn gaps_double_up_to_the_longest_and_an_event_starts_them_over() {
        let adaptive = Adaptive { min: Span::from_secs(10), max: Span::from_secs(60), factor: 2.0 };
        let mut timer = PollTimer::new(Strategy::Adaptive(adaptive), who(0), Time::ZERO);
        let mut gaps = Vec::new();
        for came in [Came::Nothing, Came::Nothing, Came::Failed, Came::Nothing, Came::Events, Came::Nothing] {
            let before = timer.due().at;
            timer.ended(came, before + Span(1));
            gaps.push(timer.due().at.since(before).0 / 1_000_000_000);
        }
        assert_eq!(gaps, [20, 40, 60, 60, 10, 20]);
        assert!(PollTimer::new(timer_strategy(), who(1), Time::ZERO).due().number > timer.due().number);
    }

    fn timer_strategy() -> Strategy {
        Strategy::Adaptive(Adaptive { min: Span::from_secs(10), max: Span::from_secs(60), factor: 2.0 })
    }

    proptest! {
        #[test]
        fn a_gap_lies_between_its_bounds_unless_the_client_was_busy_and_numbers_grow(
            min_ms in 1u64..1_000, times in 1u64..1_000, factor in 1.0f64..10.0, busy_ms in 0u64..100_000,
            events in proptest::collection::vec(any::<bool>(), 1..80)
        ) {
            let (min, max) = (Span::from_millis(min_ms), Span::from_millis(min_ms * times));
            let mut timer = PollTimer::new(Strategy::Adaptive(Adaptive { min, max, factor }), who(0), Time::ZERO);
            prop_assert!(timer.due().at < Time::ZERO + min);
            for brought in events {
                let before = timer.due();
                let free = before.at + Span::from_millis(busy_ms);
                timer.ended(if brought { Came::Events } else { Came::Nothing }, free);
                let after = timer.due();
                let gap = after.at.since(before.at);
                prop_assert_eq!(after.number, before.number + 1);
                prop_assert!(after.at >= free, "overdue");
                prop_assert!(gap >= min);
                prop_assert!(gap <= max || after.at == free);
            }
        }
    }
}
