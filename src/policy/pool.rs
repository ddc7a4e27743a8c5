//! A sender pool that all endpoints of a provider share: who gets the next free slot.
//!
//! First come, first served, by the instant at which an attempt is due, over all endpoints: one
//! queue in front of N servers. So one dead endpoint, whose attempts hold a slot until they time
//! out, takes from everybody. Each endpoint asks for its own next attempt only; the pool remembers
//! the one that each waits for, and an attempt that is due earlier is never passed by a later one.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{Seq, Time};

/// An endpoint's number within the pool.
pub type Member = u32;

/// What an endpoint waits for: the instant at which its next attempt is due, and its event.
type Ticket = (Time, Seq);

/// The slots, and who waits for one.
#[derive(Debug)]
pub struct Pool {
    free: u32,
    queue: BTreeSet<(Ticket, Member)>,
    tickets: BTreeMap<Member, Ticket>,
}

impl Pool {
    /// A pool of `slots`; at least one.
    #[must_use]
    pub fn new(slots: u32) -> Pool {
        Pool { free: slots.max(1), queue: BTreeSet::new(), tickets: BTreeMap::new() }
    }

    /// Asks for a slot for `member`'s next attempt. True: it is taken. False: the member waits; ask
    /// again when told ([`Pool::next`]), or when its next attempt is another one.
    pub fn ask(&mut self, member: Member, due: Time, seq: Seq) -> bool {
        self.leave(member);
        let ticket = (due, seq);
        let first = self.queue.first().is_none_or(|first| (ticket, member) < *first);
        if first && self.free > 0 {
            self.free -= 1;
            return true;
        }
        self.queue.insert((ticket, member));
        self.tickets.insert(member, ticket);
        false
    }

    /// The member wants nothing at the moment.
    pub fn leave(&mut self, member: Member) {
        if let Some(ticket) = self.tickets.remove(&member) {
            self.queue.remove(&(ticket, member));
        }
    }

    /// A slot is free again.
    pub fn give_back(&mut self) {
        self.free += 1;
    }

    /// Who shall ask now: a slot is free and this member is the first that waits for one.
    #[must_use]
    pub fn next(&self) -> Option<Member> {
        self.queue.first().filter(|_| self.free > 0).map(|(_, member)| *member)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn who_is_due_first_is_served_first_whoever_asks_first() {
        let mut pool = Pool::new(1);
        assert!(pool.ask(0, Time(5), 1));
        assert!(!pool.ask(1, Time(9), 3) && !pool.ask(2, Time(7), 2));
        assert_eq!(pool.next(), None);
        pool.give_back();
        assert_eq!(pool.next(), Some(2));
        assert!(!pool.ask(1, Time(9), 3), "a slot is free, and it is another one's");
        assert!(pool.ask(0, Time(6), 9), "due earlier than everybody who waits");
        pool.give_back();
        assert!(pool.ask(2, Time(7), 2));
        pool.give_back();
        pool.leave(1);
        assert_eq!(pool.next(), None);
    }

    proptest! {
        #[test]
        fn slots_are_never_overdrawn_and_go_to_the_earliest(
            slots in 1u32..4,
            steps in proptest::collection::vec((0u32..5, 0u64..50, any::<bool>()), 1..200),
        ) {
            let mut pool = Pool::new(slots);
            let (mut taken, mut waiting) = (0u32, BTreeMap::new());
            for (seq, (member, due, release)) in steps.into_iter().enumerate() {
                if release && taken > 0 {
                    taken -= 1;
                    pool.give_back();
                } else {
                    let ticket = (Time(due), seq as Seq);
                    waiting.remove(&member);
                    let earliest = waiting.iter().all(|(other, theirs)| (ticket, member) < (*theirs, *other));
                    let granted = pool.ask(member, ticket.0, ticket.1);
                    prop_assert_eq!(granted, earliest && taken < slots);
                    if granted {
                        taken += 1;
                    } else {
                        waiting.insert(member, ticket);
                    }
                }
                prop_assert!(taken <= slots);
                let first = waiting.iter().min_by_key(|(member, ticket)| (**ticket, **member)).map(|(member, _)| *member);
                prop_assert_eq!(pool.next(), first.filter(|_| taken < slots), "nobody waits beside a free slot unasked");
            }
        }
    }
}
