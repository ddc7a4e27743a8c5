//! A receiver that reads a row, and writes it on the condition that nobody else has meanwhile: optimistic
//! concurrency control over a network.
//!
//! One attempt is two round trips. Of those who have read the same version one wins; the others are
//! answered 409, and when they come back is the schedule's matter.

use super::{
    consumer::Item,
    link::{self, Leg},
    slab::Slab,
    world::{What, World},
};
use crate::{
    fault::{Target, TargetPath},
    model::{RejectReason, Subject},
    record::Record,
    scenario::ConsumerNo,
};

/// The rows of one receiver, and who has read one.
#[derive(Debug)]
pub(super) struct Rows {
    /// By subject: how often it was written.
    versions: Vec<u64>,
    readers: Slab<Reader>,
}

#[derive(Debug, Clone, Copy)]
struct Reader {
    attempt: u32,
    item: Item,
    /// The version that it has read.
    read: u64,
}

impl Rows {
    /// Nothing was written.
    pub fn new() -> Rows {
        Rows { versions: Vec::new(), readers: Slab::new() }
    }

    /// Whether nobody is between reading and writing.
    pub fn is_idle(&self) -> bool {
        self.readers.len() == 0
    }

    /// The process dies; tells whose attempts were under way. What was written stays.
    pub fn crash(&mut self) -> impl Iterator<Item = u32> {
        self.readers.empty().into_iter().map(|reader| reader.attempt)
    }

    fn version(&mut self, subject: Subject) -> &mut u64 {
        let place = subject as usize;
        if place >= self.versions.len() {
            self.versions.resize(place + 1, 0);
        }
        &mut self.versions[place]
    }
}

impl World<'_> {
    /// An attempt reads its row; its write will come when the answer has gone back and the write has come.
    pub(super) fn read_row(&mut self, consumer: ConsumerNo, attempt: u32, item: Item) {
        self.limit_patience(attempt);
        let Some(start) = self.push.attempts.get_mut(attempt).map(|attempt| attempt.start) else { return };
        let (path, client, at) = (TargetPath::Webhook, item.client, start.intended);
        let (number, copy) = (start.event.seq, start.copy);
        let target = Target { path, consumer, client, number, attempt: start.number, copy, at };
        let [reading, writing] =
            [Leg::Reading, Leg::Writing].map(|leg| link::delay(&self.plan.virtual_time, self.draws, &target, leg));
        let rows = &mut self.consumers[usize::from(consumer)].rows;
        let read = *rows.version(item.event.subject);
        let slot = rows.readers.keep(Reader { attempt, item, read });
        self.agenda.put(self.now + reading + writing, What::Writes { consumer, slot });
    }

    /// An attempt's write has come.
    pub(super) fn writes(&mut self, consumer: ConsumerNo, slot: u32) {
        let mine = &mut self.consumers[usize::from(consumer)];
        let Some(Reader { attempt, item, read }) = mine.rows.readers.take(slot) else { return };
        let (what, at) = (mine.what(&item), self.now);
        let version = mine.rows.version(item.event.subject);
        if *version != read {
            let reason = RejectReason::Conflict;
            self.records.put(Record::Rejected { consumer, reason, at });
            return self.reply(attempt, reason.status());
        }
        *version += 1;
        self.records.put(Record::Receipt { what, forged: false, by: TargetPath::Webhook, at });
        self.apply(consumer, &item, at);
        self.ack(attempt);
    }
}
