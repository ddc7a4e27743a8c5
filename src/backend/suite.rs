//! One suite for every engine: the promises of the traits, each as a check that can fail.
//!
//! A check takes an engine and answers with what is broken. It runs over each engine, and over fakes
//! that break one promise, which it must notice.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use proptest::prelude::*;

use super::*;
use crate::model::EffectOutcome::{Applied, Duplicate, Stale};

type Checked = Result<(), String>;

/// Fails a check with what is broken.
macro_rules! hold {
    ($condition:expr, $($what:tt)+) => {
        if !$condition {
            return Err(format!($($what)+));
        }
    };
}

fn item(n: u32) -> Item {
    Item {
        client: n % 3,
        event_id: format!("evt_00c0ffee0001_{n:010}"),
        subject: n % 5,
        version: n,
        received_at: Time(u64::from(n)),
    }
}

fn effect(n: u32) -> Effect {
    Effect { client: 0, event_id: format!("evt_00c0ffee0001_{n:010}"), subject: 1, version: n, received_unix_ns: 1_000 }
}

fn run_id() -> RunId {
    RunId::from_bits(0x00c0_ffee_0001)
}

/// Opens an engine in a folder, again and again.
#[derive(Clone)]
struct QueueEngine {
    name: &'static str,
    open: fn(&Path) -> Arc<dyn Queue>,
}

const QUEUES: [QueueEngine; 2] = [
    QueueEngine { name: "memory", open: |dir| open_queue(QueueKind::Memory, dir).unwrap() },
    QueueEngine { name: "sqlite", open: |dir| open_queue(QueueKind::Sqlite, dir).unwrap() },
];

const LEDGERS: [LedgerKind; 3] = [LedgerKind::None, LedgerKind::Memory, LedgerKind::Sqlite];

fn ledger(kind: LedgerKind, dir: &Path, ttl: Option<Span>) -> Arc<dyn Ledger> {
    let ticks = AtomicU64::new(0);
    let hooks = LedgerHooks {
        now: Arc::new(move || Time(ticks.fetch_add(1, Ordering::Relaxed))),
        between_effect_and_ledger: Arc::new(|| {}),
    };
    open_ledger(kind, dir, run_id(), ttl, hooks).unwrap()
}

fn scratch() -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("stores");
    (dir, path)
}

async fn take_all(queue: &dyn Queue, count: usize) -> Vec<Leased> {
    let mut taken = Vec::new();
    while taken.len() < count {
        taken.extend(queue.take(count - taken.len()).await);
    }
    taken
}

// The queue.

async fn what_is_put_comes_out_in_order(queue: &dyn Queue) -> Checked {
    queue.put((1..=5).map(item).collect()).await.map_err(|e| e.to_string())?;
    queue.put(vec![item(1)]).await.map_err(|e| e.to_string())?;
    hold!(queue.depth() == 6, "depth {} after six", queue.depth());
    let taken = take_all(queue, 6).await;
    let versions: Vec<u32> = taken.iter().map(|leased| leased.item.version).collect();
    hold!(versions == [1, 2, 3, 4, 5, 1], "came out as {versions:?}");
    hold!(queue.depth() == 6, "what is leased is still kept");
    let leases: Vec<u64> = taken.iter().map(|leased| leased.lease).collect();
    queue.done(&leases).await.map_err(|e| e.to_string())?;
    // An answered call after it proves that `done` is through.
    queue.put(vec![item(9)]).await.map_err(|e| e.to_string())?;
    hold!(queue.depth() == 1, "depth {} when one is left", queue.depth());
    Ok(())
}

async fn failed_tries_are_counted_and_dead_letters_leave(queue: &dyn Queue) -> Checked {
    queue.put(vec![item(1), item(2)]).await.map_err(|e| e.to_string())?;
    let first = take_all(queue, 1).await.remove(0);
    hold!(first.tries == 0, "a fresh item has {} tries", first.tries);
    queue.retry(first).await.map_err(|e| e.to_string())?;
    let both = take_all(queue, 2).await;
    hold!(both[0].item == item(2) && both[1].item == item(1), "a retried item goes to the back");
    hold!(both[1].tries == 1, "a failed try is not counted");
    queue.bury(both[1].clone()).await.map_err(|e| e.to_string())?;
    hold!(queue.depth() == 1, "a dead letter still waits");
    Ok(())
}

async fn what_is_not_done_comes_again(open: fn(&Path) -> Arc<dyn Queue>, dir: &Path) -> Checked {
    let queue = open(dir);
    let durable = queue.durability() > Durability::None;
    queue.put((1..=4).map(item).collect()).await.map_err(|e| e.to_string())?;
    let taken = take_all(queue.as_ref(), 3).await;
    queue.done(&[taken[0].lease]).await.map_err(|e| e.to_string())?;
    queue.bury(taken[1].clone()).await.map_err(|e| e.to_string())?;
    drop(queue);
    let again = open(dir);
    let expected = if durable { 2 } else { 0 };
    hold!(again.depth() == expected, "{} came again, {expected} were open", again.depth());
    if durable {
        let versions: Vec<u32> = take_all(again.as_ref(), 2).await.iter().map(|leased| leased.item.version).collect();
        hold!(versions == [3, 4], "came again: {versions:?}");
    }
    Ok(())
}

