//! An effect in somebody else's system happens once per event.

use super::{Breaches, Checker, Context, Finding, Promise};
use crate::{
    audit::{Book, Facts},
    record::Record,
    scenario::EffectKind,
};

/// The promise's name.
pub const NAME: &str = "external-once";

pub(super) const PROMISE: Promise = Promise {
    name: NAME,
    words: "an effect in somebody else's system happens once per event",
    usual_cause: "a crash between a call and the note that it was made, where the other side honours no idempotency key",
    checker: |_| Box::new(ExternalOnce::default()),
};

/// Effects beyond the first per obligation, as the other side's own store tells them.
#[derive(Default)]
struct ExternalOnce {
    breaches: Breaches,
}

impl Checker for ExternalOnce {
    fn see(&mut self, record: &Record, before: &Book, _context: &Context<'_>) {
        if let Record::ExternalCall { what, effected: true, forged: false, .. } = record
            && before.facts(*what).any(Facts::APPLIED)
        {
            self.breaches.add(*what);
        }
    }

    fn finish(&mut self, context: &Context<'_>) -> Finding {
        self.breaches.finding(matches!(context.mine().effect.kind, EffectKind::External { .. }))
    }
}
