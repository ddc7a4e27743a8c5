//! A provider as its profile describes it: what its webhooks say, and what a receiver reads in them.

use crate::{
    model::{Event, EventId, RunId, WallClock},
    profile::{EventPart, Payload, Profile},
    rng::{Draws, Purpose},
    scenario::{HeadPlan, Plan, ScenarioError},
    wire::{
        payload::{PayloadTemplate, Telling},
        scheme::PartPlace,
    },
};

/// A described provider of a run.
#[derive(Debug, Clone)]
pub struct Described {
    /// Its profile.
    pub profile: Profile,
    /// Whether each attempt is signed anew.
    pub resign: bool,
    /// What the events about a subject are, in turn.
    kinds: Vec<Kind>,
    bytes: Option<u32>,
    run_id: RunId,
    head: HeadPlan,
}

/// One kind of event.
#[derive(Debug, Clone)]
struct Kind {
    payload: Payload,
    /// Headers of the plan, of the payload, and those in which a receiver looks for the id and the type.
    headers: Vec<(String, PayloadTemplate)>,
}

/// What is the same for a whole run.
#[derive(Debug, Clone, Copy)]
pub struct Surroundings {
    /// Where t0 lies on the wall clock.
    pub wall: WallClock,
    /// The run's draws.
    pub draws: Draws,
}

/// The amount that an attacker writes, in cents.
const FORGED_CENTS: u64 = 9_999_990;

impl Described {
    /// The plan's provider of this number; `None`: it follows no profile. Fails for a plan that somebody has changed.
    pub fn of(plan: &Plan, provider: usize) -> Result<Option<Described>, ScenarioError> {
        let Some(mine) = plan.providers.get(provider) else { return Ok(None) };
        let Some(described) = &mine.described else { return Ok(None) };
        let profile = described.read()?;
        let head = mine.head.clone();
        let chosen = described.payloads.iter().filter_map(|one| profile.payloads.get(usize::from(*one)));
        let kinds: Vec<Kind> = chosen
            .map(|payload| Kind { payload: payload.clone(), headers: headers(&profile, payload, &head) })
            .collect();
        if kinds.is_empty() {
            return Ok(None);
        }
        let (resign, bytes, run_id) = (mine.resign, described.payload_bytes, plan.run_id);
        Ok(Some(Described { profile, resign, kinds, bytes, run_id, head }))
    }

    /// The run that its ids name.
    #[must_use]
    pub fn run_id(&self) -> RunId {
        self.run_id
    }

    /// Versions count from 1.
    fn kind(&self, event: &Event) -> &Kind {
        &self.kinds[(event.version.max(1) - 1) as usize % self.kinds.len()]
    }

    /// Appends the body of a genuine event, as signed at `sent_unix_ms`.
    pub fn body(&self, out: &mut Vec<u8>, event: &Event, sent_unix_ms: u64, around: Surroundings) {
        // Of whole tens: the amount ends in a zero, which a receiver that writes the JSON anew takes away.
        let cents = around.draws.bits(Purpose::Payload, 0, u64::from(event.seq)) % 10_000 * 10;
        let id = EventId::genuine(self.run_id, event.seq);
        self.render(out, &self.kind(event).payload.body, (id, event), (sent_unix_ms, around), cents, self.bytes);
    }

    /// Appends the body of an event that never happened, beside another one, for a large amount. What tells it from
    /// the genuine one is its id, or its amount; where neither is told, its number.
    pub fn forged_body(&self, out: &mut Vec<u8>, id: EventId, beside: &Event, sent_unix_ms: u64, around: Surroundings) {
        let sent = (sent_unix_ms, around);
        let from = out.len();
        let body = &self.kind(beside).payload.body;
        self.render(out, body, (id, beside), sent, FORGED_CENTS, self.bytes);
        let mut genuine = Vec::new();
        self.body(&mut genuine, beside, sent_unix_ms, around);
        if out[from..] == genuine[..] {
            out.truncate(from);
            let other = Event { seq: u32::MAX - beside.seq, ..*beside };
            self.render(out, body, (id, &other), sent, FORGED_CENTS, self.bytes);
        }
    }

    /// Appends the lines of its own headers, those of the signature apart.
    pub fn head(&self, out: &mut Vec<u8>, id: EventId, event: &Event, sent_unix_ms: u64, around: Surroundings) {
        for (name, template) in &self.kind(event).headers {
            out.extend_from_slice(name.as_bytes());
            out.extend_from_slice(b": ");
            self.render(out, template, (id, event), (sent_unix_ms, around), 0, None);
            out.extend_from_slice(b"\r\n");
        }
    }

    /// Its User-Agent; `None`: pushpull's own.
    #[must_use]
    pub fn user_agent(&self) -> Option<&str> {
        self.head.user_agent.as_deref()
    }

    /// The headers that number a retry and say why it is one.
    #[must_use]
    pub fn retry_headers(&self) -> (Option<&str>, Option<&str>) {
        (self.head.retry_number.as_deref(), self.head.retry_reason.as_deref())
    }

    fn render(
        &self,
        out: &mut Vec<u8>,
        template: &PayloadTemplate,
        (id, event): (EventId, &Event),
        (sent_unix_ms, around): (u64, Surroundings),
        amount_cents: u64,
        bytes: Option<u32>,
    ) {
        let (id, event_type, wall) = (self.profile.id_form.write(id), &self.kind(event).payload.event, around.wall);
        template.render(out, &Telling { id: &id, event_type, event, wall, sent_unix_ms, amount_cents }, bytes);
    }
}

/// The headers of a webhook, by name. Each is there once: the plan's come first, and those of the signature are not
/// among them.
fn headers(profile: &Profile, payload: &Payload, head: &HeadPlan) -> Vec<(String, PayloadTemplate)> {
    let template = |text: &str| PayloadTemplate::parse(text).unwrap_or_default();
    let mut all: Vec<(String, PayloadTemplate)> = Vec::new();
    let mut add = |name: &str, template: PayloadTemplate| {
        if !all.iter().any(|(known, _)| known.eq_ignore_ascii_case(name)) && !signed_in(profile, name) {
            all.push((name.to_owned(), template));
        }
    };
    head.headers.iter().for_each(|(name, text)| add(name, template(text)));
    payload.headers.iter().for_each(|(name, template)| add(name.as_str(), template.clone()));
    for (part, place) in &profile.event {
        let PartPlace::Header(names) = place else { continue };
        match part {
            EventPart::Id => add(names.sent(), template("{{id}}")),
            EventPart::Type => add(names.sent(), template("{{type}}")),
            _ => {}
        }
    }
    all
}

/// Whether the signature writes a header of this name.
fn signed_in(profile: &Profile, name: &str) -> bool {
    let Some(scheme) = &profile.scheme else { return false };
    let id = matches!(&scheme.id, Some(PartPlace::Header(names)) if names.sent().eq_ignore_ascii_case(name));
    id || scheme.ways.iter().any(|way| way.header.sent().eq_ignore_ascii_case(name))
}
