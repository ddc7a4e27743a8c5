//! Keys: how they are written, and what they can do. `Debug` prints nothing of them.

use base64::{
    Engine,
    alphabet::STANDARD,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use ed25519_dalek::{SigningKey, VerifyingKey};
use hmac::{Hmac, KeyInit};
use sha1::Sha1;
use sha2::{Digest, Sha256};

use super::{Algorithm, Scheme, Way};
use crate::wire::encode;

/// Padding or none, and whatever the last bits are: as the official libraries read secrets.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// How the bytes of a key are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyForm {
    /// The text is the key, all of it.
    Text,
    /// Base64, padded or not.
    Base64,
    /// Hex in either case.
    Hex,
}

impl KeyForm {
    /// Every form by its name in files.
    pub const TABLE: [(&'static str, KeyForm); 3] =
        [("text", KeyForm::Text), ("base64", KeyForm::Base64), ("hex", KeyForm::Hex)];
}

/// How a key is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyShape {
    /// Its bytes.
    pub form: KeyForm,
    /// What may stand before it and is no part of it.
    pub prefix: Option<String>,
    /// The same of the key that signs, where that is another one.
    pub signing_prefix: Option<String>,
}

/// A text that is no key. Says nothing of the text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// There is nothing, or nothing but white space.
    #[error("the secret is empty")]
    Blank,
    /// Not base64.
    #[error("the secret is not base64{}", behind(.0))]
    NotBase64(Option<String>),
    /// Not hex.
    #[error("the key is not hex")]
    NotHex,
    /// An Ed25519 key of another length.
    #[error("an Ed25519 key has {wanted} bytes, this one has {given}")]
    Length {
        /// What it should have.
        wanted: &'static str,
        /// What it has.
        given: usize,
    },
    /// 32 bytes that are no public key.
    #[error("these 32 bytes are no Ed25519 public key")]
    NoPoint,
    /// A key that signs where one that verifies is wanted.
    #[error("\"{0}...\" is the key that signs: a receiver holds the public key")]
    Signs(String),
    /// A key that verifies where one that signs is wanted.
    #[error("\"{0}...\" is a public key, which cannot sign")]
    Verifies(String),
}

fn behind(prefix: &Option<String>) -> String {
    prefix.as_ref().map(|prefix| format!(" behind \"{prefix}\"")).unwrap_or_default()
}

/// A key that a receiver checks with.
#[derive(Clone)]
pub struct VerifyKey(pub(super) Vec<(usize, Checker)>);

#[derive(Clone)]
pub(super) enum Checker {
    Sha256(Hmac<Sha256>),
    Sha1(Hmac<Sha1>),
    Ed25519(Box<VerifyingKey>),
    /// Needs no key: of a receiver that is wrong on purpose.
    Plain,
    /// The hash of the token: of one length, so that comparing tells nothing of the token's.
    Token([u8; 32]),
}

/// A key that a sender signs with.
#[derive(Clone)]
pub struct SignKey(pub(super) Vec<(usize, Signer)>);

#[derive(Clone)]
pub(super) enum Signer {
    Sha256(Hmac<Sha256>),
    Sha1(Hmac<Sha1>),
    Ed25519(Box<SigningKey>),
    Token(String),
    /// Needs no key: an attacker's.
    Plain,
}

impl SignKey {
    /// The key of a provider that signs nothing.
    pub const NONE: SignKey = SignKey(Vec::new());
}

impl std::fmt::Debug for VerifyKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("VerifyKey(..)")
    }
}

impl std::fmt::Debug for SignKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SignKey(..)")
    }
}

impl Scheme {
    /// A receiver's key: good for each way that is accepted and whose prefix it has.
    pub fn verify_key(&self, text: &str) -> Result<VerifyKey, KeyError> {
        let checkers = self.ways_of(text).filter(|(_, way)| way.accepted);
        Ok(VerifyKey(checkers.map(|(no, way)| Ok((no, way.checker(text)?))).collect::<Result<_, KeyError>>()?))
    }

    /// A sender's key: it signs in each way whose prefix it has.
    pub fn sign_key(&self, text: &str) -> Result<SignKey, KeyError> {
        let signers = self.ways_of(text);
        Ok(SignKey(signers.map(|(no, way)| Ok((no, way.signer(text)?))).collect::<Result<_, KeyError>>()?))
    }

    /// The texts of a new key of the main way, from bytes that nobody can guess: what signs, and what verifies.
    #[must_use]
    pub fn key_pair(&self, bytes: &[u8; 32]) -> (String, String) {
        let Some(Way { algorithm, key, .. }) = self.ways.first() else { return Default::default() };
        let write = |bytes: &[u8], prefix: Option<&String>| {
            let mut text = prefix.cloned().unwrap_or_default();
            match key.form {
                KeyForm::Text | KeyForm::Hex => encode::hex(bytes, &mut text),
                KeyForm::Base64 => encode::base64(bytes, &mut text),
            }
            text
        };
        let signing = write(bytes, key.signing_prefix.as_ref().or(key.prefix.as_ref()));
        let verifying = match algorithm {
            Algorithm::Ed25519 => SigningKey::from_bytes(bytes).verifying_key().to_bytes(),
            _ => *bytes,
        };
        (signing, write(&verifying, key.prefix.as_ref()))
    }

