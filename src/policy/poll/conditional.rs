//! On a fixed timer, and only if something has changed.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Fixed, Grid, PollStrategy, StrategyProblem};
use crate::model::Span;

/// Polls at even intervals with `If-None-Match`: a poll that finds nothing new is answered 304, without
/// a body. The keys are those of "fixed".
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Conditional(pub Fixed);

impl PollStrategy for Conditional {
    const SUMMARY: &'static str = "asks at even intervals with If-None-Match: nothing new is a 304 without a body";

    fn shortest_gap(&self) -> Span {
        self.0.shortest_gap()
    }

    fn grid(&self) -> Option<Grid> {
        self.0.grid()
    }

    fn is_conditional(&self) -> bool {
        true
    }

    fn scale(&mut self, time_scale: f64) {
        self.0.scale(time_scale);
    }

    fn validate(&self) -> Result<(), StrategyProblem> {
        self.0.validate()
    }
}
