//! A worker: takes events from the queue, does the work, applies the effect once.

use std::sync::{Arc, atomic::Ordering};

use tokio::sync::watch;

use super::{Core, intake::obligation, wrong};
use crate::{
    backend::{Effect, Item, Leased, StoreError},
    fault::CrashPoint,
    model::{EffectOutcome, Span},
    policy::{
        stores::Guard,
        work::{AfterFailure, after_failure, effect_duration, is_poison},
    },
    record::{Record, RecordSink},
    scenario::{EffectKind, Flaw},
};

/// Events that a worker without work to do takes at once.
const BATCH_MAX: usize = 256;

/// Works until told to stop; what is under way then is finished.
pub(super) async fn run(core: Arc<Core>, mut stop: watch::Receiver<bool>) {
    // Work takes time per event, so a worker with any takes one at a time.
    let batch_max = if core.plan.effect.duration == Span::ZERO { BATCH_MAX } else { 1 };
    loop {
        let batch = tokio::select! {
            biased;
            _ = stop.wait_for(|stop| *stop) => return,
            batch = core.queue.take(batch_max) => batch,
        };
        if let Err(error) = work(&core, batch).await {
            // The events stay in the queue; without a ledger nothing can be applied.
            core.fail(error);
            return;
        }
    }
}

async fn work(core: &Core, batch: Vec<Leased>) -> Result<(), StoreError> {
    let (poison, sound): (Vec<Leased>, Vec<Leased>) = batch.into_iter().partition(|leased| fails(core, &leased.item));
    for leased in poison {
        spend(core, &leased.item, leased.tries).await;
        fail(core, leased).await?;
    }
    if sound.is_empty() {
        return Ok(());
    }
    for _ in &sound {
        core.crash_points.reach(CrashPoint::BeforeApply);
    }
    let outcomes = match core.plan.flaw {
        Some(Flaw::CheckThenAct) => wrong::check_then_act(core, &sound).await?,
        Some(Flaw::EffectBeforeLedger) => wrong::effect_before_ledger(core, &sound).await?,
        _ => {
            for leased in &sound {
                spend(core, &leased.item, leased.tries).await;
            }
            apply(core, sound.iter().map(|leased| &leased.item)).await?
        }
    };
    for _ in &sound {
        core.crash_points.reach(CrashPoint::AfterApply);
    }
    let leases: Vec<u64> = sound.iter().map(|leased| leased.lease).collect();
    core.queue.done(&leases).await?;
    for (leased, outcome) in sound.iter().zip(outcomes) {
        write_down(core, &leased.item, outcome);
    }
    Ok(())
}

/// The correct way: the ledger decides, in the effect's own transaction.
pub(super) async fn apply(core: &Core, items: impl Iterator<Item = &Item>) -> Result<Vec<EffectOutcome>, StoreError> {
    let effects = items.map(|item| effect_of(core, item)).collect();
    core.ledger.apply(effects, Guard::of(&core.plan)).await
}

pub(super) fn effect_of(core: &Core, item: &Item) -> Effect {
    Effect {
        client: item.client,
        event_id: item.event_id.clone(),
        subject: item.subject,
        version: item.version,
        received_unix_ns: core.clock.get().map_or(0, |clock| clock.wall().unix_ns(item.received_at)),
    }
}

/// The time that one execution of the business change takes, counted from 0.
pub(super) async fn spend(core: &Core, item: &Item, execution: u32) {
    let effect = &core.plan.effect;
    // What happens elsewhere takes its time there.
    if effect.duration == Span::ZERO || matches!(effect.kind, EffectKind::External { .. }) {
        return;
    }
    let (what, _) = obligation(core, item.client, &item.event_id);
    let length = effect_duration(effect, core.draws, (item.client, what.seq), execution);
    if let Some(clock) = core.clock.get() {
        clock.sleep_until(clock.now() + length).await;
    }
}

fn fails(core: &Core, item: &Item) -> bool {
    let (what, forged) = obligation(core, item.client, &item.event_id);
    !forged && is_poison(&core.plan.effect, what.seq)
}

/// Bounded tries, then the dead-letter queue: a poison event blocks nobody.
async fn fail(core: &Core, leased: Leased) -> Result<(), StoreError> {
    match after_failure(leased.tries, core.plan.max_tries) {
        AfterFailure::Retry => core.queue.retry(leased).await,
        AfterFailure::Bury => {
            let item = leased.item.clone();
            core.queue.bury(leased).await?;
            write_down(core, &item, EffectOutcome::DeadLettered);
            Ok(())
        }
    }
}

pub(super) fn write_down(core: &Core, item: &Item, outcome: EffectOutcome) {
    let counts = &core.counts;
    let count = match outcome {
        EffectOutcome::Applied => &counts.applied,
        EffectOutcome::Duplicate => &counts.duplicates,
        EffectOutcome::Stale => &counts.stale,
        EffectOutcome::DeadLettered => &counts.dead_lettered,
    };
    count.fetch_add(1, Ordering::Relaxed);
    let (what, forged) = obligation(core, item.client, &item.event_id);
    // A forged id may carry a genuine event's sequence; its story is told by its effect's row.
    if !forged {
        core.records.put(Record::Worked { what, outcome, at: core.now() });
    }
    core.pages.settle(item.client, &item.event_id);
}
