//! `profile = ...` of `[[provider]]`: which profile is meant, and what it says below the scenario's own keys.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::{
    ScenarioError,
    error::{At, Problem},
    names::suggest,
    raw::RawWorkload,
    raw_provider::RawProvider,
};
use crate::{
    model::{Skew, Span},
    profile::{Confidence, PROFILES, Payload, Profile, check_for_runs, embedded_profile, load_profile},
    wire::{
        payload::Slot,
        scheme::{Algorithm, Sides},
    },
};

/// The largest profile that is read: a hundred times the longest in the binary.
const FILE_MAX: u64 = 1 << 20;

/// The profile of a provider that names one: all that roles and the judge ask of it, so that nobody reads a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProfilePlan {
    /// One line for people.
    pub title: String,
    /// The file's text: how requests are signed and what they say is read from it.
    pub text: String,
    /// Keys that the provider does not publish and that this plan takes from the profile.
    pub assumed: Vec<String>,
    /// Facts that the provider does not state itself, each with how far it can be trusted.
    pub unsure: Vec<String>,
    /// Which of its payloads the events about a subject are, in turn. Never empty.
    pub payloads: Vec<u16>,
    /// What its signature tells.
    pub signature: SignatureTraits,
    /// How long its bodies are, where the scenario says so.
    pub payload_bytes: Option<u32>,
    /// Whether a request says what changed, by its number.
    pub has_subject: bool,
    /// Whether it says to which version, by its number.
    pub has_version: bool,
    /// What a webhook weighs in virtual time, its head included; the mean where payloads differ.
    pub webhook_bytes: u64,
}

impl ProfilePlan {
    /// The profile. Its text was checked when the plan was made; a plan that somebody has changed may fail.
    pub fn read(&self) -> Result<Profile, ScenarioError> {
        load_profile(&self.text, "the plan's profile")
    }
}

/// What a provider's signature tells of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignatureTraits {
    /// Who sent it: a signature, or a token.
    pub sender: bool,
    /// That its body is as it was sent.
    pub body: bool,
    /// When it was signed.
    pub time: bool,
    /// Whether it is an HMAC with SHA-256.
    pub hmac_sha256: bool,
    /// Whether there is place for several, made with several secrets.
    pub several: bool,
    /// How far the time of signing may lie off where the scenario does not say; `None`: any time will do.
    pub tolerance: Option<Span>,
    /// Whether a time in the future is refused as well.
    pub future: bool,
}

impl SignatureTraits {
    /// Of Standard Webhooks, which is what a provider without a profile signs.
    pub const STANDARD: SignatureTraits = SignatureTraits {
        sender: true,
        body: true,
        time: true,
        hmac_sha256: true,
        several: true,
        tolerance: Some(Span::from_secs(300)),
        future: true,
    };

    fn of(profile: &Profile) -> SignatureTraits {
        let main = profile.scheme.as_ref().and_then(|scheme| scheme.ways.first());
        let tolerance = profile.scheme.as_ref().and_then(|scheme| scheme.tolerance);
        SignatureTraits {
            sender: main.is_some(),
            body: main.is_some_and(|way| way.algorithm != Algorithm::Token),
            time: profile.scheme.as_ref().is_some_and(|scheme| scheme.has_time()),
            hmac_sha256: main.is_some_and(|way| way.algorithm == Algorithm::HmacSha256),
            several: main.is_some_and(|way| way.separator.is_some()),
            tolerance: tolerance.map(|tolerance| Span::from_millis(tolerance.ms)),
            future: tolerance.is_none_or(|tolerance| tolerance.sides == Sides::Both),
        }
    }

    /// How far a sender's clock is off as far as a receiver looks: not at all where it does not look that way.
    #[must_use]
    pub fn seen_skew(&self, skew: Skew) -> Span {
        let looks = self.time && (self.future || skew < Skew::ZERO);
        if looks { skew.size() } else { Span::ZERO }
    }
}

