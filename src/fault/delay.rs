//! Latency on one leg of a request.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{DrawKey, Fate, Fault, FaultProblem, Hits, Selector, Target};
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
    /// The size of what comes on top: the most ("uniform"), the mean ("exponential"), or the scale of
    /// the tail ("pareto").
    #[serde(default, with = "crate::scenario::units::span_text")]
    #[schemars(with = "String")]
    pub spread: Span,
    /// How what comes on top is distributed.
    #[serde(default)]
    pub distribution: DelayDistribution,
    /// What comes on top is cut off here. Default for "exponential" and "pareto": 100 times the spread.
    #[serde(default, with = "crate::scenario::units::span_text_opt", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub at_most: Option<Span>,
    /// Which leg.
    #[serde(default)]
    pub leg: Leg,
}

/// Distributions of what comes on top of a delay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum DelayDistribution {
    /// Uniform from 0 to the spread.
    #[default]
    Uniform,
    /// Exponential with the spread as its mean.
    Exponential,
    /// A heavy tail: P(more than x) = (1 + x / spread)^-1.5, as Lomax has it. The mean is twice the
    /// spread, the variance has no bound but the cut.
    Pareto,
}

/// The tail's index: below 2 the variance is infinite, above 1 there is a mean.
const PARETO_INDEX: f64 = 1.5;
/// How many spreads what comes on top may reach where the scenario does not say.
const SPREADS_AT_MOST: u64 = 100;

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

impl Delay {
    /// What comes on top, for a uniform draw in [0, 1).
    fn extra(&self, unit: f64) -> Span {
        let factor = match self.distribution {
            DelayDistribution::Uniform => unit,
            DelayDistribution::Exponential => -libm::log1p(-unit),
            DelayDistribution::Pareto => libm::pow(1.0 - unit, -1.0 / PARETO_INDEX) - 1.0,
        };
        let extra = Span((factor * self.spread.0 as f64) as u64);
        extra.min(self.at_most.unwrap_or(self.spread.scaled(SPREADS_AT_MOST, 1)))
    }
}

impl Fault for Delay {
    const SUMMARY: &'static str = "holds a request or its response back for a while";
    const HITS: Hits = Hits::REQUESTS;

    fn apply(&self, _target: &Target, key: DrawKey, draws: Draws, fate: &mut Fate) {
        let delay = self.delay + self.extra(key.unit(draws, Purpose::FaultSize));
        match self.leg {
            Leg::Request => fate.request_delay = fate.request_delay + delay,
            Leg::Response => fate.response_delay = fate.response_delay + delay,
        }
    }

    fn validate(&self, _selector: &Selector) -> Result<(), FaultProblem> {
        let problem = |key, problem: &str, fix: &str| {
            Err(FaultProblem { key, problem: problem.to_owned(), fix: fix.to_owned() })
        };
        let uniform = self.distribution == DelayDistribution::Uniform;
        if uniform && self.at_most.is_some() {
            return problem("at_most", "a uniform spread is its own bound", "write a smaller spread instead");
        }
        if !uniform && self.spread == Span::ZERO {
            return problem("spread", "a distribution of what comes on top needs a size", "write spread = \"50ms\"");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn extras(distribution: DelayDistribution, at_most: Option<Span>) -> Vec<f64> {
        let spread = Span::from_millis(10);
        let delay = Delay { delay: Span::ZERO, spread, distribution, at_most, leg: Leg::Request };
        let draws = Draws::new(5);
        let mut extras: Vec<f64> =
            (0..100_000).map(|i| delay.extra(draws.unit(Purpose::FaultSize, 0, i)).0 as f64 / 1e7).collect();
        extras.sort_by(f64::total_cmp);
        extras
    }

    #[test]
    fn what_comes_on_top_is_distributed_as_documented() {
        // In spreads: the median, the 99th and the 99.9th percentile.
        for (distribution, quantiles) in [
            (DelayDistribution::Uniform, [0.5, 0.99, 0.999]),
            (DelayDistribution::Exponential, [0.693, 4.605, 6.908]),
            (DelayDistribution::Pareto, [0.5874, 20.54, 99.0]),
        ] {
            let extras = extras(distribution, None);
            for (q, wanted) in [0.5, 0.99, 0.999].into_iter().zip(quantiles) {
                let found = extras[(q * 1e5) as usize];
                assert!((found / wanted - 1.0).abs() < 0.1, "{distribution:?} {q}: {found}, not {wanted}");
            }
        }
    }

    #[test]
    fn a_tail_is_cut_off() {
        let last = |at_most| *extras(DelayDistribution::Pareto, at_most).last().unwrap();
        assert_eq!((last(None), last(Some(Span::from_millis(30)))), (100.0, 3.0));
    }
}
