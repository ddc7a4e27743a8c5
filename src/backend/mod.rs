//! Where events wait, where applied ones are remembered, and where cursors live.
//!
//! Five promises, one trait each, kept by every engine and held against one shared suite. The
//! files of a consumer lie in its own folder and outlive its processes; after a run [`export()`]
//! tells the judge what they hold.

mod error;
mod export;
mod memory;
mod sqlite;
#[cfg(test)]
mod suite;

pub use error::{StoreError, StoreFailure};
pub use export::{export, export_each, volatile_records};
pub use sqlite::StoreLock;

use std::{path::Path, sync::Arc};

use async_trait::async_trait;

use crate::{
    model::{ClientNo, EffectOutcome, RunId, Span, Subject, Time, Version},
    policy::stores::Guard,
    scenario::{CallLimit, LedgerKind, QueueKind},
};

/// An accepted event on its way to a worker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// The client that it is due to.
    pub client: ClientNo,
    /// The event's id as it came.
    pub event_id: String,
    /// What changed.
    pub subject: Subject,
    /// To which version.
    pub version: Version,
    /// When it was accepted.
    pub received_at: Time,
}

/// An item that a worker holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leased {
    /// Names the lease in [`Queue::done`], [`Queue::retry`] and [`Queue::bury`].
    pub lease: u64,
    /// Failed tries so far.
    pub tries: u32,
    /// What is held.
    pub item: Item,
}

/// What survives what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Durability {
    /// Gone with the process.
    None,
    /// On disk before a call returns: survives `kill -9` and, on a disk that keeps its word, a
    /// power cut.
    PowerLoss,
}

/// What a queue does with an event that it has accepted before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Copies {
    /// It comes out as often as it was put.
    #[default]
    Keep,
    /// A copy is recognised and left out, for as long as the store exists: whether the first one
    /// waits, is done with or lies among the dead letters. The ledger stays the authority over effects.
    Suppress,
}

/// A batch that is kept.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Kept {
    /// Places in the batch whose events had been accepted before and were left out, in order. Empty
    /// with [`Copies::Keep`].
    pub copies: Vec<usize>,
}

/// Where accepted events wait for a worker.
///
/// # Promises
///
/// - [`put`](Queue::put) returns when the whole batch is as durable as
///   [`durability`](Queue::durability) says, or fails and has kept none of it.
/// - With [`Copies::Keep`] it does not look for duplicates: the same event put twice comes out twice.
///   With [`Copies::Suppress`] a client's event is kept once, however often it is put, at once or
///   later, also after reopening; `put` tells the copies, and an event that it tells as one is as
///   durable as the first.
/// - An item is handed to one worker at a time. It stays in the queue until
///   [`done`](Queue::done) or [`bury`](Queue::bury); if the process dies first, it comes again after
///   reopening, unless the engine's durability is `None`. So delivery to workers is at least once.
/// - `done` may be forgotten by a crash: the item then comes again. It never makes another item
///   disappear.
/// - Items come in the order put, except that retried ones go to the back.
/// - All methods may be called from many tasks at once.
#[async_trait]
pub trait Queue: Send + Sync {
    /// What an accepted event survives.
    fn durability(&self) -> Durability;

    /// Keeps a batch.
    async fn put(&self, items: Vec<Item>) -> Result<Kept, StoreError>;

    /// Leases up to `max` items, waiting for the first one.
    async fn take(&self, max: usize) -> Vec<Leased>;

    /// Forgets items that are dealt with.
    async fn done(&self, leases: &[u64]) -> Result<(), StoreError>;

    /// Puts a leased item back with one more try counted.
    async fn retry(&self, leased: Leased) -> Result<(), StoreError>;

    /// Moves a leased item to the dead-letter queue, durably.
    async fn bury(&self, leased: Leased) -> Result<(), StoreError>;

    /// Items kept, leased ones included.
    fn depth(&self) -> u64;

    /// What would be left behind if the process ended now: queue and dead letters of an engine whose
    /// store does not outlive it. Empty for engines that [`export()`] reads from disk.
    fn volatile_residue(&self) -> (Vec<Item>, Vec<Item>);
}

