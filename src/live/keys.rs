//! The keys of an endpoint: what its provider signs with and its receiver verifies with, in the form of its profile.

use crate::{
    profile::Profile,
    wire::{
        Secret,
        scheme::{SignKey, VerifyKey},
    },
};

/// What a provider signs with.
#[derive(Debug, Clone)]
pub enum SigningKey {
    /// Standard Webhooks', of a provider without a profile.
    Standard(Secret),
    /// In the form of its profile's scheme.
    Scheme(SignKey),
}

/// A new key as text, for both sides.
pub struct KeyTexts {
    /// What signs.
    pub signing: String,
    /// What verifies: the same, but of Ed25519.
    pub verifying: String,
}

/// A key that nobody can guess, in the form that a provider of this profile takes; empty where it signs nothing.
#[must_use]
pub fn fresh_keys(profile: Option<&Profile>) -> KeyTexts {
    let Some(profile) = profile else {
        let text = Secret::from_bytes(&fresh_bytes()).expect("32 bytes make a secret").reveal();
        return KeyTexts { signing: text.clone(), verifying: text };
    };
    let pair = profile.scheme.as_ref().map(|scheme| scheme.key_pair(&fresh_bytes()));
    let (signing, verifying) = pair.unwrap_or_default();
    KeyTexts { signing, verifying }
}

fn fresh_bytes() -> [u8; 32] {
    let mut bytes = [0; 32];
    #[allow(clippy::disallowed_methods, reason = "a secret must not follow from the seed")]
    rand::Rng::fill_bytes(&mut rand::rng(), &mut bytes);
    bytes
}

/// Reads what a provider signs with. The message says nothing of the text.
pub fn signing_key(profile: Option<&Profile>, text: &str) -> Result<SigningKey, String> {
    match profile {
        None => Secret::parse(text).map(SigningKey::Standard).map_err(|error| error.to_string()),
        Some(profile) => match &profile.scheme {
            None => Ok(SigningKey::Scheme(SignKey::NONE)),
            Some(scheme) => scheme.sign_key(text).map(SigningKey::Scheme).map_err(|error| error.to_string()),
        },
    }
}

/// Reads what a receiver verifies with. The message says nothing of the text.
pub fn verifying_key(profile: &Profile, text: &str) -> Result<Option<VerifyKey>, String> {
    let Some(scheme) = &profile.scheme else { return Ok(None) };
    scheme.verify_key(text).map(Some).map_err(|error| error.to_string())
}
