//! An older version never overwrites a newer one.

use std::collections::HashMap;

use super::{Breaches, Checker, Context, Finding, Promise};
use crate::{
    audit::Book,
    model::{ClientNo, Event, Subject, Version},
    record::{Obligation, Record},
    scenario::EffectKind,
};

/// The promise's name.
pub const NAME: &str = "newest-wins";

pub(super) const PROMISE: Promise = Promise {
    name: NAME,
    words: "an older version never overwrites a newer one",
    usual_cause: "a retried or reordered event is applied without comparing versions",
    checker: |_| Box::new(NewestWins::default()),
};

/// Replays the effect rows of a state consumer in the order in which they took effect.
///
/// 12 bytes per row, only where the effect replaces state; ties keep the store's order.
#[derive(Default)]
struct NewestWins {
    rows: Vec<Row>,
}

/// Time in two halves, so that a row has no padding.
struct Row {
    at: [u32; 2],
    place: u32,
}

impl Checker for NewestWins {
    fn see(&mut self, record: &Record, _before: &Book, context: &Context<'_>) {
        if let Record::Effect(row) = record
            && context.mine().effect.kind == EffectKind::Set
            && !row.forged
            && !row.superseded
        {
            let at = [(row.at.0 >> 32) as u32, row.at.0 as u32];
            self.rows.extend(place_of(row.what, context).map(|place| Row { at, place }));
        }
    }

    fn finish(&mut self, context: &Context<'_>) -> Finding {
        self.rows.sort_by_key(|row| row.at);
        let mut breaches = Breaches::default();
        let mut newest: HashMap<(ClientNo, Subject), Version> = HashMap::new();
        for row in &self.rows {
            let Some((event, client)) = at_place(row.place, context) else { continue };
            let seen = newest.entry((client, event.subject)).or_insert(0);
            if event.version < *seen {
                breaches.add(Obligation { consumer: context.consumer, client, seq: event.seq });
            }
            *seen = event.version.max(*seen);
        }
        breaches.finding(context.mine().effect.kind == EffectKind::Set && !context.mine().is_external())
    }
}

/// (event, client) as one number; the client of an `Own` consumer follows from the subject.
fn place_of(what: Obligation, context: &Context<'_>) -> Option<u32> {
    let per_event = context.mine().clients_per_event();
    let first = what.seq.checked_sub(1)?.checked_mul(per_event)?;
    first.checked_add(if per_event > 1 { what.client } else { 0 })
}

fn at_place(place: u32, context: &Context<'_>) -> Option<(Event, ClientNo)> {
    let per_event = context.mine().clients_per_event().max(1);
    let event = context.events.get(place / per_event + 1)?;
    let client = context.mine().clients_of(event.subject).nth((place % per_event) as usize)?;
    Some((event, client))
}
