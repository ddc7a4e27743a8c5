//! An event takes effect at most once.

use super::{Breaches, Checker, Context, Finding, Promise};
use crate::{
    audit::{Book, Facts},
    record::Record,
    scenario::EffectKind,
};

/// The promise's name.
pub const NAME: &str = "effect-at-most-once";

pub(super) const PROMISE: Promise = Promise {
    name: NAME,
    words: "an event takes effect at most once",
    usual_cause: "no ledger, one that forgets too soon, or one that is not in the effect's own transaction",
    checker: |_| Box::new(EffectOnce::default()),
};

/// Counts effect rows beyond the first per obligation.
#[derive(Default)]
struct EffectOnce {
    breaches: Breaches,
}

impl Checker for EffectOnce {
    fn see(&mut self, record: &Record, before: &Book, _context: &Context<'_>) {
        if let Record::Effect(row) = record
            && !row.forged
            && !row.superseded
            && before.facts(row.what).any(Facts::APPLIED)
        {
            self.breaches.add(row.what);
        }
    }

    fn finish(&mut self, context: &Context<'_>) -> Finding {
        // What happens in somebody else's system is audited apart.
        let here = !matches!(context.mine().effect.kind, EffectKind::External { .. });
        self.breaches.finding(here && !context.mine().is_external())
    }
}
