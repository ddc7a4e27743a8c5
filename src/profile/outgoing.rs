//! One request as the provider sends it: which body, which headers, which id.

use super::{EventPart, Payload, Profile};
use crate::{
    scenario::names::suggest,
    wire::{
        is_header_value,
        scheme::{HeaderNames, Message, PartPlace, Pointer, SignError, SignKey, TimePlace},
    },
};

/// What somebody wants to be sent. What is left out comes from the profile.
#[derive(Debug, Clone, Copy, Default)]
pub struct Wanted<'a> {
    /// The body, byte for byte; `None`: the payload of that event, or the first one.
    pub body: Option<&'a [u8]>,
    /// The event's type.
    pub event: Option<&'a str>,
    /// The event's id.
    pub id: Option<&'a str>,
    /// Headers beside those of the profile; one of the same name takes its place.
    pub headers: &'a [(String, Vec<u8>)],
}

/// A request, but for its signature, which each attempt has of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// The event's id, the same in each attempt. What the scheme signs where the id stands in a header.
    pub id: String,
    /// What it is about, as far as that is known.
    pub event: Option<String>,
    /// All headers but those that the protocol needs and those that the signature makes.
    pub headers: Vec<(String, Vec<u8>)>,
    /// The body.
    pub body: Vec<u8>,
}

/// Why there is nothing to send.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OutgoingError {
    /// The profile has no payload.
    #[error("{profile} has no [[payload]] to send\n  fix: add --body FILE")]
    NoPayload {
        /// The profile's name.
        profile: String,
    },
    /// The profile has no payload of that event.
    #[error("{profile} has no [[payload]] for the event \"{event}\"\n  fix: {fix}; or add --body FILE")]
    UnknownEvent {
        /// The profile's name.
        profile: String,
        /// The event.
        event: String,
        /// What is meant perhaps.
        fix: String,
    },
    /// A type is wanted and stands in the body that was given.
    #[error("--event: {profile} says the type in the body, at {pointer}\n  fix: write it there and remove --event")]
    TypeInBody {
        /// The profile's name.
        profile: String,
        /// Where in the body.
        pointer: String,
    },
    /// A type is wanted and stands nowhere.
    #[error("--event: {profile} says no type beside the body\n  fix: remove it")]
    NoType {
        /// The profile's name.
        profile: String,
    },
    /// The type stands in a header and nobody says it.
    #[error("{profile} says the type in the header {header}\n  fix: add --event TYPE, such as --event \"{example}\"")]
    TypeMissing {
        /// The profile's name.
        profile: String,
        /// The header.
        header: String,
        /// A type.
        example: String,
    },
    /// An id is wanted and stands in the body.
    #[error("--id: {profile} says the id in the body, at {pointer}\n  fix: write it there and remove --id")]
    IdInBody {
        /// The profile's name.
        profile: String,
        /// Where in the body.
        pointer: String,
    },
    /// An id is wanted and stands nowhere.
    #[error("--id: {profile} says no id\n  fix: remove it")]
    NoId {
        /// The profile's name.
        profile: String,
    },
    /// A header that is made by whoever sends.
    #[error("--header {name}: {why}\n  fix: remove it")]
    Reserved {
        /// Its name.
        name: String,
        /// By what it is made.
        why: &'static str,
    },
    /// A header that is given twice.
    #[error("--header {name}: is there twice\n  fix: keep one of them")]
    Twice {
        /// Its name.
        name: String,
    },
    /// A value that no header can have. Not shown: it may be a secret.
    #[error("the header {name} cannot hold what is to stand in it: a line end, or another control character")]
    BadValue {
        /// Its name.
        name: String,
    },
}

/// What no provider chooses: the request is written as it is because of these.
const PROTOCOL: [&str; 4] = ["host", "content-length", "transfer-encoding", "connection"];

