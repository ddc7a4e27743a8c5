//! An attacker who has captured a genuine request.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Attack, DrawKey, Fate, Fault, Hits, Target};
use crate::{model::Span, rng::Draws};

/// Sends the same event again, bytes, timestamp and signature as captured a while ago.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Replay {
    /// How old the capture is; beyond the receiver's tolerance it must be refused. Never scaled.
    #[serde(default = "ten_minutes", with = "crate::scenario::units::span_text")]
    #[schemars(with = "String")]
    pub age: Span,
}

fn ten_minutes() -> Span {
    Span::from_secs(600)
}

impl Fault for Replay {
    const SUMMARY: &'static str = "an attacker sends a captured genuine request again";
    const HITS: Hits = Hits::WEBHOOKS;
    const WHY_NOT_VIRTUAL: &'static str = "whether an old signature is taken is a matter of bytes, and virtual time makes none";
    const WHY_NOT_PULL: &'static str = "it is the client who asks, so nobody can slip it an event";

    fn concerns(&self, target: &Target) -> bool {
        target.attempt == 1 && target.copy == 0
    }

    fn apply(&self, _target: &Target, _key: DrawKey, _draws: Draws, fate: &mut Fate) {
            fate.attacks.push(Attack::Replay { age: self.age });
    }
}
