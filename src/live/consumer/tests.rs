//! The consumer as a poller uses it; receivers test it over sockets.

use std::{net::Ipv4Addr, path::Path, time::Duration};

use async_trait::async_trait;
use tokio::sync::watch;

use super::*;
use crate::{
    backend::{Effect, StoreFailure, export},
    live::{
        clock::Epoch,
        control::{Assignment, Part},
    },
    model::{EffectOutcome, EventId, Span},
    record::{Record, read_file},
    scenario::{LedgerKind, QueueKind, testing},
};

const QUEUES: [QueueKind; 2] = [QueueKind::Memory, QueueKind::Sqlite];

async fn open(dir: &Path, change: impl FnOnce(&mut ConsumerPlan)) -> (Role, Consumer, Clock) {
    let mut consumer = testing::polling_consumer(1);
    (consumer.queue, consumer.ledger) = (QueueKind::Sqlite, LedgerKind::Sqlite);
    change(&mut consumer);
    let assignment = Assignment {
        plan: testing::plan(consumer),
        part: Part::Poller { consumer: 0 },
        records: dir.join("poller.records"),
        stores: dir.join("stores"),
        listen: (Ipv4Addr::LOCALHOST, 0).into(),
        admin: None,
        incarnation: 0,
        crashes_left: 0,
        epoch: None,
        pull_api: None,
    };
    let mut role = Role::standalone(assignment, Epoch::ahead(Duration::ZERO), watch::channel(false).1).unwrap();
    let consumer = Consumer::open(&role, 0).unwrap();
    let clock = role.start().await;
    (role, consumer, clock)
}

async fn start(dir: &Path, change: impl FnOnce(&mut ConsumerPlan)) -> (Role, Consumer) {
    let (role, consumer, clock) = open(dir, change).await;
    consumer.start(clock);
    (role, consumer)
}

fn item(role: &Role, seq: u32) -> Item {
    let event_id = EventId::genuine(role.assignment.plan.run_id, seq).to_string();
    Item { client: 0, event_id, subject: seq, version: 1, received_at: Time::ZERO }
}

fn page(role: &Role, seqs: std::ops::RangeInclusive<u32>) -> Vec<Item> {
    seqs.map(|seq| item(role, seq)).collect()
}

/// Everything that the consumer's process and its stores tell.
fn told(role: &Role) -> Vec<Record> {
    let mut told = export(&role.assignment.stores, &role.assignment.plan, 0).unwrap();
    read_file(&role.assignment.records, |record| told.push(record)).unwrap();
    told
}

fn value(count: &AtomicU64) -> u64 {
    count.load(Ordering::Relaxed)
}

#[tokio::test]
async fn behind_a_queue_that_forgets_a_page_is_accepted_when_it_is_applied() {
    let dir = tempfile::tempdir().unwrap();
    let change = |consumer: &mut ConsumerPlan| {
        consumer.queue = QueueKind::Memory;
        consumer.effect.duration = Span::from_millis(1);
    };
    let (role, consumer) = start(dir.path(), change).await;
    consumer.accept_page(page(&role, 1..=5)).await.unwrap();
    assert_eq!((value(&consumer.counts().applied), consumer.progress().accepted), (5, 5));
    // Again, as after a lost cursor: suppressed, and dealt with all the same.
    consumer.accept_page(page(&role, 4..=6)).await.unwrap();
    assert_eq!((value(&consumer.counts().applied), value(&consumer.counts().duplicates)), (6, 2));
    // An event twice in one page, and a page without any.
    consumer.accept_page(vec![item(&role, 7), item(&role, 7)]).await.unwrap();
    consumer.accept_page(Vec::new()).await.unwrap();
    consumer.stop().await.unwrap();
}

#[tokio::test]
async fn an_accepted_event_has_its_receipt_on_disk() {
    for queue in QUEUES {
        let dir = tempfile::tempdir().unwrap();
        let (role, consumer) = start(dir.path(), |consumer| consumer.queue = queue).await;
        for seq in 1..=3 {
            consumer.accept(item(&role, seq)).await.unwrap();
            let receipts = told(&role).iter().filter(|record| matches!(record, Record::Receipt { .. })).count();
            assert_eq!(receipts, seq as usize, "{queue:?}");
        }
        consumer.stop().await.unwrap();
    }
}

#[tokio::test]
async fn a_page_larger_than_the_room_is_let_in_and_the_next_is_not() {
    let dir = tempfile::tempdir().unwrap();
    let change = |consumer: &mut ConsumerPlan| {
        (consumer.queue_capacity, consumer.effect.duration) = (2, Span::from_millis(300));
    };
    let (role, consumer) = start(dir.path(), change).await;
    consumer.accept_page(page(&role, 1..=5)).await.unwrap();
    assert!(matches!(consumer.accept_page(page(&role, 6..=6)).await, Err(AcceptError::Overloaded)));
    consumer.stop().await.unwrap();
    assert!(matches!(consumer.accept_page(page(&role, 7..=7)).await, Err(AcceptError::Ending)));
}

