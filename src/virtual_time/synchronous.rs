//! A receiver that works inside the request: as many at a time as it has workers, first come first
//! served, and the ack waits for it.
//!
//! What has come is worked off whether or not its sender still waits. That is what makes an overload
//! stay: the retries of senders that have left are work as well.

use std::collections::VecDeque;

use super::{
    consumer::{Item, Offerer},
    slab::Slab,
    world::{What, World},
};
use crate::{
    fault::TargetPath,
    policy::work::effect_duration,
    record::Record,
    scenario::{ConsumerNo, ConsumerPlan},
};

/// The requests inside one receiver.
#[derive(Debug)]
pub(super) struct Service {
    idle: u32,
    waiting: VecDeque<Job>,
    under_way: Slab<Job>,
}

/// A request and its event.
#[derive(Debug, Clone, Copy)]
struct Job {
    attempt: u32,
    item: Item,
    /// Which execution of the event's effect it is.
    execution: u32,
}

impl Service {
    /// A receiver that nothing has come to.
    pub fn new(plan: &ConsumerPlan) -> Service {
        Service { idle: plan.workers.max(1), waiting: VecDeque::new(), under_way: Slab::new() }
    }

    /// The process dies; tells who was waiting.
    pub fn crash(&mut self, plan: &ConsumerPlan) -> Vec<Offerer> {
        let under_way = self.under_way.empty().into_iter();
        self.idle = plan.workers.max(1);
        under_way.chain(self.waiting.drain(..)).map(|job| Offerer::Attempt(job.attempt)).collect()
    }

    /// Whether it works on nothing.
    pub fn is_idle(&self) -> bool {
        self.waiting.is_empty() && self.under_way.len() == 0
    }
}

impl World<'_> {
    /// A request waits for its turn.
    pub(super) fn serve(&mut self, consumer: ConsumerNo, attempt: u32, item: Item, execution: u32) {
        self.limit_patience(attempt);
        let job = Job { attempt, item, execution };
        self.consumers[usize::from(consumer)].service.waiting.push_back(job);
        self.serve_next(consumer);
    }

    fn serve_next(&mut self, consumer: ConsumerNo) {
        let commit = self.plan.virtual_time.commit_time;
        loop {
            let mine = &mut self.consumers[usize::from(consumer)];
            if mine.service.idle == 0 {
                return;
            }
            let Some(job) = mine.service.waiting.pop_front() else { return };
            mine.service.idle -= 1;
            let Item { client, event, .. } = job.item;
            let length = effect_duration(&mine.plan.effect, self.draws, (client, event.seq), job.execution);
            let slot = mine.service.under_way.keep(job);
            self.agenda.put(self.now + length + commit, What::Served { consumer, slot });
        }
    }

    /// The work inside a request is done, and durable.
    pub(super) fn served(&mut self, consumer: ConsumerNo, slot: u32) {
        let mine = &mut self.consumers[usize::from(consumer)];
        let Some(Job { attempt, item, .. }) = mine.service.under_way.take(slot) else { return };
        mine.service.idle += 1;
        let (what, by, at) = (mine.what(&item), TargetPath::Webhook, self.now);
        self.records.put(Record::Receipt { what, forged: false, by, at });
        self.apply(consumer, &item, at);
        self.ack(attempt);
        self.serve_next(consumer);
    }
}
