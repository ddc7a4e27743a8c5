//! A consumer's inner life in memory: queue, workers, ledger.
//!
//! The same stations as the live one, with their promises and without a disk: what is offered is
//! durable after one commit, then waits for a worker, then takes effect once.

use std::collections::{BTreeSet, VecDeque};

use super::{
    ledger::Ledger,
    slab::Slab,
    synchronous::Service,
    world::{What, World},
};
use crate::{
    fault::TargetPath,
    model::{ClientNo, EffectOutcome, Event, Seq, Span, Time},
    policy::work::{AfterFailure, after_failure, effect_duration, is_poison},
    record::{EffectRow, Obligation, Record},
    scenario::{ConsumerNo, ConsumerPlan, QueueKind},
};

/// An accepted event on its way to its effect.
#[derive(Debug, Clone, Copy)]
pub(super) struct Item {
    pub client: ClientNo,
    pub event: Event,
    /// When it came.
    pub received_at: Time,
    /// Failed tries so far.
    pub tries: u32,
    /// The poll that waits for its effect, where a page is safe only then.
    pub poll: Option<u32>,
}

/// Events that become durable together.
#[derive(Debug)]
pub(super) struct Offer {
    items: Vec<Item>,
    by: Offerer,
}

/// Who offers events, and is told when they are durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Offerer {
    /// An attempt, which is then answered.
    Attempt(u32),
    /// A client's poll, which then goes on.
    Poll(u32),
}

impl Offerer {
    fn path(self) -> TargetPath {
        match self {
            Offerer::Attempt(_) => TargetPath::Webhook,
            Offerer::Poll(_) => TargetPath::Poll,
        }
    }
}

/// One consumer.
#[derive(Debug)]
pub(super) struct Consumer<'a> {
    pub number: ConsumerNo,
    pub plan: &'a ConsumerPlan,
    queue: VecDeque<Item>,
    /// Items kept, those with a worker included.
    depth: u64,
    idle_workers: u32,
    ledger: Ledger,
    dead: Vec<Item>,
    /// What was ever kept, where copies are recognised before the ack.
    accepted: BTreeSet<(ClientNo, Seq)>,
    offers: Slab<Offer>,
    work: Slab<Item>,
    /// The requests inside it, where it works inside them.
    pub service: Service,
}

impl Consumer<'_> {
    /// A consumer that has nothing yet.
    pub fn new(number: ConsumerNo, plan: &ConsumerPlan) -> Consumer<'_> {
        Consumer {
            number,
            plan,
            queue: VecDeque::new(),
            depth: 0,
            idle_workers: plan.workers.max(1),
            ledger: Ledger::of(plan),
            dead: Vec::new(),
            accepted: BTreeSet::new(),
            offers: Slab::new(),
            work: Slab::new(),
            service: Service::new(plan),
        }
    }

    /// Whether nothing waits, and nothing is under way.
    pub fn is_idle(&self) -> bool {
        self.depth == 0 && self.offers.len() == 0 && self.service.is_idle()
    }

    /// Whose event this is.
    pub fn what(&self, item: &Item) -> Obligation {
        Obligation { consumer: self.number, client: item.client, seq: item.event.seq }
    }

    /// Takes items into the queue; true for a copy that is left out.
    fn keep(&mut self, item: Item) -> bool {
        let dedupes = self.plan.webhook().is_some_and(|webhook| webhook.dedupe);
        if dedupes && !self.accepted.insert((item.client, item.event.seq)) {
            return true;
        }
        self.queue.push_back(item);
        self.depth += 1;
        false
    }

    /// What the stores hold at the end.
    pub fn residue(&self, each: &mut dyn FnMut(Record)) {
        for item in &self.queue {
            each(Record::Queued { what: self.what(item), forged: false });
        }
        for item in &self.dead {
            each(Record::DeadLetter { what: self.what(item), forged: false });
        }
    }
}

/// The queue is full: come again later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Overloaded;

