//! The provider's event log: append-only, in memory, with an index per client's share.
//!
//! Most polls find nothing. An index per share makes that answer O(log n), however many events of
//! other clients lie between.

mod states;

use std::{
    collections::BTreeMap,
    sync::{
        RwLock, RwLockReadGuard,
        atomic::{AtomicU64, Ordering},
    },
};

pub(super) use states::Asked;

use tokio::sync::{Notify, futures::Notified};

use crate::model::{ClientNo, Event, Seq, Span, Subject, Time};

/// Whose events are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Share {
    /// Everything.
    All,
    /// The subjects that are `client` modulo `clients`.
    Own { clients: u32, client: ClientNo },
}

impl Share {
    /// Whether the subject is part of it.
    pub fn holds(self, subject: Subject) -> bool {
        match self {
            Share::All => true,
            Share::Own { clients, client } => subject % clients.max(1) == client,
        }
    }
}

/// What a client has seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum After {
    /// All up to this sequence; 0 is nothing.
    Seq(Seq),
    /// All created up to this instant.
    Created(Time),
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
    /// The oldest sequence that the log still serves; one behind the head where it serves none.
    pub oldest: Seq,
    /// Events of the share behind `after` that the log does not serve any more.
    pub expired: usize,
}

/// What part of the log is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Window {
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

/// The log of one provider. Event `seq` lies at index `seq - 1`.
#[derive(Debug, Default)]
pub(super) struct EventLog {
    inner: RwLock<Inner>,
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

#[derive(Debug, Default)]
struct Inner {
    events: Vec<Event>,
    /// Per number of clients, per client: the sequences of its share.
    shares: BTreeMap<u32, Vec<Vec<Seq>>>,
}

impl EventLog {
    /// An empty log that can be asked for shares of these numbers of clients.
    pub fn new(client_counts: impl IntoIterator<Item = u32>) -> EventLog {
        let shares: BTreeMap<u32, Vec<Vec<Seq>>> =
            client_counts.into_iter().filter(|&n| n > 0).map(|n| (n, vec![Vec::new(); n as usize])).collect();
        let bells = |clients: &u32| (*clients, (0..*clients).map(|_| Notify::new()).collect());
        let arrivals = Arrivals { all: Notify::new(), shares: shares.keys().map(bells).collect() };
        EventLog { inner: RwLock::new(Inner { events: Vec::new(), shares }), arrivals, open_from: AtomicU64::new(0) }
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
        {
            // Nothing in here panics half way, so a poisoned log is still whole.
            let mut inner = self.inner.write().unwrap_or_else(|poisoned| poisoned.into_inner());
            for event in events {
                for (clients, shares) in &mut inner.shares {
                    shares[(event.subject % clients) as usize].push(event.seq);
                }
            }
            inner.events.extend_from_slice(events);
        }
        self.arrivals.ring(events);
    }

    /// Becomes ready when an event of the share is appended after this call. Enable it before looking
    /// into the log, so that an arrival in between is not missed.
    pub fn arrival(&self, share: Share) -> Notified<'_> {
        self.arrivals.bell(share).notified()
    }

    /// When the first event of the share behind `after` occurred, visible or not.
    pub fn first_behind(&self, share: Share, after: After, grain: Span) -> Option<Time> {
        let inner = self.read();
        let first = match share {
            Share::All => inner.events.get(inner.events.partition_point(|event| seen(event, after, grain))),
            Share::Own { clients, client } => {
                let own = inner.share(clients, client);
                own.get(own.partition_point(|&seq| seen(inner.event(seq), after, grain))).map(|&seq| inner.event(seq))
            }
        };
        first.map(|event| event.occurred_at)
    }

    /// The events of the share that the window shows. A share that the log was not built for is empty.
    pub fn stretch(&self, share: Share, window: Window) -> Stretch {
        let Window { after, limit, grain, kept_since, upto } = window;
        let inner = self.read();
        // The log is in the order of the schedule: what is not to be seen yet lies at its end.
        let head = inner.head(upto);
        let gone = inner.events.partition_point(|event| event.occurred_at < kept_since);
        let oldest = gone as Seq + 1;
        let (events, more, newest, expired) = match share {
            Share::All => {
                let all = &inner.events[..head as usize];
                let asked = all.partition_point(|event| seen(event, after, grain));
                let from = asked.max(gone.min(all.len()));
                let to = from.saturating_add(limit).min(all.len());
                (all[from..to].to_vec(), to < all.len(), head, from - asked)
            }
            Share::Own { clients, client } => {
                let own = inner.share(clients, client);
                let own = &own[..own.partition_point(|&seq| seq <= head)];
                let asked = own.partition_point(|&seq| seen(inner.event(seq), after, grain));
                let from = asked.max(own.partition_point(|&seq| seq < oldest));
                let to = from.saturating_add(limit).min(own.len());
                let events = own[from..to].iter().map(|&seq| *inner.event(seq)).collect();
                (events, to < own.len(), own.last().copied().unwrap_or(0), from - asked)
            }
        };
        Stretch { events, more, newest, head, oldest, expired }
    }

    fn read(&self) -> RwLockReadGuard<'_, Inner> {
        self.inner.read().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

impl Inner {
    /// The sequence of the newest event that occurred by then; 0 for none.
    fn head(&self, upto: Time) -> Seq {
        self.events.partition_point(|event| event.occurred_at <= upto) as Seq
    }

    fn share(&self, clients: u32, client: ClientNo) -> &[Seq] {
        self.shares.get(&clients).and_then(|shares| shares.get(client as usize)).map_or(&[], Vec::as_slice)
    }

    /// The shares hold only sequences that were appended.
    fn event(&self, seq: Seq) -> &Event {
        &self.events[seq as usize - 1]
    }
}

fn seen(event: &Event, after: After, grain: Span) -> bool {
    match after {
        After::Seq(seq) => event.seq <= seq,
        After::Created(at) => created(event, grain) <= at,
    }
}

/// The event's created time as the pull API tells it: its instant, rounded down to the grain.
pub(super) fn created(event: &Event, grain: Span) -> Time {
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

    fn filled(subjects: &[u32], clients: u32) -> EventLog {
        let log = EventLog::new([clients]);
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

    #[tokio::test]
    async fn an_arrival_wakes_its_own_share_and_those_who_follow_all() {
        let log = filled(&[], 2);
        let own = |client| Share::Own { clients: 2, client };
        let (mut mine, mut other) = (Box::pin(log.arrival(own(1))), Box::pin(log.arrival(own(0))));
        let mut all = Box::pin(log.arrival(Share::All));
        assert!(!mine.as_mut().enable() && !other.as_mut().enable() && !all.as_mut().enable());
        log.append(&[Event { seq: 1, subject: 1, version: 1, occurred_at: Time(10) }]);
        mine.await;
        all.await;
        assert!(!other.as_mut().enable());
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
