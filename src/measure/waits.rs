//! How long attempts waited for a sender, and how long they held it.

use crate::{model::AttemptOutcome, record::Attempt};

/// Sums over the attempts of one consumer, copies included.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Waits {
    attempts: u64,
    waited_s: f64,
    timeouts: u64,
    answered_s: f64,
}

impl Waits {
    pub(super) fn see(&mut self, attempt: &Attempt) {
        self.attempts += 1;
        self.waited_s += attempt.sent.since(attempt.intended).as_secs_f64();
        if attempt.outcome == AttemptOutcome::Timeout {
            self.timeouts += 1;
        } else {
            self.answered_s += attempt.done.since(attempt.sent).as_secs_f64();
        }
    }

    /// From an attempt's due instant to its start.
    pub(super) fn mean_wait_s(&self) -> f64 {
        self.waited_s / self.attempts.max(1) as f64
    }

    /// The share of attempts that ran into their timeout.
    pub(super) fn timeout_share(&self) -> f64 {
        self.timeouts as f64 / self.attempts.max(1) as f64
    }

    /// How long an attempt that did not time out held its sender.
    pub(super) fn service_s(&self) -> f64 {
        self.answered_s / (self.attempts - self.timeouts).max(1) as f64
    }
}
