//! Every genuine event that arrives is accepted.

use super::{
    Breaches, Checker, Context, Finding, Promise,
    fates::{answered_by_fault, fate_of, may_be_refused},
};
use crate::{audit::Book, record::Record};

pub(super) const PROMISE: Promise = Promise {
    name: "genuine-is-accepted",
    words: "every genuine event that arrives is accepted",
    usual_cause: "the signature is checked over other bytes than those that came, or a duplicate is answered with an error",
    checker: |_| Box::new(GenuineAccepted::default()),
};

/// Genuine attempts that the receiver itself answered with a 4xx. Answers that a fault gave in its
/// place do not count, nor what a fault made of a request, nor asking for patience (429, 503).
#[derive(Default)]
struct GenuineAccepted {
    answered: bool,
    breaches: Breaches,
}

impl Checker for GenuineAccepted {
    fn see(&mut self, record: &Record, _before: &Book, context: &Context<'_>) {
        let Record::Attempt(attempt) = record else { return };
        let Some(status) = attempt.outcome.status() else { return };
        self.answered = true;
        // Who lost a race for a row is asked to come again as well.
        let come_again = status == 429 || status == 409 && context.mine().optimistic;
        if (400..500).contains(&status) && !come_again {
            let fate = fate_of(attempt, context);
            if !answered_by_fault(&fate) && !may_be_refused(attempt, &fate, context) {
                self.breaches.add(attempt.what);
            }
        }
    }

    fn finish(&mut self, _context: &Context<'_>) -> Finding {
        self.breaches.finding(self.answered)
    }
}
