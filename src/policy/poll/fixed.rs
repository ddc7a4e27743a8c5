//! On a fixed timer.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Grid, Phase, PollStrategy, StrategyProblem, check_interval, check_share, scaled};
use crate::model::Span;

/// Polls at even intervals.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Fixed {
    /// Time between two polls of a client.
    #[serde(with = "crate::scenario::units::span_text")]
    #[schemars(with = "String")]
    pub interval: Span,
    /// A poll moves by up to half this share of the interval to either side, 0 to 1. Default 0.
    #[serde(default)]
    pub jitter: f64,
    /// "random": each client starts at its own place in the interval. "aligned": all together.
    /// Default "random".
    #[serde(default)]
    pub phase: Phase,
}

impl PollStrategy for Fixed {
    const SUMMARY: &'static str = "asks at even intervals, whatever comes";

    fn shortest_gap(&self) -> Span {
        self.interval
    }

    fn grid(&self) -> Option<Grid> {
        Some(Grid::jittered(self.interval, self.jitter, self.phase))
    }

    fn scale(&mut self, time_scale: f64) {
        self.interval = scaled(self.interval, time_scale);
    }

    fn validate(&self) -> Result<(), StrategyProblem> {
        check_interval("interval", self.interval)?;
        check_share("jitter", self.jitter)
    }
}