impl Profile {
    /// Puts a request together. `fresh_id` is the id of an event that nobody gave one, where it stands in a header.
    pub fn outgoing(&self, wanted: &Wanted<'_>, fresh_id: &str) -> Result<Outgoing, OutgoingError> {
        self.check_headers(wanted.headers)?;
        let payload = self.payload(wanted)?;
        let sample = payload.map(|payload| payload.sample(self)).unwrap_or_default();
        let body = wanted.body.unwrap_or(&sample);
        let json = serde_json::from_slice(body).unwrap_or(serde_json::Value::Null);
        let in_body = |pointer: &Pointer| pointer.text(&json).map(std::borrow::Cow::into_owned);
        let mut headers = Headers::default();
        let agent = self.delivery.get("user_agent").and_then(toml::Value::as_str);
        headers.set("user-agent", agent.unwrap_or(concat!("pushpull/", env!("CARGO_PKG_VERSION"))).as_bytes());
        headers.set("content-type", b"application/json");
        for (name, value) in payload.iter().flat_map(|payload| payload.sample_headers(self)) {
            headers.set(name, &value);
        }
        let id = match self.id_place() {
            Some(PartPlace::Body(pointer)) if wanted.id.is_some() => {
                let pointer = pointer.as_str().to_owned();
                return Err(OutgoingError::IdInBody { profile: self.name.clone(), pointer });
            }
            Some(PartPlace::Body(pointer)) => in_body(pointer).unwrap_or_default(),
            None if wanted.id.is_some() => return Err(OutgoingError::NoId { profile: self.name.clone() }),
            None => String::new(),
            Some(PartPlace::Header(_)) => {
                let places = self.id_headers();
                let given = places.iter().find_map(|names| names.first_in(wanted.headers));
                let id = wanted.id.or(given).unwrap_or(fresh_id).to_owned();
                places.iter().for_each(|names| headers.set(names.sent(), id.as_bytes()));
                id
            }
        };
        let mut event = wanted.event.map(str::to_owned);
        match self.event_place(EventPart::Type) {
            Some(PartPlace::Body(pointer)) => event = in_body(pointer).or(event),
            Some(PartPlace::Header(names)) => {
                let given = names.first_in(wanted.headers).map(str::to_owned);
                event = event.or(given).or(payload.filter(|_| wanted.body.is_none()).map(|one| one.event.clone()));
                let Some(event) = &event else { return Err(self.type_missing(names)) };
                headers.set(names.sent(), event.as_bytes());
            }
            None => {}
        }
        wanted.headers.iter().for_each(|(name, value)| headers.set(name, value));
        headers.0.retain(|(name, _)| !self.is_made_by_the_signature(name));
        check_values(&headers.0)?;
        Ok(Outgoing { id, event, headers: headers.0, body: body.to_vec() })
    }

    /// The headers of the signature, made now, and those of the request behind them.
    pub fn signed(
        &self,
        outgoing: &Outgoing,
        keys: &[SignKey],
        (url, unix_ms): (&str, u64),
    ) -> Result<Vec<(String, Vec<u8>)>, SignedError> {
        let mut headers = Vec::new();
        if let Some(scheme) = &self.scheme {
            let Outgoing { id, body, .. } = outgoing;
            let message = Message { id, unix_ms, url, method: "POST", body };
            scheme.sign(keys, &message, |name, value| headers.push((name.to_owned(), value.as_bytes().to_vec())))?;
            check_values(&headers)?;
        }
        headers.extend(outgoing.headers.iter().cloned());
        Ok(headers)
    }

    /// The payload whose body or headers are sent.
    fn payload(&self, wanted: &Wanted<'_>) -> Result<Option<&Payload>, OutgoingError> {
        let profile = || self.name.clone();
        let of_that_event = |event: &str| self.payloads.iter().find(|payload| payload.event == event);
        let Some(event) = wanted.event else {
            let first = self.payloads.first();
            let missing = wanted.body.is_none() && first.is_none();
            return if missing { Err(OutgoingError::NoPayload { profile: profile() }) } else { Ok(first) };
        };
        if wanted.body.is_none() {
            let known: Vec<&str> = self.payloads.iter().map(|payload| payload.event.as_str()).collect();
            let unknown = || OutgoingError::UnknownEvent {
                profile: profile(),
                event: event.to_owned(),
                fix: suggest(event, &known),
            };
            return of_that_event(event).map(Some).ok_or_else(unknown);
        }
        match self.event_place(EventPart::Type) {
            // Its other headers are those of every request: who sends, for which account.
            Some(PartPlace::Header(_)) => Ok(of_that_event(event).or(self.payloads.first())),
            Some(PartPlace::Body(pointer)) => {
                Err(OutgoingError::TypeInBody { profile: profile(), pointer: pointer.as_str().to_owned() })
            }
            None => Err(OutgoingError::NoType { profile: profile() }),
        }
    }

