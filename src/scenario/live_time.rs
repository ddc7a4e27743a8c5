//! What only a clock that jumps can do: refused in a live run with the reason.

use crate::model::Span;

use super::{
    ConsumerPlan, Plan, ProviderPlan,
    error::{At, Problem},
};

/// A key that only virtual time knows, of a provider or of a consumer.
struct VirtualOnly<T> {
    key: &'static str,
    is_set: fn(&T) -> bool,
    why: &'static str,
}

const OF_A_CONSUMER: &[VirtualOnly<ConsumerPlan>] = &[
    VirtualOnly {
        key: "visibility",
        is_set: |consumer| consumer.visibility.is_some(),
        why: "the queues that are built in let a worker hold an event until its process ends",
    },
    VirtualOnly {
        key: "optimistic",
        is_set: |consumer| consumer.optimistic,
        why: "a live receiver applies in a transaction and does not read first",
    },
    VirtualOnly {
        key: "strategy.cursor_overlap",
        is_set: |consumer| consumer.polling().is_some_and(|polling| polling.cursor_overlap > Span::ZERO),
        why: "a live client goes on where its cursor stands",
    },
];

const OF_A_PROVIDER: &[VirtualOnly<ProviderPlan>] = &[
    VirtualOnly {
        key: "service_time",
        is_set: |provider| provider.pull.service_time.is_some(),
        why: "a live pull API takes as long as it takes",
    },
    VirtualOnly {
        key: "commit_lag",
        is_set: |provider| provider.pull.commit_lag.is_some(),
        why: "the live log is in the order in which events come",
    },
];

/// Clients of one consumer in a live run: each is a task, and most have a connection.
const CLIENTS_MAX: u32 = 100_000;

/// Refuses a plan that a live run would have to leave something out of.
pub(super) fn check(plan: &Plan) -> Result<(), Problem> {
    refuse("provider", &plan.providers, OF_A_PROVIDER)?;
    refuse("consumer", &plan.consumers, OF_A_CONSUMER)?;
    for (index, mine) in plan.consumers.iter().enumerate() {
        if let Some(why) = mine.polling().and_then(|polling| polling.strategy.why_not_live()) {
            let at = At::default().key("consumer").index(index).key("strategy").key("kind");
            return Err(at.problem(why, "poll with another strategy, or run it virtually: --mode virtual"));
        }
    }
    let mut crowds = plan.consumers.iter().enumerate().filter(|(_, mine)| mine.clients > CLIENTS_MAX);
    if let Some((index, mine)) = crowds.next() {
        let at = At::default().key("consumer").index(index).key("clients");
        return Err(at.problem(
            format!("{} clients are more than one machine serves", mine.clients),
            format!("write a number up to {CLIENTS_MAX}, or run it virtually: --mode virtual"),
        ));
    }
    Ok(())
}

fn refuse<T>(list: &str, all: &[T], table: &[VirtualOnly<T>]) -> Result<(), Problem> {
    for (index, one) in all.iter().enumerate() {
        if let Some(only) = table.iter().find(|only| (only.is_set)(one)) {
            let of = At::default().key(list).index(index);
            let at = only.key.split('.').fold(of, |at, key| at.key(key));
            return Err(at.problem(only.why, "remove it, or run it virtually: --mode virtual"));
        }
    }
    Ok(())
}
