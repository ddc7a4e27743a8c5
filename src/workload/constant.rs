//! The steady source: no chance in when things happen.

use serde::{Deserialize, Serialize};

use super::{Process, Schedule, to_any_subject};
use crate::model::{Span, Time};
use crate::rng::Draws;

/// One event every `per / count`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Constant {
    /// Events per `per`.
    pub count: u64,
    /// The rate's unit of time.
    pub per: Span,
}

impl Process for Constant {
    const SUMMARY: &'static str = "one event after the other, always the same time apart";

    fn rate_per_sec(&self) -> f64 {
        self.count as f64 / self.per.as_secs_f64()
    }

    fn schedule(&self, subjects: u32, draws: Draws) -> Schedule<'_> {
        let Constant { count, per } = *self;
        // From the number, never accumulated: no rounding drifts in.
        let instants = (1..).map(move |number| Time::ZERO + per.scaled(number, count));
        to_any_subject(instants, subjects, draws)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constant_arrivals_keep_their_rate_without_drift() {
        let arrivals = Constant { count: 3, per: Span::from_secs(1) };
        let at: Vec<u64> = arrivals.schedule(1, Draws::new(1)).take(6).map(|arrival| arrival.at.0).collect();
        assert_eq!((at[2], at[5]), (1_000_000_000, 2_000_000_000));
    }
}
