//! The lost answer, from which duplicates come.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{DrawKey, Fate, Fault, FaultProblem, Hits, LossSeen, ResponseFate, Selector, Target};
use crate::rng::Draws;

/// The answer is lost: the sender must take a done thing for a failure.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DropAck {
    /// "after" processing: the answer is read and thrown away. "before": the connection is closed
    /// when the last byte of the request is out.
    #[serde(default)]
    pub when: When,
    /// How the sender learns of it: "reset" at once, or "timeout". Only with `when = "after"`.
    #[serde(default)]
    pub seen_as: LossSeen,
}

/// When the answer is lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum When {
    /// The other side has answered.
    #[default]
    After,
    /// The other side may not have begun.
    Before,
}

impl Fault for DropAck {
    const SUMMARY: &'static str = "loses the answer: what is done looks failed, and comes again";
    const HITS: Hits = Hits::REQUESTS;

    fn apply(&self, _target: &Target, _key: DrawKey, _draws: Draws, fate: &mut Fate) {
        fate.claim_response(match self.when {
            When::After => ResponseFate::LostAfterProcessing(self.seen_as),
            When::Before => ResponseFate::LostBeforeProcessing,
        });
    }

    fn validate(&self, _selector: &Selector) -> Result<(), FaultProblem> {
        if self.when == When::Before && self.seen_as == LossSeen::Timeout {
            return Err(FaultProblem {
                key: "seen_as",
                problem: "a connection closed before processing is always seen as a reset".to_owned(),
                fix: "drop seen_as, or write when = \"after\"".to_owned(),
            });
        }
        Ok(())
    }
}
