//! The ledger in memory: the promises of [`crate::backend::Ledger`] without a disk.

use crate::{
    model::{ClientNo, EffectOutcome, Event, Span, Time},
    scenario::{ConsumerPlan, EffectKind, Flaw, Follows, LedgerKind},
};

/// What was applied, and which version each subject stands at.
#[derive(Debug)]
pub(super) struct Ledger {
    remembers: bool,
    ttl: Option<Span>,
    guard: bool,
    /// Clients per event: 1 where each follows its own share.
    per_event: usize,
    /// By obligation: the receipt from which it is remembered; `MAX` where it is not.
    known: Vec<Time>,
    /// By client and subject.
    newest: Vec<u32>,
}

impl Ledger {
    /// An empty ledger.
    pub fn of(plan: &ConsumerPlan) -> Ledger {
        Ledger {
            remembers: plan.ledger != LedgerKind::None,
            ttl: plan.ledger_ttl,
            guard: plan.effect.kind == EffectKind::Set && plan.flaw != Some(Flaw::NoVersionGuard),
            per_event: if plan.follows == Follows::All { plan.clients as usize } else { 1 },
            known: Vec::new(),
            newest: Vec::new(),
        }
    }

    /// Applies an effect once: the entry first, then the change.
    pub fn apply(&mut self, client: ClientNo, event: &Event, received_at: Time) -> EffectOutcome {
        if self.remembers && !self.claim(client, event, received_at) {
            return EffectOutcome::Duplicate;
        }
        let newer = self.advance(client, event);
        if self.guard && !newer { EffectOutcome::Stale } else { EffectOutcome::Applied }
    }

    /// Whether the caller is the first within the ledger's memory.
    fn claim(&mut self, client: ClientNo, event: &Event, received_at: Time) -> bool {
        let ttl = self.ttl;
        let place = self.place(event.seq as usize - 1, client);
        let known = slot(&mut self.known, place, Time::MAX);
        let forgotten = ttl.is_some_and(|ttl| received_at.since(*known) >= ttl && *known != Time::MAX);
        let first = *known == Time::MAX || forgotten;
        if first {
            *known = received_at;
        }
        first
    }

    /// Moves the subject's version on; false where it is beyond already.
    fn advance(&mut self, client: ClientNo, event: &Event) -> bool {
        let place = self.place(event.subject as usize, client);
        let newest = slot(&mut self.newest, place, 0);
        let newer = event.version >= *newest;
        *newest = (*newest).max(event.version);
        newer
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
