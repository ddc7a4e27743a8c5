//! One consumer's obligations: what is known of each, at most 32 bytes apiece.
//!
//! Filled in two readings of the records. The first notes when each event was first accepted, so
//! that the second can hold every ack against it. `Own` consumers have one obligation per event,
//! `All` consumers one per event and client.

use std::collections::HashMap;

use super::{EventLog, Facts, Lives, Problems};
use crate::{
    model::{ClientNo, Event, Seq, Span, Subject, Time},
    record::{CursorPosition, Obligation, Record, Role},
    scenario::{ConsumerNo, ConsumerPlan, Plan},
};

/// The books of one consumer.
#[derive(Debug)]
pub struct Book {
    consumer: ConsumerNo,
    role: Role,
    clients: u32,
    per_event: usize,
    polls: bool,
    /// Whether it asks for states, so that a later version makes up for an earlier one.
    states: bool,
    external: bool,
    grain: Span,
    retention: Option<Span>,
    facts: Vec<Facts>,
    /// When it took effect, or was found superseded; `MAX` where neither.
    settled_at: Vec<Time>,
    /// When it was first accepted; `MAX` where never.
    received_at: Vec<Time>,
    cursors: Vec<Option<CursorPosition>>,
    /// What speaks against these books.
    pub problems: Problems,
}

/// What is known of the later versions of a client's subject.
struct Later {
    seen: bool,
    /// When the first of them took effect.
    applied_at: Time,
}

impl Default for Later {
    fn default() -> Later {
        Later { seen: false, applied_at: Time::MAX }
    }
}

impl Book {
    /// Empty books.
    #[must_use]
    pub fn new(plan: &Plan, consumer: ConsumerNo, scheduled: usize) -> Book {
        let mine: &ConsumerPlan = &plan.consumers[usize::from(consumer)];
        let per_event = mine.clients_per_event() as usize;
        let n = scheduled.saturating_mul(per_event);
        Book {
            consumer,
            role: Role::of(mine, consumer),
            clients: mine.clients,
            per_event,
            polls: mine.polls(),
            states: mine.state().is_some(),
            external: mine.is_external(),
            grain: plan.providers.get(usize::from(mine.provider)).map_or(Span::ZERO, |p| p.timestamp_grain),
            retention: plan.providers.get(usize::from(mine.provider)).and_then(|p| p.pull.retention),
            facts: vec![Facts::default(); n],
            settled_at: vec![Time::MAX; n],
            received_at: vec![Time::MAX; n],
            cursors: vec![None; mine.clients as usize],
            problems: Problems::default(),
        }
    }

    /// The first reading: when was an event first accepted?
    pub fn note_receipt(&mut self, what: Obligation, at: Time) {
        if let Some(i) = self.index(what) {
            self.received_at[i] = self.received_at[i].min(at);
        }
    }

    /// The second reading: notes what a record says. A record that names what was never due is a
    /// miscount.
    pub fn take(&mut self, record: &Record, events: &EventLog, plan: &ConsumerPlan) {
        match *record {
            Record::Attempt(attempt) if attempt.outcome.is_ack() => {
                let fact = if attempt.copy == 0 { Facts::ACKED } else { Facts::COPY_ACKED };
                self.note(attempt.what, fact, "an attempt", events, plan);
            }
            Record::Attempt(attempt) => self.note(attempt.what, Facts::default(), "an attempt", events, plan),
            Record::GaveUp { what, .. } => self.note(what, Facts::GAVE_UP, "a give-up", events, plan),
            Record::Redelivered { what, .. } => {
                self.note(what, Facts::default(), "a redelivery", events, plan);
                self.reopen(what);
            }
            Record::Open { what, .. } => self.note(what, Facts::OPEN, "an open delivery", events, plan),
            Record::Receipt { what, forged: false, .. } => self.note(what, Facts::RECEIVED, "a receipt", events, plan),
            Record::Queued { what, forged: false } => self.note(what, Facts::QUEUED, "a queue row", events, plan),
            Record::DeadLetter { what, forged: false } => self.note(what, Facts::DEAD, "a dead letter", events, plan),
            Record::Effect(row) if !row.forged => {
                let fact = if row.superseded { Facts::SUPERSEDED } else { self.effect(row.what) };
                self.settle_at(row.what, row.at, row.superseded, events);
                self.note(row.what, fact, "an effect row", events, plan);
            }
            Record::ExternalCall { what, at, effected, forged: false } => {
                let fact = if effected { self.effect(what) } else { Facts::default() };
                if effected {
                    self.settle_at(what, at, false, events);
                }
                self.note(what, fact, "a call", events, plan);
            }
            Record::Outgoing { what, forged: false } => {
                self.note(what, Facts::OUTGOING, "an outbox row", events, plan);
            }
            // Workers also finish forged events, whose number is not an event's: a belief, not counted.
            Record::Worked { what, .. } => self.mark(what, Facts::WORKED),
            Record::Cursor { client, passed, .. } => match self.cursors.get_mut(client as usize) {
                Some(cursor) => *cursor = Some(passed),
                None => {
                    self.problems.add("a record names an unknown client", || format!("a cursor of client {client}"))
                }
            },
            _ => {}
        }
    }

