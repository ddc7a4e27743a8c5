//! Where a request says what it is about.

use super::{
    fields::{Place, place},
    raw::{RawEvent, RawPlace},
};
use crate::{
    scenario::error::{At, Problem},
    wire::scheme::{HeaderNames, Pointer},
};

/// What a receiver wants to know of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventPart {
    /// Its id, stable over retries.
    Id,
    /// Its type.
    Type,
    /// What changed.
    Subject,
    /// To which version.
    Version,
    /// When it happened.
    OccurredAt,
}

impl EventPart {
    /// Every part by its key in files.
    pub const TABLE: [(&'static str, EventPart); 5] = [
        ("id", EventPart::Id),
        ("type", EventPart::Type),
        ("subject", EventPart::Subject),
        ("version", EventPart::Version),
        ("occurred_at", EventPart::OccurredAt),
    ];

    fn of(self, raw: &RawEvent) -> Option<&RawPlace> {
        match self {
            EventPart::Id => raw.id.as_ref(),
            EventPart::Type => raw.r#type.as_ref(),
            EventPart::Subject => raw.subject.as_ref(),
            EventPart::Version => raw.version.as_ref(),
            EventPart::OccurredAt => raw.occurred_at.as_ref(),
        }
    }
}

/// Where it stands.
#[derive(Debug, Clone)]
pub enum EventPlace {
    /// In a header.
    Header(HeaderNames),
    /// In the body.
    Body(Pointer),
}

impl std::fmt::Display for EventPlace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            EventPlace::Header(names) => {
                let names: Vec<&str> = names.iter().collect();
                write!(f, "header {}", names.join(" or "))
            }
            EventPlace::Body(pointer) => write!(f, "body {}", pointer.as_str()),
        }
    }
}

/// The places, and whether the id tells copies apart from other events (otherwise the body's digest does).
pub(super) fn read(at: &At, raw: &RawEvent) -> Result<(Vec<(EventPart, EventPlace)>, bool), Problem> {
    let mut places = Vec::new();
    for (key, part) in EventPart::TABLE {
        let Some(raw) = part.of(raw) else { continue };
        let place = match place(&at.key(key), raw)? {
            Place::Header(names) => EventPlace::Header(names),
            Place::Body(pointer) => EventPlace::Body(pointer),
        };
        places.push((part, place));
    }
    let by_id = match raw.dedupe.as_deref() {
        None => raw.id.is_some(),
        Some("digest") => false,
        Some("id") if raw.id.is_some() => true,
        Some("id") => return Err(at.key("dedupe").problem("there is no id", "say where it is, or write \"digest\"")),
        Some(other) => {
            return Err(at.key("dedupe").problem(format!("\"{other}\" is unknown"), "write one of: id, digest"));
        }
    };
    Ok((places, by_id))
}
