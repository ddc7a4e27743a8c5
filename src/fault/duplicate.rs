//! The provider sends the same event more than once, unasked.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Copies, DrawKey, Fate, Fault, FaultProblem, Hits, Selector, Target};
use crate::{model::Span, rng::Draws};

/// Sends further copies of an attempt, each freshly signed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Duplicate {
    /// Copies beside the original, 1 to 255.
    #[serde(default = "one")]
    pub copies: u32,
    /// Copy k leaves k x lag after the original; 0 sends all at once. Never scaled.
    #[serde(default, with = "crate::scenario::units::span_text")]
    #[schemars(with = "String")]
    pub lag: Span,
}

fn one() -> u32 {
    1
}

impl Fault for Duplicate {
    const SUMMARY: &'static str = "sends further copies of an attempt, at once or later";
    const HITS: Hits = Hits::WEBHOOKS;
    const WHY_NOT_PULL: &'static str = "a client asks each question once, and its cursor takes each answer once";

    fn concerns(&self, target: &Target) -> bool {
        // Copies have no copies.
        target.copy == 0
    }

    fn apply(&self, _target: &Target, _key: DrawKey, _draws: Draws, fate: &mut Fate) {
        fate.copies.get_or_insert(Copies { count: self.copies, lag: self.lag });
    }

    fn validate(&self, _selector: &Selector) -> Result<(), FaultProblem> {
        if (1..=255).contains(&self.copies) {
            return Ok(());
        }
        Err(FaultProblem {
            key: "copies",
            problem: format!("{} copies", self.copies),
            fix: "write a number from 1 to 255".to_owned(),
        })
    }
}
