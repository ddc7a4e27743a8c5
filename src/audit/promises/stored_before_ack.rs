//! The receipt is durable before the ack leaves.

use super::{
    Breaches, Checker, Context, Finding, Promise,
    fates::{answered_by_fault, fate_of},
};
use crate::{audit::Book, record::Record};

pub(super) const PROMISE: Promise = Promise {
    name: "stored-before-ack",
    words: "an event is stored before it is acked",
    usual_cause: "the receiver answers first and stores later: a crash in between loses the event",
    checker: |_| Box::new(StoredBeforeAck::default()),
};

/// Acks that reached the sender before the receiver had accepted the event anywhere: the risk is
/// there even when no crash has turned it into a loss.
#[derive(Default)]
struct StoredBeforeAck {
    acked: bool,
    breaches: Breaches,
}

impl Checker for StoredBeforeAck {
    fn see(&mut self, record: &Record, before: &Book, context: &Context<'_>) {
        let Record::Attempt(attempt) = record else { return };
        if !attempt.outcome.is_ack() || context.mine().is_external() || answered_by_fault(&fate_of(attempt, context)) {
            return;
        }
        self.acked = true;
        if before.received_at(attempt.what).is_none_or(|stored| stored > attempt.done) {
            self.breaches.add(attempt.what);
        }
    }

    fn finish(&mut self, _context: &Context<'_>) -> Finding {
        self.breaches.finding(self.acked)
    }
}
