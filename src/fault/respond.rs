//! Somebody on the way answers instead.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{DrawKey, Fate, Fault, FaultProblem, Hits, RequestFate, Selector, Stop, Target};
use crate::rng::Draws;

/// A proxy or load balancer answers in the other side's place, which never sees the request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Respond {
    /// The status it answers, 200 to 599.
    pub status: u16,
    /// Seconds in a `Retry-After` header.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_s: Option<u32>,
    /// The header of the provider's `stop_headers` that says so, to a sender of webhooks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop: Option<Stop>,
}

impl Fault for Respond {
    const SUMMARY: &'static str = "answers with a status in the other side's place";
    const HITS: Hits = Hits::REQUESTS;

    fn apply(&self, _target: &Target, _key: DrawKey, _draws: Draws, fate: &mut Fate) {
        let Respond { status, retry_after_s, stop } = *self;
        fate.claim_request(RequestFate::Answered { status, retry_after_s, stop });
    }

    fn validate(&self, _selector: &Selector) -> Result<(), FaultProblem> {
        if (200..=599).contains(&self.status) {
            return Ok(());
        }
        Err(FaultProblem {
            key: "status",
            problem: format!("{} is no final HTTP status", self.status),
            fix: "write a status from 200 to 599, such as 503".to_owned(),
        })
    }
}
