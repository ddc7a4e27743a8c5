//! The ledger: what was applied, and which version each subject stands at.

use super::Guard;
use crate::{
    model::{ClientNo, EffectOutcome, Event, Span, Time},
    scenario::{ConsumerPlan, Follows, LedgerKind},
};

/// A ledger with the promises of [`crate::backend::Ledger`]. Effects are rows of a store that outlives
/// the process, so the subjects' versions survive whatever remembers the events.
#[derive(Debug)]
pub struct LedgerModel {
    kind: LedgerKind,
    ttl: Option<Span>,
    guard: Guard,
    /// Clients per event: 1 where each follows its own share.
    per_event: usize,
    /// By obligation: the receipt from which it is remembered; `MAX` where it is not.
    known: Vec<Time>,
    /// By client and subject.
    newest: Vec<u32>,
}

impl LedgerModel {
    /// An empty ledger.
    #[must_use]
    pub fn of(plan: &ConsumerPlan) -> LedgerModel {
        LedgerModel {
            kind: plan.ledger,
            ttl: plan.ledger_ttl,
            guard: Guard::of(plan),
            per_event: if plan.follows == Follows::All { plan.clients as usize } else { 1 },
            known: Vec::new(),
            newest: Vec::new(),
        }
    }

    /// Applies an effect once: the entry first, then the change.
    pub fn apply(&mut self, client: ClientNo, event: &Event, received_at: Time) -> EffectOutcome {
        if !self.remember(client, event, received_at) {
            return EffectOutcome::Duplicate;
        }
        self.append(client, event)
    }

    /// Appends an effect without asking. Only a wrong consumer does so by itself.
    pub fn append(&mut self, client: ClientNo, event: &Event) -> EffectOutcome {
        // Who does not guard need not know.
        let may = match self.guard {
            Guard::None => true,
            Guard::Newest => self.advance(client, event),
            Guard::First => self.claim(client, event),
        };
        if may { EffectOutcome::Applied } else { EffectOutcome::Stale }
    }

    /// Whether the event is remembered at this receipt.
    #[must_use]
    pub fn knows(&self, client: ClientNo, event: &Event, received_at: Time) -> bool {
        let known = self.known.get(self.place(event.seq as usize - 1, client)).copied().unwrap_or(Time::MAX);
        known != Time::MAX && self.ttl.is_none_or(|ttl| received_at.since(known) < ttl)
    }

    /// Remembers an event; false where it is remembered already.
    pub fn remember(&mut self, client: ClientNo, event: &Event, received_at: Time) -> bool {
        if self.kind == LedgerKind::None {
            return true;
        }
        let first = !self.knows(client, event, received_at);
        if first {
            let place = self.place(event.seq as usize - 1, client);
            *slot(&mut self.known, place, Time::MAX) = received_at;
        }
        first
    }

    /// The process dies: what only memory knew is forgotten.
    pub fn crash(&mut self) {
        if self.kind == LedgerKind::Memory {
            self.known.clear();
        }
    }

    /// Moves the subject's version on; false where it is beyond already.
    fn advance(&mut self, client: ClientNo, event: &Event) -> bool {
        let place = self.place(event.subject as usize, client);
        let newest = slot(&mut self.newest, place, 0);
        let newer = event.version >= *newest;
        *newest = (*newest).max(event.version);
        newer
    }

    /// Takes the subject for this event; false where another one has it.
    fn claim(&mut self, client: ClientNo, event: &Event) -> bool {
        let place = self.place(event.subject as usize, client);
        let newest = slot(&mut self.newest, place, 0);
        let first = *newest == 0;
        *newest = (*newest).max(event.version);
        first
    }

    fn place(&self, row: usize, client: ClientNo) -> usize {
        if self.per_event == 1 { row } else { row * self.per_event + client as usize }
    }
}

/// The place in a list that grows as it is used.
fn slot<T: Copy>(list: &mut Vec<T>, place: usize, empty: T) -> &mut T {
    if place >= list.len() {
        list.resize(place + 1, empty);
    }
    &mut list[place]
}
