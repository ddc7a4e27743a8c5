//! A receiver's side: from headers, keys and the raw body to a verdict with its reason.
//!
//! Signatures are compared in constant time. What is compared is the text where the encoding has one text for each
//! signature, as the official libraries do, so that nothing passes here that they would refuse. The signature is
//! checked before the age: "too old" is then said of genuine requests only, and a time in the body is read behind it.

use std::borrow::Cow;

use ed25519_dalek::Signature;
use sha2::{Digest, Sha256};
use subtle::{Choice, ConstantTimeEq};

use super::{
    Algorithm, Encoding, HEADER_BYTES_MAX, HeaderNames, HeaderValues, ID_BYTES_MAX, PartPlace, Refusal, Scheme,
    TimePlace, TimeUnit, Timestamp, Tolerance, VerifyKey, Way,
    header::TIME_BYTES_MAX,
    key::Checker,
    part::Json,
    sign::tag,
    template::{Parts, Placeholder},
    unsound,
};
use crate::wire::encode;

/// More entries than a rotation needs are refused.
pub const ENTRIES_MAX: usize = 64;

/// The parts of a request that may be signed, headers apart.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The URL as the sender knows it.
    pub url: &'a str,
    /// The method, in capitals.
    pub method: &'a str,
    /// The body, untouched.
    pub body: &'a [u8],
}

/// How it is checked.
#[derive(Debug, Clone, Copy)]
pub struct Check {
    /// The receiver's clock.
    pub now_unix_ms: u64,
    /// How far the time of signing may lie off; `None`: it is not looked at.
    pub tolerance: Option<Tolerance>,
}

/// A request that is genuine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verified {
    /// The first key that matches, by its place.
    pub key: usize,
    /// The kind of signature, by its place in the scheme.
    pub way: usize,
    /// How long ago it was signed, where that is known; below 0: in the future.
    pub age_ms: Option<i64>,
}

