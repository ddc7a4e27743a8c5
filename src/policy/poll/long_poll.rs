//! One request is always there, waiting.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Came, Client, Due, Last, PollStrategy, StrategyProblem, check_interval, first_number, scaled};
use crate::model::{Span, Time};

/// The provider answers as soon as there is something, or when the hold is over; the next request
/// follows at once.
///
/// The hold is a length of scenario time like an interval: while nothing happens it is what sets how
/// many requests are made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LongPoll {
    /// How long the provider may hold a request. Default "30s".
    #[serde(default = "thirty_seconds", with = "crate::scenario::units::span_text")]
    #[schemars(with = "String")]
    pub hold: Span,
    /// How long to wait after a request that failed. Default "1s".
    #[serde(default = "one_second", with = "crate::scenario::units::span_text")]
    #[schemars(with = "String")]
    pub retry: Span,
}

fn thirty_seconds() -> Span {
    Span::from_secs(30)
}

fn one_second() -> Span {
    Span::from_secs(1)
}

/// Between the first requests of two clients: thousands that connect in one instant would wait for
/// each other.
const APART: Span = Span(100_000);

impl PollStrategy for LongPoll {
    const SUMMARY: &'static str = "asks and is held until there is something, then asks again at once";

    fn first(&self, who: Client, now: Time) -> Due {
        Due { number: first_number(who), at: now + APART.scaled(u64::from(who.number), 1) }
    }

    fn next(&self, _who: Client, last: &Last, free: Time) -> Due {
        let pause = if last.came == Came::Failed { self.retry } else { Span::ZERO };
        Due { number: last.due.number.saturating_add(1), at: free + pause }
    }

    fn shortest_gap(&self) -> Span {
        self.hold
    }

    fn hold(&self) -> Option<Span> {
        Some(self.hold)
    }

    fn scale(&mut self, time_scale: f64) {
        self.hold = scaled(self.hold, time_scale);
        self.retry = scaled(self.retry, time_scale);
    }

    fn validate(&self) -> Result<(), StrategyProblem> {
        check_interval("hold", self.hold)?;
        check_interval("retry", self.retry)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        policy::poll::{PollTimer, Strategy},
        rng::Draws,
    };
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_next_request_follows_at_once_or_after_the_pause_and_numbers_grow(
            number in 0u32..10_000, incarnation in 0u32..100,
            ends in proptest::collection::vec((0u8..3, 0u64..60_000), 1..50)
        ) {
            let long_poll = LongPoll { hold: thirty_seconds(), retry: one_second() };
            let who = Client { number, draws: Draws::new(5), incarnation };
            let mut timer = PollTimer::new(Strategy::LongPoll(long_poll), who, Time::ZERO);
            prop_assert!(timer.due().at <= Time::ZERO + one_second());
            for (came, took_ms) in ends {
                let came = [Came::Events, Came::Nothing, Came::Failed][usize::from(came)];
                let before = timer.due();
                let free = before.at + Span::from_millis(took_ms);
                timer.ended(came, free);
                let pause = if came == Came::Failed { one_second() } else { Span::ZERO };
                prop_assert_eq!(timer.due(), Due { number: before.number + 1, at: free + pause });
            }
        }
    }
}
