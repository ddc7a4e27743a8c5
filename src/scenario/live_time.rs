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

/// Refuses a plan that a live run would have to leave something out of.
pub(super) fn check(plan: &Plan) -> Result<(), Problem> {
    for (index, provider) in plan.providers.iter().enumerate() {
        if let Some(only) = OF_A_PROVIDER.iter().find(|only| (only.is_set)(provider)) {
            let at = At::default().key("provider").index(index).key(only.key);
            return Err(at.problem(only.why, "remove it, or run it virtually: --mode virtual"));
        }
    }
    Ok(())
}
