//! A provider's event log: append-only, with an index per client's share.
//!
//! Most polls find nothing. An index per share makes that answer O(log n), however many events of
//! other clients lie between. Who appends and who may look at the same time is the driver's matter.

mod states;

use std::collections::BTreeMap;

pub use states::{Asked, Changed};

use crate::{
    model::{ClientNo, Event, Seq, Span, Subject, Time},
    scenario::{ConsumerPlan, Follows},
};

/// Whose events are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Share {
    /// Everything.
    All,
    /// The subjects that are `client` modulo `clients`.
    Own {
        /// Among how many.
        clients: u32,
        /// Whose.
        client: ClientNo,
    },
}

impl Share {
    /// The share of one client.
    #[must_use]
    pub fn of(plan: &ConsumerPlan, client: ClientNo) -> Share {
        match plan.follows {
            Follows::All => Share::All,
            Follows::Own => Share::Own { clients: plan.clients.max(1), client },
        }
    }

    /// Whether the subject is part of it.
    #[must_use]
    pub fn holds(self, subject: Subject) -> bool {
        match self {
            Share::All => true,
            Share::Own { clients, client } => subject % clients.max(1) == client,
        }
    }
}

/// What a client has seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum After {
    /// All up to this sequence; 0 is nothing.
    Seq(Seq),
    /// All created up to this instant.
    Created(Time),
}

/// A stretch of a share.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Stretch {
    /// The events, in log order.
    pub events: Vec<Event>,
    /// Whether the share has more behind them.
    pub more: bool,
    /// The sequence of the share's newest visible event; 0 for none.
    pub newest: Seq,
    /// The sequence of the log's newest visible event; 0 for none.
    pub head: Seq,
    /// The oldest sequence that the log still serves; one behind the head where it serves none.
    pub oldest: Seq,
    /// Events of the share behind `after` that the log does not serve any more.
    pub expired: usize,
}

/// What part of the log is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// What the client has seen.
    pub after: After,
    /// Events at most.
    pub limit: usize,
    /// Rounds an event's created time down before it is compared.
    pub grain: Span,
    /// Events that occurred before this instant are not served.
    pub kept_since: Time,
    /// Events that occurred after this one are not to be seen yet.
    pub upto: Time,
}

/// All events so far. Event `seq` lies at index `seq - 1`.
#[derive(Debug, Default)]
pub struct Log {
    events: Vec<Event>,
    /// Per number of clients, per client: the sequences of its share.
    shares: BTreeMap<u32, Vec<Vec<Seq>>>,
}

impl Log {
    /// An empty log that can be asked for shares of these numbers of clients.
    #[must_use]
    pub fn new(client_counts: impl IntoIterator<Item = u32>) -> Log {
        let counts = client_counts.into_iter().filter(|&n| n > 0);
        Log { events: Vec::new(), shares: counts.map(|n| (n, vec![Vec::new(); n as usize])).collect() }
    }

    /// From now on it can be asked for shares of this number of clients too.
    pub fn index(&mut self, clients: u32) {
        let events = &self.events;
        self.shares.entry(clients.max(1)).or_insert_with(|| {
            let mut shares = vec![Vec::new(); clients.max(1) as usize];
            events.iter().for_each(|event| shares[(event.subject % clients.max(1)) as usize].push(event.seq));
            shares
        });
    }

