//! A request that never arrives.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{DrawKey, Fate, Fault, Hits, LossSeen, RequestFate, Target};
use crate::rng::Draws;

/// The request is lost on its way: the other side never sees it.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DropRequest {
    /// How the sender learns of it: "reset" at once, or "timeout".
    #[serde(default)]
    pub seen_as: LossSeen,
}

impl Fault for DropRequest {
    const SUMMARY: &'static str = "loses the request: the other side never sees it";
    const HITS: Hits = Hits::REQUESTS;

    fn apply(&self, _target: &Target, _key: DrawKey, _draws: Draws, fate: &mut Fate) {
        fate.claim_request(RequestFate::Lost(self.seen_as));
    }
}
