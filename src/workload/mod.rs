//! When events happen and to which subjects: pure functions of (seed, sequence).
//!
//! Arrivals are open: event i is scheduled without regard to how anyone copes with event i-1.

mod arrivals;
mod payload;

pub use arrivals::Arrivals;
pub use payload::Payload;

use serde::{Deserialize, Serialize};

use crate::model::Subject;
use crate::rng::{Draws, Purpose};

/// What happens at the provider.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Workload {
    /// When.
    pub arrivals: Arrivals,
    /// Number of things that change.
    pub subjects: u32,
    /// What the events say.
    pub payload: Payload,
}

impl Workload {
    /// The subject of the event with sequence `seq`: uniform, keyed.
    #[must_use]
    pub fn subject(&self, draws: Draws, seq: u32) -> Subject {
        draws.below(u64::from(self.subjects), Purpose::Subject, 0, u64::from(seq)) as Subject
    }
}
