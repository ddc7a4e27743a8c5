//! `[[payload]]`: what requests say, and whether a run's receiver finds in them what it looks for.

use super::{EventPart, Profile, raw::RawPayload};
use crate::{
    model::{Event, EventId, RunId, Subject, Time, Version, WallClock},
    scenario::{
        error::{At, Problem},
        names::suggest,
    },
    wire::{
        payload::{PayloadError, PayloadTemplate, Slot, Telling},
        scheme::{HeaderName, PartPlace},
    },
};

/// A request as the provider sends it.
#[derive(Debug, Clone)]
pub struct Payload {
    /// Its type.
    pub event: String,
    /// Headers, beside those of the signature.
    pub headers: Vec<(HeaderName, PayloadTemplate)>,
    /// The body.
    pub body: PayloadTemplate,
}

/// The instant of sample values: 2025-10-09T08:53:20Z.
const SAMPLE_UNIX_MS: u64 = 1_760_000_000_000;
const SAMPLE_EVENT: Event = Event { seq: 7, subject: 3, version: 2, occurred_at: Time::ZERO };
const SAMPLE_ID: EventId = EventId { run_id: RunId::SAMPLE, seq: SAMPLE_EVENT.seq, forged: false };

impl Payload {
    /// The body with sample values.
    #[must_use]
    pub fn sample(&self, profile: &Profile) -> Vec<u8> {
        self.sampled(profile, &self.body)
    }

    /// The headers with sample values.
    pub fn sample_headers(&self, profile: &Profile) -> impl Iterator<Item = (&str, Vec<u8>)> {
        self.headers.iter().map(|(name, template)| (name.as_str(), self.sampled(profile, template)))
    }

    fn sampled(&self, profile: &Profile, template: &PayloadTemplate) -> Vec<u8> {
        let mut out = Vec::new();
        let wall = WallClock { t0_unix_ns: SAMPLE_UNIX_MS * 1_000_000 };
        let id = profile.id_form.write(SAMPLE_ID);
        let (event_type, event) = (&self.event, &SAMPLE_EVENT);
        let telling = Telling { id: &id, event_type, event, wall, sent_unix_ms: SAMPLE_UNIX_MS, amount_cents: 1290 };
        template.render(&mut out, &telling, None);
        out
    }

    /// The text at a place of an event's part, with sample values.
    fn told(&self, profile: &Profile, part: EventPart, place: &PartPlace) -> Option<String> {
        match place {
            PartPlace::Body(pointer) => {
                let json: serde_json::Value = serde_json::from_slice(&self.sample(profile)).ok()?;
                pointer.text(&json).map(|text| text.into_owned())
            }
            PartPlace::Header(names) => {
                let given = self.headers.iter().find(|(name, _)| name.as_str().eq_ignore_ascii_case(names.sent()));
                match (given, part) {
                    (Some((_, template)), _) => String::from_utf8(self.sampled(profile, template)).ok(),
                    // Whoever sends fills these in.
                    (None, EventPart::Id) => Some(profile.id_form.write(SAMPLE_ID)),
                    (None, EventPart::Type) => Some(self.event.clone()),
                    (None, _) => None,
                }
            }
        }
    }

    fn has_subject(&self) -> bool {
        self.has(Slot::Subject) || self.has(Slot::SubjectPadded)
    }

    /// Whether the body or a header has this slot.
    fn has(&self, slot: Slot) -> bool {
        self.body.has(slot) || self.headers.iter().any(|(_, template)| template.has(slot))
    }
}

pub(super) fn read(at: &At, raw: &RawPayload) -> Result<Payload, Problem> {
    let event_at = at.key("event");
    if raw.event.is_empty()
        || raw.event.len() > 100
        || raw.event.contains(['"', '\\'])
        || raw.event.contains(char::is_control)
    {
        return Err(event_at.problem("is no type of an event", "write up to 100 letters, such as \"invoice.paid\""));
    }
    let mut headers = Vec::new();
    for (name, text) in &raw.headers {
        headers.push(header(&at.key("headers"), name, text)?);
    }
    let body_at = at.key("body");
    Ok(Payload { event: raw.event.clone(), headers, body: template(&body_at, &raw.body)? })
}

/// A header's name and what it says.
pub(crate) fn header(at: &At, name: &str, text: &str) -> Result<(HeaderName, PayloadTemplate), Problem> {
    let at = at.key(name);
    let known = HeaderName::parse(name);
    let known =
        known.ok_or_else(|| at.problem(format!("\"{name}\" is no header name"), "write letters, digits and '-'"))?;
    if !text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return Err(at.problem("a header's value is printable ASCII", "write letters, digits and signs"));
    }
    Ok((known, template(&at, text)?))
}