#[tokio::test]
async fn offers_made_before_the_end_are_taken_in_with_their_receipts() {
    for queue in QUEUES {
        let dir = tempfile::tempdir().unwrap();
        let (role, consumer) = start(dir.path(), |consumer| consumer.queue = queue).await;
        let offers = (1..=20).map(|seq| consumer.accept(item(&role, seq)));
        let (accepted, stopped) = tokio::join!(futures_util::future::join_all(offers), consumer.stop());
        stopped.unwrap();
        assert!(accepted.iter().all(Result::is_ok), "{queue:?}: {accepted:?}");
        let told = told(&role);
        let count = |wanted: fn(&Record) -> bool| told.iter().filter(|record| wanted(record)).count();
        assert_eq!(count(|record| matches!(record, Record::Receipt { .. })), 20, "{queue:?}");
        let kept = count(|record| matches!(record, Record::Queued { .. } | Record::Effect(_)));
        assert_eq!(kept, 20, "{queue:?}: each either waits or has taken effect");
    }
}

#[tokio::test]
async fn a_poison_event_is_dead_lettered_after_its_tries_and_spoils_no_other() {
    for queue in QUEUES {
        let dir = tempfile::tempdir().unwrap();
        let change = |consumer: &mut ConsumerPlan| {
            (consumer.queue, consumer.max_tries, consumer.effect.poison_every) = (queue, 2, Some(3));
        };
        let (role, consumer) = start(dir.path(), change).await;
        consumer.accept_page(page(&role, 1..=4)).await.unwrap();
        while value(&consumer.counts().applied) + value(&consumer.counts().dead_lettered) < 4 {
            tokio::task::yield_now().await;
        }
        consumer.stop().await.unwrap();
        assert_eq!((value(&consumer.counts().applied), value(&consumer.counts().dead_lettered)), (3, 1), "{queue:?}");
        let told = told(&role);
        let dead = told.iter().filter(|record| matches!(record, Record::DeadLetter { what, .. } if what.seq == 3));
        assert_eq!(dead.count(), 1, "{queue:?}");
    }
}

#[tokio::test]
async fn cursors_are_kept_across_processes() {
    let dir = tempfile::tempdir().unwrap();
    for expected in [None, Some("6")] {
        let (role, consumer) = start(dir.path(), |_| {}).await;
        assert_eq!(consumer.load_cursor(0).await.unwrap().as_deref(), expected);
        consumer.save_cursor(0, "6".to_owned()).await.unwrap();
        consumer.stop().await.unwrap();
        // The next process has a record file of its own.
        std::fs::remove_file(&role.assignment.records).unwrap();
    }
}

/// A ledger whose disk is full.
struct Full;

impl Full {
    fn error() -> StoreError {
        StoreError { store: "ledger".to_owned(), kind: StoreFailure::Full, problem: "a test".to_owned() }
    }
}

#[async_trait]
impl Ledger for Full {
    async fn apply(&self, _: Vec<Effect>, _: crate::policy::stores::Guard) -> Result<Vec<EffectOutcome>, StoreError> {
        Err(Full::error())
    }
    async fn knows(&self, _: Effect) -> Result<bool, StoreError> {
        Err(Full::error())
    }
    async fn append_effect(&self, _: Effect) -> Result<(), StoreError> {
        Err(Full::error())
    }
    async fn remember(&self, _: Effect) -> Result<(), StoreError> {
        Err(Full::error())
    }
}

#[tokio::test]
async fn a_ledger_that_fails_ends_the_role_and_the_events_stay() {
    let dir = tempfile::tempdir().unwrap();
    let (role, mut consumer, clock) = open(dir.path(), |_| {}).await;
    Arc::get_mut(&mut consumer.core).expect("nobody works yet").ledger = Arc::new(Full);
    consumer.start(clock);
    consumer.accept_page(page(&role, 1..=3)).await.unwrap();
    while consumer.check().is_ok() {
        tokio::task::yield_now().await;
    }
    let error = consumer.stop().await.unwrap_err().to_string();
    assert!(error.contains("is full") && error.contains("free disk space"), "{error}");
    let told = told(&role);
    assert_eq!(told.iter().filter(|record| matches!(record, Record::Queued { .. })).count(), 3);
    assert!(!told.iter().any(|record| matches!(record, Record::Worked { .. })));
}
