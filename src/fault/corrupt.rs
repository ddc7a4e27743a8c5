//! Bytes that change on their way.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{DrawKey, Fate, Fault, Hits, Target};
use crate::rng::{Draws, Purpose};

/// One bit of a request changes after it was signed (webhook), or one byte of a page (poll). A receiver
/// that verifies refuses such a request with 401, and the sender tries again.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Corrupt {
    /// "body", or "signature": the header's value. A page has no signature.
    #[serde(default)]
    pub what: DamagedPart,
}

/// What is damaged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum DamagedPart {
    /// The body.
    #[default]
    Body,
    /// The signature.
    Signature,
}

/// Damage to one message: where it lies follows from the draw alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Damage {
    /// What is damaged.
    pub part: DamagedPart,
    /// 64 drawn bits.
    pub draw: u64,
}

/// Characters of a signature that carry nothing but whole bytes of the tag: behind `v1,`, and before
/// the last ones, some of whose bits are padding.
const SIGNATURE_CHARACTERS: std::ops::Range<usize> = 3..45;

impl Damage {
    /// Flips the lowest bit of one byte: an amount changes and the text stays text, the nastier way.
    pub fn flip(self, body: &mut [u8]) {
        if let Some(byte) = self.pick(body) {
            *byte ^= 1;
        }
    }

    /// Sets the highest bit of one byte of a text in ASCII. Nobody signs a page, so only damage that
    /// breaks the text can be noticed.
    pub fn break_text(self, text: &mut [u8]) {
        if let Some(byte) = self.pick(text) {
            *byte |= 0x80;
        }
    }

    /// Exchanges one character of a signature for another one.
    #[must_use]
    pub fn exchange(self, signature: &str) -> String {
        let mut bytes = signature.as_bytes().to_vec();
        if let Some(byte) = bytes.get_mut(SIGNATURE_CHARACTERS).and_then(|range| self.pick(range)) {
            *byte = if *byte == b'A' { b'B' } else { b'A' };
        }
        // One ASCII character has taken another's place.
        String::from_utf8(bytes).unwrap_or_default()
    }

    fn pick(self, bytes: &mut [u8]) -> Option<&mut u8> {
        let length = bytes.len() as u64;
        if length == 0 {
            return None;
        }
        bytes.get_mut((self.draw % length) as usize)
    }
}

impl Fault for Corrupt {
    const SUMMARY: &'static str = "changes a bit of a signed request, or a byte of a page, on its way";
    const HITS: Hits = Hits::REQUESTS;

    fn hits(&self) -> Hits {
        match self.what {
            DamagedPart::Body => Hits::REQUESTS,
            DamagedPart::Signature => Hits::WEBHOOKS,
        }
    }

    fn why_not_pull(&self) -> &'static str {
        "a page carries no signature"
    }

    fn apply(&self, _target: &Target, key: DrawKey, draws: Draws, fate: &mut Fate) {
        let draw = key.bits(draws, Purpose::FaultSize);
        fate.damage.get_or_insert(Damage { part: self.what, draw });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{Secret, sign};
    use proptest::prelude::*;

    #[test]
    fn a_signature_stays_well_formed_and_is_another_one() {
        let signature = sign(&Secret::from_bytes(&[1; 32]).unwrap(), "id", 7, b"body");
        for draw in 0..100 {
            let damaged = Damage { part: DamagedPart::Signature, draw }.exchange(&signature);
            let differing = damaged.bytes().zip(signature.bytes()).filter(|(a, b)| a != b).count();
            assert_eq!((differing, damaged.len()), (1, signature.len()));
            assert!(damaged.starts_with("v1,") && damaged.ends_with('='));
        }
        assert_eq!(Damage { part: DamagedPart::Signature, draw: 0 }.exchange("v1,"), "v1,");
    }

    proptest! {
        #[test]
        fn one_byte_changes_and_a_text_is_none_any_more(draw: u64, text in "[ -~]{1,200}") {
            let damage = Damage { part: DamagedPart::Body, draw };
            let (mut flipped, mut broken) = (text.clone().into_bytes(), text.clone().into_bytes());
            damage.flip(&mut flipped);
            damage.break_text(&mut broken);
            prop_assert_eq!(flipped.iter().zip(text.bytes()).filter(|(a, b)| *a != b).count(), 1);
            prop_assert!(std::str::from_utf8(&flipped).is_ok());
            prop_assert!(std::str::from_utf8(&broken).is_err());
        }
    }
}
