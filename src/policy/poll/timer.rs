//! One client's polls, one after the other.

use super::{Came, Client, Due, Last, Strategy};
use crate::model::Time;

/// Tells when the next poll of one client is due.
#[derive(Debug)]
pub struct PollTimer {
    strategy: Strategy,
    who: Client,
    due: Due,
    idle: u32,
}

impl PollTimer {
    /// A client that begins at `now`.
    #[must_use]
    pub fn new(strategy: Strategy, who: Client, now: Time) -> PollTimer {
        let due = strategy.first(who, now);
        PollTimer { strategy, who, due, idle: 0 }
    }

    /// The next poll.
    #[must_use]
    pub fn due(&self) -> Due {
        self.due
    }

    /// The poll that was due has ended; the client may poll again from `free` on.
    pub fn ended(&mut self, came: Came, free: Time) {
        self.idle = if came == Came::Events { 0 } else { self.idle.saturating_add(1) };
        let last = Last { due: self.due, came, idle: self.idle };
        self.due = self.strategy.next(self.who, &last, free);
    }
}