/// A provider as the scenario and its profile say together.
pub(super) struct Settled {
    /// The keys: the scenario's, and below them the profile's.
    pub raw: RawProvider,
    /// The profile, where one is named.
    pub profile: Option<Profile>,
    /// What the plan keeps of it.
    pub plan: Option<ProfilePlan>,
}

impl Settled {
    /// The type of the events, where the profile says what they look like.
    pub fn event_type(&self) -> Option<&str> {
        let payloads = &self.profile.as_ref()?.payloads;
        Some(&payloads.get(usize::from(*self.plan.as_ref()?.payloads.first()?))?.event)
    }
}

/// What is wrong: in the scenario, or in a profile that it names.
pub(super) enum Trouble {
    Scenario(Problem),
    Profile(ScenarioError),
}

impl From<Problem> for Trouble {
    fn from(problem: Problem) -> Trouble {
        Trouble::Scenario(problem)
    }
}

/// Reads the profiles that providers name, and puts their keys below the scenario's.
pub(super) fn settle(
    raw: &[RawProvider],
    source: &str,
    workload: &RawWorkload,
    dir: &Path,
) -> Result<Vec<Settled>, Trouble> {
    let default = [RawProvider::default()];
    let raw = if raw.is_empty() { &default } else { raw };
    let top = At::default().key("provider");
    let each = |(index, own): (usize, &RawProvider)| {
        let at = top.index(index);
        let Some(which) = &own.profile else { return Ok(Settled { raw: own.clone(), profile: None, plan: None }) };
        let (text, file) = find(&at.key("profile"), which, dir)?;
        let profile = load_profile(&text, &file).map_err(Trouble::Profile)?;
        let own = own_table(source, index);
        let raw = merged(&at, &profile, &own)?;
        let payloads = payloads(&at, &profile, raw.events.as_deref(), workload.event_type.as_deref())?;
        for payload in &payloads {
            check_for_runs(&profile, usize::from(*payload), &text, &file).map_err(Trouble::Profile)?;
            check_length(&profile, *payload, workload.payload_bytes)?;
        }
        let plan = plan(&profile, text, &own, (payloads, workload.payload_bytes));
        Ok(Settled { raw, profile: Some(profile), plan: Some(plan) })
    };
    raw.iter().enumerate().map(each).collect()
}

/// A profile's text, and what errors call its file.
fn find(at: &At, which: &str, dir: &Path) -> Result<(String, String), Problem> {
    if let Some(embedded) = embedded_profile(which) {
        return Ok((embedded.text.to_owned(), format!("{}.toml", embedded.name)));
    }
    if !which.ends_with(".toml") {
        let names: Vec<&str> = PROFILES.iter().map(|profile| profile.name).collect();
        let fix = format!("{}; a file needs its ending, such as \"mine.toml\"", suggest(which, &names));
        return Err(at.problem(format!("\"{which}\" is no profile"), fix));
    }
    let path = dir.join(which);
    let cannot = |error: std::io::Error| {
        let fix = "write a path from the scenario's folder on, or a name that `pushpull profiles` lists";
        at.problem(format!("cannot read {which}: {error}"), fix)
    };
    if std::fs::metadata(&path).map_err(cannot)?.len() > FILE_MAX {
        return Err(at.problem(format!("{which} is larger than {} MiB", FILE_MAX >> 20), "no profile is that long"));
    }
    Ok((std::fs::read_to_string(&path).map_err(cannot)?, path.display().to_string()))
}

/// The provider's table as the scenario has it.
fn own_table(source: &str, index: usize) -> toml::Table {
    let mut table: toml::Table = source.parse().unwrap_or_default();
    let list = table.remove("provider").and_then(|list| match list {
        toml::Value::Array(mut all) if index < all.len() => Some(all.swap_remove(index)),
        _ => None,
    });
    match list {
        Some(toml::Value::Table(table)) => table,
        _ => toml::Table::new(),
    }
}