fn template(at: &At, text: &str) -> Result<PayloadTemplate, Problem> {
    PayloadTemplate::parse(text).map_err(|error| {
        let fix = match &error {
            PayloadError::Unknown(name) => suggest(name, &Slot::TABLE.map(|(known, _)| known)),
            PayloadError::Open => {
                "write {{id}}; two braces that mean themselves are \\u007b\\u007b in a JSON text".to_owned()
            }
            PayloadError::TwicePadded => "keep one of them".to_owned(),
        };
        at.problem(error.to_string(), fix)
    })
}

/// Whether a run can be made of a payload: its receiver must find the event's parts, and tell copies from events.
pub(super) fn fits_runs(profile: &Profile, index: usize) -> Result<(), Problem> {
    let at = At::default().key("payload").index(index);
    let Some(payload) = profile.payloads.get(index) else { return Ok(()) };
    let body_at = at.key("body");
    if let Err(error) = serde_json::from_slice::<serde::de::IgnoredAny>(&payload.sample(profile)) {
        return Err(body_at
            .problem(format!("is no JSON once it is filled in: {error}"), "write JSON, such as {\"id\":\"{{id}}\"}"));
    }
    for (part, _) in &profile.event {
        let told = profile.places(*part).find_map(|place| Some((payload.told(profile, *part, place)?, place)));
        let Some((told, place)) = told else {
            let places: Vec<String> = profile.places(*part).map(ToString::to_string).collect();
            let problem = format!("has nothing at {}, where [event] looks", places.join(" or "));
            return Err(body_at.problem(problem, "add it to the payload, or take it out of [event]"));
        };
        let (wanted, fix) = match part {
            EventPart::Id if profile.dedupe_by_id => (told == profile.id_form.write(SAMPLE_ID), "{{id}}"),
            EventPart::Subject => {
                (subject_number(&told) == SAMPLE_EVENT.subject || !payload.has_subject(), "{{subject}}")
            }
            _ => (true, ""),
        };
        if !wanted {
            let problem = format!("says \"{told}\" at {place}, where [event] looks");
            return Err(body_at.problem(problem, format!("write {fix} there")));
        }
    }
    if profile.dedupe_by_id {
        return Ok(());
    }
    if payload.body.says_when_sent() {
        return Err(body_at.problem(
            "says when it is sent, and copies are told by the body",
            "write {{unix_ms}} for {{sent_ms}}, or say in [event] where an id is",
        ));
    }
    if !payload.body.has(Slot::Seq) && !payload.body.has(Slot::Id) {
        return Err(body_at
            .problem("is the same for several events, and copies are told by the body", "write {{seq}} somewhere"));
    }
    Ok(())
}

/// The number of a subject from its text: the digits at its end, where no other digit stands before them; otherwise
/// one that follows from all of it.
#[must_use]
pub fn subject_number(text: &str) -> Subject {
    let digits = text.trim_start_matches(|letter: char| !letter.is_ascii_digit());
    digits.parse().unwrap_or_else(|_| {
        // FNV-1a: any function would do that is the same in every process.
        text.bytes().fold(0x811c_9dc5, |hash: u32, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
    })
}

/// A version from its text: a whole number; 0 where it is none, such as a time.
#[must_use]
pub fn version_number(text: &str) -> Version {
    text.parse().unwrap_or(0)
}

impl Profile {
    /// Whether the webhooks of a payload tell the version of their subject as a number.
    #[must_use]
    pub fn tells_version(&self, payload: &Payload) -> bool {
        let told = self.places(EventPart::Version).find_map(|place| payload.told(self, EventPart::Version, place));
        told.is_some_and(|told| version_number(&told) == SAMPLE_EVENT.version) && payload.has(Slot::Version)
    }

    /// Whether the webhooks of a payload tell what changed.
    #[must_use]
    pub fn tells_subject(&self, payload: &Payload) -> bool {
        let place = self.places(EventPart::Subject).next();
        place.is_some() && payload.has_subject()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_is_the_number_that_its_text_ends_in_or_one_that_follows_from_it() {
        assert_eq!(subject_number("17"), 17);
        assert_eq!(subject_number("cus_17"), 17);
        assert_ne!(subject_number("in_1Sim7"), 7, "several numbers in a text are not one");
        assert_ne!(subject_number("cus_a"), subject_number("cus_b"));
        assert_eq!(version_number("3"), 3);
        assert_eq!(version_number("2025-10-09T08:53:20Z"), 0);
    }
}
