//! From a profile's text to what it means.

use super::{
    event::{self, EventPart},
    raw::{Confidence, RawPayload, RawProfile},
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
        is_header_value,
        scheme::{HeaderName, PartPlace, Scheme},
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
    /// Where a request says what it is about.
    pub event: Vec<(EventPart, PartPlace)>,
    /// Whether the event's id tells copies apart from other events; the body's digest does otherwise.
    pub dedupe_by_id: bool,
    /// How long an attempt of its waits for the complete answer.
    pub ack_timeout: Span,
    /// What it makes of an answer.
    pub answers: AnswersPlan,
    /// How it sends: keys of `[[provider]]`.
    pub delivery: toml::Table,
    /// How its API is asked: keys of `[[provider]]`.
    pub pull: toml::Table,
    /// Requests as it sends them.
    pub payloads: Vec<RawPayload>,
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

const HELP: &str = "see docs/profiles.md, or an example: `pushpull profiles show stripe --toml`";

/// Reads and checks a profile; `file` is what errors call it.
pub fn load_profile(text: &str, file: &str) -> Result<Profile, ScenarioError> {
    let file = File { source: text, name: file, exact: true, help: HELP };
    let raw: RawProfile = toml::from_str(text).map_err(|error| syntax_error(&error, &file))?;
    build(raw, text).map_err(|problem| locate(problem, &file))
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
    let delivery = read_profile_keys(&top.key("delivery"), &raw.delivery)?;
    read_profile_keys(&top.key("pull"), &raw.pull)?;
    check_assumed(&top.key("assumed"), &raw.assumed, text)?;
    for (index, payload) in raw.payload.iter().enumerate() {
        let at = top.key("payload").index(index).key("headers");
        if let Some(name) = payload.headers.keys().find(|name| HeaderName::parse(name).is_none()) {
            return Err(at.key(name).problem(format!("\"{name}\" is no header name"), "write letters, digits and '-'"));
        }
        if let Some((name, _)) = payload.headers.iter().find(|(_, value)| !is_header_value(value.as_bytes())) {
            let problem = "has a line end or another control character, which no header can hold";
            return Err(at.key(name).problem(problem, "write it on one line"));
        }
    }
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
        delivery: raw.delivery,
        pull: raw.pull,
        payloads: raw.payload,
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
