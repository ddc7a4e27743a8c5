//! A poll that brings a page and is disturbed by nobody: its whole way is worked out when it begins.
//!
//! Where no fault hits, nothing else waits in its consumer and its effects take no time, the instants at which
//! a poll is answered, stored and done follow from the one at which it leaves. What is left of its way are the
//! two instants at which it leaves records behind. Any other poll goes step by step ([`super::poll`]) and, but
//! for the order within one instant, leaves the same records: a property test holds them to that.

use super::{
    consumer::Item,
    link::Leg,
    pull::{Group, Mark, PollClient},
    world::{What, World},
};
use crate::{
    fault::TargetPath,
    model::{Event, PollOutcome, Seq, Span, Time},
    policy::poll::{Came, Due},
    record::{Obligation, Poll, Record},
    scenario::{ConsumerPlan, Distribution, Plan},
};

/// A poll under way.
#[derive(Debug)]
pub(super) struct Undisturbed {
    due: Due,
    sent: Time,
    /// When the page came.
    received_at: Time,
    /// Where the next poll starts.
    next: Seq,
    /// The sequence of the newest event of the share that it shows.
    newest: Seq,
    first: Event,
    others: Vec<Event>,
}

/// What a request meets at the provider.
struct Shown {
    head: Seq,
    first: Event,
    others: Vec<Event>,
}

/// Whether a group's polls may go their way undisturbed, as far as the plan tells; `calm`: one that finds
/// nothing does.
pub(super) fn may_be(plan: &Plan, mine: &ConsumerPlan, calm: bool) -> bool {
    let (provider, effect) = (&plan.providers[usize::from(mine.provider)], &mine.effect);
    calm && !mine.is_pushed()
        && mine.queue_capacity > 0
        && effect.duration == Span::ZERO
        && effect.distribution == Distribution::Constant
        && effect.poison_every.is_none()
        && provider.pull.retention.is_none()
        && provider.pull.view_lag == Span::ZERO
        && mine.polling().is_some_and(|polling| !polling.strategy.reads_feed() && polling.strategy.ping().is_none())
        && !plan.faults.iter().any(|fault| fault.kind.can_hit().process)
}

impl World<'_> {
    /// A poll that is due goes its whole way, if nobody can disturb it; tells whether it does.
    pub(super) fn poll_undisturbed(&mut self, no: u32) -> bool {
        let client = &self.pull.clients[no as usize];
        let Some(group) = &self.pull.groups[usize::from(client.consumer)] else { return false };
        if !group.may_be_undisturbed || self.is_hit(no, group) {
            return false;
        }
        let target = self.target(no, client.beat.due, 1);
        let asked_at = self.now + self.delay(&target, Leg::Request);
        let received_at = asked_at + self.delay(&target, Leg::Answer);
        let commit = self.plan.virtual_time.commit_time;
        let (stored_at, saved_at) = (received_at + commit, received_at + commit + commit);
        if received_at >= self.now + group.polling.patience() || saved_at >= self.window_end {
            return false;
        }
        let Some(Shown { head, first, others }) = self.shown(client, group, asked_at) else { return false };
        let (due, sent) = (client.beat.due, self.now);
        let newest = others.last().map_or(first.seq, |event| event.seq);
        let poll = Undisturbed { due, sent, received_at, next: head, newest, first, others };
        let slot = self.pull.undisturbed.keep(poll);
        self.agenda.put(stored_at, What::PageStored { client: no, slot });
        self.agenda.put(saved_at, What::PageSaved { client: no, slot });
        true
    }

    /// The page that a request of this client meets at `at`, if it is one that holds all there is. None either
    /// where an event happens at that very instant, as then it matters what comes first.
    fn shown(&self, client: &PollClient, group: &Group<'_>, at: Time) -> Option<Shown> {
        let head = self.arrivals.head_at(at)?;
        let after = client.cursor.get().unwrap_or(0);
        let shares = group.shares.as_ref()?;
        let event = |seq| self.arrivals.known(seq).or_else(|| self.log.get(seq));
        // Mostly it is one.
        let (newest, alone) = shares.newest(client.announced, after, head)?;
        if alone {
            return Some(Shown { head, first: event(newest)?, others: Vec::new() });
        }
        let tail = shares.tail(client.announced, after)?;
        let visible = tail.seqs().iter().filter(|seq| **seq > after && **seq <= head);
        let mut events = visible.filter_map(|seq| event(*seq));
        let first = events.next()?;
        let others: Vec<Event> = events.collect();
        let limit = group.polling.page_size.min(self.plan.providers[group.provider].page_limit.max(1)) as usize;
        (others.len() < limit).then_some(Shown { head, first, others })
    }

    /// A page is durable, and its events take effect.
    pub(super) fn page_stored(&mut self, no: u32, slot: u32) {
        let (now, client) = (self.now, &self.pull.clients[no as usize]);
        let (consumer, number) = (client.consumer, client.number());
        let Some(poll) = self.pull.undisturbed.get_mut(slot) else { return };
        let (first, received_at) = (poll.first, poll.received_at);
        let others = std::mem::take(&mut poll.others);
        let events = || std::iter::once(&first).chain(&others);
        for event in events() {
            let what = Obligation { consumer, client: number, seq: event.seq };
            self.records.put(Record::Receipt { what, forged: false, by: TargetPath::Poll, at: now });
        }
        let applied_at = now + self.plan.virtual_time.commit_time;
        for event in events() {
            let item = Item { client: number, event: *event, received_at, poll: None };
            self.apply(consumer, &item, applied_at);
        }
        if let Some(poll) = self.pull.undisturbed.get_mut(slot) {
            poll.others = others;
        }
    }

    /// Its cursor is durable too, and the poll over.
    pub(super) fn page_saved(&mut self, no: u32, slot: u32) {
        let Some(poll) = self.pull.undisturbed.take(slot) else { return };
        let client = &mut self.pull.clients[no as usize];
        (client.cursor, client.saved, client.etag) = (Mark::at(poll.next), Mark::at(poll.next), Mark::at(poll.newest));
        let Undisturbed { due, sent, others, .. } = poll;
        self.records.put(Record::Poll(Poll {
            consumer: client.consumer,
            client: client.number(),
            number: due.number,
            intended: due.at,
            sent,
            done: self.now,
            requests: 1,
            events: 1 + others.len() as u32,
            outcome: PollOutcome::Events,
        }));
        self.rest(no, Came::Events, sent, self.now, None);
    }
}