#[tokio::test]
async fn every_queue_keeps_its_promises() {
    for engine in QUEUES {
        let fresh = || scratch();
        let (_a, dir) = fresh();
        assert_eq!(what_is_put_comes_out_in_order((engine.open)(&dir).as_ref()).await, Ok(()), "{}", engine.name);
        let (_b, dir) = fresh();
        let queue = (engine.open)(&dir);
        assert_eq!(failed_tries_are_counted_and_dead_letters_leave(queue.as_ref()).await, Ok(()), "{}", engine.name);
        let (_c, dir) = fresh();
        assert_eq!(what_is_not_done_comes_again(engine.open, &dir).await, Ok(()), "{}", engine.name);
    }
}

/// A queue that says it is durable and is not.
struct Forgetful(Arc<dyn Queue>);

#[async_trait]
impl Queue for Forgetful {
    fn durability(&self) -> Durability {
        Durability::PowerLoss
    }
    async fn put(&self, items: Vec<Item>) -> Result<(), StoreError> {
        self.0.put(items).await
    }
    async fn take(&self, max: usize) -> Vec<Leased> {
        self.0.take(max).await
    }
    async fn done(&self, leases: &[u64]) -> Result<(), StoreError> {
        self.0.done(leases).await
    }
    async fn retry(&self, leased: Leased) -> Result<(), StoreError> {
        // Forgets to count as well.
        self.0.retry(Leased { tries: 0, ..leased }).await
    }
    async fn bury(&self, leased: Leased) -> Result<(), StoreError> {
        self.0.retry(leased).await
    }
    fn depth(&self) -> u64 {
        self.0.depth()
    }
    fn volatile_residue(&self) -> (Vec<Item>, Vec<Item>) {
        self.0.volatile_residue()
    }
}

#[tokio::test]
async fn the_checks_notice_a_queue_that_breaks_its_promises() {
    let open: fn(&Path) -> Arc<dyn Queue> = |dir| Arc::new(Forgetful(open_queue(QueueKind::Memory, dir).unwrap()));
    let (_a, dir) = scratch();
    assert!(what_is_not_done_comes_again(open, &dir).await.is_err());
    assert!(failed_tries_are_counted_and_dead_letters_leave(open(&dir).as_ref()).await.is_err());
}

// The ledger.

async fn copies_have_one_effect(ledger: Arc<dyn Ledger>) -> Checked {
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..40 {
        let ledger = Arc::clone(&ledger);
        calls.spawn(async move { ledger.apply(vec![effect(7)], false).await });
    }
    let mut applied = 0;
    while let Some(outcome) = calls.join_next().await {
        let outcome = outcome.map_err(|e| e.to_string())?.map_err(|e| e.to_string())?;
        applied += usize::from(outcome == [Applied]);
    }
    hold!(applied == 1, "40 copies had {applied} effects");
    let twice = ledger.apply(vec![effect(8), effect(8), effect(9)], false).await.map_err(|e| e.to_string())?;
    hold!(twice == [Applied, Duplicate, Applied], "two copies in one batch: {twice:?}");
    Ok(())
}

async fn an_older_version_changes_nothing(ledger: &dyn Ledger) -> Checked {
    let outcomes = ledger.apply(vec![effect(5), effect(3), effect(6)], true).await.map_err(|e| e.to_string())?;
    hold!(outcomes == [Applied, Stale, Applied], "versions 5, 3, 6 under the guard: {outcomes:?}");
    let unguarded = ledger.apply(vec![effect(4)], false).await.map_err(|e| e.to_string())?;
    hold!(unguarded == [Applied], "without the guard: {unguarded:?}");
    Ok(())
}

#[tokio::test]
async fn every_ledger_keeps_its_promises() {
    for kind in LEDGERS {
        let (_a, dir) = scratch();
        let copies = copies_have_one_effect(ledger(kind, &dir, None)).await;
        // To remember nothing is what "none" promises: the check must notice.
        assert_eq!(copies.is_err(), kind == LedgerKind::None, "{kind:?}: {copies:?}");
        let (_b, dir) = scratch();
        assert_eq!(an_older_version_changes_nothing(ledger(kind, &dir, None).as_ref()).await, Ok(()), "{kind:?}");
    }
}

#[tokio::test]
async fn only_a_durable_ledger_remembers_after_reopening_and_effects_outlive_all() {
    for kind in LEDGERS {
        let (_guard, dir) = scratch();
        assert_eq!(ledger(kind, &dir, None).apply(vec![effect(1)], false).await.unwrap(), [Applied]);
        let again = ledger(kind, &dir, None).apply(vec![effect(1)], false).await.unwrap();
        let expected = if kind == LedgerKind::Sqlite { Duplicate } else { Applied };
        assert_eq!(again, [expected], "{kind:?}");
        let connection = sqlite::open_to_read(&dir.join(sqlite::LEDGER_FILE)).unwrap().unwrap();
        let rows: u32 = connection.query_row("SELECT count(*) FROM effect", [], |row| row.get(0)).unwrap();
        assert_eq!(rows, if kind == LedgerKind::Sqlite { 1 } else { 2 }, "{kind:?}");
    }
}

