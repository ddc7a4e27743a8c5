//! The sender pool that a provider's endpoints share, where it has one.
//!
//! Every driver is a task of its own, so the pool lies behind a lock that is held for a look-up, and
//! whoever gives a slot back wakes the driver whose turn it is. Drivers come and go.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
};

use tokio::sync::Notify;

use crate::{
    model::{Seq, Time},
    policy::pool::{Member, Pool},
};

/// The pool of one provider.
pub(super) struct SharedPool {
    inner: Mutex<Inner>,
}

struct Inner {
    pool: Pool,
    /// By who is there.
    turns: BTreeMap<Member, Arc<Notify>>,
    /// The next one's number. No number is given out twice.
    next: Member,
}

/// One driver's place at the pool. Whoever leaves it gives back what it holds.
pub(super) struct Seat {
    shared: Arc<SharedPool>,
    member: Member,
    turn: Arc<Notify>,
    /// Slots taken and not given back; counted by this driver only.
    held: AtomicU32,
}

impl SharedPool {
    /// A pool of `slots`, and nobody there.
    pub fn new(slots: u32) -> Arc<SharedPool> {
        let inner = Inner { pool: Pool::new(slots), turns: BTreeMap::new(), next: 0 };
        Arc::new(SharedPool { inner: Mutex::new(inner) })
    }

    /// A seat for one more driver.
    pub fn seat(self: &Arc<Self>) -> Seat {
        let turn = Arc::new(Notify::new());
        let mut inner = self.lock();
        let member = inner.next;
        inner.next += 1;
        inner.turns.insert(member, Arc::clone(&turn));
        drop(inner);
        Seat { shared: Arc::clone(self), member, turn, held: AtomicU32::new(0) }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Nothing in the pool panics half way, so a poisoned one is still whole.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// Wakes the driver whose turn it is. A permit is kept for one that is not waiting yet.
    fn call(&self) {
        if let Some(turn) = self.pool.next().and_then(|member| self.turns.get(&member)) {
            turn.notify_one();
        }
    }
}

impl Seat {
    /// Takes a slot for the next attempt, or waits for its turn.
    pub fn ask(&self, due: Time, seq: Seq) -> bool {
        let mut inner = self.shared.lock();
        let granted = inner.pool.ask(self.member, due, seq);
        // Of several free slots each taker calls the next one.
        if granted {
            self.held.fetch_add(1, Ordering::Relaxed);
            inner.call();
        }
        granted
    }

    /// Nothing is due here: whoever waits behind goes on.
    pub fn leave(&self) {
        let mut inner = self.shared.lock();
        inner.pool.leave(self.member);
        inner.call();
    }

    /// Gives a slot back.
    pub fn give_back(&self) {
        self.held.fetch_sub(1, Ordering::Relaxed);
        let mut inner = self.shared.lock();
        inner.pool.give_back();
        inner.call();
    }

    /// Returns when it is this driver's turn.
    pub async fn turn(&self) {
        self.turn.notified().await;
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut inner = self.shared.lock();
        inner.pool.leave(self.member);
        inner.turns.remove(&self.member);
        for _ in 0..*self.held.get_mut() {
            inner.pool.give_back();
            inner.call();
        }
        // It may have been called just before it left.
        inner.call();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn whoever_leaves_gives_back_what_it_holds_and_its_turn() {
        let pool = SharedPool::new(2);
        let (gone, next, last) = (pool.seat(), pool.seat(), pool.seat());
        assert!(gone.ask(Time(1), 1) && gone.ask(Time(2), 2));
        assert!(!next.ask(Time(3), 3) && !last.ask(Time(4), 4));
        drop(gone);
        next.turn().await;
        assert!(next.ask(Time(3), 3), "one of two slots");
        last.turn().await;
        assert!(last.ask(Time(4), 4), "the other one");

        assert!(!next.ask(Time(5), 5) && !last.ask(Time(6), 6));
        last.give_back();
        next.turn().await;
        drop(next);
        last.turn().await;
        assert!(last.ask(Time(6), 6), "the turn of one who left passes on");
    }
}
