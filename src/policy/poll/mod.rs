//! How a client polls: when each poll is due, how it asks, and what it does with an answer.
//!
//! When is a [`Strategy`]: `strategy = { kind = "..." }` in the scenario file, one file per kind. Each
//! says when the next poll is due, given what the last one came to. [`PollTimer`] asks it for one
//! client. What happens within a poll is a [`PollRound`], or a [`StateRound`].
//!
//! Adding a strategy is one file and one line in the `strategies!` table below.

mod grid;
mod round;
mod state_round;
mod timer;

pub use grid::{Grid, OnGrid, Phase};
pub use round::{PAGES_PER_POLL_MAX, PageCame, PollRound, PollStep};
pub use state::{Ask, Turns};
pub use state_round::{Known, PageEnd, SCAN_CURSOR, StateRound};
pub use timer::{Beat, PollTimer, Rhythm};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    model::{ClientNo, Span, Time},
    rng::Draws,
};

/// What every strategy can say. All methods are pure.
pub trait PollStrategy {
    /// One line for the reference.
    const SUMMARY: &'static str;

    /// Why a live run does not know it; empty where it does.
    const WHY_NOT_LIVE: &'static str = "";

    /// The first poll of a client that begins at `now`: at t0, or when its process is restarted. Without
    /// a grid at once, unless the strategy says otherwise.
    fn first(&self, who: Client, now: Time) -> Due {
        let at_once = Due { number: first_number(who), at: now };
        self.grid().map_or(at_once, |grid| grid.first(who, now))
    }

    /// The poll after `last`. The client is free from `free` on: it has its answer, and has waited as
    /// long as it was asked to. A poll that would have been due before is left out, not made up for:
    /// a client is a closed loop around its own answer. Without a grid at once, unless the strategy says
    /// otherwise.
    fn next(&self, who: Client, last: &Last, free: Time) -> Due {
        let at_once = Due { number: last.due.number.saturating_add(1), at: free };
        self.grid().map_or(at_once, |grid| grid.next_after(who, last.due.number, free))
    }

    /// The shortest time between two polls that it plans.
    fn shortest_gap(&self) -> Span;

    /// The even grid on which its polls lie, if they do: closed forms need one.
    fn grid(&self) -> Option<Grid> {
        None
    }

    /// Whether `If-None-Match` is sent.
    fn is_conditional(&self) -> bool {
        false
    }

    /// How long the provider may hold a request that finds nothing; `None`: not at all.
    fn hold(&self) -> Option<Span> {
        None
    }

    /// Whether it asks a feed who has changed, and then after each of them.
    fn reads_feed(&self) -> bool {
        false
    }

    /// How it is pinged, if it polls only then.
    fn ping(&self) -> Option<&Ping> {
        None
    }

    /// Divides its scenario times by `time_scale`.
    fn scale(&mut self, time_scale: f64);

    /// Refuses keys that make no sense, after scaling.
    fn validate(&self) -> Result<(), StrategyProblem>;
}

/// Whose polls: the key of the draws. The consumer is no part of it: two consumers with the same
/// strategy poll at the same instants.
#[derive(Debug, Clone, Copy)]
pub struct Client {
    /// The client's number.
    pub number: ClientNo,
    /// The run's draws.
    pub draws: Draws,
    /// Which process of its role this is: 0, and one more per restart.
    pub incarnation: u32,
}

/// A poll to come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Due {
    /// The client's poll number, from 1. It grows, also over a restart, and never repeats.
    pub number: u32,
    /// When.
    pub at: Time,
}

/// The last poll.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Last {
    /// Which it was, and when it was due.
    pub due: Due,
    /// What it came to.
    pub came: Came,
    /// Polls without an event in a row, up to and with this one.
    pub idle: u32,
}

/// What a poll came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Came {
    /// It brought at least one event.
    Events,
    /// It was answered and brought none.
    Nothing,
    /// It got no good answer.
    Failed,
}

/// A combination of keys that is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StrategyProblem {
    /// The offending key.
    pub key: &'static str,
    /// What is wrong with it.
    pub problem: String,
    /// What to write instead.
    pub fix: String,
}