    fn type_missing(&self, names: &HeaderNames) -> OutgoingError {
        let example = self.payloads.first().map_or("TYPE", |payload| payload.event.as_str());
        OutgoingError::TypeMissing {
            profile: self.name.clone(),
            header: names.sent().to_owned(),
            example: example.to_owned(),
        }
    }

    /// Where the event's id stands: as a part of the event, or of the signature.
    fn id_place(&self) -> Option<&PartPlace> {
        self.event_place(EventPart::Id).or(self.scheme.as_ref().and_then(|scheme| scheme.id.as_ref()))
    }

    /// All headers that hold the event's id.
    fn id_headers(&self) -> Vec<&HeaderNames> {
        let signed = self.scheme.as_ref().and_then(|scheme| scheme.id.as_ref());
        self.event_place(EventPart::Id).into_iter().chain(signed).filter_map(header_of).collect()
    }

    fn event_place(&self, part: EventPart) -> Option<&PartPlace> {
        self.places(part).next()
    }

    fn check_headers(&self, headers: &[(String, Vec<u8>)]) -> Result<(), OutgoingError> {
        for (no, (name, _)) in headers.iter().enumerate() {
            let reserved = |why| OutgoingError::Reserved { name: name.clone(), why };
            if PROTOCOL.iter().any(|known| name.eq_ignore_ascii_case(known)) {
                return Err(reserved("is written for the request that is sent"));
            }
            let is_id =
                self.id_headers().iter().any(|names| names.iter().any(|known| known.eq_ignore_ascii_case(name)));
            if self.is_made_by_the_signature(name) && !is_id {
                return Err(reserved("is made by signing, anew for each attempt"));
            }
            if headers[..no].iter().any(|(earlier, _)| earlier.eq_ignore_ascii_case(name)) {
                return Err(OutgoingError::Twice { name: name.clone() });
            }
        }
        Ok(())
    }

    fn is_made_by_the_signature(&self, name: &str) -> bool {
        let Some(scheme) = &self.scheme else { return false };
        let id = scheme.id.as_ref().and_then(header_of);
        let time = scheme.timestamp.as_ref().and_then(|time| match &time.place {
            TimePlace::Header(names) => Some(names),
            TimePlace::Entry(_) | TimePlace::Body(_) => None,
        });
        let ways = scheme.ways.iter().map(|way| &way.header);
        ways.chain(id).chain(time).any(|names| names.iter().any(|known| known.eq_ignore_ascii_case(name)))
    }
}

/// Why a request cannot be signed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignedError {
    /// What is signed is not there.
    #[error(transparent)]
    Sign(#[from] SignError),
    /// A header that cannot be.
    #[error(transparent)]
    Header(#[from] OutgoingError),
}

fn header_of(place: &PartPlace) -> Option<&HeaderNames> {
    match place {
        PartPlace::Header(names) => Some(names),
        PartPlace::Body(_) => None,
    }
}

fn check_values(headers: &[(String, Vec<u8>)]) -> Result<(), OutgoingError> {
    match headers.iter().find(|(_, value)| !is_header_value(value)) {
        Some((name, _)) => Err(OutgoingError::BadValue { name: name.clone() }),
        None => Ok(()),
    }
}

/// Headers, one of each name.
#[derive(Default)]
struct Headers(Vec<(String, Vec<u8>)>);

impl Headers {
    /// Adds a header, or puts it in the place of the one that is there.
    fn set(&mut self, name: &str, value: &[u8]) {
        let header = (name.to_owned(), value.to_vec());
        match self.0.iter_mut().find(|(known, _)| known.eq_ignore_ascii_case(name)) {
            Some(slot) => *slot = header,
            None => self.0.push(header),
        }
    }
}
