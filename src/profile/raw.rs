//! A profile as it is written, before anything is checked. `docs/profiles.md` explains every key.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::scenario::{error::At, raw::RawProvider};

/// A provider's profile.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawProfile {
    /// What it is called on the command line and in scenarios.
    pub name: String,
    /// Other names that mean the same.
    #[serde(default)]
    pub aliases: Vec<String>,
    /// One line for people.
    pub title: String,
    /// Where its facts come from, at least one.
    #[serde(default)]
    pub source: Vec<RawSource>,
    /// Keys of this file that the provider does not publish, such as "delivery.retry".
    #[serde(default)]
    pub assumed: Vec<String>,
    /// How it signs.
    pub signature: RawSignature,
    /// Where a request says what it is about.
    #[serde(default)]
    pub event: RawEvent,
    /// How it sends: keys of `[[provider]]`.
    #[serde(default)]
    #[schemars(with = "RawProvider")]
    pub delivery: toml::Table,
    /// How its API is asked: keys of `[[provider]]`.
    #[serde(default)]
    #[schemars(with = "RawProvider")]
    pub pull: toml::Table,
    /// What it asks of an endpoint before it delivers to it.
    pub handshake: Option<RawHandshake>,
    /// Requests as it sends them.
    #[serde(default)]
    pub payload: Vec<RawPayload>,
}

/// Where facts come from.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawSource {
    /// Which facts.
    pub what: String,
    /// Where they are stated.
    pub r#where: String,
    /// How far they can be trusted.
    pub confidence: Confidence,
}

/// How far a fact can be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Confidence {
    /// The provider says so, in its documentation or its code.
    Documented,
    /// Somebody else says that the provider says so.
    ThirdParty,
    /// It follows from what the provider says or does.
    Inferred,
    /// Nobody says so.
    Assumed,
}

impl Confidence {
    /// As it is written.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Confidence::Documented => "documented",
            Confidence::ThirdParty => "third-party",
            Confidence::Inferred => "inferred",
            Confidence::Assumed => "assumed",
        }
    }
}

/// How requests are signed.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawSignature {
    /// "hmac-sha256", "hmac-sha1", "ed25519", "token", or "none".
    #[schemars(extend("enum" = ["hmac-sha256", "hmac-sha1", "ed25519", "token", "none"]))]
    pub algorithm: Option<String>,
    /// How the key is written.
    pub key: Option<RawKey>,
    /// What is signed: {id}, {timestamp}, {body}, {url}, {method} and text.
    pub signed: Option<String>,
    /// The header of the signature, or several names of it: the first is sent, the first that is there is read.
    pub header: Option<OneOrMany>,
    /// What lies between the entries of the header. Without it the whole value is one entry.
    pub separator: Option<String>,
    /// How an entry is written, such as "v1={signature}". Default "{signature}".
    pub entry: Option<String>,
    /// "hex" (lowercase only), "hex-any-case" or "base64".
    #[schemars(extend("enum" = ["hex", "hex-any-case", "base64"]))]
    pub encoding: Option<String>,
    /// Where the id that is signed stands.
    pub id: Option<RawPlace>,
    /// Where the time of signing stands, and how it is written.
    pub timestamp: Option<RawTimestamp>,
    /// How far the time of signing may lie off. Default: any time will do.
    pub tolerance: Option<String>,
    /// "both", or "past": a time in the future is not refused. Default "both".
    #[schemars(extend("enum" = ["both", "past"]))]
    pub sides: Option<String>,
    /// Further kinds of signature; what they leave out is as in `[signature]`.
    #[serde(default)]
    pub also: Vec<RawAlso>,
}

/// How a key is written.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawKey {
    /// "text" (the key is the text, all of it), "base64" or "hex".
    #[schemars(extend("enum" = ["text", "base64", "hex"]))]
    pub form: String,
    /// What may stand before the key and is no part of it.
    pub prefix: Option<String>,
    /// The same of the key that signs, where that is another one.
    pub signing_prefix: Option<String>,
}

