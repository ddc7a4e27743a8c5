//! Every genuine event that arrives is accepted.

use super::{Breaches, Checker, Context, Finding, Promise};
use crate::{
    audit::Book,
    fault::{self, RequestFate, Target, TargetPath},
    model::AttemptOutcome,
    record::{Attempt, Record},
    rng::Draws,
};

pub(super) const PROMISE: Promise = Promise {
    name: "genuine-is-accepted",
    words: "every genuine event that arrives is accepted",
    usual_cause: "the signature is checked over other bytes than those that came, or a duplicate is answered with an error",
    checker: |_| Box::new(GenuineAccepted::default()),
};

/// Genuine attempts that the receiver itself answered with a 4xx. Answers that a fault gave in its
/// place do not count, nor does asking for patience (429, 503).
#[derive(Default)]
struct GenuineAccepted {
    answered: bool,
    breaches: Breaches,
}

impl Checker for GenuineAccepted {
    fn see(&mut self, record: &Record, _before: &Book, context: &Context<'_>) {
        let Record::Attempt(attempt) = record else { return };
        let AttemptOutcome::Status(status) = attempt.outcome else { return };
        self.answered = true;
        if (400..500).contains(&status) && status != 429 && !answered_by_fault(attempt, context) {
            self.breaches.add(attempt.what);
        }
    }

    fn finish(&mut self, _context: &Context<'_>) -> Finding {
        self.breaches.finding(self.answered)
    }
}

/// Whether a fault answered in the receiver's place.
pub(super) fn answered_by_fault(attempt: &Attempt, context: &Context<'_>) -> bool {
    matches!(fate_of(attempt, context).request, RequestFate::Answered { .. })
}

/// What the plan's faults meant for an attempt: they are pure, so nobody needs to have noted it.
pub(super) fn fate_of(attempt: &Attempt, context: &Context<'_>) -> fault::Fate {
    let target = Target {
        path: TargetPath::Webhook,
        consumer: attempt.what.consumer,
        client: attempt.what.client,
        number: attempt.what.seq,
        attempt: attempt.number,
        copy: attempt.copy,
        at: attempt.intended,
    };
    fault::decide(&context.plan.faults, &target, Draws::new(context.plan.seed))
}
