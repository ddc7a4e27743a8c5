//! One feed says who has changed; only they are fetched.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Grid, Phase, PollStrategy, StrategyProblem, check_interval, check_share, scaled};
use crate::model::Span;

/// Asks a shared feed which subjects have changed, at even intervals, then fetches each of these: one
/// request for a thousand subjects at rest, where asking after each would take a thousand. FriendFeed's
/// Simple Update Protocol is one.
///
/// What a fetch brings goes up to the feed's answer: what happens in between, the next answer tells.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Feed {
    /// Time between two looks at the feed.
    #[serde(with = "crate::scenario::units::span_text")]
    #[schemars(with = "String")]
    pub interval: Span,
    /// A look moves by up to half this share of the interval to either side, 0 to 1. Default 0.
    #[serde(default)]
    pub jitter: f64,
    /// "random": each client starts at its own place in the interval. "aligned": all together.
    /// Default "random".
    #[serde(default)]
    pub phase: Phase,
}

impl PollStrategy for Feed {
    const SUMMARY: &'static str = "asks one feed who has changed, and fetches only them";
    const WHY_NOT_LIVE: &'static str = "the live pull API has no feed of who has changed";

    fn shortest_gap(&self) -> Span {
        self.interval
    }

    fn grid(&self) -> Option<Grid> {
        Some(Grid::jittered(self.interval, self.jitter, self.phase))
    }

    fn reads_feed(&self) -> bool {
        true
    }

    fn scale(&mut self, time_scale: f64) {
        self.interval = scaled(self.interval, time_scale);
    }

    fn validate(&self) -> Result<(), StrategyProblem> {
        check_interval("interval", self.interval)?;
        check_share("jitter", self.jitter)
    }
}