#[tokio::test]
async fn an_entry_is_forgotten_a_ttl_after_its_first_receipt() {
    for kind in [LedgerKind::Memory, LedgerKind::Sqlite] {
        let (_guard, dir) = scratch();
        let ledger = ledger(kind, &dir, Some(Span(100)));
        let at = |ns| Effect { received_unix_ns: ns, ..effect(1) };
        let mut outcomes = Vec::new();
        // Within the TTL twice, which must not refresh it; then at its very end.
        for ns in [1_000, 1_060, 1_099, 1_100, 1_199] {
            outcomes.extend(ledger.apply(vec![at(ns)], false).await.unwrap());
        }
        assert_eq!(outcomes, [Applied, Duplicate, Duplicate, Applied, Duplicate], "{kind:?}");
    }
}

#[tokio::test]
async fn cursors_are_durable_and_belong_to_their_run() {
    let (_guard, dir) = scratch();
    let cursors = open_cursors(&dir, run_id()).unwrap();
    assert_eq!(cursors.load(1).await.unwrap(), None);
    cursors.save(1, "41".to_owned()).await.unwrap();
    cursors.save(1, "42".to_owned()).await.unwrap();
    drop(cursors);
    assert_eq!(open_cursors(&dir, run_id()).unwrap().load(1).await.unwrap(), Some("42".to_owned()));
    assert_eq!(open_cursors(&dir, RunId::from_bits(2)).unwrap().load(1).await.unwrap(), None);
}

#[test]
fn a_folder_that_cannot_be_written_is_a_named_error() {
    let (guard, _) = scratch();
    let file = guard.path().join("file");
    std::fs::write(&file, "no folder").unwrap();
    let error = open_queue(QueueKind::Sqlite, &file).err().expect("an error");
    assert!(error.to_string().contains("file"), "{error}");
}

// Random operations and crashes against a model.

#[derive(Debug, Clone)]
enum Operation {
    Put(u8),
    Take(u8),
    Done,
    Retry,
    Bury,
    Crash,
}

fn operations() -> impl Strategy<Value = Vec<Operation>> {
    let one = prop_oneof![
        4 => (1u8..5).prop_map(Operation::Put),
        4 => (1u8..5).prop_map(Operation::Take),
        3 => Just(Operation::Done),
        1 => Just(Operation::Retry),
        1 => Just(Operation::Bury),
        1 => Just(Operation::Crash),
    ];
    proptest::collection::vec(one, 1..40)
}

/// The oracle: what a durable queue holds, in plain collections.
#[derive(Default)]
struct Model {
    /// Every item kept, by its number, in the order put.
    kept: Vec<u32>,
    /// In the order to be taken.
    ready: Vec<u32>,
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn a_durable_queue_agrees_with_the_model_through_crashes(operations in operations()) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let (_guard, dir) = scratch();
            let mut queue = open_queue(QueueKind::Sqlite, &dir).unwrap();
            let mut model = Model::default();
            let mut held: Vec<Leased> = Vec::new();
            let mut next = 0u32;
            for operation in operations {
                match operation {
                    Operation::Put(count) => {
                        let items: Vec<Item> = (0..u32::from(count)).map(|i| item(next + i)).collect();
                        queue.put(items).await.unwrap();
                        model.kept.extend(next..next + u32::from(count));
                        model.ready.extend(next..next + u32::from(count));
                        next += u32::from(count);
                    }
                    Operation::Take(max) if !model.ready.is_empty() => {
                        let taken = queue.take(usize::from(max)).await;
                        let expected: Vec<u32> = model.ready.drain(..usize::from(max).min(model.ready.len())).collect();
                        assert_eq!(taken.iter().map(|l| l.item.version).collect::<Vec<_>>(), expected);
                        held.extend(taken);
                    }
                    Operation::Done => if let Some(leased) = held.pop() {
                        model.kept.retain(|n| *n != leased.item.version);
                        queue.done(&[leased.lease]).await.unwrap();
                    },
                    Operation::Retry => if let Some(leased) = held.pop() {
                        model.ready.push(leased.item.version);
                        queue.retry(leased).await.unwrap();
                    },
                    Operation::Bury => if let Some(leased) = held.pop() {
                        model.kept.retain(|n| *n != leased.item.version);
                        queue.bury(leased).await.unwrap();
                    },
                    Operation::Crash => {
                        drop(queue);
                        queue = open_queue(QueueKind::Sqlite, &dir).unwrap();
                        held.clear();
                        model.ready.clone_from(&model.kept);
                    }
                    Operation::Take(_) => {}
                }
            }
            drop(queue);
            let again = open_queue(QueueKind::Sqlite, &dir).unwrap();
            assert_eq!(again.depth(), model.kept.len() as u64);
        });
    }
}
