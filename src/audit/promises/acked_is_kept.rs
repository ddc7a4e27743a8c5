//! An acked event is never lost.

use super::{Breaches, Checker, Context, Finding, Promise};
use crate::{
    audit::{Class, Facts},
    record::Obligation,
};

/// The promise's name.
pub const NAME: &str = "acked-is-kept";

pub(super) const PROMISE: Promise = Promise {
    name: NAME,
    words: "an acked event is never lost",
    usual_cause: "the receiver answers 2xx before the event is durable, and dies in between",
    checker: |_| Box::new(AckedIsKept::default()),
};

#[derive(Default)]
struct AckedIsKept {
    breaches: Breaches,
}

impl Checker for AckedIsKept {
    fn settle(&mut self, what: Obligation, facts: Facts, class: Class) {
        if class == Class::Lost && facts.any(Facts::ACKED.with(Facts::ACKED_BEFORE).with(Facts::COPY_ACKED)) {
            self.breaches.add(what);
        }
    }

    fn finish(&mut self, context: &Context<'_>) -> Finding {
        self.breaches.finding(context.mine().is_pushed() && !context.mine().is_external())
    }
}
