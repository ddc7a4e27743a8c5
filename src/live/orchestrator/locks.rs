//! Stores that are locked up for a while, from outside their consumer's process.

use std::{collections::BTreeMap, path::PathBuf};

use crate::{
    backend::{self, StoreLock},
    fault::{FaultKind, StallTarget},
    live::RoleError,
    scenario::{ConsumerNo, Plan},
};

/// The locks held now, by consumer and fault.
#[derive(Default)]
pub(super) struct Locks {
    held: BTreeMap<(ConsumerNo, u16), StoreLock>,
}

impl Locks {
    /// Locks the store in `dir` that the fault names.
    pub async fn take(&mut self, plan: &Plan, dir: PathBuf, consumer: ConsumerNo, fault: u16) -> Result<(), RoleError> {
        let Some(what) = target(plan, fault) else { return Ok(()) };
        let lock = move || match what {
            StallTarget::Queue => backend::lock_queue(&dir).map(Some),
            StallTarget::Ledger => backend::lock_ledger(&dir).map(Some),
            StallTarget::Process => Ok(None),
        };
        let taken = tokio::task::spawn_blocking(lock).await.map_err(|_| RoleError::Store("no lock".to_owned()))?;
        if let Some(lock) = taken? {
            self.held.insert((consumer, fault), lock);
        }
        Ok(())
    }

    /// Lets the store go.
    pub fn release(&mut self, consumer: ConsumerNo, fault: u16) {
        self.held.remove(&(consumer, fault));
    }

    /// Lets everything go: who shall end must be able to write.
    pub fn release_all(&mut self) {
        self.held.clear();
    }
}

fn target(plan: &Plan, fault: u16) -> Option<StallTarget> {
    match &plan.faults.iter().find(|plan| plan.index == fault)?.kind {
        FaultKind::Stall(stall) => Some(stall.what),
        _ => None,
    }
}
