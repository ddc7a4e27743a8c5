//! A consumer's inner life in memory: what is offered to it, and the stores behind.
//!
//! The same stations as the live one, with their promises and without a disk: what is offered is
//! durable after one commit, then waits for a worker, then takes effect once.

use super::{
    optimistic::Rows,
    slab::Slab,
    synchronous::Service,
    worker::Commit,
    world::{What, World},
};
use crate::{
    fault::{CrashPoint, TargetPath},
    model::{ClientNo, Event, Seq, Span, Time},
    policy::stores::{Held, LedgerModel, QueueModel},
    record::{Obligation, Record},
    scenario::{ConsumerNo, ConsumerPlan, QueueKind},
};

/// An accepted event on its way to its effect.
#[derive(Debug, Clone, Copy)]
pub(super) struct Item {
    pub client: ClientNo,
    pub event: Event,
    /// When it came.
    pub received_at: Time,
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
    /// Nobody: a wrong receiver has answered already.
    Nobody,
}

impl Offerer {
    fn path(self) -> TargetPath {
        match self {
            Offerer::Attempt(_) | Offerer::Nobody => TargetPath::Webhook,
            Offerer::Poll(_) => TargetPath::Poll,
        }
    }
}

/// One consumer.
#[derive(Debug)]
pub(super) struct Consumer<'a> {
    pub number: ConsumerNo,
    pub plan: &'a ConsumerPlan,
    pub queue: QueueModel<(ClientNo, Seq), Item>,
    pub idle_workers: u32,
    pub ledger: LedgerModel,
    offers: Slab<Offer>,
    pub work: Slab<Held<Item>>,
    /// What workers have written and is not durable yet.
    pub commits: Slab<Commit>,
    /// The requests inside it, where it works inside them.
    pub service: Service,
    /// Its rows, where requests read them and write.
    pub rows: Rows,
}

impl Consumer<'_> {
    /// A consumer that has nothing yet.
    pub fn new(number: ConsumerNo, plan: &ConsumerPlan) -> Consumer<'_> {
        let dedupes = plan.webhook().is_some_and(|webhook| webhook.dedupe);
        Consumer {
            number,
            plan,
            queue: QueueModel::new(plan.queue == QueueKind::Sqlite, dedupes),
            idle_workers: plan.workers.max(1),
            ledger: LedgerModel::of(plan),
            offers: Slab::new(),
            work: Slab::new(),
            commits: Slab::new(),
            service: Service::new(plan),
            rows: Rows::new(),
        }
    }

    /// Whether nothing waits, and nothing is under way.
    pub fn is_idle(&self) -> bool {
        self.queue.depth() == 0 && self.offers.len() == 0 && self.service.is_idle() && self.rows.is_idle()
    }

    /// Whose event this is.
    pub fn what(&self, item: &Item) -> Obligation {
        Obligation { consumer: self.number, client: item.client, seq: item.event.seq }
    }

    /// The process dies; tells who was waiting for it.
    pub fn crash(&mut self) -> Vec<Offerer> {
        let mut waiting: Vec<Offerer> = self.offers.empty().into_iter().map(|offer| offer.by).collect();
        waiting.extend(self.service.crash(self.plan));
        waiting.extend(self.rows.crash().map(Offerer::Attempt));
        self.drop_work();
        waiting
    }

    /// What the stores hold at the end.
    pub fn residue(&self, each: &mut dyn FnMut(Record)) {
        for item in self.queue.kept() {
            each(Record::Queued { what: self.what(item), forged: false });
        }
        for item in self.queue.dead() {
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
        self.offer_after(Span::ZERO, consumer, items, by)
    }

    /// The same where they lie in memory for a while first.
    pub(super) fn offer_after(
        &mut self,
        wait: Span,
        consumer: ConsumerNo,
        items: Vec<Item>,
        by: Offerer,
    ) -> Result<Time, Overloaded> {
        let commit = wait + self.plan.virtual_time.commit_time;
        let mine = &mut self.consumers[usize::from(consumer)];
        // All of an offer or nothing of it; a large one may pass the mark by its own length.
        if mine.queue.depth() >= mine.plan.queue_capacity {
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
        if by == Offerer::Nobody && self.reach(consumer, CrashPoint::BeforeStore) {
            return;
        }
        let mine = &mut self.consumers[usize::from(consumer)];
        // Behind a queue that forgets, a page is safe only when it is applied.
        let waits = match by {
            Offerer::Poll(poll) => Some(poll).filter(|_| mine.plan.queue == QueueKind::Memory),
            Offerer::Attempt(_) | Offerer::Nobody => None,
        };
        let count = items.len() as u32;
        for item in items {
            let what = mine.what(&item);
            records.put(Record::Receipt { what, forged: false, by: by.path(), at: now });
            if !mine.queue.put((item.client, item.event.seq), Item { poll: waits, ..item }) {
                records.put(Record::Suppressed { what, at: now });
            }
        }
        match (by, waits) {
            (Offerer::Attempt(attempt), _) => self.stored_for(consumer, attempt),
            (Offerer::Nobody, _) => {}
            (Offerer::Poll(poll), Some(_)) => self.await_effects(poll, count),
            (Offerer::Poll(poll), None) => self.proceed(poll),
        }
        self.work(consumer);
    }
}