    /// What one effect more makes known.
    fn effect(&self, what: Obligation) -> Facts {
        let again = if self.facts(what).any(Facts::APPLIED) { Facts::APPLIED_AGAIN } else { Facts::default() };
        Facts::APPLIED.with(again)
    }

    fn note(&mut self, what: Obligation, fact: Facts, noun: &str, events: &EventLog, plan: &ConsumerPlan) {
        let due = events.get(what.seq).is_some_and(|event| plan.clients_of(event.subject).contains(&what.client));
        if !due {
            let Obligation { client, seq, .. } = what;
            let name = &plan.name;
            return self.problems.add("a record names an event that was never due to its client", || {
                format!("{noun} of {name} for event {seq}, client {client}")
            });
        }
        self.mark(what, fact);
    }

    fn mark(&mut self, what: Obligation, fact: Facts) {
        if let Some(i) = self.index(what) {
            self.facts[i] = self.facts[i].with(fact);
        }
    }

    /// A delivery that had ended is open again: a give-up is taken back, an ack stays known. One that
    /// had not ended cannot be sent again.
    fn reopen(&mut self, what: Obligation) {
        let Some(i) = self.index(what) else { return };
        let facts = self.facts[i];
        if !facts.any(Facts::ACKED.with(Facts::GAVE_UP)) {
            let Obligation { client, seq, .. } = what;
            self.problems.add("a delivery was sent again although it was still open", || {
                format!("event {seq}, client {client}")
            });
        }
        let acked = if facts.any(Facts::ACKED) { Facts::ACKED_BEFORE } else { Facts::default() };
        self.facts[i] = facts.without(Facts::ACKED.with(Facts::GAVE_UP)).with(acked);
    }

    /// The earliest effect counts; a note that a newer version was there counts where no effect does.
    fn settle_at(&mut self, what: Obligation, at: Time, superseded: bool, events: &EventLog) {
        let Some(i) = self.index(what) else { return };
        if events.get(what.seq).is_some_and(|event| at < event.occurred_at) {
            let seq = what.seq;
            self.problems.add("an effect lies before its event", || format!("event {seq}"));
        }
        let has_effect = self.facts[i].any(Facts::APPLIED);
        let first_effect = !superseded && !has_effect;
        if first_effect {
            self.settled_at[i] = at;
        } else if superseded != has_effect {
            self.settled_at[i] = self.settled_at[i].min(at);
        }
    }