    /// The numbers of clients whose shares it can be asked for.
    pub fn client_counts(&self) -> impl Iterator<Item = u32> + '_ {
        self.shares.keys().copied()
    }

    /// Appends events, whose sequences continue the log's.
    pub fn append(&mut self, events: &[Event]) {
        for event in events {
            for (clients, shares) in &mut self.shares {
                shares[(event.subject % clients) as usize].push(event.seq);
            }
        }
        self.events.extend_from_slice(events);
    }

    /// The newest sequence of a share, to be seen yet or not; 0 for none.
    #[must_use]
    pub fn newest(&self, share: Share) -> Seq {
        match share {
            Share::All => self.events.len() as Seq,
            Share::Own { clients, client } => self.share(clients, client).last().copied().unwrap_or(0),
        }
    }

    /// The sequence of the newest event that was created more than `earlier` before that of `seq`; 0 for none.
    #[must_use]
    pub fn created_before(&self, seq: Seq, earlier: Span) -> Seq {
        let Some(event) = (seq as usize).checked_sub(1).and_then(|index| self.events.get(index)) else { return seq };
        let since = Time(event.occurred_at.0.saturating_sub(earlier.0));
        self.events.partition_point(|event| event.occurred_at < since) as Seq
    }

    /// An event, if it is there.
    #[must_use]
    pub fn get(&self, seq: Seq) -> Option<Event> {
        self.events.get((seq as usize).checked_sub(1)?).copied()
    }

    /// When the first event of the share behind `after` occurred, visible or not.
    #[must_use]
    pub fn first_behind(&self, share: Share, after: After, grain: Span) -> Option<Time> {
        let first = match share {
            Share::All => self.events.get(self.seen(after, grain)),
            Share::Own { clients, client } => {
                let own = self.share(clients, client);
                own.get(self.seen_of(own, after, grain)).map(|&seq| self.event(seq))
            }
        };
        first.map(|event| event.occurred_at)
    }

    /// The events of the share that the window shows. A share that the log was not built for is empty.
    #[must_use]
    pub fn stretch(&self, share: Share, window: Window) -> Stretch {
        let Share::Own { clients, client } = share else { return self.stretch_of_all(window) };
        self.stretch_of(self.share(clients, client), window)
    }

    fn stretch_of_all(&self, window: Window) -> Stretch {
        let (head, oldest) = self.bounds(window);
        let all = &self.events[..head as usize];
        let asked = self.seen(window.after, window.grain).min(all.len());
        let from = asked.max(all.len().min(oldest as usize - 1));
        let to = from.saturating_add(window.limit).min(all.len());
        Stretch {
            events: all[from..to].to_vec(),
            more: to < all.len(),
            newest: head,
            head,
            oldest,
            expired: from - asked,
        }
    }

    /// The same of a share whose sequences the caller knows: all of them, or the last ones from one on that
    /// the client has seen. Those that are not in the log yet are not shown.
    #[must_use]
    pub fn stretch_of(&self, own: &[Seq], window: Window) -> Stretch {
        let (head, oldest) = self.bounds(window);
        let own = &own[..own.partition_point(|&seq| seq <= head)];
        let asked = self.seen_of(own, window.after, window.grain);
        let from = asked.max(own.partition_point(|&seq| seq < oldest));
        let to = from.saturating_add(window.limit).min(own.len());
        let events = own[from..to].iter().map(|&seq| *self.event(seq)).collect();
        let newest = own.last().copied().unwrap_or(0);
        Stretch { events, more: to < own.len(), newest, head, oldest, expired: from - asked }
    }

    /// The newest sequence that a window shows, and the oldest that is kept.
    fn bounds(&self, window: Window) -> (Seq, Seq) {
        // The log is in the order of the schedule: what is not to be seen yet lies at its end.
        let gone = match window.kept_since {
            Time::ZERO => 0,
            since => self.events.partition_point(|event| event.occurred_at < since),
        };
        (self.head(window.upto), gone as Seq + 1)
    }

    /// The sequence of the newest event that occurred by then; 0 for none.
    fn head(&self, upto: Time) -> Seq {
        match upto {
            Time::MAX => self.events.len() as Seq,
            _ => self.events.partition_point(|event| event.occurred_at <= upto) as Seq,
        }
    }

    /// How many of all events a client has seen.
    fn seen(&self, after: After, grain: Span) -> usize {
        match after {
            After::Seq(seq) => (seq as usize).min(self.events.len()),
            After::Created(at) => self.events.partition_point(|event| created(event, grain) <= at),
        }
    }

    /// How many of a share a client has seen.
    fn seen_of(&self, own: &[Seq], after: After, grain: Span) -> usize {
        match after {
            After::Seq(seen) => own.partition_point(|&seq| seq <= seen),
            After::Created(at) => own.partition_point(|&seq| created(self.event(seq), grain) <= at),
        }
    }

    fn share(&self, clients: u32, client: ClientNo) -> &[Seq] {
        self.shares.get(&clients).and_then(|shares| shares.get(client as usize)).map_or(&[], Vec::as_slice)
    }

    /// The shares hold only sequences that were appended.
    fn event(&self, seq: Seq) -> &Event {
        &self.events[seq as usize - 1]
    }
}

