//! The memoryless source: many independent causes, none of which knows of another.

use serde::{Deserialize, Serialize};

use super::{Process, Schedule, to_any_subject};
use crate::model::{Span, Time};
use crate::rng::{Draws, Purpose};

/// Independent exponential gaps with mean `per / count`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Poisson {
    /// Events per `per`, on average.
    pub count: u64,
    /// The rate's unit of time.
    pub per: Span,
}

impl Process for Poisson {
    const SUMMARY: &'static str = "independent events at a constant mean rate";

    fn rate_per_sec(&self) -> f64 {
        self.count as f64 / self.per.as_secs_f64()
    }

    fn schedule(&self, subjects: u32, draws: Draws) -> Schedule<'_> {
        to_any_subject(self.instants(draws), subjects, draws)
    }
}

impl Poisson {
    /// The instants alone, for processes that are made of this one.
    pub(super) fn instants(self, draws: Draws) -> impl Iterator<Item = Time> + Send {
        let mean_ns = self.per.0 as f64 / self.count as f64;
        let mut last = Time::ZERO;
        (1..).map(move |number| {
            last = last + Span((draws.exponential(Purpose::Arrival, 0, number) * mean_ns) as u64);
            last
        })
    }
}
