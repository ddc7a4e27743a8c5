//! The pull API's rate limit, and what it tells its clients about it.
//!
//! Clients live in scenario time, so seconds in headers are the scenario's, rounded up: who waits as
//! long as told does not come too early.

use std::{
    net::IpAddr,
    sync::{Mutex, PoisonError},
};

use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};

use super::{context::Context, pull_body::PullBody};
use crate::{
    model::{ClientNo, Span},
    policy::rate::{Allowance, RateLimiter},
    record::Record,
    scenario::{ConsumerNo, RateHint, RateLimit, RateScope},
    wire::{headers, scenario_seconds},
};

/// Where a request came from; the server puts it into the request's extensions.
#[derive(Debug, Clone, Copy)]
pub(super) struct Peer(pub IpAddr);

/// Whose bucket a request takes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Who {
    All,
    Client(ConsumerNo, ClientNo),
    Address(Option<IpAddr>),
}

/// The limit of one provider.
#[derive(Debug)]
pub(super) struct Limits {
    limiter: Mutex<RateLimiter<Who>>,
    rule: RateLimit,
}

impl Limits {
    /// The provider's limit, if it has one.
    pub fn of(context: &Context) -> Option<Limits> {
        let rule = context.provider().pull.rate_limit?;
        let limiter = Mutex::new(RateLimiter::new(rule));
        Some(Limits { limiter, rule })
    }

    /// Takes a token for a request. A stranger counts by its address where clients count apart.
    pub fn ask(&self, context: &Context, caller: Option<(ConsumerNo, ClientNo)>, peer: Option<Peer>) -> Allowance {
        let who = self.who(caller, peer);
        let now = context.clock.now();
        // Nothing in the limiter panics half way, so a poisoned one is still whole.
        let allowance = self.limiter.lock().unwrap_or_else(PoisonError::into_inner).ask(who, now);
        if let (Some(_), Some((consumer, client))) = (allowance.retry_in, caller) {
            context.records.put(Record::RateLimited { consumer, client, at: now });
        }
        allowance
    }

    /// Where an answer of this status does not count: how things stand without it.
    pub fn counted(
        &self,
        status: StatusCode,
        caller: Option<(ConsumerNo, ClientNo)>,
        peer: Option<Peer>,
    ) -> Option<Allowance> {
        let free = self.rule.free_304 && status == StatusCode::NOT_MODIFIED;
        let mut limiter = self.limiter.lock().unwrap_or_else(PoisonError::into_inner);
        if free { limiter.give_back(&self.who(caller, peer)) } else { None }
    }

    fn who(&self, caller: Option<(ConsumerNo, ClientNo)>, peer: Option<Peer>) -> Who {
        match (self.rule.scope, caller) {
            (RateScope::All, _) => Who::All,
            (RateScope::Client, Some((consumer, client))) => Who::Client(consumer, client),
            (RateScope::Client, None) | (RateScope::Address, _) => Who::Address(peer.map(|peer| peer.0)),
        }
    }

    /// Says in an answer's head how much is left, and to a request beyond the limit when to come again.
    pub fn tell(&self, context: &Context, allowance: &Allowance, head: &mut HeaderMap) {
        if self.rule.hint == RateHint::None {
            return;
        }
        let wait = allowance.retry_in.and_then(|span| self.rule.told_s(span, context.plan.time_scale));
        let mut say = |name, value: u64| head.insert(HeaderName::from_static(name), HeaderValue::from(value));
        say(headers::RATE_LIMIT, u64::from(self.rule.burst));
        say(headers::RATE_REMAINING, u64::from(allowance.remaining));
        let full_in = told(context, allowance.full_in);
        match self.rule.hint {
            RateHint::RetryAfter => {
                if let Some(wait) = wait {
                    say("retry-after", wait);
                }
                say(headers::RATE_RESET, full_in);
            }
            RateHint::ResetIn => {
                say(headers::RATE_RESET, wait.unwrap_or(full_in));
            }
            RateHint::ResetAt | RateHint::None => {
                say(headers::RATE_RESET, context.clock.unix_secs() + wait.unwrap_or(full_in));
            }
        }
    }

    /// The answer to a request beyond the limit.
    pub fn too_many(&self) -> Response<PullBody> {
        let mut answer = Response::new(PullBody::whole("{\"error\":\"too many requests\"}"));
        *answer.status_mut() = StatusCode::from_u16(self.rule.status).unwrap_or(StatusCode::TOO_MANY_REQUESTS);
        answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        answer
    }
}

/// Asks clients to wait between two polls, where the provider does.
pub(super) fn hint(context: &Context, head: &mut HeaderMap) {
    if let Some(hint) = context.provider().pull.poll_interval_hint {
        let name = HeaderName::from_static(headers::POLL_INTERVAL);
        head.insert(name, HeaderValue::from(told(context, hint)));
    }
}

fn told(context: &Context, span: Span) -> u64 {
    scenario_seconds(span, context.plan.time_scale)
}
