//! The providers' log: one schedule, and who of a consumer's clients it concerns.
//!
//! Every provider emits the same events, so there is one log. An index per share makes "nothing new"
//! a look at one number, however many events of other clients lie between.

use std::collections::BTreeMap;

use crate::{
    model::{ClientNo, Event, Seq, Time},
    scenario::{ConsumerPlan, Follows},
};

/// Whose events are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Share {
    /// Everything.
    All,
    /// The subjects that are `client` modulo `clients`.
    Own { clients: u32, client: ClientNo },
}

impl Share {
    /// The share of one client.
    pub fn of(plan: &ConsumerPlan, client: ClientNo) -> Share {
        match plan.follows {
            Follows::All => Share::All,
            Follows::Own => Share::Own { clients: plan.clients.max(1), client },
        }
    }
}

/// A stretch of a share.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Stretch {
    /// The events, in log order.
    pub events: Vec<Event>,
    /// Whether the share has more behind them.
    pub more: bool,
    /// The sequence of the share's newest visible event; 0 for none.
    pub newest: Seq,
    /// The sequence of the log's newest visible event; 0 for none.
    pub head: Seq,
}

/// All events so far.
#[derive(Debug, Default)]
pub(super) struct Log {
    events: Vec<Event>,
    /// Per number of clients, per client: the sequences of its share.
    shares: BTreeMap<u32, Vec<Vec<Seq>>>,
}

impl Log {
    /// An empty log that can be asked for the shares of these numbers of clients.
    pub fn new(client_counts: impl Iterator<Item = u32>) -> Log {
        let shares = client_counts.map(|n| (n, vec![Vec::new(); n as usize])).collect();
        Log { events: Vec::new(), shares }
    }

    /// Appends the next event.
    pub fn append(&mut self, event: Event) {
        for (clients, shares) in &mut self.shares {
            shares[(event.subject % clients) as usize].push(event.seq);
        }
        self.events.push(event);
    }

    /// The newest sequence of a share, seen by everybody or not; 0 for none.
    pub fn newest(&self, share: Share) -> Seq {
        match share {
            Share::All => self.events.len() as Seq,
            Share::Own { clients, client } => self.share(clients, client).last().copied().unwrap_or(0),
        }
    }

    /// The first event of a share behind a cursor, to be seen yet or not.
    pub fn first_behind(&self, share: Share, after: Seq) -> Option<Event> {
        let first = match share {
            Share::All => after + 1,
            Share::Own { clients, client } => {
                let own = self.share(clients, client);
                *own.get(own.partition_point(|&seq| seq <= after))?
            }
        };
        self.events.get(first as usize - 1).copied()
    }

    /// Up to `limit` events of a share behind a cursor: those that occurred up to `upto`, and that the
    /// log has kept, which goes back to `kept_since`.
    pub fn stretch(&self, share: Share, after: Seq, limit: usize, (kept_since, upto): (Time, Time)) -> Stretch {
        let head = self.events.partition_point(|event| event.occurred_at <= upto) as Seq;
        let oldest = self.events.partition_point(|event| event.occurred_at < kept_since) as Seq + 1;
        let from = after.max(oldest - 1);
        let (events, more, newest): (Vec<Event>, bool, Seq) = match share {
            Share::All => {
                let all = &self.events[..head as usize];
                let from = (from as usize).min(all.len());
                let to = from.saturating_add(limit).min(all.len());
                (all[from..to].to_vec(), to < all.len(), head)
            }
            Share::Own { clients, client } => {
                let own = self.share(clients, client);
                let own = &own[..own.partition_point(|&seq| seq <= head)];
                let from = own.partition_point(|&seq| seq <= from);
                let to = from.saturating_add(limit).min(own.len());
                let events = own[from..to].iter().map(|&seq| self.events[seq as usize - 1]).collect();
                (events, to < own.len(), own.last().copied().unwrap_or(0))
            }
        };
        Stretch { events, more, newest, head }
    }

    fn share(&self, clients: u32, client: ClientNo) -> &[Seq] {
        self.shares.get(&clients).and_then(|shares| shares.get(client as usize)).map_or(&[], Vec::as_slice)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_ends_where_the_view_ends_and_begins_where_the_log_begins() {
        let mut log = Log::new([2].into_iter());
        for seq in 1..=6 {
            log.append(Event { seq, subject: seq % 2, version: 1, occurred_at: Time(u64::from(seq) * 10) });
        }
        let odd = Share::Own { clients: 2, client: 1 };
        let seqs = |share, after, limit, window| {
            let stretch = log.stretch(share, after, limit, window);
            (
                stretch.events.iter().map(|event| event.seq).collect::<Vec<_>>(),
                stretch.more,
                stretch.newest,
                stretch.head,
            )
        };
        let all = (Time::ZERO, Time::MAX);
        assert_eq!(seqs(odd, 0, 9, all), (vec![1, 3, 5], false, 5, 6));
        assert_eq!(seqs(odd, 1, 1, all), (vec![3], true, 5, 6));
        assert_eq!(seqs(odd, 0, 9, (Time(20), Time(40))), (vec![3], false, 3, 4));
        assert_eq!(seqs(Share::All, 4, 9, all), (vec![5, 6], false, 6, 6));
        assert_eq!(log.first_behind(odd, 3).map(|event| event.seq), Some(5));
        assert_eq!((log.first_behind(odd, 5), log.newest(odd)), (None, 5));
    }
}
