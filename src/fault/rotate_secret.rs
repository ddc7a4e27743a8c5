//! A secret that is rotated too early.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{DrawKey, Fate, Fault, Hits, Signing, Target};
use crate::rng::Draws;

/// The sender signs with a new secret that the receiver does not know yet, as long as the fault's
/// window lasts.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RotateSecret {
    /// Whether the old secret's signature is sent beside the new one's: then nothing is refused.
    #[serde(default)]
    pub overlap: bool,
}

impl Fault for RotateSecret {
    const SUMMARY: &'static str = "signs with a new secret that the receiver does not know yet";
    const HITS: Hits = Hits::WEBHOOKS;
    const WHY_NOT_PULL: &'static str = "a poll is not signed";

    fn apply(&self, _target: &Target, _key: DrawKey, _draws: Draws, fate: &mut Fate) {
        if fate.signing == Signing::Known {
            fate.signing = if self.overlap { Signing::Both } else { Signing::Unknown };
        }
    }
}
