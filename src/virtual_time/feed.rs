//! A feed of who has changed: its answer, and what is then fetched of each.

use std::collections::{BTreeMap, VecDeque};

use super::{poll::Content, world::World};
use crate::{
    model::{Event, Seq, Span, Subject, Time},
    policy::log::{After, Window},
};

/// What a feed told of, and is still to be fetched: the events of one subject each.
#[derive(Debug, Default)]
pub(super) struct ToFetch {
    /// The one whose first change came first is fetched first.
    changes: VecDeque<Vec<Event>>,
    /// The newest sequence that the feed's answer covers.
    head: Seq,
}

impl World<'_> {
    /// The first request of a poll asks the feed, each other one fetches what one subject has come to.
    pub(super) fn answer_from_feed(&mut self, no: u32) {
        let first = self.pull.clients[no as usize].round.as_ref().is_none_or(|round| round.page == 1);
        if first {
            self.look_for_changes(no);
        }
        let after = self.asked_from(no);
        let Some(round) = self.pull.clients[no as usize].round.as_mut() else { return };
        let events = if first { Vec::new() } else { round.to_fetch.changes.pop_front().unwrap_or_default() };
        let (more, head) = (!round.to_fetch.changes.is_empty(), round.to_fetch.head);
        // A poll that breaks off is made again from the earliest change that was not fetched. So each fetch
        // gets its client a little further, however often it fails.
        let earliest = round.to_fetch.changes.front().and_then(|events| events.first());
        let next = earliest.map_or(head, |event| event.seq - 1).max(after);
        self.answer(no, Content::Page { events, next, more, newest: head, head });
    }

    /// Who has changed since the client last asked.
    fn look_for_changes(&mut self, no: u32) {
        let client = &self.pull.clients[no as usize];
        let Some(group) = &self.pull.groups[usize::from(client.consumer)] else { return };
        let pull = &self.plan.providers[group.provider].pull;
        let upto = if pull.view_lag == Span::ZERO { Time::MAX } else { self.now - pull.view_lag };
        let kept_since = pull.retention.map_or(Time::ZERO, |retention| self.now - retention);
        let after = After::Seq(self.asked_from(no));
        let window = Window { after, limit: usize::MAX, grain: Span::ZERO, kept_since, upto };
        let stretch = self.stretch(no, window);
        let mut by_subject: BTreeMap<Subject, Vec<Event>> = BTreeMap::new();
        stretch.events.into_iter().for_each(|event| by_subject.entry(event.subject).or_default().push(event));
        if let Some(round) = self.pull.clients[no as usize].round.as_mut() {
            let mut changes: Vec<Vec<Event>> = by_subject.into_values().collect();
            changes.sort_by_key(|events| events.first().map(|event| event.seq));
            round.to_fetch = ToFetch { changes: changes.into(), head: stretch.head };
        }
    }
}
