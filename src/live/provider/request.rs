//! The bytes of one POST: head, body and a signature made for this attempt.

use super::{context::Context, described, endpoint::Endpoint};
use crate::{
    fault::{Attack, DamagedPart, Fate, ForgeMethod, Signing},
    live::keys::SigningKey,
    model::{AttemptOutcome, Event, EventId, Span, Time},
    rng::Purpose,
    wire::{self, Secret, WebhookHead},
};

/// One request as it goes over the wire. Its buffers are reused.
#[derive(Debug, Default)]
pub(super) struct Request {
    /// Head and body.
    bytes: Vec<u8>,
    /// Length of the head.
    head: usize,
    body: Vec<u8>,
}

/// What the head says of the body.
struct Signed<'a> {
    id: EventId,
    timestamp_s: u64,
    /// `None`: the header is left out.
    signature: Option<&'a str>,
    attempt: u32,
}

impl Request {
    /// The whole request.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Length of its head: the body lies behind it.
    pub fn head_length(&self) -> usize {
        self.head
    }

    /// Its head and half of its body.
    pub fn first_half(&self) -> &[u8] {
        &self.bytes[..self.head + (self.bytes.len() - self.head) / 2]
    }

    /// Writes an attempt, signed now, with what its fate does to clock, secret and bytes.
    /// `before` is how the attempt before it ended.
    pub fn write_attempt(
        &mut self,
        context: &Context,
        endpoint: &Endpoint,
        event: &Event,
        (attempt, before): (u32, Option<AttemptOutcome>),
        fate: &Fate,
    ) {
        if let Some(profile) = &context.described {
            return described::write_attempt(self, (context, profile, endpoint), event, (attempt, before), fate);
        }
        self.render_body(context, event);
        let id = EventId::genuine(context.plan.run_id, event.seq);
        let now = context.clock.now();
        let signed_at = if context.provider().resign { now } else { event.occurred_at };
        let timestamp_s = fate.skew.seen_at(context.clock.wall().unix_secs(signed_at));
        let next_secret = || unknown_secret(context, u64::from(endpoint.client));
        let sign = |secret: &Secret| wire::sign(secret, &id.text(), timestamp_s, &self.body);
        let sign_as_known = || wire::sign_with_each(standard(endpoint, now), &id.text(), timestamp_s, &self.body);
        let mut signature = match fate.signing {
            Signing::Known => sign_as_known(),
            Signing::Unknown => sign(&next_secret()),
            Signing::Both => format!("{} {}", sign(&next_secret()), sign_as_known()),
        };
        match fate.damage {
            Some(damage) if damage.part == DamagedPart::Signature => signature = damage.exchange(&signature),
            Some(damage) => damage.flip(&mut self.body),
            None => {}
        }
        self.assemble(endpoint, &Signed { id, timestamp_s, signature: Some(&signature), attempt });
    }

    /// Writes what an attacker sends beside `event`'s first attempt.
    pub fn write_attack(&mut self, context: &Context, endpoint: &Endpoint, event: &Event, attack: Attack) {
        if let Some(profile) = &context.described {
            return described::write_attack(self, (context, profile, endpoint), event, attack);
        }
        let now = context.clock.now();
        let now_s = context.clock.wall().unix_secs(now);
        let method = match attack {
            Attack::Replay { age } => return self.write_captured(context, endpoint, event, (now, age)),
            Attack::Forge(method) => method,
        };
        let run_id = context.plan.run_id;
        let genuine = EventId::genuine(run_id, event.seq);
        // Whoever tampers keeps the id: only the signature can tell that the amount has changed.
        let id = if method == ForgeMethod::Tampered { genuine } else { EventId::forged(run_id, event.seq) };
        let forged = wire::forged_event_json(&context.plan.workload.payload, id, event, context.clock.wall());
        let signature = match method {
            ForgeMethod::WrongSecret => {
                Some(wire::sign(&unknown_secret(context, ATTACKER), &id.text(), now_s, &forged))
            }
            ForgeMethod::Unsigned => None,
            ForgeMethod::UnkeyedSha256 => Some(wire::sign_unkeyed(&id.text(), now_s, &forged)),
            ForgeMethod::Tampered => {
                self.render_body(context, event);
                Some(wire::sign_with_each(standard(endpoint, now), &id.text(), now_s, &self.body))
            }
        };
        self.body = forged;
        let signed = Signed { id, timestamp_s: now_s, signature: signature.as_deref(), attempt: 1 };
        self.assemble(endpoint, &signed);
    }

    /// Writes the event's first attempt as it was captured `age` ago.
    fn write_captured(&mut self, context: &Context, endpoint: &Endpoint, event: &Event, (now, age): (Time, Span)) {
        self.render_body(context, event);
        let id = EventId::genuine(context.plan.run_id, event.seq);
        let timestamp_s = context.clock.wall().unix_secs(now).saturating_sub(age.0 / 1_000_000_000);
        let signature = wire::sign_with_each(standard(endpoint, now), &id.text(), timestamp_s, &self.body);
        self.assemble(endpoint, &Signed { id, timestamp_s, signature: Some(&signature), attempt: 1 });
    }

    fn render_body(&mut self, context: &Context, event: &Event) {
        self.body.clear();
        context.render_event(&mut self.body, event);
    }

    /// Takes a head, which `head` appends, and a body.
    pub(super) fn fill(&mut self, body: &[u8], head: impl FnOnce(&mut Vec<u8>)) {
        self.bytes.clear();
        head(&mut self.bytes);
        self.head = self.bytes.len();
        self.bytes.extend_from_slice(body);
    }

    fn assemble(&mut self, endpoint: &Endpoint, signed: &Signed<'_>) {
        let Endpoint { path, authority, .. } = endpoint;
        let Signed { id, timestamp_s, signature, attempt } = *signed;
        self.bytes.clear();
        let head = WebhookHead { path, authority, id, timestamp_s, signature, attempt };
        wire::render_webhook(&mut self.bytes, &head, &self.body);
        self.head = self.bytes.len() - self.body.len();
    }
}

/// What an endpoint of a provider without a profile signs with.
fn standard(endpoint: &Endpoint, now: Time) -> impl Iterator<Item = &Secret> {
    endpoint.secrets.valid_at(now).filter_map(|key| match key {
        SigningKey::Standard(secret) => Some(secret),
        SigningKey::Scheme(_) => None,
    })
}

/// Whose secret an attacker's is: no client has this number.
const ATTACKER: u64 = u64::MAX;

/// A secret that no receiver has been given: an attacker's, or the next one of a client's endpoint.
fn unknown_secret(context: &Context, whose: u64) -> Secret {
    let mut bytes = [0; 32];
    for (number, chunk) in bytes.chunks_exact_mut(8).enumerate() {
        chunk.copy_from_slice(&context.draws.bits(Purpose::Secret, whose, number as u64).to_le_bytes());
    }
    Secret::from_bytes(&bytes).expect("32 bytes are a secret")
}
