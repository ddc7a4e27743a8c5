//! A condition on a result, read and checked.

use serde::{Deserialize, Serialize};

use super::ConsumerNo;

/// `"webhook.lost" = 0` or `"age.p99" = "< 60s"`, parsed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Condition {
    /// The key as written.
    pub key: String,
    /// The consumer it names; `None` in a goal means each consumer.
    pub consumer: Option<ConsumerNo>,
    /// The quantity: the path within a consumer's result, such as `age_s.p99` or `lost`.
    pub quantity: String,
    /// The consumer and the quantity that it is divided by, where a ratio is meant.
    #[serde(default)]
    pub over: Option<(ConsumerNo, String)>,
    /// How to compare.
    pub comparison: Comparison,
    /// The right-hand side; spans are in seconds.
    pub bound: f64,
    /// The right-hand side as written, for messages.
    pub wanted: String,
}

/// How a quantity is held against its bound.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub enum Comparison {
    /// `=`
    Equal,
    /// `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    AtMost,
    /// `>`
    Greater,
    /// `>=`
    AtLeast,
    /// `+-`: at most this far off, in the bound's unit.
    Within(f64),
}

impl Comparison {
    /// Whether `actual` satisfies the comparison with `bound`.
    #[must_use]
    pub fn holds(self, actual: f64, bound: f64) -> bool {
        match self {
            Comparison::Equal => actual == bound,
            Comparison::NotEqual => actual != bound,
            Comparison::Less => actual < bound,
            Comparison::AtMost => actual <= bound,
            Comparison::Greater => actual > bound,
            Comparison::AtLeast => actual >= bound,
            // Both ends belong to it, and decimal fractions have no exact double.
            Comparison::Within(off) => (actual - bound).abs() <= off + 4.0 * f64::EPSILON * bound.abs(),
        }
    }

    /// How far off a quantity may be, where that is given.
    #[must_use]
    pub fn tolerance(self) -> Option<f64> {
        match self {
            Comparison::Within(off) => Some(off),
            _ => None,
        }
    }
}