/// A business change to apply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Effect {
    /// The client.
    pub client: ClientNo,
    /// The event's id: with consumer and client the ledger's key.
    pub event_id: String,
    /// What changes.
    pub subject: Subject,
    /// To which version.
    pub version: Version,
    /// The receipt's wall-clock time in Unix nanoseconds: a ledger's memory runs from here.
    pub received_unix_ns: u64,
}

/// Where applied events are remembered, together with the effects themselves.
///
/// # Promises
///
/// - An effect is a row that is appended to a store that outlives the process, whatever remembers
///   the event. So a duplicate shows.
/// - With a durable ledger, [`apply`](Ledger::apply) writes the effect's row and the ledger's entry
///   in one transaction, the entry first: whoever inserts it has the right to the effect. There is no
///   instant at which a crash leaves one without the other, and no window between look and leap.
/// - An effect that the [`Guard`] keeps from happening to its subject changes nothing; a row says that it
///   was superseded.
/// - An entry is forgotten `ttl` after the event's first receipt; later receipts do not refresh it.
/// - Outcomes come in the order of the batch. A failed call has applied nothing of it.
#[async_trait]
pub trait Ledger: Send + Sync {
    /// Applies a batch: each effect once.
    async fn apply(&self, effects: Vec<Effect>, guard: Guard) -> Result<Vec<EffectOutcome>, StoreError>;

    /// Whether the event is remembered at the effect's receipt. Only a wrong consumer decides by it:
    /// the answer is old when it arrives.
    async fn knows(&self, effect: Effect) -> Result<bool, StoreError>;

    /// Appends an effect without asking the ledger. For wrong consumers.
    async fn append_effect(&self, effect: Effect) -> Result<(), StoreError>;

    /// Remembers an event without an effect. For wrong consumers.
    async fn remember(&self, effect: Effect) -> Result<(), StoreError>;
}

/// An effect that somebody else's system shall have, as it waits in the outbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// Names the row in [`Outbox::done`].
    pub id: i64,
    /// The client.
    pub client: ClientNo,
    /// The event's id.
    pub event_id: String,
    /// What changes.
    pub subject: Subject,
    /// To which version.
    pub version: Version,
}

/// Where effects wait for the call that makes them happen elsewhere.
///
/// # Promises
///
/// - A row is written in the transaction of its ledger entry: neither is ever there without the other.
/// - A row is handed to one caller at a time, and comes again after reopening until it is marked
///   done. So calls are made at least once.
/// - [`done`](Outbox::done) is durable on return.
#[async_trait]
pub trait Outbox: Send + Sync {
    /// The next row, waiting for it.
    async fn next(&self) -> Outgoing;

    /// Marks a row done.
    async fn done(&self, id: i64) -> Result<(), StoreError>;

    /// Rows not done, those under way included.
    fn depth(&self) -> u64;
}

/// What somebody else's system answers to a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallAnswer {
    /// The effect happened now.
    Effected,
    /// The key was known and honoured: the effect had happened.
    Known,
    /// Nothing happened, there were too many calls: come again after this.
    TooMany(Span),
}

/// Somebody else's system, in which effects happen. It outlives the caller's process and knows
/// nothing of the caller's stores; what it did is read back from its own after the run.
#[async_trait]
pub trait Downstream: Send + Sync {
    /// Asks for an effect under an idempotency key. What it says of an effect is durable over there on
    /// return.
    async fn call(&self, key: String, wanted: Outgoing) -> Result<CallAnswer, StoreError>;
}

/// Where a polling client's cursor lives, per run.
#[async_trait]
pub trait CursorStore: Send + Sync {
    /// The cursor last saved.
    async fn load(&self, client: ClientNo) -> Result<Option<String>, StoreError>;

    /// Saves a cursor; durable on return.
    async fn save(&self, client: ClientNo, cursor: String) -> Result<(), StoreError>;
}

/// Tells the instant to stamp a row with.
pub type Clockwork = Arc<dyn Fn() -> Time + Send + Sync>;

