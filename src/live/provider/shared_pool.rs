//! The sender pool that a provider's endpoints share, where it has one.
//!
//! Every driver is a task of its own, so the pool lies behind a lock that is held for a look-up, and
//! whoever gives a slot back wakes the driver whose turn it is.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::{
    model::{Seq, Time},
    policy::pool::{Member, Pool},
};

/// The pool of one provider.
pub(super) struct SharedPool {
    pool: Mutex<Pool>,
    turns: Vec<Notify>,
}

/// One driver's place at the pool.
pub(super) struct Seat {
    shared: Arc<SharedPool>,
    member: Member,
}

impl SharedPool {
    /// A pool of `slots` and a seat for each of `members` drivers.
    pub fn seats(slots: u32, members: u32) -> impl Iterator<Item = Seat> {
        let turns = (0..members).map(|_| Notify::new()).collect();
        let shared = Arc::new(SharedPool { pool: Mutex::new(Pool::new(slots)), turns });
        (0..members).map(move |member| Seat { shared: Arc::clone(&shared), member })
    }

    fn lock(&self) -> MutexGuard<'_, Pool> {
        // Nothing in the pool panics half way, so a poisoned one is still whole.
        self.pool.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Wakes the driver whose turn it is. A permit is kept for one that is not waiting yet.
    fn call(&self, next: Option<Member>) {
        if let Some(turn) = next.and_then(|member| self.turns.get(member as usize)) {
            turn.notify_one();
        }
    }
}

impl Seat {
    /// Takes a slot for the next attempt, or waits for its turn.
    pub fn ask(&self, due: Time, seq: Seq) -> bool {
        let mut pool = self.shared.lock();
        let granted = pool.ask(self.member, due, seq);
        let next = pool.next();
        drop(pool);
        // Of several free slots each taker calls the next one.
        if granted {
            self.shared.call(next);
        }
        granted
    }

    /// Nothing is due here: whoever waits behind goes on.
    pub fn leave(&self) {
        let mut pool = self.shared.lock();
        pool.leave(self.member);
        let next = pool.next();
        drop(pool);
        self.shared.call(next);
    }

    /// Gives a slot back.
    pub fn give_back(&self) {
        let mut pool = self.shared.lock();
        pool.give_back();
        let next = pool.next();
        drop(pool);
        self.shared.call(next);
    }

    /// Returns when it is this driver's turn.
    pub async fn turn(&self) {
        if let Some(turn) = self.shared.turns.get(self.member as usize) {
            turn.notified().await;
        }
    }
}