/// The event's created time as the pull API tells it: its instant, rounded down to the grain.
#[must_use]
pub fn created(event: &Event, grain: Span) -> Time {
    Time(event.occurred_at.0 - event.occurred_at.0 % grain.0.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The whole log behind `after`, up to `limit` events.
    fn window(after: After, limit: usize, grain: u64) -> Window {
        Window { after, limit, grain: Span(grain), kept_since: Time::ZERO, upto: Time::MAX }
    }

    fn filled(subjects: &[u32], clients: u32) -> Log {
        let mut log = Log::new([clients]);
        for (i, &subject) in subjects.iter().enumerate() {
            let seq = i as Seq + 1;
            log.append(&[Event { seq, subject, version: 1, occurred_at: Time(u64::from(seq) * 10) }]);
        }
        log
    }

    #[test]
    fn what_occurred_after_the_view_is_not_there_yet() {
        let log = filled(&[0, 1, 0, 1], 2);
        let early = Window { upto: Time(30), ..window(After::Seq(0), 10, 1) };
        let own = log.stretch(Share::Own { clients: 2, client: 1 }, early);
        assert_eq!(own.events.iter().map(|e| e.seq).collect::<Vec<_>>(), [2]);
        assert_eq!((own.more, own.newest, own.head), (false, 2, 3));
        assert!(log.stretch(Share::All, Window { limit: 2, ..early }).more);
        assert!(!log.stretch(Share::All, early).more);
        // It is known to come, though.
        let share = Share::Own { clients: 2, client: 1 };
        assert_eq!(log.first_behind(share, After::Seq(2), Span(1)), Some(Time(40)));
        assert_eq!(log.first_behind(share, After::Seq(4), Span(1)), None);
    }

    #[test]
    fn a_share_holds_its_own_subjects_only() {
        let log = filled(&[0, 1, 2, 3, 4, 5], 3);
        let stretch = log.stretch(Share::Own { clients: 3, client: 1 }, window(After::Seq(0), 10, 1));
        assert_eq!(stretch.events.iter().map(|e| e.seq).collect::<Vec<_>>(), [2, 5]);
        assert_eq!((stretch.more, stretch.newest, stretch.head), (false, 5, 6));
        let unknown = log.stretch(Share::Own { clients: 7, client: 1 }, window(After::Seq(0), 10, 1));
        assert_eq!((unknown.events.len(), unknown.newest, unknown.head), (0, 0, 6));
    }

    #[test]
    fn a_created_cursor_skips_the_rest_of_its_grain() {
        let log = filled(&[0; 9], 1);
        let after =
            |at| log.stretch(Share::All, window(After::Created(Time(at)), 10, 50)).events.first().map(|e| e.seq);
        // Events 1 to 4 are created at 0, 5 to 9 at 50.
        assert_eq!((after(0), after(49), after(50)), (Some(5), Some(5), None));
    }

    #[test]
    fn what_is_older_than_the_retention_is_passed_over_and_counted() {
        let log = filled(&[0, 1, 0, 1, 0, 1], 2);
        let kept = |share, after, since| {
            let window = Window { kept_since: Time(since), ..window(After::Seq(after), 10, 1) };
            let stretch = log.stretch(share, window);
            (stretch.events.iter().map(|e| e.seq).collect::<Vec<_>>(), stretch.expired, stretch.oldest)
        };
        let own = Share::Own { clients: 2, client: 0 };
        // Event n occurs at 10 n.
        assert_eq!(kept(Share::All, 0, 0), (vec![1, 2, 3, 4, 5, 6], 0, 1));
        assert_eq!(kept(Share::All, 1, 31), (vec![4, 5, 6], 2, 4));
        assert_eq!(kept(own, 1, 31), (vec![5], 1, 4));
        assert_eq!(kept(own, 4, 31), (vec![5], 0, 4), "who has read on has missed nothing");
        assert_eq!(kept(own, 0, 99), (vec![], 3, 7));
    }

    proptest! {
        #[test]
        fn walking_a_share_in_pages_finds_each_event_once(
            subjects in proptest::collection::vec(0u32..20, 0..80), clients in 1u32..6, limit in 1usize..9,
        ) {
            let log = filled(&subjects, clients);
            let mut found = Vec::new();
            for client in 0..clients {
                let mut after = After::Seq(0);
                loop {
                    let stretch = log.stretch(Share::Own { clients, client }, window(after, limit, 1));
                    found.extend(stretch.events.iter().map(|e| e.seq));
                    let Some(last) = stretch.events.last() else { break };
                    prop_assert_eq!(stretch.more, last.seq < stretch.newest);
                    after = After::Seq(last.seq);
                }
            }
            found.sort_unstable();
            prop_assert_eq!(found, (1..=subjects.len() as Seq).collect::<Vec<_>>());
        }
    }
}
