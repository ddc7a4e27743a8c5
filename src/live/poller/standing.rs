//! How each client stands: whether it has found out that there is nothing more, and which requests are
//! being held.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::{
    model::{Span, Time},
    policy::poll::Due,
};

/// A request that has been held for this long would have been answered if there were anything.
const HELD_FOR_NOTHING: Span = Span::from_secs(1);

/// The standing of all clients of one process.
pub(super) struct Standing {
    /// From here on nothing new can become visible.
    over: Time,
    /// Whether a request that brings nothing may also be one that got lost on its way.
    silence_is_doubtful: bool,
    /// Polls in a row that must find nothing before a client knows that there is nothing.
    polls_to_know: u64,
    clients: Mutex<Vec<One>>,
}

#[derive(Debug, Clone, Copy, Default)]
struct One {
    /// Polls that were due after the end of all events and found nothing.
    quiet: u64,
    /// The request that is being held: its poll, and when it was sent.
    held: Option<(Due, Time)>,
}

impl Standing {
    /// Of `clients` clients. Nothing new becomes visible from `over` on.
    pub fn new(clients: u32, over: Time, silence_is_doubtful: bool, polls_to_know: u64) -> Standing {
        let clients = Mutex::new(vec![One::default(); clients as usize]);
        Standing { over, silence_is_doubtful, polls_to_know: polls_to_know.max(1), clients }
    }

    /// A request is sent that may be held.
    pub fn hold(&self, client: u32, due: Due, sent: Time) {
        self.clients()[client as usize].held = Some((due, sent));
    }

    /// It has been answered, or has failed.
    pub fn answered(&self, client: u32) {
        self.clients()[client as usize].held = None;
    }

    /// A poll has found nothing.
    pub fn found_nothing(&self, client: u32, due: Due) {
        if due.at > self.over {
            self.clients()[client as usize].quiet += 1;
        }
    }

    /// A poll has failed, or what it brought was turned away: what it asked after has to be asked again.
    pub fn missed(&self, client: u32) {
        let one = &mut self.clients()[client as usize];
        // A client that has come to know it still knows.
        if one.quiet < self.polls_to_know {
            one.quiet = 0;
        }
    }

    /// Polls by which a client knows that there is nothing more, least over the clients.
    pub fn quiet_polls(&self, now: Time) -> u64 {
        let silent = |sent: Time| !self.silence_is_doubtful && now >= sent.max(self.over) + HELD_FOR_NOTHING;
        let of = |one: &One| one.quiet / self.polls_to_know + u64::from(one.held.is_some_and(|(_, sent)| silent(sent)));
        self.clients().iter().map(of).min().unwrap_or_default()
    }

    /// The requests that are being held.
    pub fn held(&self) -> Vec<(Due, Time)> {
        self.clients().iter().filter_map(|one| one.held).collect()
    }

    fn clients(&self) -> MutexGuard<'_, Vec<One>> {
        self.clients.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn due(secs: u64) -> Due {
        Due { number: 1, at: at(secs) }
    }

    fn at(secs: u64) -> Time {
        Time::ZERO + Span::from_secs(secs)
    }

    #[test]
    fn a_client_is_quiet_by_an_empty_poll_after_the_end_or_by_being_held_for_long() {
        let standing = Standing::new(2, at(10), false, 1);
        standing.found_nothing(0, due(9));
        standing.found_nothing(0, due(11));
        assert_eq!(standing.quiet_polls(at(20)), 0, "client 1 is not");
        // Held since before the end: whatever there was would have answered it.
        standing.hold(1, due(5), at(5));
        assert_eq!(standing.quiet_polls(at(10)), 0);
        assert_eq!(standing.quiet_polls(at(11)), 1);
        assert_eq!(standing.held(), [(due(5), at(5))]);
        standing.answered(1);
        assert_eq!(standing.quiet_polls(at(12)), 0);
    }

    #[test]
    fn where_requests_get_lost_only_an_answer_counts() {
        let standing = Standing::new(1, at(10), true, 1);
        standing.hold(0, due(5), at(5));
        assert_eq!(standing.quiet_polls(at(60)), 0);
        standing.found_nothing(0, due(11));
        assert_eq!(standing.quiet_polls(at(60)), 1);
    }

    #[test]
    fn who_asks_after_one_subject_each_poll_knows_when_it_has_asked_after_each() {
        let standing = Standing::new(1, at(10), false, 3);
        for secs in [11, 12] {
            standing.found_nothing(0, due(secs));
        }
        standing.missed(0);
        for secs in [13, 14] {
            standing.found_nothing(0, due(secs));
        }
        assert_eq!(standing.quiet_polls(at(20)), 0, "one of the three was not answered");
        standing.found_nothing(0, due(15));
        standing.missed(0);
        assert_eq!(standing.quiet_polls(at(20)), 1);
    }
}
