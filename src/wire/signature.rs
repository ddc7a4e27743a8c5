//! Standard Webhooks 1.0 signatures: HMAC-SHA256 over `{id}.{timestamp}.{body}`.
//!
//! Also the unkeyed SHA-256 that some integrations take for a signature, because a receiver that is
//! wrong in this way is one of the lessons.

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::model::Span;

/// An endpoint's signing secret: `whsec_` and base64 of 24 to 64 bytes on paper.
///
/// `Debug` prints nothing of it.
#[derive(Clone)]
pub struct Secret {
    bytes: Vec<u8>,
    /// Keyed once: hashing the key pads costs two blocks, which every signature would pay.
    keyed: Hmac<Sha256>,
}

/// A text that is no secret. Never contains the text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// No `whsec_` prefix.
    #[error("a Standard Webhooks secret starts with 'whsec_'")]
    Prefix,
    /// Not base64.
    #[error("what follows 'whsec_' is not base64")]
    Base64,
    /// Too short or too long.
    #[error("a Standard Webhooks secret has 24 to 64 bytes, this one has {0}")]
    Length(usize),
}

impl Secret {
    const PREFIX: &'static str = "whsec_";

    /// A secret from raw bytes, 24 to 64 of them.
    pub fn from_bytes(bytes: &[u8]) -> Result<Secret, SecretError> {
        if !(24..=64).contains(&bytes.len()) {
            return Err(SecretError::Length(bytes.len()));
        }
        // HMAC takes a key of any length.
        let keyed = Hmac::<Sha256>::new_from_slice(bytes).expect("HMAC takes any key");
        Ok(Secret { bytes: bytes.to_vec(), keyed })
    }

    /// Reads `whsec_<base64>`.
    pub fn parse(text: &str) -> Result<Secret, SecretError> {
        let encoded = text.trim().strip_prefix(Self::PREFIX).ok_or(SecretError::Prefix)?;
        Secret::from_bytes(&BASE64.decode(encoded).map_err(|_| SecretError::Base64)?)
    }

    /// `whsec_<base64>`: to hand to the other party, once.
    #[must_use]
    pub fn reveal(&self) -> String {
        format!("{}{}", Self::PREFIX, BASE64.encode(&self.bytes))
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Secret) -> bool {
        self.bytes == other.bytes
    }
}

impl Eq for Secret {}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// Why a signature was refused. For the operator; the sender is told 401 and nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// The timestamp is no whole number of seconds.
    #[error("the timestamp is not a whole number of seconds")]
    MalformedTimestamp,
    /// The timestamp lies outside the tolerance.
    #[error("the timestamp lies outside the tolerance")]
    StaleTimestamp,
    /// The header has no entry of a known version.
    #[error("the signature header has no v1 entry")]
    MalformedSignature,
    /// No entry matches under any secret.
    #[error("no signature matches")]
    Mismatch,
}

fn mac(secret: &Secret, id: &str, timestamp: &str, body: &[u8]) -> Hmac<Sha256> {
    let mut mac = secret.keyed.clone();
    for part in [id.as_bytes(), b".", timestamp.as_bytes(), b".", body] {
        mac.update(part);
    }
    mac
}

/// `v1,` and the base64 of 32 bytes.
const ENTRY_BYTES: usize = 47;

/// The signature header's value for one attempt: `v1,<base64>`.
#[must_use]
pub fn sign(secret: &Secret, id: &str, timestamp_s: u64, body: &[u8]) -> String {
    entry(&mac(secret, id, &timestamp_s.to_string(), body).finalize().into_bytes())
}

/// One entry per secret, so that a receiver which knows any of them can verify.
#[must_use]
pub fn sign_with_each<'a>(
    secrets: impl IntoIterator<Item = &'a Secret>,
    id: &str,
    timestamp_s: u64,
    body: &[u8],
) -> String {
    let mut secrets = secrets.into_iter();
    let mut value = secrets.next().map(|secret| sign(secret, id, timestamp_s, body)).unwrap_or_default();
    for secret in secrets {
        value.push(' ');
        value.push_str(&sign(secret, id, timestamp_s, body));
    }
    value
}

/// What needs no secret and proves nothing: SHA-256 over the same content.
#[must_use]
pub fn sign_unkeyed(id: &str, timestamp_s: u64, body: &[u8]) -> String {
    entry(&unkeyed(id, &timestamp_s.to_string(), body))
}

fn entry(tag: &[u8]) -> String {
    let mut entry = String::with_capacity(ENTRY_BYTES);
    entry.push_str("v1,");
    BASE64.encode_string(tag, &mut entry);
    entry
}

fn unkeyed(id: &str, timestamp: &str, body: &[u8]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in [id.as_bytes(), b".", timestamp.as_bytes(), b".", body] {
        hash.update(part);
    }
    hash.finalize().into()
}

/// Checks timestamp and signature of the raw body. Any entry may match under any secret, so that
/// secrets can be rotated. Compares in constant time; the tolerance is two-sided.
pub fn verify(
    secrets: &[Secret],
    id: &str,
    timestamp: &str,
    signatures: &str,
    body: &[u8],
    now_unix_s: u64,
    tolerance: Span,
) -> Result<(), SignatureError> {
    check_timestamp(timestamp, now_unix_s, tolerance)?;
    let tags: Vec<[u8; 32]> =
        secrets.iter().map(|secret| mac(secret, id, timestamp, body).finalize().into_bytes().into()).collect();
    any_entry_matches(signatures, &tags)
}