impl World<'_> {
    /// Offers events to a consumer; tells when they are durable.
    pub(super) fn offer(&mut self, consumer: ConsumerNo, items: Vec<Item>, by: Offerer) -> Result<Time, Overloaded> {
        let commit = self.plan.virtual_time.commit_time;
        let mine = &mut self.consumers[usize::from(consumer)];
        // All of an offer or nothing of it; a large one may pass the mark by its own length.
        if mine.depth >= mine.plan.queue_capacity {
            return Err(Overloaded);
        }
        let slot = mine.offers.keep(Offer { items, by });
        let durable_at = self.now + commit;
        self.agenda.put(durable_at, What::Stored { consumer, slot });
        Ok(durable_at)
    }

    /// An offer is durable.
    pub(super) fn stored(&mut self, consumer: ConsumerNo, slot: u32) {
        let (now, records) = (self.now, self.records);
        let mine = &mut self.consumers[usize::from(consumer)];
        let Some(Offer { items, by }) = mine.offers.take(slot) else { return };
        // Behind a queue that forgets, a page is safe only when it is applied.
        let waits = match by {
            Offerer::Poll(poll) => Some(poll).filter(|_| mine.plan.queue == QueueKind::Memory),
            Offerer::Attempt(_) => None,
        };
        let count = items.len() as u32;
        for item in items {
            let what = mine.what(&item);
            records.put(Record::Receipt { what, forged: false, by: by.path(), at: now });
            if mine.keep(Item { poll: waits, ..item }) {
                records.put(Record::Suppressed { what, at: now });
            }
        }
        match (by, waits) {
            (Offerer::Attempt(attempt), _) => self.reply(attempt, 200),
            (Offerer::Poll(poll), Some(_)) => self.await_effects(poll, count),
            (Offerer::Poll(poll), None) => self.proceed(poll),
        }
        self.work(consumer);
    }

    /// Gives waiting events to idle workers.
    fn work(&mut self, consumer: ConsumerNo) {
        loop {
            let mine = &mut self.consumers[usize::from(consumer)];
            if mine.idle_workers == 0 {
                return;
            }
            let Some(item) = mine.queue.pop_front() else { return };
            let length = effect_duration(&mine.plan.effect, self.draws, (item.client, item.event.seq), item.tries);
            if length == Span::ZERO {
                self.finish(consumer, item);
                continue;
            }
            mine.idle_workers -= 1;
            let slot = mine.work.keep(item);
            self.agenda.put(self.now + length, What::Worked { consumer, slot });
        }
    }

    /// A worker is done with its event.
    pub(super) fn worked(&mut self, consumer: ConsumerNo, slot: u32) {
        let mine = &mut self.consumers[usize::from(consumer)];
        let Some(item) = mine.work.take(slot) else { return };
        mine.idle_workers += 1;
        self.finish(consumer, item);
        self.work(consumer);
    }

    /// The effect happens, once, or fails.
    fn finish(&mut self, consumer: ConsumerNo, item: Item) {
        let mine = &mut self.consumers[usize::from(consumer)];
        let what = mine.what(&item);
        if is_poison(&mine.plan.effect, item.event.seq) {
            match after_failure(item.tries, mine.plan.max_tries) {
                AfterFailure::Retry => {
                    mine.queue.push_back(Item { tries: item.tries + 1, ..item });
                    return;
                }
                AfterFailure::Bury => {
                    mine.dead.push(item);
                    self.records.put(Record::Worked { what, outcome: EffectOutcome::DeadLettered, at: self.now });
                }
            }
        } else {
            self.apply(consumer, &item, self.now + self.plan.virtual_time.commit_time);
        }
        self.consumers[usize::from(consumer)].depth -= 1;
        if let Some(poll) = item.poll {
            self.effect_done(poll);
        }
    }

    /// The ledger decides, in the effect's own transaction, which is complete at `at`.
    pub(super) fn apply(&mut self, consumer: ConsumerNo, item: &Item, at: Time) {
        let mine = &mut self.consumers[usize::from(consumer)];
        let what = mine.what(item);
        let outcome = mine.ledger.apply(item.client, &item.event, item.received_at);
        if matches!(outcome, EffectOutcome::Applied | EffectOutcome::Stale) {
            let (subject, version) = (item.event.subject, item.event.version);
            let superseded = outcome == EffectOutcome::Stale;
            self.records.put(Record::Effect(EffectRow { what, subject, version, at, forged: false, superseded }));
        }
        self.records.put(Record::Worked { what, outcome, at });
        self.last_effect = self.last_effect.max(at);
    }
}
