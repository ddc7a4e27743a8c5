//! What only a clock that jumps can do: refused in a live run with the reason.

use super::{
    Plan, ProviderPlan,
    error::{At, Problem},
};

/// A key of a provider that only virtual time knows.
struct VirtualOnly {
    key: &'static str,
    is_set: fn(&ProviderPlan) -> bool,
    why: &'static str,
}

const OF_A_PROVIDER: &[VirtualOnly] = &[VirtualOnly {
    key: "service_time",
    is_set: |provider| provider.pull.service_time.is_some(),
    why: "a live pull API takes as long as it takes",
}];

/// Clients of one consumer in a live run: each is a task, and most have a connection.
const CLIENTS_MAX: u32 = 100_000;

/// Refuses a plan that a live run would have to leave something out of.
pub(super) fn check(plan: &Plan) -> Result<(), Problem> {
    for (index, provider) in plan.providers.iter().enumerate() {
        if let Some(only) = OF_A_PROVIDER.iter().find(|only| (only.is_set)(provider)) {
            let at = At::default().key("provider").index(index).key(only.key);
            return Err(at.problem(only.why, "remove it, or run it virtually: --mode virtual"));
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
