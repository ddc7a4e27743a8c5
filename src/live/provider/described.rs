//! The bytes of one POST of a provider that a profile describes.

use std::io::Write;

use super::{context::Context, endpoint::Endpoint, request::Request};
use crate::{
    fault::{Attack, Damage, DamagedPart, Fate, ForgeMethod, Signing},
    live::keys::SigningKey,
    model::{AttemptOutcome, Event, EventId, Skew, Span, Time},
    policy::described::{Described, Surroundings},
    rng::Purpose,
    wire::{
        headers,
        scheme::{Message, Scheme, SignKey},
    },
};

/// One request of a described provider, before its bytes are put together.
struct Draft<'a> {
    context: &'a Context,
    described: &'a Described,
    endpoint: &'a Endpoint,
    event: &'a Event,
    id: EventId,
    /// The instant that the signature tells, in Unix milliseconds.
    signed_unix_ms: u64,
}

impl Draft<'_> {
    fn around(&self) -> Surroundings {
        Surroundings { wall: self.context.clock.wall(), draws: self.context.draws }
    }

    fn body(&self) -> Vec<u8> {
        let mut body = Vec::with_capacity(1_024);
        self.described.body(&mut body, self.event, self.signed_unix_ms, self.around());
        body
    }

    /// The lines of the signature's headers, over `body`.
    fn signature(
        &self,
        keys: &[SignKey],
        body: &[u8],
        mut keep: impl FnMut(&Scheme, &str, &str) -> Option<String>,
    ) -> String {
        let mut lines = String::with_capacity(256);
        let Some(scheme) = &self.described.profile.scheme else { return lines };
        let id = self.described.profile.id_form.write(self.id);
        let message = Message { id: &id, unix_ms: self.signed_unix_ms, url: &self.endpoint.url, method: "POST", body };
        let written = scheme.sign(keys, &message, |name, value| {
            if let Some(value) = keep(scheme, name, value) {
                lines.extend([name, ": ", &value, "\r\n"]);
            }
        });
        // What is signed in the body is there: the payload was held against the profile when the plan was made.
        debug_assert!(written.is_ok());
        lines
    }

    /// Puts head and body together.
    fn put(
        &self,
        request: &mut Request,
        signature: &str,
        body: &[u8],
        (attempt, retry): (u32, Option<AttemptOutcome>),
    ) {
        let Endpoint { path, authority, .. } = self.endpoint;
        let own = concat!("pushpull/", env!("CARGO_PKG_VERSION"));
        let agent = self.described.user_agent().unwrap_or(own);
        let length = body.len();
        request.fill(body, |out| {
            // Writing into a Vec cannot fail.
            let _ = write!(
                out,
                "POST {path} HTTP/1.1\r\nhost: {authority}\r\nuser-agent: {agent}\r\ncontent-type: application/json\r\n\
                 content-length: {length}\r\n{}: {attempt}\r\n{signature}",
                headers::ATTEMPT,
            );
            self.described.head(out, self.id, self.event, self.signed_unix_ms, self.around());
            let (number, reason) = self.described.retry_headers();
            if let Some(name) = number.filter(|_| attempt > 1) {
                let _ = write!(out, "{name}: {}\r\n", attempt - 1);
            }
            if let (Some(name), Some(outcome)) = (reason.filter(|_| attempt > 1), retry) {
                let _ = write!(out, "{name}: {}\r\n", retry_reason(outcome));
            }
            out.extend_from_slice(b"\r\n");
        });
    }

    /// What the endpoint signs with at `now`.
    fn keys(&self, now: Time) -> Vec<SignKey> {
        let keys = self.endpoint.secrets.valid_at(now);
        keys.filter_map(|key| match key {
            SigningKey::Scheme(key) => Some(key.clone()),
            SigningKey::Standard(_) => None,
        })
        .collect()
    }

    /// A key that no receiver has been given.
    fn unknown_key(&self, whose: u64) -> SignKey {
        let mut bytes = [0; 32];
        for (number, chunk) in bytes.chunks_exact_mut(8).enumerate() {
            chunk.copy_from_slice(&self.context.draws.bits(Purpose::Secret, whose, number as u64).to_le_bytes());
        }
        let scheme = self.described.profile.scheme.as_ref();
        let key = scheme.and_then(|scheme| scheme.sign_key(&scheme.key_pair(&bytes).0).ok());
        key.unwrap_or(SignKey::NONE)
    }
}

