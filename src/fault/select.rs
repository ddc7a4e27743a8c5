//! Which requests a fault hits.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::{ClientNo, Time};
use crate::rng::{Draws, Purpose, PurposeDraws};
use crate::scenario::ConsumerNo;

/// One request, seen from the side where faults are applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Target {
    /// Push or pull.
    pub path: TargetPath,
    /// Whose request.
    pub consumer: ConsumerNo,
    /// Which client of it.
    pub client: ClientNo,
    /// Webhook: the event's sequence. Poll: the client's poll number, from 1. Never arrival order.
    pub number: u32,
    /// Webhook: the attempt, from 1. Poll: the page, from 1.
    pub attempt: u32,
    /// 0 for the original, k for the k-th copy.
    pub copy: u32,
    /// The instant it was due.
    pub at: Time,
}

/// Push or pull.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum TargetPath {
    /// "push": a webhook attempt.
    #[serde(rename = "push")]
    Webhook,
    /// "pull": a page request of a poll.
    #[serde(rename = "pull")]
    Poll,
}

/// Limits on what a fault hits; all that are given must hold. None: everything.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Selector {
    /// Hits with this probability, 0 to 1, drawn by (seed, fault, client, event, attempt).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probability: Option<f64>,
    /// Hits every Nth event (webhook) or poll of a client, by number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub every: Option<u32>,
    /// Hits the first K events or polls of a client, by number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first: Option<u32>,
    /// Hits from this instant of scenario time on.
    #[serde(default, with = "crate::scenario::units::time_text_opt", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub from: Option<Time>,
    /// Hits before this instant of scenario time.
    #[serde(default, with = "crate::scenario::units::time_text_opt", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub until: Option<Time>,
    /// Hits this event only (its sequence, from 1); for polls, this poll.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event: Option<u32>,
    /// Hits these attempts only (from 1); for polls, these pages.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attempts: Vec<u32>,
    /// Hits these clients of a consumer only, by number from 0: one dead endpoint among many.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub clients: Vec<ClientNo>,
    /// Hits one path of a hybrid only: "push" its webhooks, "pull" its polls.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<TargetPath>,
}

impl Selector {
    /// The keys in the scenario file.
    pub const KEYS: [&'static str; 9] =
        ["probability", "every", "first", "from", "until", "event", "attempts", "clients", "path"];

    /// Whether a request of the path that it may hit is hit: a pure function of seed, fault and target. `draws`
    /// are those of [`Purpose::FaultHit`].
    #[must_use]
    #[inline]
    pub fn hits(&self, target: &Target, fault: u16, draws: PurposeDraws) -> bool {
        self.window_holds(target.at)
            && self.every.is_none_or(|n| n > 0 && target.number.is_multiple_of(n))
            && self.first.is_none_or(|k| target.number <= k)
            && self.event.is_none_or(|e| target.number == e)
            && (self.attempts.is_empty() || self.attempts.contains(&target.attempt))
            && (self.clients.is_empty() || self.clients.contains(&target.client))
            && self.probability.is_none_or(|p| draw_key(target, fault).unit_of(draws) < p)
    }

    /// Its probability alone, if it has one, for the fault of this index.
    #[must_use]
    pub fn odds(&self, fault: u16) -> Option<Odds> {
        self.probability.map(|p| Odds { fault, below: libm::ceil(p * (1u64 << 53) as f64) as u64 })
    }

    /// Whether it may hit requests of this path.
    #[must_use]
    pub fn takes(&self, path: TargetPath) -> bool {
        self.path.is_none_or(|only| only == path)
    }

    /// Whether `at` lies in the window [from, until).
    #[must_use]
    #[inline]
    pub fn window_holds(&self, at: Time) -> bool {
        self.from.is_none_or(|from| at >= from) && self.until.is_none_or(|until| at < until)
    }
}

/// The key under which a fault draws for one target.
///
/// The consumer is not part of it: two consumers under one fault suffer the same fates, so that
/// their difference is the strategy's alone.
#[derive(Debug, Clone, Copy)]
pub struct DrawKey {
    entity: u64,
    number: u64,
}

#[inline]
pub(super) fn draw_key(target: &Target, fault: u16) -> DrawKey {
    DrawKey::of(fault, target.client, target.number, target.attempt, target.copy)
}

/// A fault's probability, for who asks often: of the first request of a poll, whether the draw spares it.
///
/// A draw is below `p` exactly where its 53 bits are below `p` x 2^53, rounded up: to multiply by a power of
/// two loses nothing, and the bits are a whole number.
#[derive(Debug, Clone, Copy)]
pub struct Odds {
    fault: u16,
    below: u64,
}

impl Odds {
    /// Whether the fault cannot hit the poll of this number, whatever else its selector says.
    #[must_use]
    #[inline]
    pub fn spare(self, client: ClientNo, number: u32, draws: PurposeDraws) -> bool {
        let DrawKey { entity, number } = DrawKey::of(self.fault, client, number, 1, 0);
        draws.bits(entity, number) >> 11 >= self.below
    }
}

impl DrawKey {
    #[inline]
    fn of(fault: u16, client: ClientNo, number: u32, attempt: u32, copy: u32) -> DrawKey {
        DrawKey {
            entity: u64::from(fault) << 32 | u64::from(client),
            number: u64::from(number) << 24 | u64::from(attempt & 0xffff) << 8 | u64::from(copy & 0xff),
        }
    }

    /// 64 uniform bits for this key.
    #[must_use]
    pub fn bits(self, draws: Draws, purpose: Purpose) -> u64 {
        draws.bits(purpose, self.entity, self.number)
    }

    /// Uniform in [0, 1) for this key.
    #[must_use]
    pub fn unit(self, draws: Draws, purpose: Purpose) -> f64 {
        self.unit_of(draws.purpose(purpose))
    }

    /// Uniform in [0, 1) for this key, from the draws of one purpose.
    #[must_use]
    #[inline]
    pub fn unit_of(self, draws: PurposeDraws) -> f64 {
        draws.unit(self.entity, self.number)
    }
}
