//! Which events of its share a client has not seen, where that is a few: a list through the events.
//!
//! An index of a million shares costs a look into far memory per event. A client that keeps up has one or
//! two events behind its cursor, and the list of those costs nothing: an event is announced to its client,
//! and whoever is announced to knows what was announced before.

use crate::model::Seq;

/// For each event, the one before it in the same share; 0 for none.
#[derive(Debug, Default)]
pub(super) struct Shares {
    before: Vec<Seq>,
}

/// Events behind a cursor at most, beyond which an index is the better way.
const BEHIND_MAX: usize = 32;

/// The end of a share: from the last event that was seen, if any was, to the newest.
#[derive(Debug)]
pub(super) struct Tail {
    seqs: [Seq; BEHIND_MAX + 1],
    begin: usize,
}

impl Tail {
    /// In log order.
    pub fn seqs(&self) -> &[Seq] {
        &self.seqs[self.begin..]
    }
}

impl Shares {
    /// The next event is announced to a client, to whom `before` was the last one.
    pub fn announce(&mut self, before: Seq) {
        self.before.push(before);
    }

    /// The newest event of a share up to `head`, and whether it is the only one behind `after`. None where there
    /// is none.
    pub fn newest(&self, newest: Seq, after: Seq, head: Seq) -> Option<(Seq, bool)> {
        let mut seq = newest;
        while seq > head {
            seq = *self.before.get(seq as usize - 1)?;
        }
        let before = *self.before.get((seq as usize).checked_sub(1)?)?;
        (seq > after).then_some((seq, before <= after))
    }

    /// What lies behind a cursor of a client, to whom `newest` was the last one announced. `None` where that
    /// is too much for a list.
    pub fn tail(&self, newest: Seq, after: Seq) -> Option<Tail> {
        let mut tail = Tail { seqs: [0; BEHIND_MAX + 1], begin: BEHIND_MAX + 1 };
        let mut seq = newest;
        while seq > 0 {
            tail.begin = tail.begin.checked_sub(1)?;
            tail.seqs[tail.begin] = seq;
            if seq <= after {
                break;
            }
            seq = *self.before.get(seq as usize - 1)?;
        }
        Some(tail)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::{Event, Span, Time},
        policy::log::{After, Log, Share, Window},
    };
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_end_of_a_share_shows_what_an_index_shows(
            subjects in proptest::collection::vec(0u32..4, 1..60), clients in 1u32..4,
            after in 0u32..60, limit in 1usize..9, upto in 0u64..60, kept_since in 0u64..60,
        ) {
            let (mut log, mut shares) = (Log::new([clients]), Shares::default());
            let mut newest = vec![0; clients as usize];
            for (seq, subject) in (1..).zip(subjects) {
                log.append(&[Event { seq, subject, version: 1, occurred_at: Time(u64::from(seq)) }]);
                shares.announce(std::mem::replace(&mut newest[(subject % clients) as usize], seq));
            }
            let (kept_since, upto) = (Time(kept_since), Time(upto));
            let window = Window { after: After::Seq(after), limit, grain: Span::ZERO, kept_since, upto };
            for client in 0..clients {
                let indexed = log.stretch(Share::Own { clients, client }, window);
                if let Some(tail) = shares.tail(newest[client as usize], after) {
                    // An event occurs at the instant of its sequence.
                    let head = upto.0 as u32;
                    let behind = after + 1..=head;
                    let visible: Vec<u32> = tail.seqs().iter().copied().filter(|seq| behind.contains(seq)).collect();
                    let wanted = visible.last().map(|seq| (*seq, visible.len() == 1));
                    prop_assert_eq!(shares.newest(newest[client as usize], after, head), wanted);
                    let told = log.stretch_of(tail.seqs(), window);
                    let hidden = told.newest != indexed.newest;
                    // What a client has seen is visible, and kept until then.
                    prop_assert!(!hidden || after > upto.0 as u32);
                    prop_assert_eq!((told.events, told.more), (indexed.events, indexed.more));
                    prop_assert_eq!((told.head, told.expired), (indexed.head, indexed.expired));
                } else {
                    let behind = log.stretch(Share::Own { clients, client }, Window { limit: 99, upto: Time::MAX, kept_since: Time::ZERO, ..window });
                    prop_assert!(behind.events.len() >= BEHIND_MAX);
                }
            }
        }
    }
}