impl Scheme {
    /// Checks a request. Any entry may match under any key, so that secrets can be rotated.
    pub fn verify<'s>(
        &'s self,
        keys: &[VerifyKey],
        headers: &(impl HeaderValues + ?Sized),
        request: &Request<'_>,
        check: Check,
    ) -> Result<Verified, Refusal<'s>> {
        let mut json = Json::new(request.body);
        let id = self.read_id(headers, &mut json)?;
        let before = self.time_before(headers, &mut json, check.tolerance.is_some())?;
        let signed_ms = self.read_time(before.as_deref(), check)?;
        let parts = Parts {
            id: &id,
            timestamp: before.as_deref().unwrap_or_default(),
            body: request.body,
            url: request.url,
            method: request.method,
        };
        let (key, way) = self.any_matches(keys, headers, &parts)?;
        let signed_ms = match (signed_ms, &self.timestamp) {
            // Only now that the body is known to be the sender's is a time in it looked for.
            (None, Some(Timestamp { place: TimePlace::Body(pointer), .. })) if check.tolerance.is_some() => {
                let text = json.text(pointer).ok_or(Refusal::NotInBody { pointer: pointer.as_str() })?;
                self.read_time(Some(&text), check)?
            }
            (known, _) => known,
        };
        let (Some(signed_ms), Some(stamp)) = (signed_ms, &self.timestamp) else {
            return Ok(Verified { key, way, age_ms: None });
        };
        if let Some(tolerance) = check.tolerance {
            tolerance.check(signed_ms, check.now_unix_ms, stamp.unit)?;
        }
        let age_ms = i64::try_from(i128::from(check.now_unix_ms) - i128::from(signed_ms)).ok();
        Ok(Verified { key, way, age_ms })
    }

    /// The time, where it is signed by itself or stands in a header: what is known before the signature is checked.
    fn time_before<'a, 's>(
        &'s self,
        headers: &'a (impl HeaderValues + ?Sized),
        json: &mut Json<'_>,
        is_checked: bool,
    ) -> Result<Option<Cow<'a, str>>, Refusal<'s>> {
        let is_signed = self.signs(Placeholder::Timestamp);
        match self.timestamp.as_ref().map(|stamp| &stamp.place) {
            Some(TimePlace::Header(names)) if is_signed || is_checked => {
                Ok(Some(Cow::Borrowed(names.read(headers, TIME_BYTES_MAX)?.1)))
            }
            Some(TimePlace::Entry(entry)) => Ok(Some(Cow::Borrowed(self.entry_time(entry, headers)?))),
            Some(TimePlace::Body(pointer)) if is_signed => {
                let text = json.text(pointer).ok_or(Refusal::NotInBody { pointer: pointer.as_str() })?;
                Ok(Some(Cow::Owned(text.into_owned())))
            }
            _ => Ok(None),
        }
    }

    /// Unix milliseconds of the time, where it is one.
    fn read_time(&self, text: Option<&str>, check: Check) -> Result<Option<u64>, Refusal<'static>> {
        let (Some(text), Some(stamp)) = (text, &self.timestamp) else { return Ok(None) };
        if stamp.opaque && check.tolerance.is_none() {
            return Ok(None);
        }
        let wanted = match stamp.unit {
            TimeUnit::Seconds => "a whole number of Unix seconds",
            TimeUnit::Milliseconds => "a whole number of Unix milliseconds",
            TimeUnit::Rfc3339 => "an RFC 3339 time",
        };
        stamp.unit.read(text).map(Some).ok_or(Refusal::TimestampMalformed { wanted })
    }

    fn read_id<'a, 's>(
        &'s self,
        headers: &'a (impl HeaderValues + ?Sized),
        json: &mut Json<'_>,
    ) -> Result<Cow<'a, str>, Refusal<'s>> {
        if !self.signs(Placeholder::Id) {
            return Ok(Cow::Borrowed(""));
        }
        match &self.id {
            None => Ok(Cow::Borrowed("")),
            Some(PartPlace::Header(names)) => Ok(Cow::Borrowed(names.read(headers, ID_BYTES_MAX)?.1)),
            Some(PartPlace::Body(pointer)) => {
                let text = json.text(pointer).ok_or(Refusal::NotInBody { pointer: pointer.as_str() })?;
                Ok(Cow::Owned(text.into_owned()))
            }
        }
    }

    /// The only time among the entries of the main way's header.
    fn entry_time<'s, 'h>(
        &'s self,
        entry: &'s str,
        headers: &'h (impl HeaderValues + ?Sized),
    ) -> Result<&'h str, Refusal<'s>> {
        let Some(way) = self.ways.first() else { return Ok("") };
        let (header, value) = way.header.read(headers, HEADER_BYTES_MAX)?;
        let mut times = way.entries(value).filter_map(|text| text.strip_prefix(entry));
        match (times.next(), times.next()) {
            (None, _) => Err(Refusal::TimestampMissing { header, entry }),
            (Some(time), None) if time.len() <= TIME_BYTES_MAX => Ok(time),
            (Some(time), None) => Err(Refusal::HeaderTooLong { header, bytes: time.len(), max: TIME_BYTES_MAX }),
            (Some(_), Some(_)) => Err(Refusal::TimestampTwice { header }),
        }
    }

    /// The places of the first key that matches and of its way.
    fn any_matches<'s>(
        &'s self,
        keys: &[VerifyKey],
        headers: &(impl HeaderValues + ?Sized),
        parts: &Parts<'_>,
    ) -> Result<(usize, usize), Refusal<'s>> {
        let mut found = None;
        let mut tried = Tried::default();
        let mut header_read: Option<(&HeaderNames, (&'s str, &str))> = None;
        for (key_no, key) in keys.iter().enumerate() {
            for (way_no, checker) in &key.0 {
                let way = &self.ways[*way_no];
                let (header, value) = match header_read {
                    Some((names, read)) if *names == way.header => read,
                    _ => {
                        let read = way.header.read(headers, HEADER_BYTES_MAX)?;
                        header_read = Some((&way.header, read));
                        read
                    }
                };
                if way.entries(value).nth(ENTRIES_MAX).is_some() {
                    return Err(Refusal::TooManyEntries { header, max: ENTRIES_MAX });
                }
                let matches = checker.any_matches(way, value, self.time_entry(), parts, &mut tried);
                tried.keys += 1;
                if bool::from(matches) && found.is_none() {
                    found = Some((key_no, *way_no));
                }
            }
        }
        found.ok_or_else(|| self.why_none(keys, headers, &tried))
    }

    /// What an entry for the time begins with.
    fn time_entry(&self) -> Option<&str> {
        match self.timestamp.as_ref()?.place {
            TimePlace::Entry(ref entry) => Some(entry),
            _ => None,
        }
    }

    fn why_none<'s>(
        &'s self,
        keys: &[VerifyKey],
        headers: &(impl HeaderValues + ?Sized),
        tried: &Tried,
    ) -> Refusal<'s> {
        let way = keys.first().and_then(|key| key.0.first()).and_then(|(no, _)| self.ways.get(*no));
        let Some(way) = way.or(self.ways.first()) else { return Refusal::NoMatch { entries: 0, keys: 0 } };
        let header = match way.header.read(headers, HEADER_BYTES_MAX) {
            Ok((header, _)) => header,
            Err(refusal) => return refusal,
        };
        match (way.algorithm, tried.known, tried.whole) {
            (Algorithm::Token, ..) => Refusal::TokenDiffers { keys: tried.keys },
            _ if tried.keys == 0 => Refusal::NoMatch { entries: 0, keys: 0 },
            (_, 0, _) => Refusal::NoKnownEntry { header, entry: &way.entry },
            (_, _, 0) => Refusal::MalformedSignature { header, wanted: way.wanted() },
            (_, _, entries) => Refusal::NoMatch { entries: entries.div_ceil(tried.keys), keys: tried.keys },
        }
    }
}

