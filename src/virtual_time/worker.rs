//! Workers: take events from the queue, and let each take effect once.
//!
//! ```text
//!   queue --take--> work --done--> [commit: effect and ledger entry] --> forgotten by the queue
//!                                  [effect] [ledger entry], by a wrong consumer
//! ```
//!
//! A commit is a step of its own only where a crash may come between: elsewhere its end is certain.

use super::{
    consumer::{Consumer, Item},
    world::{What, World},
};
use crate::{
    fault::CrashPoint,
    model::{EffectOutcome, Span, Time},
    policy::{
        stores::Held,
        work::{AfterFailure, after_failure, effect_duration, is_poison},
    },
    record::{EffectRow, Record},
    scenario::{ConsumerNo, Flaw},
};

/// What is being made durable.
#[derive(Debug, Clone, Copy)]
pub(super) struct Commit {
    held: Held<Item>,
    stage: Stage,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// The effect and the ledger's entry, in one transaction.
    Both,
    /// A wrong consumer's effect, ...
    Effect,
    /// ... and then its ledger's entry.
    Entry,
}

impl World<'_> {
    /// Gives waiting events to idle workers.
    pub(super) fn work(&mut self, consumer: ConsumerNo) {
        while !self.lives.is_dead(consumer) {
            let locked = self.lives.ledger_locked_until(consumer).since(self.now);
            let mine = &mut self.consumers[usize::from(consumer)];
            if mine.idle_workers == 0 {
                return;
            }
            let Some(held) = mine.queue.take() else { return };
            if self.reach(consumer, CrashPoint::BeforeApply) {
                return;
            }
            let mine = &mut self.consumers[usize::from(consumer)];
            let (effect, Item { client, event, .. }) = (&mine.plan.effect, held.item);
            let length = effect_duration(effect, self.draws, (client, event.seq), held.taken).max(locked);
            if length == Span::ZERO {
                self.finish(consumer, held);
                continue;
            }
            mine.idle_workers -= 1;
            let limit = mine.plan.visibility.filter(|limit| length > *limit);
            let slot = mine.work.keep(held);
            if let Some(limit) = limit {
                self.agenda.put(self.now + limit, What::Expires { consumer, slot });
            }
            self.agenda.put(self.now + length, What::Worked { consumer, slot });
        }
    }

    /// A worker is done with its event.
    pub(super) fn worked(&mut self, consumer: ConsumerNo, slot: u32) {
        let mine = &mut self.consumers[usize::from(consumer)];
        let Some(held) = mine.work.take(slot) else { return };
        mine.idle_workers += 1;
        self.finish(consumer, held);
        self.work(consumer);
    }

    /// An event was held for longer than the queue lets it be: another worker may have it.
    pub(super) fn expires(&mut self, consumer: ConsumerNo, slot: u32) {
        let mine = &mut self.consumers[usize::from(consumer)];
        // Whoever holds it is at work still: it was known to take longer.
        if let Some(Held { number, taken, .. }) = mine.work.get_mut(slot).map(|held| *held) {
            mine.queue.expire(number, taken);
        }
        self.work(consumer);
    }

    /// The effect happens, or fails.
    fn finish(&mut self, consumer: ConsumerNo, held: Held<Item>) {
        let mine = &mut self.consumers[usize::from(consumer)];
        let item = held.item;
        if is_poison(&mine.plan.effect, item.event.seq) {
            match after_failure(held.tries, mine.plan.max_tries) {
                AfterFailure::Retry => mine.queue.retry(held.number),
                AfterFailure::Bury => {
                    mine.queue.bury(held.number);
                    let (what, outcome) = (mine.what(&item), EffectOutcome::DeadLettered);
                    self.records.put(Record::Worked { what, outcome, at: self.now });
                    self.settled(&item);
                }
            }
            return;
        }
        let commit = self.plan.virtual_time.commit_time;
        if mine.plan.flaw == Some(Flaw::EffectBeforeLedger) {
            if mine.ledger.knows(item.client, &item.event, item.received_at) {
                let what = mine.what(&item);
                self.records.put(Record::Worked { what, outcome: EffectOutcome::Duplicate, at: self.now });
                self.forget(consumer, &held);
                return;
            }
            self.begin_commit(consumer, Commit { held, stage: Stage::Effect });
        } else if self.lives.are_mortal() {
            if !self.reach(consumer, CrashPoint::BetweenEffectAndLedger) {
                self.begin_commit(consumer, Commit { held, stage: Stage::Both });
            }
        } else {
            self.apply(consumer, &item, self.now + commit);
            self.forget(consumer, &held);
        }
    }

    fn begin_commit(&mut self, consumer: ConsumerNo, commit: Commit) {
        let at = self.now + self.plan.virtual_time.commit_time;
        let slot = self.consumers[usize::from(consumer)].commits.keep(commit);
        self.agenda.put(at, What::Committed { consumer, slot });
    }

    /// What a worker has written is durable.
    pub(super) fn committed(&mut self, consumer: ConsumerNo, slot: u32) {
        let Some(Commit { held, stage }) = self.consumers[usize::from(consumer)].commits.take(slot) else { return };
        let mine = &mut self.consumers[usize::from(consumer)];
        let (item, at) = (held.item, self.now);
        match stage {
            Stage::Both => self.apply(consumer, &item, at),
            Stage::Effect => {
                let outcome = mine.ledger.append(item.client, &item.event);
                self.write_down(consumer, &item, outcome, at);
                if !self.reach(consumer, CrashPoint::BetweenEffectAndLedger) {
                    self.begin_commit(consumer, Commit { held, stage: Stage::Entry });
                }
                return;
            }
            Stage::Entry => {
                mine.ledger.remember(item.client, &item.event, item.received_at);
                let what = mine.what(&item);
                self.records.put(Record::Worked { what, outcome: EffectOutcome::Applied, at });
            }
        }
        if !self.reach(consumer, CrashPoint::AfterApply) {
            self.forget(consumer, &held);
        }
    }

    /// The ledger decides, in the effect's own transaction, which is complete at `at`.
    pub(super) fn apply(&mut self, consumer: ConsumerNo, item: &Item, at: Time) {
        let mine = &mut self.consumers[usize::from(consumer)];
        let outcome = mine.ledger.apply(item.client, &item.event, item.received_at);
        self.write_down(consumer, item, outcome, at);
        let what = self.consumers[usize::from(consumer)].what(item);
        self.records.put(Record::Worked { what, outcome, at });
    }

    /// The row that an effect leaves, complete at `at`.
    fn write_down(&mut self, consumer: ConsumerNo, item: &Item, outcome: EffectOutcome, at: Time) {
        if matches!(outcome, EffectOutcome::Applied | EffectOutcome::Stale) {
            let what = self.consumers[usize::from(consumer)].what(item);
            let (subject, version) = (item.event.subject, item.event.version);
            let superseded = outcome == EffectOutcome::Stale;
            self.records.put(Record::Effect(EffectRow { what, subject, version, at, forged: false, superseded }));
        }
        self.last_effect = self.last_effect.max(at);
    }

    /// The queue need not keep an event any longer.
    fn forget(&mut self, consumer: ConsumerNo, held: &Held<Item>) {
        if self.consumers[usize::from(consumer)].queue.done(held.number) {
            self.settled(&held.item);
        }
    }

    fn settled(&mut self, item: &Item) {
        if let Some(poll) = item.poll {
            self.effect_done(poll);
        }
    }
}

impl Consumer<'_> {
    /// What was taken, worked on or written when the process died: all of it is still in the queue, where
    /// that outlives the process.
    pub(super) fn drop_work(&mut self) {
        self.work.empty();
        self.commits.empty();
        self.idle_workers = self.plan.workers.max(1);
        self.queue.crash();
        self.ledger.crash();
    }
}
