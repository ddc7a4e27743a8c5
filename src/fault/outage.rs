//! A side that cannot be reached for a while.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{DrawKey, Fate, Fault, FaultProblem, Hits, RequestFate, Selector, Target};
use crate::rng::Draws;

/// Nothing gets through within the window [from, until): to the receiver for a webhook consumer,
/// to the pull API for a polling one.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Outage {
    /// "refuse" fails at once; "hang" costs the sender its timeout.
    #[serde(default)]
    pub how: OutageManner,
}

/// What an outage looks like from the other side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum OutageManner {
    /// Connections are refused.
    #[default]
    Refuse,
    /// Connections are accepted and never answered.
    Hang,
}

impl Fault for Outage {
    const SUMMARY: &'static str = "lets nothing through for a while: refused, or hanging";
    const HITS: Hits = Hits::REQUESTS;

    fn apply(&self, _target: &Target, _key: DrawKey, _draws: Draws, fate: &mut Fate) {
        fate.claim_request(match self.how {
            OutageManner::Refuse => RequestFate::Refused,
            OutageManner::Hang => RequestFate::Hang,
        });
    }

    fn validate(&self, selector: &Selector) -> Result<(), FaultProblem> {
        if selector.from.is_some() && selector.until.is_some() {
            return Ok(());
        }
        Err(FaultProblem {
            key: "from",
            problem: "an outage needs both ends of its window".to_owned(),
            fix: "write from = \"10s\" and until = \"20s\"".to_owned(),
        })
    }
}