/// What there was to compare with, over all keys.
#[derive(Debug, Default)]
struct Tried {
    keys: usize,
    /// Entries of the right kind.
    known: usize,
    /// Of these, as many as are as long as a signature.
    whole: usize,
}

impl Way {
    /// The entries of a header's value.
    fn entries<'w, 'v>(&'w self, value: &'v str) -> Entries<'w, 'v> {
        Entries { rest: Some(value), separator: self.separator.as_deref() }
    }

    /// How a signature is written.
    fn wanted(&self) -> &'static str {
        match (self.algorithm, self.encoding) {
            (Algorithm::HmacSha256, Encoding::Hex) => "64 lowercase hex digits",
            (Algorithm::HmacSha256, Encoding::HexAnyCase) => "64 hex digits",
            (Algorithm::HmacSha256, Encoding::Base64) => "base64 of 32 bytes, padded",
            (Algorithm::HmacSha1, Encoding::Hex) => "40 lowercase hex digits",
            (Algorithm::HmacSha1, Encoding::HexAnyCase) => "40 hex digits",
            (Algorithm::HmacSha1, Encoding::Base64) => "base64 of 20 bytes, padded",
            (Algorithm::Ed25519, Encoding::Hex) => "128 lowercase hex digits",
            (Algorithm::Ed25519, Encoding::HexAnyCase) => "128 hex digits",
            (Algorithm::Ed25519, Encoding::Base64) => "base64 of 64 bytes, padded",
            (Algorithm::Token, _) => "the token",
        }
    }
}

/// The entries of a header's value, one after the other.
struct Entries<'w, 'v> {
    rest: Option<&'v str>,
    separator: Option<&'w str>,
}

