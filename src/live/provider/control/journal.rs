//! What became of deliveries and endpoints, as far as the control API tells: read off the provider's own
//! records as they are written.
//!
//! Bounded: of deliveries the newest are kept, of endpoints only counts.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::{
    model::{AttemptOutcome, Event, GiveUp, Seq, Time},
    record::{Attempt, Obligation, Record, RecordSink},
    wire::control::{DeliveryId, DeliveryState, EndpointId, Filter},
};

/// Deliveries kept.
const DELIVERIES_MAX: usize = 10_000;

/// One delivery.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Delivery {
    pub event: Event,
    pub state: DeliveryState,
    /// Attempts made.
    pub attempts: u32,
    /// When and how the last one ended.
    pub last: Option<(Time, AttemptOutcome)>,
    /// Why it was given up, where it was.
    pub why_failed: Option<GiveUp>,
}

/// How an endpoint is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Standing {
    pub enabled: bool,
    /// When a pause ends, where it is one.
    pub off_until: Option<Time>,
    /// Deliveries that have not ended.
    pub pending: u64,
    pub delivered: u64,
    pub failed: u64,
    /// Attempts made, copies included.
    pub attempts: u64,
}

impl Standing {
    const NEW: Standing = Standing { enabled: true, off_until: None, pending: 0, delivered: 0, failed: 0, attempts: 0 };

    fn count(&mut self, state: DeliveryState) -> &mut u64 {
        match state {
            DeliveryState::Pending | DeliveryState::Retrying => &mut self.pending,
            DeliveryState::Delivered => &mut self.delivered,
            DeliveryState::Failed => &mut self.failed,
        }
    }

    /// A delivery goes from one state to another.
    fn pass(&mut self, from: DeliveryState, to: DeliveryState) {
        let count = self.count(from);
        *count = count.saturating_sub(1);
        *self.count(to) += 1;
    }
}

/// The deliveries and endpoints of one provider.
#[derive(Debug)]
pub(super) struct Journal {
    kept_max: usize,
    /// In the order in which they came; the key goes up.
    deliveries: BTreeMap<u64, (DeliveryId, Delivery)>,
    places: HashMap<DeliveryId, u64>,
    came: u64,
    /// The newest event that came, and the newest that is forgotten.
    newest: Seq,
    forgotten: Seq,
    endpoints: BTreeMap<EndpointId, Standing>,
}

impl Journal {
    fn new(kept_max: usize) -> Journal {
        let (deliveries, places, endpoints) = Default::default();
        Journal { kept_max, deliveries, places, came: 0, newest: 0, forgotten: 0, endpoints }
    }

    /// An endpoint is sent to from now on.
    pub fn join(&mut self, endpoint: EndpointId) {
        self.endpoints.insert(endpoint, Standing::NEW);
    }

    /// It is gone, and its deliveries with it.
    pub fn leave(&mut self, endpoint: EndpointId) {
        self.endpoints.remove(&endpoint);
        self.deliveries.retain(|_, (id, _)| id.endpoint != endpoint);
        self.places.retain(|id, _| id.endpoint != endpoint);
    }

    /// Forgets all deliveries. What is still on its way is not counted when it ends.
    pub fn forget(&mut self) {
        self.forgotten = self.newest;
        self.deliveries.clear();
        self.places.clear();
        for standing in self.endpoints.values_mut() {
            *standing = Standing { enabled: standing.enabled, off_until: standing.off_until, ..Standing::NEW };
        }
    }

    /// Every endpoint, and how it is.
    pub fn endpoints(&self) -> impl Iterator<Item = (EndpointId, Standing)> {
        self.endpoints.iter().map(|(id, standing)| (*id, *standing))
    }

    /// How an endpoint is.
    pub fn endpoint(&self, id: EndpointId) -> Option<Standing> {
        self.endpoints.get(&id).copied()
    }

    /// One delivery, if it is kept.
    pub fn delivery(&self, id: DeliveryId) -> Option<&Delivery> {
        Some(&self.deliveries.get(self.places.get(&id)?)?.1)
    }

    /// The deliveries that the filter lets through, the newest first.
    pub fn list(&self, filter: Filter) -> impl Iterator<Item = (DeliveryId, &Delivery)> {
        let fits = move |(id, delivery): &(DeliveryId, &Delivery)| {
            filter.endpoint.is_none_or(|endpoint| endpoint == id.endpoint)
                && filter.state.is_none_or(|state| state == delivery.state)
        };
        self.deliveries.values().rev().map(|(id, delivery)| (*id, delivery)).filter(fits).take(filter.limit)
    }

