//! From an offer to a durable receipt: one batch per commit of the queue.

use std::sync::{Arc, atomic::Ordering};

use tokio::sync::{mpsc, oneshot, watch};

use super::Core;
use crate::{
    backend::{Item, StoreError},
    fault::{CrashPoint, TargetPath},
    model::EventId,
    record::{Obligation, Record, RecordSink},
};

/// Offers in one batch at most.
const OFFERS_PER_BATCH: usize = 1_024;

/// Events that want to be accepted together.
pub(super) struct Offer {
    items: Vec<Item>,
    /// By which path they came.
    by: TargetPath,
    answer: oneshot::Sender<Result<(), AcceptError>>,
}

/// Why an event was not accepted. It is nowhere; the sender keeps it.
#[derive(Debug, Clone, thiserror::Error)]
pub enum AcceptError {
    /// The queue is full: come again later.
    #[error("the queue is full")]
    Overloaded,
    /// The queue cannot keep anything.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The process is ending.
    #[error("the consumer is ending")]
    Ending,
}

/// Offers events and waits for the verdict.
pub(super) async fn offer(offers: &mpsc::Sender<Offer>, items: Vec<Item>, by: TargetPath) -> Result<(), AcceptError> {
    let (answer, answered) = oneshot::channel();
    offers.send(Offer { items, by, answer }).await.map_err(|_| AcceptError::Ending)?;
    answered.await.unwrap_or(Err(AcceptError::Ending))
}

/// Takes offers in until told to stop; those already made are still taken.
pub(super) async fn run(core: Arc<Core>, mut offers: mpsc::Receiver<Offer>, mut stop: watch::Receiver<bool>) {
    let mut batch = Vec::new();
    loop {
        let count = tokio::select! {
            count = offers.recv_many(&mut batch, OFFERS_PER_BATCH) => count,
            _ = stop.wait_for(|stop| *stop), if !offers.is_closed() => {
                offers.close();
                continue;
            }
        };
        if count == 0 {
            return;
        }
        take_in(&core, &mut batch).await;
    }
}

async fn take_in(core: &Core, batch: &mut Vec<Offer>) {
    let mut room = core.plan.queue_capacity.saturating_sub(core.queue.depth());
    let mut items = Vec::new();
    let mut paths = Vec::new();
    let mut waiting = Vec::new();
    for offer in batch.drain(..) {
        // All of an offer or nothing of it; a large one may pass the mark by its own length.
        if room == 0 {
            let _ = offer.answer.send(Err(AcceptError::Overloaded));
            continue;
        }
        room = room.saturating_sub(offer.items.len() as u64);
        for _ in &offer.items {
            core.crash_points.reach(CrashPoint::BeforeStore);
        }
        paths.extend(std::iter::repeat_n(offer.by, offer.items.len()));
        items.extend(offer.items);
        waiting.push(offer.answer);
    }
    if waiting.is_empty() {
        return;
    }
    let receipts: Vec<Record> = items.iter().zip(paths).map(|(item, by)| receipt(core, item, by)).collect();
    let stored = core.queue.put(items).await;
    match &stored {
        Ok(kept) => {
            let copies = kept.copies.iter().filter_map(|place| suppressed(&receipts[*place])).collect();
            core.counts.duplicates.fetch_add(kept.copies.len() as u64, Ordering::Relaxed);
            write_receipts(core, receipts, copies);
        }
        Err(error) => core.fail(error.clone()),
    }
    for answer in waiting {
        let _ = answer.send(stored.as_ref().map(drop).map_err(|error| AcceptError::Store(error.clone())));
    }
}

/// Stamped when the batch is formed; the file's order is the order of commits.
pub(super) fn receipt(core: &Core, item: &Item, by: TargetPath) -> Record {
    let (what, forged) = obligation(core, item.client, &item.event_id);
    Record::Receipt { what, forged, by, at: core.now() }
}

/// What is written down of a copy besides its receipt. Of a forged one nothing: its number is not an
/// event's.
fn suppressed(receipt: &Record) -> Option<Record> {
    match *receipt {
        Record::Receipt { what, forged: false, at, .. } => Some(Record::Suppressed { what, at }),
        _ => None,
    }
}

pub(super) fn write_receipts(core: &Core, receipts: Vec<Record>, copies: Vec<Record>) {
    core.counts.accepted.fetch_add(receipts.len() as u64, Ordering::Relaxed);
    let count = receipts.len();
    for record in receipts.into_iter().chain(copies) {
        core.records.put(record);
    }
    // Before anybody is told: what is acked is also written down.
    core.records.flush();
    for _ in 0..count {
        core.crash_points.reach(CrashPoint::AfterStore);
    }
}

/// Whose event this is, and whether no provider emitted it.
pub(super) fn obligation(core: &Core, client: u32, event_id: &str) -> (Obligation, bool) {
    let id = event_id.parse::<EventId>().ok();
    let genuine = id.filter(|id| !id.forged && id.run_id == core.run_id);
    let seq = genuine.or(id).map_or(0, |id| id.seq);
    (Obligation { consumer: core.number, client, seq }, genuine.is_none())
}
