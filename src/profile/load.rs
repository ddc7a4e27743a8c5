//! From a profile's text to what it means.

use super::{
    event::{self, EventPart},
    handshake::{self, Handshake},
    payload::{self, Payload},
    raw::{Confidence, RawProfile},
    signature,
};
use crate::{
    model::Span,
    scenario::{
        AnswersPlan, ScenarioError,
        error::{At, Problem},
        locate::{File, locate, syntax_error},
        read_profile_keys,
    },
    wire::{
        IdForm,
        scheme::{PartPlace, Scheme},
    },
};

/// A provider.
#[derive(Debug, Clone)]
pub struct Profile {
    /// What it is called.
    pub name: String,
    /// Other names that mean the same.
    pub aliases: Vec<String>,
    /// One line for people.
    pub title: String,
    /// Where its facts come from.
    pub sources: Vec<Source>,
    /// Keys that the provider does not publish.
    pub assumed: Vec<String>,
    /// How it signs; `None`: nothing is signed.
    pub scheme: Option<Scheme>,
    /// Where a request says what it is about; see [`Profile::places`].
    pub event: Vec<(EventPart, PartPlace)>,
    /// Whether the event's id tells copies apart from other events; the body's digest does otherwise.
    pub dedupe_by_id: bool,
    /// How long an attempt of its waits for the complete answer.
    pub ack_timeout: Span,
    /// What it makes of an answer.
    pub answers: AnswersPlan,
    /// How it writes the ids of events.
    pub id_form: IdForm,
    /// How it sends: keys of `[[provider]]`.
    pub delivery: toml::Table,
    /// How its API is asked: keys of `[[provider]]`.
    pub pull: toml::Table,
    /// What it asks of an endpoint before it delivers to it.
    pub handshake: Option<Handshake>,
    /// Requests as it sends them.
    pub payloads: Vec<Payload>,
}

/// Where facts come from.
#[derive(Debug, Clone)]
pub struct Source {
    /// Which facts.
    pub what: String,
    /// Where they are stated.
    pub r#where: String,
    /// How far they can be trusted.
    pub confidence: Confidence,
}

impl Profile {
    /// Where a part of an event stands: in several places where payloads differ.
    pub fn places(&self, part: EventPart) -> impl Iterator<Item = &PartPlace> {
        self.event.iter().filter(move |(known, _)| *known == part).map(|(_, place)| place)
    }
}

const HELP: &str = "see docs/profiles.md, or an example: `pushpull profiles show stripe --toml`";

/// Reads and checks a profile; `file` is what errors call it.
pub fn load_profile(text: &str, file: &str) -> Result<Profile, ScenarioError> {
    let file = File { source: text, name: file, exact: true, help: HELP };
    let raw: RawProfile = toml::from_str(text).map_err(|error| syntax_error(&error, &file))?;
    build(raw, text).map_err(|problem| locate(problem, &file))
}

/// Checks that a run can be made of a payload of this profile, whose text and file's name are given.
pub fn check_for_runs(profile: &Profile, payload: usize, text: &str, file: &str) -> Result<(), ScenarioError> {
    let file = File { source: text, name: file, exact: true, help: HELP };
    payload::fits_runs(profile, payload).map_err(|problem| locate(problem, &file))
}

fn build(raw: RawProfile, text: &str) -> Result<Profile, Problem> {
    let top = At::default();
    for (at, name) in std::iter::once((top.key("name"), &raw.name))
        .chain(raw.aliases.iter().enumerate().map(|(i, name)| (top.key("aliases").index(i), name)))
    {
        let plain = name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        if !plain || !(1..=40).contains(&name.len()) {
            return Err(
                at.problem(format!("\"{name}\" is no name"), "write up to 40 lowercase letters, digits and '-'")
            );
        }
    }
    if raw.source.is_empty() {
        return Err(top.key("source").problem(
            "nobody says where these facts come from",
            "add [[source]] what = \"...\" where = \"...\" confidence = \"documented\"",
        ));
    }
    let scheme = signature::read(&top.key("signature"), &raw.signature)?;
    let (event, dedupe_by_id) = event::read(&top.key("event"), &raw.event)?;
    let handshake = raw.handshake.as_ref().map(|raw| handshake::read(&top.key("handshake"), raw)).transpose()?;
    let delivery = read_profile_keys(&top.key("delivery"), &raw.delivery)?;
    read_profile_keys(&top.key("pull"), &raw.pull)?;
    check_assumed(&top.key("assumed"), &raw.assumed, text)?;
    let id_form = event::read_id_form(&top.key("event"), &raw.event)?;
    let payload_at = top.key("payload");
    let payloads = raw.payload.iter().enumerate().map(|(index, raw)| payload::read(&payload_at.index(index), raw));
    let payloads = payloads.collect::<Result<_, _>>()?;
    let source =
        |raw: super::raw::RawSource| Source { what: raw.what, r#where: raw.r#where, confidence: raw.confidence };
    Ok(Profile {
        name: raw.name,
        aliases: raw.aliases,
        title: raw.title,
        sources: raw.source.into_iter().map(source).collect(),
        assumed: raw.assumed,
        scheme,
        event,
        dedupe_by_id,
        ack_timeout: delivery.ack_timeout,
        answers: delivery.sending.answers,
        id_form,
        delivery: raw.delivery,
        pull: raw.pull,
        handshake,
        payloads,
    })
}

/// What is marked as assumed must be there.
fn check_assumed(at: &At, assumed: &[String], text: &str) -> Result<(), Problem> {
    let table = toml::Value::Table(text.parse().unwrap_or_default());
    for (index, key) in assumed.iter().enumerate() {
        if key.split('.').try_fold(&table, |here, step| here.get(step)).is_none() {
            return Err(at
                .index(index)
                .problem(format!("\"{key}\" is no key of this file"), "write it as \"delivery.retry\", or remove it"));
        }
    }
    Ok(())
}
