//! What virtual time cannot do with a plan, and why.

use super::{
    EffectKind, Plan,
    error::{At, Problem},
};
use crate::policy::poll::Strategy;

/// Refuses a plan that virtual time would have to leave something out of. Faults are refused where they
/// are read.
pub(super) fn check(plan: &Plan) -> Result<(), Problem> {
    for (index, mine) in plan.consumers.iter().enumerate() {
        let at = At::default().key("consumer").index(index);
        if mine.is_external() {
            return Err(at.key("url").problem(
                "a receiver that is somebody else's lives on the real clock",
                "leave url out, or run it live: --mode live",
            ));
        }
        if matches!(mine.effect.kind, EffectKind::External { .. }) {
            return Err(at.key("effect").key("kind").problem(
                "virtual time has no outbox yet",
                "write kind = \"append\" or \"set\", or run it live: --mode live",
            ));
        }
        if matches!(mine.polling().map(|polling| &polling.strategy), Some(Strategy::State(_))) {
            return Err(at.key("strategy").key("kind").problem(
                "virtual time serves the log, not yet the subjects' states",
                "poll with another strategy, or run it live: --mode live",
            ));
        }
        if mine.flaw.is_some_and(|flaw| !flaw.shows_in_virtual_time()) {
            return Err(at.key("flaw").problem(
                "virtual time does not know this way of being wrong yet",
                "leave flaw out, or run it live: --mode live",
            ));
        }
    }
    Ok(())
}
