//! What is genuine no more when it arrives is refused.

use super::{
    Breaches, Checker, Context, Finding, Promise,
    fates::{answered_by_fault, fate_of, must_be_refused},
};
use crate::{audit::Book, record::Record};

/// The promise's name.
pub const NAME: &str = "spoiled-is-refused";

pub(super) const PROMISE: Promise = Promise {
    name: NAME,
    words: "a request that was changed on its way, signed with an unknown secret or stamped too far off is refused",
    usual_cause: "the signature or the timestamp is not verified, or over other bytes than those that came",
    checker: |context| {
        let spoils = |kind: &str| ["corrupt", "rotate-secret", "clock-skew"].contains(&kind);
        let spoils =
            |fault: &crate::fault::FaultPlan| fault.consumers.contains(&context.consumer) && spoils(fault.kind.name());
        let expected = context.plan.faults.iter().any(spoils);
        Box::new(SpoiledRefused { expected, answered: false, breaches: Breaches::default() })
    },
};

/// Spoiled attempts that the receiver itself answered 2xx.
struct SpoiledRefused {
    /// Whether any fault of the plan spoils requests: most plans have none, and nothing to compute.
    expected: bool,
    answered: bool,
    breaches: Breaches,
}

impl Checker for SpoiledRefused {
    fn see(&mut self, record: &Record, _before: &Book, context: &Context<'_>) {
        if !self.expected {
            return;
        }
        let Record::Attempt(attempt) = record else { return };
        let Some(status) = attempt.outcome.status() else { return };
        let fate = fate_of(attempt, context);
        if must_be_refused(attempt, &fate, context) && !answered_by_fault(&fate) {
            self.answered = true;
            // What the receiver thinks of it, whatever the provider takes for an ack.
            if (200..300).contains(&status) {
                self.breaches.add(attempt.what);
            }
        }
    }

    fn finish(&mut self, _context: &Context<'_>) -> Finding {
        self.breaches.finding(self.answered)
    }
}
