//! Random batches, passing time and crashes: a ledger against a plain model of it.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use EffectOutcome::{Applied, Duplicate, Stale};

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

/// The oracle, written as the trait's prose says it.
#[derive(Default)]
struct Model {
    first_receipts: BTreeMap<u32, u64>,
    newest: BTreeMap<u32, u32>,
    rows: Vec<(u32, bool)>,
}

impl Model {
    fn apply(&mut self, kind: LedgerKind, n: u32, version: u32, now: u64) -> EffectOutcome {
        let is_known = self.first_receipts.get(&n).is_some_and(|first| now - first < TTL_NS);
        if is_known && kind != LedgerKind::None {
            return Duplicate;
        }
        self.first_receipts.insert(n, now);
        let newest = self.newest.entry(n % 3).or_insert(0);
        let superseded = version < *newest;
        *newest = version.max(*newest);
        self.rows.push((n, superseded));
        if superseded { Stale } else { Applied }
    }
}

fn of_subject(n: u32, version: u32, now: u64) -> Effect {
    Effect { subject: n % 3, version, received_unix_ns: now, ..effect(n) }
}

async fn agrees(kind: LedgerKind, operations: &[Operation]) {
    let (_guard, dir) = scratch();
    let open = || ledger(kind, &dir, Some(Span(TTL_NS)));
    let (mut ledger, mut model, mut now) = (open(), Model::default(), 1_000);
    for operation in operations {
        match operation {
            Operation::Apply(events, pass) => {
                let batch = events.iter().map(|(n, version)| of_subject(*n, *version, now)).collect();
                let expected: Vec<_> = events.iter().map(|(n, version)| model.apply(kind, *n, *version, now)).collect();
                assert_eq!(ledger.apply(batch, true).await.unwrap(), expected, "{kind:?}");
                now += pass;
            }
            Operation::Crash => {
                drop(ledger);
                ledger = open();
                if kind == LedgerKind::Memory {
                    model.first_receipts.clear();
                }
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
            runtime.block_on(agrees(kind, &operations));
        }
    }
}
