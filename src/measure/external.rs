//! Effects in somebody else's system: what was asked for, what happened twice, and the window in which
//! a crash makes it so.

use super::{
    age::{Age, AgeRecorder},
    model,
};
use crate::{
    audit::{Book, Facts},
    model::Span,
    record::Record,
};

/// One consumer's calls.
#[derive(Debug)]
pub(super) struct External {
    /// Calls that the other side got.
    pub(super) calls: u64,
    /// Effects beyond the first per obligation.
    pub(super) repeated: u64,
    /// Calls that the other side answered 429.
    pub(super) limited: u64,
    /// Rows left in the outbox.
    pub(super) waiting: u64,
    /// From a call's return to its durable mark.
    window: AgeRecorder,
}

impl External {
    pub(super) fn new() -> External {
        External { calls: 0, repeated: 0, limited: 0, waiting: 0, window: AgeRecorder::new() }
    }

    /// Counts a record. `before` is what was known before it.
    pub(super) fn see(&mut self, record: &Record, before: &Book) {
        match record {
            Record::ExternalCall { what, effected, forged: false, .. } => {
                self.calls += 1;
                self.repeated += u64::from(*effected && before.facts(*what).any(Facts::APPLIED));
            }
            Record::CallLimited { .. } => self.limited += 1,
            Record::Outgoing { forged: false, .. } => self.waiting += 1,
            Record::Called { returned, marked, .. } => self.window.record(marked.since(*returned)),
            _ => {}
        }
    }

    /// How many effects a crash at a random instant would repeat: the calls of `duration`, less those that
    /// were repeats themselves, times the mean window.
    pub(super) fn repeats_per_crash(&self, duration: Span) -> Option<f64> {
        let rate = self.calls.saturating_sub(self.repeated) as f64 / duration.as_secs_f64();
        self.window().mean.map(|window| model::repeats_per_crash(rate, window))
    }

    /// How long calls had returned and were not marked, over those that came to be marked.
    pub(super) fn window(&self) -> Age {
        self.window.summary()
    }
}