impl<'v> Iterator for Entries<'_, 'v> {
    type Item = &'v str;

    fn next(&mut self) -> Option<&'v str> {
        let rest = self.rest.take()?;
        let Some(separator) = self.separator else { return Some(rest) };
        // One byte is looked for, and no search is prepared, where the separator is one byte.
        let at = match separator.as_bytes() {
            [byte] => rest.bytes().position(|known| known == *byte),
            _ => rest.find(separator),
        };
        let Some(at) = at else { return Some(rest) };
        self.rest = Some(&rest[at + separator.len()..]);
        Some(&rest[..at])
    }
}

/// The longest text of a signature: hex of 64 bytes.
const TEXT_MAX: usize = 128;

impl Checker {
    fn any_matches(
        &self,
        way: &Way,
        value: &str,
        time_entry: Option<&str>,
        parts: &Parts<'_>,
        tried: &mut Tried,
    ) -> Choice {
        let not_time = |entry: &&str| time_entry.is_none_or(|time| !entry.starts_with(time));
        let signatures = way.entries(value).filter(not_time).filter_map(|entry| entry.strip_prefix(way.entry.as_str()));
        let mut matches = Choice::from(0);
        match self {
            Checker::Sha256(keyed) => {
                let wanted = Wanted::new(way.encoding, &tag(keyed, way, parts));
                signatures.for_each(|given| matches |= wanted.is(given, tried));
            }
            Checker::Sha1(keyed) => {
                let wanted = Wanted::new(way.encoding, &tag(keyed, way, parts));
                signatures.for_each(|given| matches |= wanted.is(given, tried));
            }
            Checker::Plain => {
                let wanted = Wanted::new(way.encoding, &unsound::plain(way, parts));
                signatures.for_each(|given| matches |= wanted.is(given, tried));
            }
            Checker::Token(hash) => {
                for given in signatures {
                    tried.known += 1;
                    matches |= Sha256::digest(given.as_bytes()).ct_eq(hash.as_slice());
                }
            }
            Checker::Ed25519(key) => {
                let mut signed = Vec::with_capacity(parts.body.len() + 128);
                way.signed.each(parts, |piece| signed.extend_from_slice(piece));
                for given in signatures {
                    tried.known += 1;
                    let mut bytes = [0; 64];
                    if !decode(way.encoding, given, &mut bytes) {
                        continue;
                    }
                    tried.whole += 1;
                    // Strictly, as libsodium: no second signature of the same text, no key of small order.
                    matches |= u8::from(key.verify_strict(&signed, &Signature::from_bytes(&bytes)).is_ok()).into();
                }
            }
        }
        matches
    }
}

/// The text that a signature should be.
struct Wanted {
    text: [u8; TEXT_MAX],
    length: usize,
    any_case: bool,
}

impl Wanted {
    fn new(encoding: Encoding, tag: &[u8]) -> Wanted {
        let mut text = [0; TEXT_MAX];
        let length = match encoding {
            Encoding::Hex | Encoding::HexAnyCase => encode::hex_into(tag, &mut text),
            Encoding::Base64 => encode::base64_into(tag, &mut text),
        };
        Wanted { text, length, any_case: encoding == Encoding::HexAnyCase }
    }

    fn is(&self, given: &str, tried: &mut Tried) -> Choice {
        tried.known += 1;
        if given.len() != self.length {
            return Choice::from(0);
        }
        tried.whole += 1;
        let wanted = &self.text[..self.length];
        if !self.any_case {
            return given.as_bytes().ct_eq(wanted);
        }
        let mut lower = [0; TEXT_MAX];
        lower[..self.length].copy_from_slice(given.as_bytes());
        lower.make_ascii_lowercase();
        lower[..self.length].ct_eq(wanted)
    }
}

/// Whether a text is so many bytes, written in the only way that this encoding knows.
fn decode(encoding: Encoding, text: &str, bytes: &mut [u8]) -> bool {
    match encoding {
        Encoding::Hex => encode::from_hex(text, bytes) && !text.bytes().any(|byte| byte.is_ascii_uppercase()),
        Encoding::HexAnyCase => encode::from_hex(text, bytes),
        Encoding::Base64 => encode::from_base64(text, bytes),
    }
}
