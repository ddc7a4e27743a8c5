//! How far a consumer was behind, as time went by: what waited for its effect, and for how long the
//! oldest of it had waited.

use serde::{Deserialize, Serialize};

use crate::model::{Span, Time};

/// What waited, step by step from t0. Obligations that never took effect (lost, dead-lettered, given
/// up) are left out: they would wait for ever and hide the others.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Behind {
    /// Length of a step in driver seconds.
    pub step_s: f64,
    /// Obligations due and without effect at the end of each step.
    pub waiting: Vec<u64>,
    /// The greatest age, in seconds, that one of them reached within each step.
    pub oldest_s: Vec<f64>,
}

/// Collects [`Behind`] from obligations in the order of their due instants.
#[derive(Debug, Clone)]
pub(super) struct BehindRecorder {
    step: Span,
    end: Time,
    changes: Vec<i64>,
    oldest: Vec<Span>,
    /// Steps before this one are filled from their beginning to their end by an older obligation.
    covered: usize,
}

impl BehindRecorder {
    const STEPS: u64 = 240;

    pub(super) fn new(end: Time) -> BehindRecorder {
        let step = Span((end.0 / Self::STEPS).max(1));
        let n = (end.0 / step.0 + 1) as usize;
        BehindRecorder { step, end, changes: vec![0; n + 1], oldest: vec![Span::ZERO; n], covered: 0 }
    }

    /// An obligation waited from `due` until `settled`, or until the end of the run.
    pub(super) fn take(&mut self, due: Time, settled: Option<Time>) {
        let until = settled.unwrap_or(self.end).min(self.end);
        if due >= until {
            return;
        }
        let (first, last) = (self.step_of(due), self.step_of(Time(until.0 - 1)));
        self.changes[first] += 1;
        // What is still open at the end waits at the end of the last step too.
        self.changes[if settled.is_some_and(|at| at <= self.end) { last } else { self.oldest.len() }] -= 1;
        for step in first.max(self.covered)..last {
            let ends = Time((step as u64 + 1) * self.step.0);
            self.oldest[step] = self.oldest[step].max(ends.since(due));
        }
        self.oldest[last] = self.oldest[last].max(until.since(due));
        self.covered = self.covered.max(last);
    }

    pub(super) fn behind(&self) -> Behind {
        let mut waiting = 0;
        let running = self.changes[..self.oldest.len()].iter().map(|change| {
            waiting += change;
            waiting.max(0) as u64
        });
        Behind {
            waiting: running.collect(),
            step_s: self.step.as_secs_f64(),
            oldest_s: self.oldest.iter().map(|age| age.as_secs_f64()).collect(),
        }
    }

    fn step_of(&self, at: Time) -> usize {
        ((at.0 / self.step.0) as usize).min(self.oldest.len() - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SECOND: u64 = 1_000_000_000;

    fn at(tenths: u64) -> Time {
        Time(tenths * SECOND / 10)
    }

    #[test]
    fn what_waits_is_counted_while_it_waits() {
        let mut recorder = BehindRecorder::new(Time(240 * SECOND));
        recorder.take(at(5), Some(at(25)));
        recorder.take(at(15), Some(at(16)));
        recorder.take(Time(239 * SECOND), None);
        let behind = recorder.behind();
        assert_eq!((behind.step_s, behind.waiting.len()), (1.0, 241));
        assert_eq!(behind.waiting[..4], [1, 1, 0, 0]);
        assert_eq!(behind.oldest_s[..4], [0.5, 1.5, 2.0, 0.0]);
        assert_eq!((behind.waiting[240], behind.oldest_s[239]), (1, 1.0));
    }

    proptest! {
        /// The shortcut over covered steps gives what looking at every pair gives.
        #[test]
        fn the_oldest_is_the_oldest(mut waits in proptest::collection::vec((0u64..3_000, 1u64..900), 1..60)) {
            waits.sort_unstable();
            let mut recorder = BehindRecorder::new(Time(240 * SECOND));
            for (due, length) in &waits {
                recorder.take(at(*due), Some(at(due + length)));
            }
            let behind = recorder.behind();
            for step in 0..240u64 {
                let oldest = waits.iter().filter_map(|(due, length)| {
                    let until = (due + length).min((step + 1) * 10).min(2_400);
                    (due + length > step * 10 && until > *due).then(|| until - due)
                });
                let wanted = oldest.max().unwrap_or(0) as f64 / 10.0;
                let told = behind.oldest_s[step as usize];
                prop_assert!((told - wanted).abs() < 1e-9, "step {}: {} {}", step, told, wanted);
            }
        }
    }
}
