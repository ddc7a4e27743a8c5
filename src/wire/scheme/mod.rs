//! Signature schemes as data: how a provider signs a webhook, and how its receiver checks it.
//!
//! Owns the way from a scheme, a key and the parts of a request to headers, and from headers to a verdict with its
//! reason. Knows no provider by name, no file format, no clock and no socket; `src/profile/` makes schemes from files.

mod header;
mod key;
mod part;
mod refusal;
mod sign;
mod template;
mod time;
mod unsound;
mod verify;

pub use header::{HEADER_BYTES_MAX, HeaderName, HeaderNames, HeaderValues, ID_BYTES_MAX};
pub use key::{KeyError, KeyForm, KeyShape, SignKey, VerifyKey};
pub use part::{Pointer, PointerError};
pub use refusal::Refusal;
pub use sign::{Message, SignError};
pub use template::{Placeholder, Template, TemplateError};
pub use time::{Sides, TimeUnit, Tolerance};
pub use verify::{Check, ENTRIES_MAX, Request, Verified};

/// How a provider signs. A provider that signs nothing has no scheme.
#[derive(Debug, Clone)]
pub struct Scheme {
    /// Kinds of signature. The first is the main one: a key without any kind's prefix is for it.
    pub ways: Vec<Way>,
    /// Where the id that is signed stands.
    pub id: Option<PartPlace>,
    /// When the request was signed.
    pub timestamp: Option<Timestamp>,
    /// How far that may lie off; `None`: any time will do.
    pub tolerance: Option<Tolerance>,
}

/// One kind of signature.
#[derive(Debug, Clone)]
pub struct Way {
    /// What makes it.
    pub algorithm: Algorithm,
    /// How its key is written.
    pub key: KeyShape,
    /// What is signed. Of a token: nothing.
    pub signed: Template,
    /// The header that it stands in.
    pub header: HeaderNames,
    /// What lies between the entries of the header; `None`: the whole value is one entry.
    pub separator: Option<String>,
    /// What an entry of this kind begins with, such as `v1=`.
    pub entry: String,
    /// How the bytes of the signature are written.
    pub encoding: Encoding,
    /// Whether it is enough for a receiver. What is sent for old receivers only is not.
    pub accepted: bool,
}

/// What makes a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// HMAC with SHA-256.
    HmacSha256,
    /// HMAC with SHA-1, of old providers.
    HmacSha1,
    /// Ed25519: the receiver holds a public key.
    Ed25519,
    /// The secret itself, in clear: says nothing of the body.
    Token,
}

/// How the bytes of a signature are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// Hex in lowercase, compared as text: other cases are another text.
    Hex,
    /// Hex in either case.
    HexAnyCase,
    /// Base64 of the standard alphabet, padded, compared as text.
    Base64,
}

/// Where a part of a request stands.
#[derive(Debug, Clone)]
pub enum PartPlace {
    /// In a header.
    Header(HeaderNames),
    /// In the body, which is JSON.
    Body(Pointer),
}

impl std::fmt::Display for PartPlace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            PartPlace::Header(names) => write!(f, "header {names}"),
            PartPlace::Body(pointer) => write!(f, "body {}", pointer.as_str()),
        }
    }
}

/// Where the time of signing stands and how it is written.
#[derive(Debug, Clone)]
pub struct Timestamp {
    /// Where.
    pub place: TimePlace,
    /// In which unit.
    pub unit: TimeUnit,
    /// Whether it is a time only where a tolerance is asked for, and any text otherwise.
    pub opaque: bool,
}

/// Where a time stands.
#[derive(Debug, Clone)]
pub enum TimePlace {
    /// In a header of its own.
    Header(HeaderNames),
    /// In an entry of the signature's header that begins so.
    Entry(String),
    /// In the body, which is JSON.
    Body(Pointer),
}

impl Scheme {
    /// Whether the text that is signed, by a way that is accepted, has this part.
    #[must_use]
    pub fn signs(&self, part: Placeholder) -> bool {
        self.ways.iter().any(|way| way.accepted && way.signed.has(part))
    }

    /// Whether it can be told how old a request is.
    #[must_use]
    pub fn has_time(&self) -> bool {
        self.timestamp.is_some()
    }
}

#[cfg(test)]
mod tests;
