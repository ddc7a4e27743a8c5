//! An attacker who knows the URL but not the secret.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Attack, DrawKey, Fate, Fault, Hits, Target};
use crate::rng::Draws;

/// Sends an event that never happened beside the genuine first attempt.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Forge {
    /// How the attacker signs.
    #[serde(default)]
    pub method: ForgeMethod,
}

/// How a forged request is signed.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum ForgeMethod {
    /// With a secret of the attacker's own.
    #[default]
    WrongSecret,
    /// Not at all: no signature header.
    Unsigned,
    /// With SHA-256 over the same content, which needs no secret.
    UnkeyedSha256,
    /// With a captured, genuine signature over another body.
    Tampered,
}

impl Fault for Forge {
    const SUMMARY: &'static str = "an attacker without the secret sends events that never happened";
    const HITS: Hits = Hits::WEBHOOKS;
    const WHY_NOT_VIRTUAL: &'static str = "whether a forged signature is taken is a matter of bytes, and virtual time makes none";
    const WHY_NOT_PULL: &'static str = "it is the client who asks, so nobody can slip it an event";

    fn concerns(&self, target: &Target) -> bool {
        target.attempt == 1 && target.copy == 0
    }

    fn apply(&self, _target: &Target, _key: DrawKey, _draws: Draws, fate: &mut Fate) {
            fate.attacks.push(Attack::Forge(self.method));
    }
}
