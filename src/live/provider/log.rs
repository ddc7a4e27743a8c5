//! The provider's event log as its tasks share it: one lock around the pure log, and bells for those
//! who wait for an event.

use std::{
    collections::BTreeMap,
    sync::{
        RwLock, RwLockReadGuard,
        atomic::{AtomicU64, Ordering},
    },
};

use tokio::sync::{Notify, futures::Notified};

use crate::{
    model::{Event, Time},
    policy::log::{Log, Share},
};

/// The log of one provider.
#[derive(Debug, Default)]
pub(super) struct EventLog {
    log: RwLock<Log>,
    arrivals: Arrivals,
    /// What occurs before this instant is in the log; see [`EventLog::holds_all_before`].
    open_from: AtomicU64,
}

/// Wakes whoever waits for an event: one bell per share, so that an event wakes its own client only.
#[derive(Debug, Default)]
struct Arrivals {
    all: Notify,
    shares: BTreeMap<u32, Vec<Notify>>,
}

impl Arrivals {
    fn ring(&self, events: &[Event]) {
        for event in events {
            for (clients, bells) in &self.shares {
                bells[(event.subject % clients) as usize].notify_waiters();
            }
        }
        self.all.notify_waiters();
    }

    fn bell(&self, share: Share) -> &Notify {
        match share {
            Share::All => &self.all,
            Share::Own { clients, client } => {
                let own = self.shares.get(&clients).and_then(|bells| bells.get(client as usize));
                own.unwrap_or(&self.all)
            }
        }
    }
}

impl EventLog {
    /// An empty log that can be asked for shares of these numbers of clients.
    pub fn new(client_counts: impl IntoIterator<Item = u32>) -> EventLog {
        let log = Log::new(client_counts);
        let bells = |clients: u32| (clients, (0..clients).map(|_| Notify::new()).collect());
        let arrivals = Arrivals { all: Notify::new(), shares: log.client_counts().map(bells).collect() };
        EventLog { log: RwLock::new(log), arrivals, open_from: AtomicU64::new(0) }
    }

    /// Nothing that occurs before `next` will be appended any more. Whoever looks at a clock behind this has
    /// said it before.
    pub fn expect(&self, next: Time) {
        self.open_from.store(next.0, Ordering::SeqCst);
    }

    /// Everything that occurs before this instant is in the log, for whoever asks before it reads: a
    /// generator that is behind must not make a reader believe that it has seen what is still to come.
    pub fn holds_all_before(&self) -> Time {
        Time(self.open_from.load(Ordering::Acquire))
    }

    /// Appends events, whose sequences continue the log's.
    pub fn append(&self, events: &[Event]) {
        // Nothing in here panics half way, so a poisoned log is still whole.
        self.log.write().unwrap_or_else(|poisoned| poisoned.into_inner()).append(events);
        self.arrivals.ring(events);
    }

    /// Becomes ready when an event of the share is appended after this call. Enable it before looking
    /// into the log, so that an arrival in between is not missed.
    pub fn arrival(&self, share: Share) -> Notified<'_> {
        self.arrivals.bell(share).notified()
    }

    /// The log as it is now; nothing is appended while one looks.
    pub fn read(&self) -> RwLockReadGuard<'_, Log> {
        self.log.read().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_arrival_wakes_its_own_share_and_those_who_follow_all() {
        let log = EventLog::new([2]);
        let own = |client| Share::Own { clients: 2, client };
        let (mut mine, mut other) = (Box::pin(log.arrival(own(1))), Box::pin(log.arrival(own(0))));
        let mut all = Box::pin(log.arrival(Share::All));
        assert!(!mine.as_mut().enable() && !other.as_mut().enable() && !all.as_mut().enable());
        log.append(&[Event { seq: 1, subject: 1, version: 1, occurred_at: Time(10) }]);
        mine.await;
        all.await;
        assert!(!other.as_mut().enable());
    }
}
