//! Where a request says what it is about.

use super::{
    fields::{place, places},
    raw::{RawEvent, RawPlace},
};
use crate::{
    scenario::error::{At, Problem},
    wire::{IdForm, scheme::PartPlace},
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

/// How ids are written.
pub(super) fn read_id_form(at: &At, raw: &RawEvent) -> Result<IdForm, Problem> {
    let prefix_at = at.key("id_prefix");
    let form = match raw.id_form.as_deref() {
        None | Some("text") => {
            let prefix = raw.id_prefix.as_deref().unwrap_or("evt_");
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
            if prefix.len() > 20 || !prefix.bytes().all(plain) {
                return Err(
                    prefix_at.problem("is no beginning of an id", "write up to 20 letters, digits, '_' and '-'")
                );
            }
            return Ok(IdForm::Prefixed(prefix.to_owned()));
        }
        Some("uuid") => IdForm::Uuid,
        Some("number") => IdForm::Number,
        Some(other) => {
            let fix = "write one of: text, uuid, number";
            return Err(at.key("id_form").problem(format!("\"{other}\" is unknown"), fix));
        }
    };
    match raw.id_prefix {
        None => Ok(form),
        Some(_) => Err(prefix_at.problem("such an id begins with itself", "remove it, or write id_form = \"text\"")),
    }
}

/// The places, some parts with several, and whether the id tells copies apart from other events (otherwise the body's digest does).
pub(super) fn read(at: &At, raw: &RawEvent) -> Result<(Vec<(EventPart, PartPlace)>, bool), Problem> {
    let mut all = Vec::new();
    for (key, part) in EventPart::TABLE {
        let Some(raw) = part.of(raw) else { continue };
        let at = at.key(key);
        match part {
            // What tells a request apart from others is looked for in one place.
            EventPart::Id | EventPart::Type => all.push((part, place(&at, raw)?)),
            _ => all.extend(places(&at, raw)?.into_iter().map(|place| (part, place))),
        }
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
    Ok((all, by_id))
}
