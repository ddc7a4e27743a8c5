//! One suite for every engine: the promises of the traits, each as a check that can fail.
//!
//! A check takes an engine and answers with what is broken. It runs over each engine, and over fakes
//! that break one promise, which it must notice.

mod ledger;
mod outbox;
mod queue;
mod random;
mod random_ledger;
mod stores;

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use super::*;
use crate::{
    model::EventId,
    record::{EffectRow, Record},
    scenario::testing,
};

type Checked = Result<(), Broken>;

/// What is broken, in words.
#[derive(Debug, PartialEq)]
struct Broken(String);

impl From<StoreError> for Broken {
    fn from(error: StoreError) -> Broken {
        Broken(error.to_string())
    }
}

/// Fails a check with what is broken.
macro_rules! hold {
    ($condition:expr, $($what:tt)+) => {
        if !$condition {
            return Err(Broken(format!($($what)+)));
        }
    };
}

use hold;

/// The id of the run's event `n`.
fn id(n: u32) -> String {
    EventId::genuine(run_id(), n).to_string()
}

fn item(n: u32) -> Item {
    Item { client: n % 3, event_id: id(n), subject: n % 5, version: n, received_at: Time(u64::from(n)) }
}

fn effect(n: u32) -> Effect {
    Effect { client: 0, event_id: id(n), subject: 1, version: n, received_unix_ns: 1_000 }
}

fn run_id() -> RunId {
    plan().run_id
}

fn plan() -> crate::scenario::Plan {
    testing::plan(testing::webhook_consumer(3))
}

const LEDGERS: [LedgerKind; 3] = [LedgerKind::None, LedgerKind::Memory, LedgerKind::Sqlite];

fn ledger(kind: LedgerKind, dir: &Path, ttl: Option<Span>) -> Arc<dyn Ledger> {
    let ticks = AtomicU64::new(0);
    let hooks = LedgerHooks {
        now: Arc::new(move || Time(ticks.fetch_add(1, Ordering::Relaxed))),
        between_effect_and_ledger: Arc::new(|| {}),
    };
    open_ledger(kind, dir, run_id(), ttl, hooks).unwrap()
}

/// The effect rows that a judge would see.
fn rows(dir: &Path) -> Vec<EffectRow> {
    let row = |record| match record {
        Record::Effect(row) => Some(row),
        _ => None,
    };
    export(dir, &plan(), 0).unwrap().into_iter().filter_map(row).collect()
}

fn scratch() -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("stores");
    (dir, path)
}
