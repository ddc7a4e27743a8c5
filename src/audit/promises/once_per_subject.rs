//! What shall happen once per subject does.

use std::collections::HashSet;

use super::{Breaches, Checker, Context, Finding, Promise};
use crate::{
    audit::{Book, Facts},
    model::{ClientNo, Subject},
    record::Record,
    scenario::EffectKind,
};

/// The promise's name.
pub const NAME: &str = "once-per-subject";

pub(super) const PROMISE: Promise = Promise {
    name: NAME,
    words: "what shall happen once per subject happens once, whichever of its events comes",
    usual_cause: "repeats are told by the event's id, and two events with ids of their own mean the same thing",
    checker: |_| Box::new(OncePerSubject::default()),
};

/// Counts effect rows of a subject that has had one, by another event. A second effect of the same event
/// breaks another promise.
#[derive(Default)]
struct OncePerSubject {
    happened: HashSet<(ClientNo, Subject)>,
    breaches: Breaches,
}

impl Checker for OncePerSubject {
    fn see(&mut self, record: &Record, before: &Book, context: &Context<'_>) {
        if let Record::Effect(row) = record
            && context.mine().effect.kind == EffectKind::Once
            && !row.forged
            && !row.superseded
            && !before.facts(row.what).any(Facts::APPLIED)
            && !self.happened.insert((row.what.client, row.subject))
        {
            self.breaches.add(row.what);
        }
    }

    fn finish(&mut self, context: &Context<'_>) -> Finding {
        self.breaches.finding(context.mine().effect.kind == EffectKind::Once && !context.mine().is_external())
    }
}
