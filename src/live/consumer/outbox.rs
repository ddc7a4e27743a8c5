//! An outbox worker: calls somebody else's system for each row, then marks the row done.
//!
//! The call and the mark are two commits in two systems, so a crash between them calls again: at
//! least once, never exactly once. What the repeated call does is up to the other side.

use std::sync::Arc;

use tokio::sync::watch;

use super::{Core, External, intake::obligation};
use crate::{
    backend::{CallAnswer, Outgoing, StoreError},
    fault::CrashPoint,
    policy::work::effect_duration,
    record::{Record, RecordSink},
};

/// Works until told to stop; a call under way then is finished and marked, and one that is told to come again
/// stays in the outbox.
pub(super) async fn run(core: Arc<Core>, mut stop: watch::Receiver<bool>) {
    let Some(external) = &core.external else { return };
    loop {
        let next = tokio::select! {
            biased;
            _ = stop.wait_for(|stop| *stop) => return,
            next = external.outbox.next() => next,
        };
        if let Err(error) = call_and_mark(&core, external, next, &mut stop).await {
            core.fail(error);
            return;
        }
    }
}

async fn call_and_mark(
    core: &Core,
    external: &External,
    next: Outgoing,
    stop: &mut watch::Receiver<bool>,
) -> Result<(), StoreError> {
    let (what, forged) = obligation(core, next.client, &next.event_id);
    let key = format!("{}/{}/{}", core.plan.name, next.client, next.event_id);
    core.crash_points.reach(CrashPoint::BeforeCall);
    // The other side's work, before it commits.
    if let Some(clock) = core.clock.get() {
        let length = effect_duration(&core.plan.effect, core.draws, (next.client, what.seq), 0);
        clock.sleep_until(clock.now() + length).await;
    }
    let id = next.id;
    while let CallAnswer::TooMany(wait) = external.downstream.call(key.clone(), next.clone()).await? {
        let at = core.now();
        if !forged {
            core.records.put(Record::CallLimited { what, at, wait });
        }
        let waited = async {
            if let Some(clock) = core.clock.get() {
                clock.sleep_until(at + wait).await;
            }
        };
        tokio::select! {
            biased;
            // The row stays in the outbox: whoever comes next calls.
            _ = stop.wait_for(|stop| *stop) => return Ok(()),
            () = waited => {}
        }
    }
    let returned = core.now();
    core.crash_points.reach(CrashPoint::AfterCall);
    external.outbox.done(id).await?;
    if !forged {
        core.records.put(Record::Called { what, returned, marked: core.now() });
    }
    Ok(())
}
