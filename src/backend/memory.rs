//! The queue that is gone with its process: fast, and the reason why durable ones exist.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use tokio::sync::Notify;

use super::{Durability, Item, Kept, Leased, Queue, StoreError};

/// Items in memory.
#[derive(Default)]
pub(super) struct MemoryQueue {
    state: Mutex<State>,
    arrived: Notify,
}

#[derive(Default)]
struct State {
    next_lease: u64,
    ready: VecDeque<Leased>,
    leased: BTreeMap<u64, Item>,
    dead: Vec<Item>,
}

impl MemoryQueue {
    fn state(&self) -> MutexGuard<'_, State> {
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
            state.next_lease += 1;
            let lease = state.next_lease;
            state.ready.push_back(Leased { lease, tries: 0, item });
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
                let count = max.min(state.ready.len());
                if count > 0 {
                    let taken: Vec<Leased> = state.ready.drain(..count).collect();
                    state.leased.extend(taken.iter().map(|leased| (leased.lease, leased.item.clone())));
                    if !state.ready.is_empty() {
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
            state.leased.remove(lease);
        }
        Ok(())
    }

    async fn retry(&self, leased: Leased) -> Result<(), StoreError> {
        let mut state = self.state();
        state.leased.remove(&leased.lease);
        state.ready.push_back(Leased { tries: leased.tries + 1, ..leased });
        drop(state);
        self.arrived.notify_one();
        Ok(())
    }

    async fn bury(&self, leased: Leased) -> Result<(), StoreError> {
        let mut state = self.state();
        state.leased.remove(&leased.lease);
        state.dead.push(leased.item);
        Ok(())
    }

    fn depth(&self) -> u64 {
        let state = self.state();
        (state.ready.len() + state.leased.len()) as u64
    }

    fn volatile_residue(&self) -> (Vec<Item>, Vec<Item>) {
        let state = self.state();
        let waiting = state.ready.iter().map(|leased| leased.item.clone());
        (waiting.chain(state.leased.values().cloned()).collect(), state.dead.clone())
    }
}
