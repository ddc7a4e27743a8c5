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
        instants(self.per.0 as f64 / self.count as f64, draws)
    }
}

/// Instants with independent exponential gaps of this mean.
pub(super) fn instants(mean_gap_ns: f64, draws: Draws) -> impl Iterator<Item = Time> + Send {
    let (gaps, mut last) = (draws.purpose(Purpose::Arrival).of(GAPS), Time::ZERO);
    (1..).map(move |number| {
        last = last + Span((gaps.exponential(number) * mean_gap_ns) as u64);
        last
    })
}

/// The entities of [`Purpose::Arrival`]: what a process draws, beside the number of the draw. The
/// gaps between events.
const GAPS: u64 = 0;
/// Lengths of bursts.
pub(super) const BURSTS: u64 = 1;
/// Lengths of the silences between them.
pub(super) const SILENCES: u64 = 2;
/// Whether a candidate of a thinned process happens.
pub(super) const THINNING: u64 = 3;
