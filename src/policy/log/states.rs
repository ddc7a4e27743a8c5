//! The same log as a table of states: the newest visible event of each subject is how it stands.

use std::collections::BTreeSet;

use super::{Log, Share, created};
use crate::model::{Event, Seq, Span, Subject, Time};

/// What part of the table is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asked {
    /// Changes told as of this instant or later, ...
    pub since: Time,
    /// ... and behind this one: its time as told, then its subject.
    pub behind: Option<(Time, Subject)>,
    /// States at most.
    pub limit: usize,
    /// Rounds the time of a change down before it is told.
    pub grain: Span,
    /// Changes that occurred after this instant are not to be seen yet.
    pub upto: Time,
}

/// States that have changed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Changed {
    /// The newest event of each, sorted by its time as told, then by subject.
    pub states: Vec<Event>,
    /// Whether more lie behind them.
    pub more: bool,
    /// The sequence of the share's newest visible event; 0 for none.
    pub newest: Seq,
}

impl Log {
    /// The newest visible event of a subject. Where a consumer asks after subjects there is an index by
    /// subject; without one the log is walked back.
    #[must_use]
    pub fn latest(&self, subject: Subject, upto: Time) -> Option<Event> {
        let head = self.head(upto);
        // The more clients, the fewer subjects in a share.
        match self.shares.iter().next_back() {
            Some((clients, shares)) => {
                let own = &shares[(subject % clients) as usize];
                let visible = &own[..own.partition_point(|&seq| seq <= head)];
                visible.iter().rev().map(|&seq| *self.event(seq)).find(|event| event.subject == subject)
            }
            None => self.events[..head as usize].iter().rev().find(|event| event.subject == subject).copied(),
        }
    }

    /// The states of a share that have changed. Costs a walk over what happened in it since then. A share
    /// that the log was not built for is empty.
    #[must_use]
    pub fn changed(&self, share: Share, asked: Asked) -> Changed {
        let head = self.head(asked.upto);
        let back: Box<dyn Iterator<Item = &Event>> = match share {
            Share::All => Box::new(self.events[..head as usize].iter().rev()),
            Share::Own { clients, client } => {
                let own = self.share(clients, client);
                let visible = &own[..own.partition_point(|&seq| seq <= head)];
                Box::new(visible.iter().rev().map(|&seq| self.event(seq)))
            }
        };
        let mut back = back.peekable();
        let newest = back.peek().map_or(0, |event| event.seq);
        let told = |event: &Event| created(event, asked.grain);
        let since = asked.behind.map_or(asked.since, |(at, _)| asked.since.max(at));
        let mut seen = BTreeSet::new();
        let mut states: Vec<Event> = back
            .take_while(|event| told(event) >= since)
            .filter(|event| seen.insert(event.subject))
            .filter(|event| asked.behind.is_none_or(|behind| (told(event), event.subject) > behind))
            .copied()
            .collect();
        states.sort_unstable_by_key(|event| (told(event), event.subject));
        let more = states.len() > asked.limit;
        states.truncate(asked.limit);
        Changed { states, more, newest }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Event n occurs at 10 n.
    fn filled(subjects: &[Subject], counts: &[u32]) -> Log {
        let mut log = Log::new(counts.iter().copied());
        for (i, &subject) in subjects.iter().enumerate() {
            let seq = i as Seq + 1;
            let version = subjects[..=i].iter().filter(|one| **one == subject).count() as u32;
            log.append(&[Event { seq, subject, version, occurred_at: Time(u64::from(seq) * 10) }]);
        }
        log
    }

    fn asked(since: u64, behind: Option<(u64, Subject)>, limit: usize) -> Asked {
        let behind = behind.map(|(at, subject)| (Time(at), subject));
        Asked { since: Time(since), behind, limit, grain: Span(20), upto: Time::MAX }
    }

    #[test]
    fn a_subject_stands_where_its_newest_visible_event_left_it() {
        for counts in [&[][..], &[2], &[2, 7]] {
            let log = filled(&[0, 1, 0, 5, 0], counts);
            let seq = |subject, upto| log.latest(subject, upto).map(|event| event.seq);
            assert_eq!((seq(0, Time::MAX), seq(0, Time(49)), seq(0, Time(9))), (Some(5), Some(3), None));
            assert_eq!((seq(5, Time::MAX), seq(4, Time::MAX)), (Some(4), None), "{counts:?}");
        }
    }

    #[test]
    fn changes_come_once_per_subject_by_their_time_as_told_and_by_share() {
        // Told as of 0, 20, 20, 40, 40: of 0, 1, 0, 5 and 0.
        let log = filled(&[0, 1, 0, 5, 0], &[2]);
        let seqs = |changed: &Changed| changed.states.iter().map(|event| event.seq).collect::<Vec<_>>();
        let all = log.changed(Share::All, asked(0, None, 9));
        assert_eq!((seqs(&all), all.more, all.newest), (vec![2, 5, 4], false, 5));
        assert_eq!(seqs(&log.changed(Share::All, asked(21, None, 9))), [5, 4]);
        let first = log.changed(Share::All, asked(0, None, 2));
        assert_eq!((seqs(&first), first.more), (vec![2, 5], true));
        assert_eq!(seqs(&log.changed(Share::All, asked(0, Some((40, 0)), 9))), [4]);
        let own = log.changed(Share::Own { clients: 2, client: 1 }, asked(0, None, 9));
        assert_eq!((seqs(&own), own.newest), (vec![2, 4], 4));
        let early = log.changed(Share::All, Asked { upto: Time(30), ..asked(0, None, 9) });
        assert_eq!((seqs(&early), early.newest), (vec![3, 2], 3));
    }

    proptest! {
        #[test]
        fn walking_the_table_in_pages_finds_each_subject_once_as_it_stands(
            subjects in proptest::collection::vec(0u32..12, 0..80), clients in 1u32..4, limit in 1usize..5,
        ) {
            let log = filled(&subjects, &[clients]);
            let mut found = Vec::new();
            for client in 0..clients {
                let mut behind = None;
                loop {
                    let page = log.changed(Share::Own { clients, client }, asked(0, behind, limit));
                    let Some(last) = page.states.last() else { break };
                    behind = Some((created(last, Span(20)).0, last.subject));
                    found.extend(page.states.iter().map(|event| (event.subject, event.seq)));
                    if !page.more {
                        break;
                    }
                }
            }
            found.sort_unstable();
            let newest = |subject| log.latest(subject, Time::MAX).map(|event| (subject, event.seq));
            prop_assert_eq!(found, (0..12).filter_map(newest).collect::<Vec<_>>());
        }
    }
}
