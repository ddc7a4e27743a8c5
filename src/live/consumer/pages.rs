//! Pages whose poller waits until they are applied.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use tokio::sync::Notify;

/// An event of a client.
type Key = (u32, String);

/// Who waits for which events.
#[derive(Default)]
pub(super) struct Pages {
    waiting: Mutex<HashMap<Key, Vec<Arc<Open>>>>,
}

#[derive(Default)]
struct Open {
    left: AtomicUsize,
    settled: Notify,
}

/// One page's wait.
pub(super) struct Settled(Arc<Open>);

impl Pages {
    /// Waits for events to come, before they are offered.
    pub fn expect(&self, keys: &[Key]) -> Settled {
        let open = Arc::new(Open { left: AtomicUsize::new(keys.len()), settled: Notify::new() });
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        for key in keys {
            waiting.entry(key.clone()).or_default().push(Arc::clone(&open));
        }
        Settled(open)
    }

    /// Forgets a wait whose events were turned away.
    pub fn forget(&self, keys: &[Key]) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        for key in keys {
            waiting.remove(key);
        }
    }

    /// An event is dealt with, one way or another.
    pub fn settle(&self, client: u32, event_id: &str) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        // Most consumers never wait; they pay for a look at an empty map.
        if waiting.is_empty() {
            return;
        }
        for open in waiting.remove(&(client, event_id.to_owned())).unwrap_or_default() {
            if open.left.fetch_sub(1, Ordering::AcqRel) == 1 {
                open.settled.notify_one();
            }
        }
    }
}

impl Settled {
    /// Returns when every event of the page is dealt with.
    pub async fn wait(self) {
        while self.0.left.load(Ordering::Acquire) > 0 {
            self.0.settled.notified().await;
        }
    }
}