/// What a ledger needs from outside: it reads no clock and knows no crash points itself.
#[derive(Clone)]
pub struct LedgerHooks {
    /// The instant to stamp an effect with; asked just before its transaction commits.
    pub now: Clockwork,
    /// Called between an effect's row and its ledger entry becoming permanent: just before the
    /// commit that holds both, or between the two writes where they are two.
    pub between_effect_and_ledger: Arc<dyn Fn() + Send + Sync>,
}

/// Opens a queue in `dir` that keeps copies.
pub fn open_queue(kind: QueueKind, dir: &Path) -> Result<Arc<dyn Queue>, StoreError> {
    open_queue_with(kind, Copies::Keep, dir)
}

/// Opens a queue in `dir`. The one in memory keeps copies in any case: what it could remember of
/// them would be gone with its process.
pub fn open_queue_with(kind: QueueKind, copies: Copies, dir: &Path) -> Result<Arc<dyn Queue>, StoreError> {
    Ok(match kind {
        QueueKind::Memory => Arc::new(memory::MemoryQueue::default()),
        QueueKind::Sqlite => Arc::new(sqlite::SqliteQueue::open(&dir.join(sqlite::QUEUE_FILE), copies)?),
    })
}

/// Opens a ledger in `dir`. Every kind appends its effects to the same durable file.
pub fn open_ledger(
    kind: LedgerKind,
    dir: &Path,
    run_id: RunId,
    ttl: Option<Span>,
    hooks: LedgerHooks,
) -> Result<Arc<dyn Ledger>, StoreError> {
    let path = dir.join(sqlite::LEDGER_FILE);
    Ok(Arc::new(sqlite::SqliteLedger::open(&path, run_id, memory_of(kind), ttl, hooks)?))
}

/// A ledger and the outbox in its file.
pub type WithOutbox = (Arc<dyn Ledger>, Arc<dyn Outbox>);

/// Opens a ledger in `dir` whose effects are to happen elsewhere: in their place it writes rows into
/// the outbox that comes with it.
pub fn open_ledger_with_outbox(
    kind: LedgerKind,
    dir: &Path,
    run_id: RunId,
    ttl: Option<Span>,
    hooks: LedgerHooks,
) -> Result<WithOutbox, StoreError> {
    let path = dir.join(sqlite::LEDGER_FILE);
    let both = Arc::new(sqlite::SqliteLedger::open_with_outbox(&path, run_id, memory_of(kind), ttl, hooks)?);
    Ok((Arc::clone(&both) as Arc<dyn Ledger>, both))
}

fn memory_of(kind: LedgerKind) -> sqlite::Memory {
    match kind {
        LedgerKind::None => sqlite::Memory::Nothing,
        LedgerKind::Memory => sqlite::Memory::InProcess(Default::default()),
        LedgerKind::Sqlite => sqlite::Memory::InTransaction,
    }
}

/// Opens the system that effects are asked of; its file lies in `dir`.
pub fn open_downstream(
    dir: &Path,
    run_id: RunId,
    (honours_key, limit): (bool, Option<CallLimit>),
    now: Clockwork,
) -> Result<Arc<dyn Downstream>, StoreError> {
    Ok(Arc::new(sqlite::SqliteDownstream::open(&dir.join(sqlite::DOWNSTREAM_FILE), run_id, (honours_key, limit), now)?))
}

/// Locks the durable queue in `dir` from outside: its consumer has to wait.
pub fn lock_queue(dir: &Path) -> Result<StoreLock, StoreError> {
    StoreLock::take(&dir.join(sqlite::QUEUE_FILE))
}

/// Locks the durable ledger in `dir` from outside: its consumer has to wait.
pub fn lock_ledger(dir: &Path) -> Result<StoreLock, StoreError> {
    StoreLock::take(&dir.join(sqlite::LEDGER_FILE))
}

/// Opens the cursors in `dir`.
pub fn open_cursors(dir: &Path, run_id: RunId) -> Result<Arc<dyn CursorStore>, StoreError> {
    Ok(Arc::new(sqlite::SqliteCursors::open(&dir.join(sqlite::CURSOR_FILE), run_id)?))
}