    /// An event is to be delivered to an endpoint.
    fn open(&mut self, endpoint: EndpointId, event: Event) {
        self.newest = self.newest.max(event.seq);
        let Some(standing) = self.endpoints.get_mut(&endpoint).filter(|_| event.seq > self.forgotten) else { return };
        standing.pending += 1;
        let id = DeliveryId { endpoint, seq: event.seq };
        let delivery = Delivery { event, state: DeliveryState::Pending, attempts: 0, last: None, why_failed: None };
        self.deliveries.insert(self.came, (id, delivery));
        self.places.insert(id, self.came);
        self.came += 1;
        while self.deliveries.len() > self.kept_max {
            let Some((_, (oldest, _))) = self.deliveries.pop_first() else { return };
            self.places.remove(&oldest);
        }
    }

    /// Something happened.
    fn take(&mut self, record: &Record) {
        match *record {
            Record::Attempt(attempt) => self.attempted(&attempt),
            Record::GaveUp { what, why, .. } => {
                self.pass(id_of(what), DeliveryState::Pending, DeliveryState::Failed);
                if let Some(delivery) = self.kept(id_of(what)) {
                    delivery.why_failed = Some(why);
                }
            }
            Record::Redelivered { what, .. } => {
                // One that is not kept any more was a dead letter: nothing else is sent again unasked.
                self.pass(id_of(what), DeliveryState::Failed, DeliveryState::Pending);
                if let Some(delivery) = self.kept(id_of(what)) {
                    delivery.why_failed = None;
                }
            }
            Record::EndpointDisabled { consumer, client, until, .. } => {
                self.switch(EndpointId { consumer, client }, false, until);
            }
            Record::EndpointEnabled { consumer, client, .. } => {
                self.switch(EndpointId { consumer, client }, true, None);
            }
            _ => {}
        }
    }

    fn attempted(&mut self, attempt: &Attempt) {
        let id = id_of(attempt.what);
        if id.seq <= self.forgotten {
            return;
        }
        if let Some(standing) = self.endpoints.get_mut(&id.endpoint) {
            standing.attempts += 1;
        }
        // A copy is the network's doing: the provider does not know of it.
        if attempt.copy > 0 {
            return;
        }
        if let Some(delivery) = self.kept(id) {
            delivery.attempts = attempt.number;
            delivery.last = Some((attempt.done, attempt.outcome));
        }
        let now = if attempt.outcome.is_ack() { DeliveryState::Delivered } else { DeliveryState::Retrying };
        self.pass(id, DeliveryState::Pending, now);
    }

    /// A delivery is in another state now; `from` is the one that it was in, if it is not kept.
    fn pass(&mut self, id: DeliveryId, from: DeliveryState, to: DeliveryState) {
        let from = self.kept(id).map_or(from, |delivery| std::mem::replace(&mut delivery.state, to));
        if let Some(standing) = self.endpoints.get_mut(&id.endpoint).filter(|_| id.seq > self.forgotten) {
            standing.pass(from, to);
        }
    }

    fn switch(&mut self, endpoint: EndpointId, enabled: bool, off_until: Option<Time>) {
        if let Some(standing) = self.endpoints.get_mut(&endpoint) {
            (standing.enabled, standing.off_until) = (enabled, off_until);
        }
    }

    fn kept(&mut self, id: DeliveryId) -> Option<&mut Delivery> {
        self.deliveries.get_mut(self.places.get(&id)?).map(|(_, delivery)| delivery)
    }
}

fn id_of(Obligation { consumer, client, seq }: Obligation) -> DeliveryId {
    DeliveryId { endpoint: EndpointId { consumer, client }, seq }
}

/// The records of a provider with a control API: written as ever, and read by the journal.
pub(in crate::live::provider) struct Watched {
    records: Arc<dyn RecordSink>,
    journal: Mutex<Journal>,
}

impl Watched {
    /// Passes on to `records`.
    pub fn new(records: Arc<dyn RecordSink>) -> Watched {
        Watched { records, journal: Mutex::new(Journal::new(DELIVERIES_MAX)) }
    }

    /// An event is to be delivered to an endpoint: no record says so, because the plan does.
    pub fn opened(&self, endpoint: EndpointId, event: Event) {
        self.journal().open(endpoint, event);
    }

    /// What is known.
    pub(super) fn journal(&self) -> MutexGuard<'_, Journal> {
        // Nothing in the journal panics half way, so a poisoned one is still whole.
        self.journal.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl RecordSink for Watched {
    fn put(&self, record: Record) {
        self.journal().take(&record);
        self.records.put(record);
    }

    fn flush(&self) {
        self.records.flush();
    }
}

#[cfg(test)]
#[path = "journal_tests.rs"]
mod tests;
