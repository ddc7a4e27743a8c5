//! The promises that an integration makes, one checker per file, each with its promise in words.
//!
//! A checker sees every record of one consumer together with what was known before it, then every
//! obligation with its class. The vocabulary follows Jepsen's total queue (lost, duplicated,
//! unexpected), which allows duplicates; here taking effect twice breaks a promise of its own.
//! Adding a promise is one file and one line in [`TABLE`].

mod ack_in_budget;
mod acked_is_kept;
mod cursor_skips_nothing;
mod effect_once;
mod external_once;
mod fates;
mod genuine_accepted;
mod newest_wins;
mod no_forgery;
mod once_per_subject;
mod spoiled_refused;
mod stored_before_ack;

use super::{Book, Class, EventLog, Facts, Lives};
use crate::{
    record::{Obligation, Record},
    scenario::{ConsumerNo, ConsumerPlan, Plan},
};

pub use acked_is_kept::NAME as ACKED_IS_KEPT;
pub use cursor_skips_nothing::NAME as CURSOR_SKIPS_NOTHING;
pub use effect_once::NAME as EFFECT_ONCE;
pub use external_once::NAME as EXTERNAL_ONCE;
pub use newest_wins::NAME as NEWEST_WINS;
pub use no_forgery::NAME as NO_FORGERY;
pub use once_per_subject::NAME as ONCE_PER_SUBJECT;
pub use spoiled_refused::NAME as SPOILED_REFUSED;

/// What a checker may look at beside the record.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// The plan.
    pub plan: &'a Plan,
    /// The consumer under judgement.
    pub consumer: ConsumerNo,
    /// The provider's log.
    pub events: &'a EventLog,
    /// The lives of the processes.
    pub lives: &'a Lives,
}

impl<'a> Context<'a> {
    /// The consumer's part of the plan.
    #[must_use]
    pub fn mine(&self) -> &'a ConsumerPlan {
        &self.plan.consumers[usize::from(self.consumer)]
    }
}

/// Watches over one promise of one consumer.
pub trait Checker {
    /// A record of this consumer. `before` is what was known before it.
    fn see(&mut self, _record: &Record, _before: &Book, _context: &Context<'_>) {}

    /// What became of an obligation, once all records are read.
    fn settle(&mut self, _what: Obligation, _facts: Facts, _class: Class) {}

    /// The finding.
    fn finish(&mut self, context: &Context<'_>) -> Finding;
}

/// What a checker found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Finding {
    /// Put to the test and kept.
    Kept,
    /// Broken this often; an example where there is one.
    Broken(u64, Option<Obligation>),
    /// Nothing in this run could have shown it.
    NotObserved,
}

impl Finding {
    /// How often the promise was broken; `None` where it was not observed.
    #[must_use]
    pub fn count(self) -> Option<u64> {
        match self {
            Finding::Kept => Some(0),
            Finding::Broken(count, _) => Some(count),
            Finding::NotObserved => None,
        }
    }
}

/// Counts breaches and keeps the first as an example.
#[derive(Debug, Default)]
struct Breaches {
    count: u64,
    example: Option<Obligation>,
}

impl Breaches {
    fn add(&mut self, what: Obligation) {
        self.count += 1;
        self.example.get_or_insert(what);
    }

    fn finding(&self, observed: bool) -> Finding {
        match (self.count, observed) {
            (0, false) => Finding::NotObserved,
            (0, true) => Finding::Kept,
            (count, _) => Finding::Broken(count, self.example),
        }
    }
}

/// A promise: its name, itself in words, what to look at when it is broken, and its checker.
pub struct Promise {
    /// Its name in results.
    pub name: &'static str,
    /// The promise in words.
    pub words: &'static str,
    /// What usually breaks it.
    pub usual_cause: &'static str,
    /// A fresh checker.
    pub checker: fn(&Context<'_>) -> Box<dyn Checker>,
}

/// Every promise, the gravest first.
pub const TABLE: [Promise; 11] = [
    acked_is_kept::PROMISE,
    cursor_skips_nothing::PROMISE,
    effect_once::PROMISE,
    external_once::PROMISE,
    no_forgery::PROMISE,
    spoiled_refused::PROMISE,
    newest_wins::PROMISE,
    once_per_subject::PROMISE,
    genuine_accepted::PROMISE,
    stored_before_ack::PROMISE,
    ack_in_budget::PROMISE,
];

/// The promise of this name.
#[must_use]
pub fn named(name: &str) -> Option<&'static Promise> {
    TABLE.iter().find(|promise| promise.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn promises_have_unique_names_and_say_what_they_promise() {
        for (i, promise) in TABLE.iter().enumerate() {
            assert!(TABLE[..i].iter().all(|other| other.name != promise.name), "{}", promise.name);
            assert!(promise.words.len() > 15 && promise.usual_cause.len() > 15, "{}", promise.name);
        }
    }
}