    /// Once all records are read: notes what a later state has made up for. The age of such a version
    /// counts until a later one took effect: from then on its subject stands there or beyond.
    pub fn close(&mut self, events: &EventLog, plan: &ConsumerPlan) {
        if !self.states {
            return;
        }
        let seen = Facts::RECEIVED.with(Facts::APPLIED).with(Facts::SUPERSEDED).with(Facts::QUEUED).with(Facts::DEAD);
        let mut later: HashMap<(ClientNo, Subject), Later> = HashMap::new();
        for event in events.iter().rev() {
            for client in plan.clients_of(event.subject) {
                let what = Obligation { consumer: self.consumer, client, seq: event.seq };
                let Some(i) = self.index(what) else { continue };
                let later = later.entry((client, event.subject)).or_default();
                let facts = self.facts[i];
                if later.seen {
                    self.facts[i] = facts.with(Facts::OVERTAKEN);
                    // What has an end of its own, or is still held, does not need another's.
                    let own = Facts::APPLIED.with(Facts::QUEUED).with(Facts::OUTGOING).with(Facts::DEAD);
                    if !facts.any(own) {
                        self.settled_at[i] = self.settled_at[i].min(later.applied_at);
                    }
                }
                later.seen |= facts.any(seen);
                if facts.any(Facts::APPLIED) {
                    later.applied_at = later.applied_at.min(self.settled_at[i]);
                }
            }
        }
    }

    fn index(&self, what: Obligation) -> Option<usize> {
        if what.client >= self.clients {
            return None;
        }
        let event = (what.seq as usize).checked_sub(1)?;
        let place = if self.per_event == 1 { event } else { event * self.per_event + what.client as usize };
        (place < self.facts.len()).then_some(place)
    }

    /// What is known so far of an obligation.
    #[must_use]
    pub fn facts(&self, what: Obligation) -> Facts {
        self.index(what).map_or(Facts::default(), |i| self.facts[i])
    }

    /// When an event was first accepted, if it was. Complete after the first reading.
    #[must_use]
    pub fn received_at(&self, what: Obligation) -> Option<Time> {
        self.index(what).map(|i| self.received_at[i]).filter(|at| *at != Time::MAX)
    }

    /// When it took effect or was found superseded, if it was.
    #[must_use]
    pub fn settled_at(&self, what: Obligation) -> Option<Time> {
        self.index(what).map(|i| self.settled_at[i]).filter(|at| *at != Time::MAX)
    }

    /// Whether the receiver is somebody else's: only the sender's facts are known.
    #[must_use]
    pub fn external(&self) -> bool {
        self.external
    }

    /// Everything known of an obligation once all records are read; the run ended at `end`.
    #[must_use]
    pub fn final_facts(&self, client: ClientNo, event: &Event, lives: &Lives, end: Time) -> Facts {
        let what = Obligation { consumer: self.consumer, client, seq: event.seq };
        let mut facts = self.facts(what);
        if self.polls {
            facts = facts.with(match (self.passed(client, event), self.expired(event, end)) {
                (true, _) => Facts::PASSED,
                // The log may let go of it: how its subject stands can be asked for all the same.
                (false, true) if !self.states => Facts::EXPIRED,
                (false, _) => Facts::AHEAD,
            });
        }
        let received = self.received_at(what);
        if received.is_some_and(|received| lives.last_death(self.role).is_some_and(|death| death >= received)) {
            facts = facts.with(Facts::HOLDER_DIED);
        }
        facts
    }

    /// Whether the provider's log has let go of it at `end`.
    fn expired(&self, event: &Event, end: Time) -> bool {
        self.retention.is_some_and(|retention| event.occurred_at + retention < end)
    }

    fn passed(&self, client: ClientNo, event: &Event) -> bool {
        match self.cursors.get(client as usize).copied().flatten() {
            None => false,
            Some(CursorPosition::Seq(seq)) => event.seq <= seq,
            Some(CursorPosition::Created(upto)) => self.told(event) <= upto,
            Some(CursorPosition::UpdatedSince(since)) => self.told(event) < since,
        }
    }

    /// The event's time as the provider tells it.
    fn told(&self, event: &Event) -> Time {
        let grain = self.grain.0.max(1);
        Time(event.occurred_at.0 / grain * grain)
    }

    /// The last sequence that any cursor claims to have passed.
    #[must_use]
    pub fn furthest_cursor(&self) -> Option<Seq> {
        self.cursors
            .iter()
            .filter_map(|cursor| match cursor {
                Some(CursorPosition::Seq(seq)) => Some(*seq),
                _ => None,
            })
            .max()
    }
}