/// Expands the table of strategies to modules, the tagged enum of their options and its dispatch.
macro_rules! strategies {
    ($($name:literal => $module:ident :: $options:ident),+ $(,)?) => {
        $(mod $module; pub use $module::$options;)+

        /// A way of polling, with its keys: `strategy = { kind = "..." }` in the scenario file.
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
        #[serde(tag = "kind")]
        pub enum Strategy {
            $(#[doc = $name] #[serde(rename = $name)] $options($options),)+
        }

        impl Strategy {
            /// Every kind: its name and its summary.
            pub const TABLE: &'static [(&'static str, &'static str)] =
                &[$(($name, <$options as PollStrategy>::SUMMARY)),+];

            /// The name in the scenario file.
            #[must_use]
            pub fn name(&self) -> &'static str {
                match self { $(Strategy::$options(_) => $name),+ }
            }

            /// See [`PollStrategy::first`].
            #[must_use]
            pub fn first(&self, who: Client, now: Time) -> Due {
                match self { $(Strategy::$options(options) => options.first(who, now)),+ }
            }

            /// See [`PollStrategy::next`].
            #[must_use]
            pub fn next(&self, who: Client, last: &Last, free: Time) -> Due {
                match self { $(Strategy::$options(options) => options.next(who, last, free)),+ }
            }

            /// See [`PollStrategy::shortest_gap`].
            #[must_use]
            pub fn shortest_gap(&self) -> Span {
                match self { $(Strategy::$options(options) => options.shortest_gap()),+ }
            }

            /// See [`PollStrategy::grid`].
            #[must_use]
            pub fn grid(&self) -> Option<Grid> {
                match self { $(Strategy::$options(options) => options.grid()),+ }
            }

            /// See [`PollStrategy::is_conditional`].
            #[must_use]
            pub fn is_conditional(&self) -> bool {
                match self { $(Strategy::$options(options) => options.is_conditional()),+ }
            }

            /// See [`PollStrategy::hold`].
            #[must_use]
            pub fn hold(&self) -> Option<Span> {
                match self { $(Strategy::$options(options) => options.hold()),+ }
            }

            /// See [`PollStrategy::reads_feed`].
            #[must_use]
            pub fn reads_feed(&self) -> bool {
                match self { $(Strategy::$options(options) => options.reads_feed()),+ }
            }

            /// See [`PollStrategy::ping`].
            #[must_use]
            pub fn ping(&self) -> Option<&Ping> {
                match self { $(Strategy::$options(options) => options.ping()),+ }
            }

            /// Why a live run does not know it, if it does not.
            #[must_use]
            pub fn why_not_live(&self) -> Option<&'static str> {
                let why = match self { $(Strategy::$options(_) => <$options as PollStrategy>::WHY_NOT_LIVE),+ };
                (!why.is_empty()).then_some(why)
            }

            /// See [`PollStrategy::scale`].
            pub fn scale(&mut self, time_scale: f64) {
                match self { $(Strategy::$options(options) => options.scale(time_scale)),+ }
            }

            /// See [`PollStrategy::validate`].
            pub fn validate(&self) -> Result<(), StrategyProblem> {
                match self { $(Strategy::$options(options) => options.validate()),+ }
            }
        }
    };
}

strategies! {
    "fixed" => fixed::Fixed,
    "conditional" => conditional::Conditional,
    "cron" => cron::Cron,
    "adaptive" => adaptive::Adaptive,
    "long-poll" => long_poll::LongPoll,
    "state" => state::State,
    "feed" => feed::Feed,
    "ping" => ping::Ping,
}

impl Strategy {
    /// Its keys as one that asks for states, if it does.
    #[must_use]
    pub fn state(&self) -> Option<&State> {
        match self {
            Strategy::State(state) => Some(state),
            _ => None,
        }
    }
}

/// The first number of a client whose polls lie on no grid. A restarted process cannot know how far its
/// client had counted, so each has a range of its own: faults are keyed by the number.
fn first_number(who: Client) -> u32 {
    const RANGE: u32 = 1 << 24;
    who.incarnation.saturating_mul(RANGE).saturating_add(1)
}

/// Scenario time in driver time.
fn scaled(span: Span, time_scale: f64) -> Span {
    if time_scale == 1.0 { span } else { Span((span.0 as f64 / time_scale).round() as u64) }
}

/// Polls closer together than the timer's grain cannot be kept apart.
fn check_interval(key: &'static str, interval: Span) -> Result<(), StrategyProblem> {
    if interval >= Span::from_millis(1) {
        return Ok(());
    }
    Err(StrategyProblem {
        key,
        problem: format!("polls {interval} apart (after time_scale) are below the timer's grain"),
        fix: "write at least \"1ms\" of driver time".to_owned(),
    })
}

/// A share from 0 to 1.
fn check_share(key: &'static str, share: f64) -> Result<(), StrategyProblem> {
    if (0.0..=1.0).contains(&share) {
        return Ok(());
    }
    let problem = format!("{share} is out of bounds");
    Err(StrategyProblem { key, problem, fix: "write a number from 0 to 1".to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strategies_have_unique_names_and_a_summary() {
        for (i, (name, summary)) in Strategy::TABLE.iter().enumerate() {
            assert!(Strategy::TABLE[..i].iter().all(|(other, _)| other != name), "{name}");
            assert!(summary.len() > 15, "{name}");
        }
    }
}
