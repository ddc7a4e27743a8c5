//! A sender's side: from a message and keys to headers.

use ed25519_dalek::Signer as _;
use hmac::Mac;

use super::{
    Encoding, PartPlace, Scheme, SignKey, TimePlace, Way,
    key::Signer,
    part::Json,
    template::{Parts, Placeholder},
    unsound,
};
use crate::wire::encode;

/// What is signed, and when.
#[derive(Debug, Clone, Copy)]
pub struct Message<'a> {
    /// The event's id.
    pub id: &'a str,
    /// The sender's clock.
    pub unix_ms: u64,
    /// Where it goes.
    pub url: &'a str,
    /// How, in capitals.
    pub method: &'a str,
    /// The body.
    pub body: &'a [u8],
}

/// A message that cannot be signed in this scheme.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignError {
    /// What is signed stands in the body, and is not there.
    #[error("the body is no JSON with a text or a number at {0}, which is signed")]
    NotInBody(String),
}

impl Scheme {
    /// Hands out each header, by name and value. Where the scheme has entries each key makes one, so that a receiver
    /// which knows any of them can verify; where there is place for one signature the first key makes it.
    pub fn sign(
        &self,
        keys: &[SignKey],
        message: &Message<'_>,
        mut write: impl FnMut(&str, &str),
    ) -> Result<(), SignError> {
        let mut json = Json::new(message.body);
        let mut of_body = |pointer: &super::Pointer| {
            let text = json.text(pointer).map(std::borrow::Cow::into_owned);
            text.ok_or_else(|| SignError::NotInBody(pointer.as_str().to_owned()))
        };
        let needs = |part| self.ways.iter().any(|way| way.signed.has(part));
        let body_id = match &self.id {
            Some(PartPlace::Body(pointer)) if needs(Placeholder::Id) => Some(of_body(pointer)?),
            _ => None,
        };
        let timestamp = match &self.timestamp {
            None => String::new(),
            Some(time) => match &time.place {
                TimePlace::Body(pointer) if needs(Placeholder::Timestamp) => of_body(pointer)?,
                _ => time.unit.write(message.unix_ms),
            },
        };
        let Message { id, url, method, body, .. } = *message;
        let parts = Parts { id: body_id.as_deref().unwrap_or(id), timestamp: &timestamp, body, url, method };
        if let Some(PartPlace::Header(names)) = &self.id {
            write(names.sent(), id);
        }
        if let Some(TimePlace::Header(names)) = self.timestamp.as_ref().map(|time| &time.place) {
            write(names.sent(), &timestamp);
        }
        for (no, way) in self.ways.iter().enumerate() {
            let shares = |other: &Way| other.header.sent() == way.header.sent();
            if self.ways[..no].iter().any(shares) {
                continue;
            }
            let value = self.value(way, keys, &parts);
            if !value.is_empty() {
                write(way.header.sent(), &value);
            }
        }
        Ok(())
    }

    /// The value of the header of a way, with the entries of all ways that share it.
    fn value(&self, first: &Way, keys: &[SignKey], parts: &Parts<'_>) -> String {
        let mut value = String::with_capacity(128);
        let separator = first.separator.as_deref();
        let time = self.timestamp.as_ref().map(|time| &time.place);
        let next = |value: &mut String, entry: &str| {
            if !value.is_empty() {
                value.push_str(separator.unwrap_or_default());
            }
            value.push_str(entry);
        };
        if let Some(TimePlace::Entry(entry)) = time {
            next(&mut value, entry);
            value.push_str(parts.timestamp);
        }
        for (no, signer) in keys.iter().flat_map(|key| &key.0) {
            let way = &self.ways[*no];
            if way.header.sent() != first.header.sent() {
                continue;
            }
            next(&mut value, &way.entry);
            signer.write(way, parts, &mut value);
            if separator.is_none() {
                break;
            }
        }
        value
    }
}

impl Signer {
    fn write(&self, way: &Way, parts: &Parts<'_>, value: &mut String) {
        match self {
            Signer::Token(token) => value.push_str(token),
            Signer::Plain => write_encoded(way.encoding, &unsound::plain(way, parts), value),
            Signer::Sha256(keyed) => write_encoded(way.encoding, &tag(keyed, way, parts), value),
            Signer::Sha1(keyed) => write_encoded(way.encoding, &tag(keyed, way, parts), value),
            Signer::Ed25519(key) => {
                let mut signed = Vec::with_capacity(parts.body.len() + 128);
                way.signed.each(parts, |piece| signed.extend_from_slice(piece));
                write_encoded(way.encoding, &key.sign(&signed).to_bytes(), value);
            }
        }
    }
}

/// The tag of what is signed.
pub(super) fn tag<M: Mac + Clone>(keyed: &M, way: &Way, parts: &Parts<'_>) -> hmac::digest::Output<M> {
    let mut mac = keyed.clone();
    way.signed.each(parts, |piece| mac.update(piece));
    mac.finalize().into_bytes()
}

fn write_encoded(encoding: Encoding, bytes: &[u8], value: &mut String) {
    match encoding {
        Encoding::Hex | Encoding::HexAnyCase => encode::hex(bytes, value),
        Encoding::Base64 => encode::base64(bytes, value),
    }
}
