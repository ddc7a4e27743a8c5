//! A sender's clock that is off.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{DrawKey, Fate, Fault, FaultProblem, Hits, Selector, Target};
use crate::{model::Skew, rng::Draws};

/// The sender signs with a clock that is off against the receiver's. Beyond the receiver's tolerance
/// every request must be refused, and the tries go on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClockSkew {
    /// How far, such as "310s", or "-310s" for a clock that is behind. Never scaled, like the tolerance.
    #[serde(with = "crate::scenario::units::skew_text")]
    #[schemars(with = "String")]
    pub by: Skew,
}

impl Fault for ClockSkew {
    const SUMMARY: &'static str = "signs with a clock that is ahead or behind";
    const HITS: Hits = Hits::WEBHOOKS;
    const WHY_NOT_PULL: &'static str = "a poll carries no timestamp that anybody checks";

    fn apply(&self, _target: &Target, _key: DrawKey, _draws: Draws, fate: &mut Fate) {
        fate.skew = fate.skew + self.by;
    }

    fn validate(&self, _selector: &Selector) -> Result<(), FaultProblem> {
        if self.by != Skew::ZERO {
            return Ok(());
        }
        Err(FaultProblem {
            key: "by",
            problem: "a clock that is off by nothing is right".to_owned(),
            fix: "write by = \"310s\", or by = \"-310s\"".to_owned(),
        })
    }
}
