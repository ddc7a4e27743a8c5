//! Nobody without the secret can cause an effect.

use super::{Breaches, Checker, Context, Finding, Promise};
use crate::{
    audit::{Book, obligation_of},
    record::{AttackKind, Record},
};

/// The promise's name.
pub const NAME: &str = "no-forgery";

pub(super) const PROMISE: Promise = Promise {
    name: NAME,
    words: "nobody without the secret can cause an effect",
    usual_cause: "the signature is not verified, needs no secret, or is compared with other bytes than those that came",
    checker: |_| Box::new(NoForgery::default()),
};

/// A forged event that was answered 2xx, or that a store holds. The same forgery shows in both
/// places, so the larger of the two counts.
#[derive(Default)]
struct NoForgery {
    attacked: bool,
    answered: Breaches,
    stored: Breaches,
}

impl Checker for NoForgery {
    fn see(&mut self, record: &Record, _before: &Book, _context: &Context<'_>) {
        let stored = match record {
            Record::Attack { kind: AttackKind::Forge(_), outcome, .. } => {
                self.attacked = true;
                if outcome.is_ack() {
                    obligation_of(record).into_iter().for_each(|what| self.answered.add(what));
                }
                false
            }
            Record::Effect(row) => row.forged,
            Record::ExternalCall { forged, .. } | Record::Outgoing { forged, .. } => *forged,
            Record::Queued { forged, .. } | Record::DeadLetter { forged, .. } => *forged,
            _ => false,
        };
        if stored {
            obligation_of(record).into_iter().for_each(|what| self.stored.add(what));
        }
    }

    fn finish(&mut self, _context: &Context<'_>) -> Finding {
        let worst = if self.stored.count > self.answered.count { &self.stored } else { &self.answered };
        worst.finding(self.attacked)
    }
}