    /// The ways that a key is for: those whose prefix it has, or else those that share the main way's shape.
    fn ways_of<'s>(&'s self, text: &str) -> impl Iterator<Item = (usize, &'s Way)> {
        let has_prefix = |way: &&Way| way.key.prefixes().any(|prefix| text.starts_with(prefix));
        let shape = self.ways.iter().find(has_prefix).or(self.ways.first()).map(|way| &way.key);
        self.ways.iter().enumerate().filter(move |(_, way)| Some(&way.key) == shape)
    }
}

impl KeyShape {
    fn prefixes(&self) -> impl Iterator<Item = &str> {
        [&self.prefix, &self.signing_prefix].into_iter().flatten().map(String::as_str)
    }

    /// The key's bytes behind its prefix.
    fn bytes(&self, text: &str, prefix: Option<&str>) -> Result<Vec<u8>, KeyError> {
        if text.trim().is_empty() {
            return Err(KeyError::Blank);
        }
        let bare = |text| prefix.and_then(|prefix| str::strip_prefix(text, prefix)).unwrap_or(text);
        let bytes = match self.form {
            KeyForm::Text => bare(text).as_bytes().to_vec(),
            KeyForm::Base64 => {
                let decoded = BASE64.decode(bare(text.trim_end()));
                decoded.map_err(|_| KeyError::NotBase64(prefix.map(str::to_owned)))?
            }
            KeyForm::Hex => hex(bare(text.trim_end())).ok_or(KeyError::NotHex)?,
        };
        if bytes.is_empty() { Err(KeyError::Blank) } else { Ok(bytes) }
    }
}

impl Way {
    fn checker(&self, text: &str) -> Result<Checker, KeyError> {
        if let Some(other) = has(text, &self.key.signing_prefix) {
            return Err(KeyError::Signs(other));
        }
        let bytes = self.key.bytes(text, self.key.prefix.as_deref())?;
        Ok(match self.algorithm {
            Algorithm::HmacSha256 => Checker::Sha256(keyed(&bytes)),
            Algorithm::HmacSha1 => Checker::Sha1(keyed(&bytes)),
            Algorithm::Token => Checker::Token(Sha256::digest(&bytes).into()),
            Algorithm::Ed25519 => {
                let given = bytes.len();
                let key = bytes.try_into().map_err(|_| KeyError::Length { wanted: "32", given })?;
                Checker::Ed25519(Box::new(VerifyingKey::from_bytes(&key).map_err(|_| KeyError::NoPoint)?))
            }
        })
    }

    fn signer(&self, text: &str) -> Result<Signer, KeyError> {
        let KeyShape { prefix, signing_prefix, .. } = &self.key;
        if let (Some(_), Some(other)) = (signing_prefix, has(text, prefix)) {
            return Err(KeyError::Verifies(other));
        }
        let bytes = self.key.bytes(text, signing_prefix.as_deref().or(prefix.as_deref()))?;
        Ok(match self.algorithm {
            Algorithm::HmacSha256 => Signer::Sha256(keyed(&bytes)),
            Algorithm::HmacSha1 => Signer::Sha1(keyed(&bytes)),
            // A token's shape is text: its bytes are the text's.
            Algorithm::Token => Signer::Token(String::from_utf8_lossy(&bytes).into_owned()),
            // A seed, or a seed with its public key.
            Algorithm::Ed25519 => {
                let length = KeyError::Length { wanted: "32, or 64 with its public key,", given: bytes.len() };
                let seed = if bytes.len() == 64 { &bytes[..32] } else { &bytes[..] };
                let key = SigningKey::from_bytes(seed.try_into().map_err(|_| length)?);
                if bytes.len() == 64 && key.verifying_key().as_bytes() != &bytes[32..] {
                    return Err(KeyError::NoPoint);
                }
                Signer::Ed25519(Box::new(key))
            }
        })
    }
}

fn has(text: &str, prefix: &Option<String>) -> Option<String> {
    prefix.as_ref().filter(|prefix| text.starts_with(prefix.as_str())).cloned()
}

/// Keyed once: hashing the key pads costs two blocks, which every signature would pay.
fn keyed<M: KeyInit>(bytes: &[u8]) -> M {
    M::new_from_slice(bytes).expect("HMAC takes any key")
}

/// Bytes from hex in either case.
fn hex(text: &str) -> Option<Vec<u8>> {
    let mut bytes = vec![0; text.len() / 2];
    encode::from_hex(text, &mut bytes).then_some(bytes)
}