/// A place in a request.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawPlace {
    /// A header, or several names of it.
    pub header: Option<OneOrMany>,
    /// A JSON pointer into the body. Several, for payloads that differ, where an event's subject, version or time is
    /// meant: what is there counts.
    pub body: Option<OneOrMany>,
}

/// Where a time stands, and how it is written.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawTimestamp {
    /// A header, or several names of it.
    pub header: Option<OneOrMany>,
    /// An entry of the signature's header, such as "t={timestamp}".
    pub entry: Option<String>,
    /// A JSON pointer into the body.
    pub body: Option<String>,
    /// "s", "ms" or "rfc3339".
    #[schemars(extend("enum" = ["s", "ms", "rfc3339"]))]
    pub unit: Option<String>,
    /// Whether any text is taken where no tolerance is asked for. Default false.
    #[serde(default)]
    pub opaque: bool,
}

/// A further kind of signature.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawAlso {
    /// As in `[signature]`.
    pub algorithm: Option<String>,
    /// As in `[signature]`.
    pub key: Option<RawKey>,
    /// As in `[signature]`.
    pub signed: Option<String>,
    /// As in `[signature]`.
    pub header: Option<OneOrMany>,
    /// As in `[signature]`.
    pub entry: Option<String>,
    /// As in `[signature]`.
    pub encoding: Option<String>,
    /// Whether it is enough for a receiver. Default true.
    pub accepted: Option<bool>,
}

/// One name, or several.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum OneOrMany {
    /// One.
    One(String),
    /// Several.
    Many(Vec<String>),
}

impl OneOrMany {
    /// Each, with where it stands.
    pub(super) fn each<'a>(&'a self, at: &'a At) -> impl Iterator<Item = (At, &'a String)> {
        let (texts, is_list) = match self {
            OneOrMany::One(text) => (std::slice::from_ref(text), false),
            OneOrMany::Many(texts) => (texts.as_slice(), true),
        };
        texts.iter().enumerate().map(move |(index, text)| (if is_list { at.index(index) } else { at.clone() }, text))
    }
}

/// Where a request says what it is about. What it does not say is left out.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawEvent {
    /// The event's id, stable over retries.
    pub id: Option<RawPlace>,
    /// Its type.
    pub r#type: Option<RawPlace>,
    /// What changed.
    pub subject: Option<RawPlace>,
    /// To which version.
    pub version: Option<RawPlace>,
    /// When it happened.
    pub occurred_at: Option<RawPlace>,
    /// What tells copies apart from other events: "id", or "digest" of the body.
    #[schemars(extend("enum" = ["id", "digest"]))]
    pub dedupe: Option<String>,
    /// How ids are written: "text" (`id_prefix`, then the run's id and the event's number), "uuid", or "number".
    /// Default "text".
    #[schemars(extend("enum" = ["text", "uuid", "number"]))]
    pub id_form: Option<String>,
    /// What an id of the form "text" begins with. Default "evt_".
    pub id_prefix: Option<String>,
}

/// A first contact.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawHandshake {
    /// What tells it from an event.
    pub mark: RawMark,
    /// Its body, with {{challenge}} where a challenge stands.
    pub body: String,
    /// A JSON pointer: what stands there must come back, by itself or in JSON at the same place, with any 2xx.
    pub echo: Option<String>,
    /// Or: the status that must be answered.
    pub status: Option<u16>,
}

/// What tells a first contact from an event.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawMark {
    /// A JSON pointer into the body.
    pub body: String,
    /// The text, or the number as it is written, that stands there.
    pub is: String,
}

/// A request as the provider sends it.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawPayload {
    /// Its type.
    pub event: String,
    /// Headers, beside those of the signature.
    #[serde(default)]
    pub headers: std::collections::BTreeMap<String, String>,
    /// The body.
    pub body: String,
}