/// The same check against the unkeyed hash, for receivers that are wrong on purpose.
pub fn verify_unkeyed(
    id: &str,
    timestamp: &str,
    signatures: &str,
    body: &[u8],
    now_unix_s: u64,
    tolerance: Span,
) -> Result<(), SignatureError> {
    check_timestamp(timestamp, now_unix_s, tolerance)?;
    any_entry_matches(signatures, &[unkeyed(id, timestamp, body)])
}

fn check_timestamp(timestamp: &str, now_unix_s: u64, tolerance: Span) -> Result<(), SignatureError> {
    // Digits only, so that what is signed is exactly what is compared.
    if timestamp.is_empty() || !timestamp.bytes().all(|b| b.is_ascii_digit()) {
        return Err(SignatureError::MalformedTimestamp);
    }
    let signed: u64 = timestamp.parse().map_err(|_| SignatureError::MalformedTimestamp)?;
    if signed.abs_diff(now_unix_s) > tolerance.0 / 1_000_000_000 {
        return Err(SignatureError::StaleTimestamp);
    }
    Ok(())
}

/// More entries than a rotation needs are not looked at.
const ENTRIES_MAX: usize = 16;

fn any_entry_matches(signatures: &str, tags: &[[u8; 32]]) -> Result<(), SignatureError> {
    let entries = signatures.split(' ').take(ENTRIES_MAX).filter_map(|entry| entry.strip_prefix("v1,"));
    let mut known = false;
    let mut matches = subtle::Choice::from(0);
    for entry in entries {
        known = true;
        let mut given = [0; 32];
        if matches!(BASE64.decode_slice(entry, &mut given), Ok(32)) {
            for tag in tags {
                matches |= tag.ct_eq(&given);
            }
        }
    }
    match (known, bool::from(matches)) {
        (_, true) => Ok(()),
        (true, false) => Err(SignatureError::Mismatch),
        (false, false) => Err(SignatureError::MalformedSignature),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MINUTES_5: Span = Span::from_secs(300);

    fn secret(byte: u8) -> Secret {
        Secret::from_bytes(&[byte; 32]).unwrap()
    }

    #[test]
    fn the_published_vector_of_the_standard_verifies() {
        // From the Standard Webhooks reference libraries' own tests.
        let secret = Secret::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let signed = sign(&secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, br#"{"test": 2432232314}"#);
        assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn secrets_read_back_and_never_show_in_debug() {
        let one = secret(7);
        assert_eq!(Secret::parse(&one.reveal()), Ok(one.clone()));
        assert_eq!(format!("{one:?}"), "Secret(..)");
        assert_eq!(Secret::parse("sk_live"), Err(SecretError::Prefix));
        assert_eq!(Secret::parse("whsec_!!"), Err(SecretError::Base64));
        assert_eq!(Secret::parse("whsec_AAAA"), Err(SecretError::Length(3)));
    }

    #[test]
    fn any_entry_under_any_secret_is_enough_for_rotation() {
        let (old, new) = (secret(1), secret(2));
        let header = format!("v2,xyz v1,AAAA {}", sign(&new, "id", 1000, b"body"));
        let check = |secrets: &[Secret]| verify(secrets, "id", "1000", &header, b"body", 1000, MINUTES_5);
        assert_eq!(check(&[old.clone(), new]), Ok(()));
        assert_eq!(check(&[old]), Err(SignatureError::Mismatch));
        assert_eq!(check(&[]), Err(SignatureError::Mismatch));
        let both = sign_with_each([&secret(2), &secret(1)], "id", 1000, b"body");
        for known in [1, 2] {
            assert_eq!(verify(&[secret(known)], "id", "1000", &both, b"body", 1000, MINUTES_5), Ok(()));
        }
    }

    #[test]
    fn the_tolerance_is_two_sided_and_the_timestamp_is_digits() {
        let one = secret(1);
        let check = |timestamp: &str, now| {
            let header = sign(&one, "id", timestamp.trim().parse().unwrap_or(0), b"body");
            verify(std::slice::from_ref(&one), "id", timestamp, &header, b"body", now, MINUTES_5)
        };
        assert_eq!(check("1000", 1300), Ok(()));
        assert_eq!(check("1000", 1301), Err(SignatureError::StaleTimestamp));
        assert_eq!(check("1301", 1000), Err(SignatureError::StaleTimestamp));
        for bad in ["", "+1000", " 1000", "1000.9", "99999999999999999999"] {
            assert_eq!(check(bad, 1000), Err(SignatureError::MalformedTimestamp), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn a_changed_byte_anywhere_is_refused(body in proptest::collection::vec(any::<u8>(), 1..200), at: prop::sample::Index, bit in 0u8..8) {
            let one = secret(9);
            let header = sign(&one, "id", 1000, &body);
            let mut changed = body.clone();
            changed[at.index(body.len())] ^= 1 << bit;
            let check = |body: &[u8]| verify(std::slice::from_ref(&one), "id", "1000", &header, body, 1000, MINUTES_5);
            prop_assert_eq!(check(&body), Ok(()));
            prop_assert_eq!(check(&changed), Err(SignatureError::Mismatch));
        }

        #[test]
        fn no_header_makes_verification_panic(timestamp in "\\PC{0,30}", signatures in "\\PC{0,80}") {
            let _ = verify(&[secret(1)], "id", &timestamp, &signatures, b"", 1000, MINUTES_5);
        }
    }
}
