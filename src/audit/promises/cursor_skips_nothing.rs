//! A cursor never passes an event that is not kept.

use super::{Breaches, Checker, Context, Finding, Promise};
use crate::{
    audit::{Class, Facts},
    record::Obligation,
};

/// The promise's name.
pub const NAME: &str = "cursor-skips-nothing";

pub(super) const PROMISE: Promise = Promise {
    name: NAME,
    words: "the cursor never passes an event that is not kept, and reaches each before it expires",
    usual_cause: "the cursor is saved before the page, follows timestamps without an overlap, or jumps to the head \
                  after one page; or the provider keeps events for less time than the consumer was away",
    checker: |_| Box::new(CursorSkipsNothing::default()),
};

#[derive(Default)]
struct CursorSkipsNothing {
    breaches: Breaches,
}

impl Checker for CursorSkipsNothing {
    fn settle(&mut self, what: Obligation, facts: Facts, class: Class) {
        if class == Class::Lost && facts.any(Facts::PASSED.with(Facts::EXPIRED)) {
            self.breaches.add(what);
        }
    }

    fn finish(&mut self, context: &Context<'_>) -> Finding {
        self.breaches.finding(context.mine().polls())
    }
}
