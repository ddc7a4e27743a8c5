//! A connection that breaks in the middle of a request.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{DrawKey, Fate, Fault, Hits, RequestFate, Target};
use crate::rng::Draws;

/// The connection breaks after half of the request (webhook), or half of the response (poll).
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Reset {}

impl Fault for Reset {
    const SUMMARY: &'static str = "breaks the connection half way through";
    const HITS: Hits = Hits::REQUESTS;

    fn apply(&self, _target: &Target, _key: DrawKey, _draws: Draws, fate: &mut Fate) {
        fate.claim_request(RequestFate::Reset);
    }
}
