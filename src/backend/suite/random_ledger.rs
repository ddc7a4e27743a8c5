//! Random batches, passing time and crashes: a ledger against the model that virtual time works with.

use proptest::prelude::*;

use super::*;
use crate::{model::Event, policy::stores::LedgerModel, scenario::EffectKind};
use EffectOutcome::{Duplicate, Stale};

const TTL_NS: u64 = 50;

#[derive(Debug, Clone)]
enum Operation {
    /// Events by number, each with its version; then time passes, in nanoseconds.
    Apply(Vec<(u32, u32)>, u64),
    Crash,
}

fn operations() -> impl Strategy<Value = Vec<Operation>> {
    let events = proptest::collection::vec((0u32..8, 1u32..4), 1..6);
    let one = prop_oneof![
        6 => (events, 0u64..40).prop_map(|(events, pass)| Operation::Apply(events, pass)),
        1 => Just(Operation::Crash),
    ];
    proptest::collection::vec(one, 1..20)
}

/// The model, and the rows that its effects have left.
struct Oracle {
    ledger: LedgerModel,
    rows: Vec<(u32, bool)>,
}

impl Oracle {
    fn new(kind: LedgerKind, effect: EffectKind) -> (Oracle, Guard) {
        let mut plan = testing::webhook_consumer(1);
        (plan.ledger, plan.ledger_ttl, plan.effect.kind) = (kind, Some(Span(TTL_NS)), effect);
        (Oracle { ledger: LedgerModel::of(&plan), rows: Vec::new() }, Guard::of(&plan))
    }

    fn apply(&mut self, n: u32, version: u32, now: u64) -> EffectOutcome {
        let event = Event { seq: n + 1, subject: n % 3, version, occurred_at: Time::ZERO };
        let outcome = self.ledger.apply(0, &event, Time(now));
        if outcome != Duplicate {
            self.rows.push((n, outcome == Stale));
        }
        outcome
    }
}

fn of_subject(n: u32, version: u32, now: u64) -> Effect {
    Effect { subject: n % 3, version, received_unix_ns: now, ..effect(n) }
}

async fn agrees(kind: LedgerKind, effect: EffectKind, operations: &[Operation]) {
    let (_scratch, dir) = scratch();
    let open = || ledger(kind, &dir, Some(Span(TTL_NS)));
    let (mut model, guard) = Oracle::new(kind, effect);
    let (mut ledger, mut now) = (open(), 1_000);
    for operation in operations {
        match operation {
            Operation::Apply(events, pass) => {
                let batch = events.iter().map(|(n, version)| of_subject(*n, *version, now)).collect();
                let expected: Vec<_> = events.iter().map(|(n, version)| model.apply(*n, *version, now)).collect();
                assert_eq!(ledger.apply(batch, guard).await.unwrap(), expected, "{kind:?}");
                now += pass;
            }
            Operation::Crash => {
                drop(ledger);
                ledger = open();
                model.ledger.crash();
            }
        }
    }
    drop(ledger);
    let told: Vec<_> = rows(&dir).iter().map(|row| (row.what.seq, row.superseded)).collect();
    assert_eq!(told, model.rows, "{kind:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn ledgers_agree_with_the_model_through_crashes(operations in operations()) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        for kind in LEDGERS {
            for effect in [EffectKind::Append, EffectKind::Set, EffectKind::Once] {
                runtime.block_on(agrees(kind, effect, &operations));
            }
        }
    }
}
