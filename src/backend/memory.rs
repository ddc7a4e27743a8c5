//! The queue that is gone with its process: fast, and the reason why durable ones exist.

use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use tokio::sync::Notify;

use super::{Durability, Item, Kept, Leased, Queue, StoreError};
use crate::policy::stores::QueueModel;

/// Items in memory: the plain model, behind a lock.
pub(super) struct MemoryQueue {
    state: Mutex<QueueModel<(), Item>>,
    arrived: Notify,
}

impl Default for MemoryQueue {
    fn default() -> MemoryQueue {
        MemoryQueue { state: Mutex::new(QueueModel::new(false, false)), arrived: Notify::new() }
    }
}

impl MemoryQueue {
    fn state(&self) -> MutexGuard<'_, QueueModel<(), Item>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Queue for MemoryQueue {
    fn durability(&self) -> Durability {
        Durability::None
    }

    async fn put(&self, items: Vec<Item>) -> Result<Kept, StoreError> {
        let mut state = self.state();
        for item in items {
            state.put((), item);
        }
        drop(state);
        self.arrived.notify_one();
        Ok(Kept::default())
    }

    async fn take(&self, max: usize) -> Vec<Leased> {
        loop {
            // Registered before looking, so that an arrival in between is not missed.
            let arrived = self.arrived.notified();
            {
                let mut state = self.state();
                let taken = std::iter::from_fn(|| state.take()).take(max);
                let taken: Vec<Leased> =
                    taken.map(|held| Leased { lease: held.number, tries: held.tries, item: held.item }).collect();
                if !taken.is_empty() {
                    if state.has_ready() {
                        self.arrived.notify_one();
                    }
                    return taken;
                }
            }
            arrived.await;
        }
    }

    async fn done(&self, leases: &[u64]) -> Result<(), StoreError> {
        let mut state = self.state();
        for lease in leases {
            state.done(*lease);
        }
        Ok(())
    }

    async fn retry(&self, leased: Leased) -> Result<(), StoreError> {
        self.state().retry(leased.lease);
        self.arrived.notify_one();
        Ok(())
    }

    async fn bury(&self, leased: Leased) -> Result<(), StoreError> {
        self.state().bury(leased.lease);
        Ok(())
    }

    fn depth(&self) -> u64 {
        self.state().depth()
    }

    fn volatile_residue(&self) -> (Vec<Item>, Vec<Item>) {
        let state = self.state();
        (state.kept().cloned().collect(), state.dead().to_vec())
    }
}
