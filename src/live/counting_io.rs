//! Counts the bytes that pass a socket, for the one party that they belong to.
//!
//! Seen from the provider's process: what is read came up from a consumer, what is written goes
//! down to it. A connection to the pull API belongs to nobody until a request names its consumer;
//! what passed before is then counted after the fact.

use std::{
    io,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    task::Poll,
};

use super::watched_io::{Watch, WatchedIo};

/// What one consumer's traffic adds up to.
#[derive(Debug, Default)]
pub struct Traffic {
    up: AtomicU64,
    down: AtomicU64,
    requests: AtomicU64,
}

impl Traffic {
    /// One HTTP request more.
    pub fn count_request(&self) {
        self.requests.fetch_add(1, Ordering::Relaxed);
    }

    /// Bytes up, bytes down and requests so far.
    #[must_use]
    pub fn totals(&self) -> (u64, u64, u64) {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        (read(&self.up), read(&self.down), read(&self.requests))
    }
}

/// The counter of one connection.
#[derive(Debug, Default)]
pub struct Meter {
    owner: OnceLock<Arc<Traffic>>,
    unclaimed: Traffic,
}

impl Meter {
    /// A connection whose owner is known from the start.
    #[must_use]
    pub fn of(owner: Arc<Traffic>) -> Meter {
        Meter { owner: OnceLock::from(owner), unclaimed: Traffic::default() }
    }

    /// Says whose connection it is; the first owner keeps it. Called by the connection's own task.
    pub fn claim(&self, owner: &Arc<Traffic>) {
        if self.owner.set(Arc::clone(owner)).is_ok() {
            owner.up.fetch_add(self.unclaimed.up.swap(0, Ordering::Relaxed), Ordering::Relaxed);
            owner.down.fetch_add(self.unclaimed.down.swap(0, Ordering::Relaxed), Ordering::Relaxed);
        }
    }

    fn traffic(&self) -> &Traffic {
        self.owner.get().map_or(&self.unclaimed, |owner| owner)
    }
}

/// A stream whose bytes are counted.
pub type CountingIo<S> = WatchedIo<S, Meter>;

impl Watch for Meter {
    fn read(&self, bytes: usize) {
        self.traffic().up.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    fn written(&self, polled: &Poll<io::Result<usize>>) {
        if let Poll::Ready(Ok(count)) = polled {
            self.traffic().down.fetch_add(*count as u64, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    #[tokio::test]
    async fn bytes_count_for_the_owner_also_those_before_it_was_known() {
        let (near, mut far) = tokio::io::duplex(64);
        let meter = Arc::new(Meter::default());
        let mut near = CountingIo::new(near, Arc::clone(&meter));
        far.write_all(b"hello").await.unwrap();
        near.read_exact(&mut [0; 5]).await.unwrap();
        let owner = Arc::new(Traffic::default());
        meter.claim(&owner);
        near.write_all(b"goodbye").await.unwrap();
        owner.count_request();
        assert_eq!(owner.totals(), (5, 7, 1));
        let other = Arc::new(Traffic::default());
        meter.claim(&other);
        near.write_all(b"x").await.unwrap();
        assert_eq!((owner.totals().1, other.totals()), (8, (0, 0, 0)));
    }
}
