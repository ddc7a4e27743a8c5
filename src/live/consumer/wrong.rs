//! Ways of consuming that are wrong on purpose, kept out of the right one's way.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use super::{
    Consumer, Core,
    intake::{self, AcceptError, receipt, write_receipts},
    worker::{apply, effect_of, spend, write_down},
};
use crate::{
    backend::{Item, Leased, StoreError},
    fault::{CrashPoint, TargetPath},
    model::{ClientNo, EffectOutcome, Span},
};

/// How often each event has been worked on inside a request.
#[derive(Default)]
pub(super) struct Executions(Mutex<HashMap<(ClientNo, String), u32>>);

impl Executions {
    /// The executions of this event before this one.
    fn count(&self, item: &Item) -> u32 {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry((item.client, item.event_id.clone())).or_default();
        *count += 1;
        *count - 1
    }
}

/// How long acked events lie in memory before they are stored.
const UNSTORED: Span = Span::from_millis(100);

/// Looks into the ledger, does the work, then writes: two workers that look at the same time both
/// find nothing.
pub(super) async fn check_then_act(core: &Core, batch: &[Leased]) -> Result<Vec<EffectOutcome>, StoreError> {
    let mut outcomes = Vec::with_capacity(batch.len());
    for leased in batch {
        let item = &leased.item;
        if core.ledger.knows(effect_of(core, item)).await? {
            outcomes.push(EffectOutcome::Duplicate);
            continue;
        }
        spend(core, item, leased.tries).await;
        core.ledger.append_effect(effect_of(core, item)).await?;
        core.ledger.remember(effect_of(core, item)).await?;
        outcomes.push(EffectOutcome::Applied);
    }
    Ok(outcomes)
}

/// Commits the effect, then the ledger's entry, in two transactions: a crash between them leaves an
/// effect that nobody remembers.
pub(super) async fn effect_before_ledger(core: &Core, batch: &[Leased]) -> Result<Vec<EffectOutcome>, StoreError> {
    let mut outcomes = Vec::with_capacity(batch.len());
    for leased in batch {
        let item = &leased.item;
        spend(core, item, leased.tries).await;
        if core.ledger.knows(effect_of(core, item)).await? {
            outcomes.push(EffectOutcome::Duplicate);
            continue;
        }
        core.ledger.append_effect(effect_of(core, item)).await?;
        core.crash_points.reach(CrashPoint::BetweenEffectAndLedger);
        core.ledger.remember(effect_of(core, item)).await?;
        outcomes.push(EffectOutcome::Applied);
    }
    Ok(outcomes)
}

impl Consumer {
    /// Says yes and stores later: what a crash finds in memory is acked and gone.
    pub fn accept_before_store(&self, item: Item) {
        let (core, offers) = (std::sync::Arc::clone(&self.core), self.offers.clone());
        tokio::spawn(async move {
            if let Some(clock) = core.clock.get() {
                clock.sleep_until(clock.now() + UNSTORED).await;
            }
            // Nobody is left to tell of a failure.
            let _ = intake::offer(&offers, vec![item], TargetPath::Webhook).await;
        });
    }

    /// Does the work inside the request; the ack waits for it.
    pub async fn apply_at_once(&self, item: Item) -> Result<(), AcceptError> {
        let core = &self.core;
        let execution = self.executions.count(&item);
        spend(core, &item, execution).await;
        let outcomes = apply(core, std::iter::once(&item)).await?;
        write_receipts(core, vec![receipt(core, &item, TargetPath::Webhook)], Vec::new());
        for outcome in outcomes {
            write_down(core, &item, outcome);
        }
        Ok(())
    }

    /// Whether the ledger knows the event: what a receiver asks that answers duplicates 409.
    pub async fn knows(&self, item: &Item) -> Result<bool, StoreError> {
        self.core.ledger.knows(effect_of(&self.core, item)).await
    }
}