/// Why an attempt is a retry, in Slack's words.
fn retry_reason(before: AttemptOutcome) -> &'static str {
    match before {
        AttemptOutcome::Timeout => "http_timeout",
        AttemptOutcome::Refused | AttemptOutcome::Reset => "connection_failed",
        AttemptOutcome::Status(_) | AttemptOutcome::Accepted(_) | AttemptOutcome::NotAccepted(_) => "http_error",
        AttemptOutcome::BadResponse => "unknown_error",
    }
}

/// Whose secret an attacker's is: no client has this number.
const ATTACKER: u64 = u64::MAX;

fn as_is(_scheme: &Scheme, _name: &str, value: &str) -> Option<String> {
    Some(value.to_owned())
}

/// Unix milliseconds at `at` by a clock that is off.
fn unix_ms(context: &Context, at: Time, skew: Skew) -> u64 {
    (context.clock.wall().unix_ns(at) / 1_000_000).saturating_add_signed(skew.0.div_euclid(1_000_000))
}

/// Writes an attempt, with what its fate does to clock, secret and bytes. `before` is how the one before it ended.
pub(super) fn write_attempt(
    request: &mut Request,
    (context, described, endpoint): (&Context, &Described, &Endpoint),
    event: &Event,
    (attempt, before): (u32, Option<AttemptOutcome>),
    fate: &Fate,
) {
    let now = context.clock.now();
    let signed_at = if described.resign { now } else { event.occurred_at };
    let id = EventId::genuine(described.run_id(), event.seq);
    let signed_unix_ms = unix_ms(context, signed_at, fate.skew);
    let draft = Draft { context, described, endpoint, event, id, signed_unix_ms };
    let mut body = draft.body();
    let next = || draft.unknown_key(u64::from(endpoint.client));
    let keys = match fate.signing {
        Signing::Known => draft.keys(now),
        Signing::Unknown => vec![next()],
        Signing::Both => std::iter::once(next()).chain(draft.keys(now)).collect(),
    };
    let signature = match fate.damage {
        Some(Damage { part: DamagedPart::Signature, draw }) => draft.signature(&keys, &body, |scheme, name, value| {
            Some(scheme.damaged(name, value, draw).unwrap_or_else(|| value.to_owned()))
        }),
        _ => draft.signature(&keys, &body, as_is),
    };
    if let Some(damage) = fate.damage.filter(|damage| damage.part == DamagedPart::Body) {
        damage.flip(&mut body);
    }
    draft.put(request, &signature, &body, (attempt, before));
}

/// Writes what an attacker sends beside `event`'s first attempt.
pub(super) fn write_attack(
    request: &mut Request,
    (context, described, endpoint): (&Context, &Described, &Endpoint),
    event: &Event,
    attack: Attack,
) {
    let now = context.clock.now();
    let genuine = EventId::genuine(described.run_id(), event.seq);
    let age = match attack {
        Attack::Replay { age } => age,
        Attack::Forge(_) => Span::ZERO,
    };
    let captured_at = if described.resign { now } else { event.occurred_at };
    let signed_unix_ms = unix_ms(context, captured_at, Skew::ZERO).saturating_sub(age.0 / 1_000_000);
    let captured = Draft { context, described, endpoint, event, id: genuine, signed_unix_ms };
    let body = captured.body();
    let keys = captured.keys(now);
    let Attack::Forge(method) = attack else {
        let signature = captured.signature(&keys, &body, as_is);
        return captured.put(request, &signature, &body, (1, None));
    };
    // Whoever tampers keeps the id: only the signature can tell that something has changed.
    let tampered = method == ForgeMethod::Tampered;
    let id = if tampered { genuine } else { EventId::forged(described.run_id(), event.seq) };
    let forged = Draft { id, ..captured };
    let mut forged_body = Vec::new();
    described.forged_body(&mut forged_body, id, event, signed_unix_ms, forged.around());
    let signature = match method {
        ForgeMethod::Tampered => forged.signature(&keys, &body, as_is),
        ForgeMethod::WrongSecret => forged.signature(&[forged.unknown_key(ATTACKER)], &forged_body, as_is),
        ForgeMethod::Unsigned => forged.signature(&[SignKey::NONE], &forged_body, |scheme, name, value| {
            (!scheme.signs_in(name)).then(|| value.to_owned())
        }),
        ForgeMethod::UnkeyedSha256 => {
            let key = described.profile.scheme.as_ref().and_then(Scheme::unkeyed).map(|(key, _)| key);
            forged.signature(&[key.unwrap_or(SignKey::NONE)], &forged_body, as_is)
        }
    };
    forged.put(request, &signature, &forged_body, (1, None));
}
