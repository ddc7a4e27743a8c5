//! Which effects may still happen to a subject.

use crate::scenario::{ConsumerPlan, EffectKind, Flaw};

/// What a ledger asks of an effect's subject before the effect happens. What it keeps from happening
/// leaves a row that says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Guard {
    /// Nothing: each event has its effect.
    None,
    /// That no newer version of it has had one: an older state never overwrites a newer one. A copy of the
    /// newest is no older version: that it happened twice must show.
    Newest,
    /// That it has had none: the subject is the business key, whichever event comes first.
    First,
}

impl Guard {
    /// The consumer's.
    #[must_use]
    pub fn of(plan: &ConsumerPlan) -> Guard {
        match (plan.effect.kind, plan.flaw) {
            (EffectKind::Set, flaw) if flaw != Some(Flaw::NoVersionGuard) => Guard::Newest,
            (EffectKind::Once, flaw) if flaw != Some(Flaw::NoBusinessKey) => Guard::First,
            _ => Guard::None,
        }
    }
}