/// The profile's keys, and the scenario's above them.
fn merged(at: &At, profile: &Profile, own: &toml::Table) -> Result<RawProvider, Problem> {
    let mut table = profile.delivery.clone();
    table.extend(profile.pull.clone());
    table.extend(own.clone());
    // Each of the two could be read by itself, and no key says what another one may be.
    table.try_into().map_err(|error: toml::de::Error| {
        at.problem(error.message().lines().next().unwrap_or_default(), "see `pushpull schema`")
    })
}

/// Which payloads the events are: those of the provider's types, that of the workload's, or the first.
fn payloads(
    at: &At,
    profile: &Profile,
    events: Option<&[String]>,
    event_type: Option<&str>,
) -> Result<Vec<u16>, Problem> {
    let at = at.key("events");
    match events {
        None => {
            let at = At::default().key("workload").key("event_type");
            Ok(vec![payload(&at, profile, event_type)?])
        }
        Some([]) => Err(at.problem("there is no type in it", "name a payload of the profile, or remove it")),
        Some(events) => {
            let each = |(index, event): (usize, &String)| payload(&at.index(index), profile, Some(event));
            events.iter().enumerate().map(each).collect()
        }
    }
}

fn payload(at: &At, profile: &Profile, event_type: Option<&str>) -> Result<u16, Problem> {
    let known: Vec<&str> = profile.payloads.iter().map(|payload| payload.event.as_str()).collect();
    let found = match event_type {
        None => (!known.is_empty()).then_some(0),
        Some(wanted) => known.iter().position(|event| *event == wanted),
    };
    match (found, event_type) {
        (Some(place), _) => Ok(place as u16),
        (None, Some(wanted)) => {
            let problem = format!("the profile \"{}\" has no payload for \"{wanted}\"", profile.name);
            Err(at.problem(problem, suggest(wanted, &known)))
        }
        (None, None) => {
            let problem =
                format!("the profile \"{}\" has no [[payload]]: nobody says what its events look like", profile.name);
            Err(At::default().key("provider").problem(problem, "add one to the profile, with event and body"))
        }
    }
}

/// Bodies are as long as the scenario says, if there is a place that can be filled up.
fn check_length(profile: &Profile, payload: u16, wanted: Option<u32>) -> Result<(), Problem> {
    let chosen = profile.payloads.get(usize::from(payload));
    match chosen.filter(|chosen| wanted.is_some() && !chosen.body.has(Slot::Padding)) {
        None => Ok(()),
        Some(chosen) => Err(At::default().key("workload").key("payload_bytes").problem(
            format!("the payload \"{}\" of the profile \"{}\" cannot be made longer", chosen.event, profile.name),
            "remove it, or write {{padding}} into a text of a payload of your own",
        )),
    }
}

fn plan(profile: &Profile, text: String, own: &toml::Table, (payloads, bytes): (Vec<u16>, Option<u32>)) -> ProfilePlan {
    // What the scenario says itself is not taken from the profile.
    let taken = |key: &&String| key.split_once('.').is_none_or(|(_, key)| !own.contains_key(key));
    let unsure = profile.sources.iter().filter(|source| source.confidence != Confidence::Documented);
    let chosen: Vec<&Payload> = payloads.iter().filter_map(|one| profile.payloads.get(usize::from(*one))).collect();
    let all_bytes: u64 = chosen.iter().map(|payload| payload.sample(profile).len() as u64).sum();
    let body_bytes = all_bytes.div_ceil(chosen.len().max(1) as u64).max(bytes.unwrap_or(0).into());
    ProfilePlan {
        title: profile.title.clone(),
        text,
        assumed: profile.assumed.iter().filter(taken).cloned().collect(),
        unsure: unsure.map(|source| format!("{} ({})", source.what, source.confidence.name())).collect(),
        has_subject: chosen.iter().all(|payload| profile.tells_subject(payload)),
        has_version: chosen.iter().all(|payload| profile.tells_version(payload)),
        payloads,
        signature: SignatureTraits::of(profile),
        payload_bytes: bytes,
        webhook_bytes: body_bytes + HEAD_BYTES,
    }
}

/// A webhook's head, about: what a live run of the default sends has 295 bytes.
const HEAD_BYTES: u64 = 295;
