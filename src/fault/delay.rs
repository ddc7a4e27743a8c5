//! Latency on one leg of a request.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{DrawKey, Fate, Fault, Hits, Target};
use crate::{
    model::Span,
    rng::{Draws, Purpose},
};

/// Holds a request or its response back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Delay {
    /// How long, at least. Never scaled: it is network time.
    #[serde(with = "crate::scenario::units::span_text")]
    #[schemars(with = "String")]
    pub delay: Span,
    /// Up to this much more, uniform.
    #[serde(default, with = "crate::scenario::units::span_text")]
    #[schemars(with = "String")]
    pub spread: Span,
    /// Which leg.
    #[serde(default)]
    pub leg: Leg,
}

/// A leg of a request's way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Leg {
    /// There.
    #[default]
    Request,
    /// And back.
    Response,
}

impl Fault for Delay {
    const SUMMARY: &'static str = "holds a request or its response back for a while";
    const HITS: Hits = Hits::REQUESTS;

    fn apply(&self, _target: &Target, key: DrawKey, draws: Draws, fate: &mut Fate) {
        let extra = (key.unit(draws, Purpose::FaultSize) * self.spread.0 as f64) as u64;
        let delay = self.delay + Span(extra);
        match self.leg {
            Leg::Request => fate.request_delay = fate.request_delay + delay,
            Leg::Response => fate.response_delay = fate.response_delay + delay,
        }
    }
}
