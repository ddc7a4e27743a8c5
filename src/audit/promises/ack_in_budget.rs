//! An ack comes within the provider's budget.

use super::{Breaches, Checker, Context, Finding, Promise, fates::fate_of};
use crate::{
    audit::Book,
    fault::{Fate, FaultKind, FaultPlan},
    model::{AttemptOutcome, Time},
    record::{Attempt, Record, Role},
};

pub(super) const PROMISE: Promise = Promise {
    name: "ack-in-budget",
    words: "an ack comes within the provider's budget",
    usual_cause: "the effect is applied inside the request, or the receiver has too few workers for its load",
    checker: |context| {
        let mut down = context.lives.down(Role::Receiver(context.consumer));
        down.extend(locked(context));
        Box::new(AckInBudget { down, attempted: false, breaches: Breaches::default() })
    },
};

/// Attempts that timed out although no fault touched them, and the receiver was up and could write all
/// the while.
struct AckInBudget {
    down: Vec<(Time, Time, bool)>,
    attempted: bool,
    breaches: Breaches,
}

impl Checker for AckInBudget {
    fn see(&mut self, record: &Record, _before: &Book, context: &Context<'_>) {
        let Record::Attempt(attempt) = record else { return };
        self.attempted = true;
        let late = attempt.outcome == AttemptOutcome::Timeout;
        if late && !self.was_down(attempt) && undisturbed(&fate_of(attempt, context)) {
            self.breaches.add(attempt.what);
        }
    }

    fn finish(&mut self, _context: &Context<'_>) -> Finding {
        self.breaches.finding(self.attempted)
    }
}

impl AckInBudget {
    fn was_down(&self, attempt: &Attempt) -> bool {
        self.down.iter().any(|&(from, until, _)| attempt.sent < until && attempt.done >= from)
    }
}

/// The windows in which a store of the consumer was locked up.
fn locked(context: &Context<'_>) -> Vec<(Time, Time, bool)> {
    let mine = |fault: &&FaultPlan| fault.consumers.contains(&context.consumer);
    let stores = |fault: &&FaultPlan| matches!(&fault.kind, FaultKind::Stall(_)) && !fault.kind.stops_process();
    let window = |fault: &FaultPlan| Some((fault.selector.from?, fault.selector.until?, false));
    context.plan.faults.iter().filter(mine).filter(stores).filter_map(window).collect()
}

/// Copies and attacks beside an attempt do not excuse its receiver.
fn undisturbed(fate: &Fate) -> bool {
    let Fate { request_delay, response_delay, request, response, bytes_per_s, .. } = Fate::default();
    fate.request == request
        && fate.response == response
        && fate.request_delay == request_delay
        && fate.response_delay == response_delay
        && fate.bytes_per_s == bytes_per_s
}
