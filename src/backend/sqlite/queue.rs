//! The queue: rows on disk, and the same items in memory in the order they are to be taken.

use std::{
    collections::VecDeque,
    path::Path,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use async_trait::async_trait;
use rusqlite::{Row, Transaction, params};
use tokio::sync::{Notify, oneshot};

use super::{
    StoreError, error_in, open,
    writer::{Call, Writer},
};
use crate::{
    backend::{Copies, Durability, Item, Kept, Leased, Queue},
    model::Time,
};

const TABLES: &str = "
    CREATE TABLE IF NOT EXISTS queue (
        id INTEGER PRIMARY KEY, client INTEGER NOT NULL, event_id TEXT NOT NULL,
        subject INTEGER NOT NULL, version INTEGER NOT NULL, received_at INTEGER NOT NULL,
        tries INTEGER NOT NULL DEFAULT 0);
    CREATE TABLE IF NOT EXISTS dead_letter (
        id INTEGER PRIMARY KEY, client INTEGER NOT NULL, event_id TEXT NOT NULL,
        subject INTEGER NOT NULL, version INTEGER NOT NULL, received_at INTEGER NOT NULL);
    CREATE TABLE IF NOT EXISTS accepted (
        client INTEGER NOT NULL, event_id TEXT NOT NULL, PRIMARY KEY (client, event_id)) WITHOUT ROWID;";

/// The columns that [`read_item`] reads.
pub(in crate::backend) const ITEM_COLUMNS: &str = "client, event_id, subject, version, received_at";

/// A durable queue.
pub(in crate::backend) struct SqliteQueue {
    writer: Writer<QueueCall>,
    line: Arc<Line>,
    copies: Copies,
}

/// The lease of an item that was left out as a copy; rows count from 1.
const COPY: u64 = 0;

/// What waits in memory. Rows that are leased are on disk only.
#[derive(Default)]
struct Line {
    ready: Mutex<VecDeque<Leased>>,
    arrived: Notify,
    depth: AtomicU64,
    /// The id of the next row. An id names a lease, so none comes twice within a process; leases do not
    /// outlive it. SQLite's AUTOINCREMENT would promise more, for another page in every commit.
    next_id: AtomicU64,
}

impl Line {
    fn ready(&self) -> MutexGuard<'_, VecDeque<Leased>> {
        self.ready.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets workers have what a commit has kept.
    fn admit(&self, items: Vec<Item>, leases: Vec<u64>) -> Kept {
        let copies: Vec<usize> = (0..leases.len()).filter(|place| leases[*place] == COPY).collect();
        self.depth.fetch_add((items.len() - copies.len()) as u64, Ordering::Relaxed);
        let pairs = leases.into_iter().zip(items).filter(|(lease, _)| *lease != COPY);
        self.push(pairs.map(|(lease, item)| Leased { lease, tries: 0, item }));
        Kept { copies }
    }

    fn push(&self, items: impl IntoIterator<Item = Leased>) {
        self.ready().extend(items);
        self.arrived.notify_one();
    }
}

enum QueueCall {
    Put { items: Vec<Item>, copies: Copies, leases: Vec<u64>, answer: oneshot::Sender<Result<Kept, StoreError>> },
    Done { leases: Vec<u64>, removed: u64 },
    Retry { leased: Leased, answer: oneshot::Sender<Result<(), StoreError>> },
    Bury { leased: Leased, answer: oneshot::Sender<Result<(), StoreError>> },
}

impl SqliteQueue {
    /// Opens the file and takes up what an earlier process left.
    pub fn open(path: &Path, copies: Copies) -> Result<SqliteQueue, StoreError> {
        let connection = open(path, TABLES)?;
        let line = Arc::new(Line::default());
        {
            let wrong = error_in(path);
            let mut rows = connection
                .prepare(&format!("SELECT {ITEM_COLUMNS}, id, tries FROM queue ORDER BY id"))
                .map_err(&wrong)?;
            let left = rows
                .query_map([], |row| {
                    Ok(Leased { lease: row.get::<_, i64>(5)? as u64, tries: row.get(6)?, item: read_item(row)? })
                })
                .map_err(&wrong)?;
            let left: Vec<Leased> = left.collect::<Result<_, _>>().map_err(&wrong)?;
            line.depth.store(left.len() as u64, Ordering::Relaxed);
            line.next_id.store(left.last().map_or(0, |last| last.lease) + 1, Ordering::Relaxed);
            line.push(left);
        }
        let writer = Writer::start(path, connection, Arc::clone(&line), Box::new(|_| {}))?;
        Ok(SqliteQueue { writer, line, copies })
    }
}

/// Reads an item from a row that starts with [`ITEM_COLUMNS`].
pub(in crate::backend) fn read_item(row: &Row<'_>) -> rusqlite::Result<Item> {
    Ok(Item {
        client: row.get(0)?,
        event_id: row.get(1)?,
        subject: row.get(2)?,
        version: row.get(3)?,
        // Written from a u64 of nanoseconds below 292 years.
        received_at: Time(row.get::<_, i64>(4)?.max(0) as u64),
    })
}

impl Call for QueueCall {
    type Shared = Arc<Line>;

    fn run(&mut self, line: &mut Arc<Line>, transaction: &Transaction<'_>) -> rusqlite::Result<()> {
        match self {
            QueueCall::Put { items, copies, leases, .. } => {
                let mut claim = transaction
                    .prepare_cached("INSERT INTO accepted (client, event_id) VALUES (?1, ?2) ON CONFLICT DO NOTHING")?;
                let mut insert = transaction.prepare_cached(
                    "INSERT INTO queue (id, client, event_id, subject, version, received_at)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                )?;
                for item in items {
                    // Whoever inserts the claim has the right to the row.
                    if *copies == Copies::Suppress && claim.execute(params![item.client, item.event_id])? == 0 {
                        leases.push(COPY);
                        continue;
                    }
                    let at = item.received_at.0 as i64;
                    let id = line.next_id.fetch_add(1, Ordering::Relaxed);
                    insert.execute(params![id as i64, item.client, item.event_id, item.subject, item.version, at])?;
                    leases.push(id);
                }
            }
            QueueCall::Done { leases, removed } => {
                let mut delete = transaction.prepare_cached("DELETE FROM queue WHERE id = ?1")?;
                for lease in leases {
                    *removed += delete.execute([*lease as i64])? as u64;
                }
            }
            QueueCall::Retry { leased, .. } => {
                transaction
                    .prepare_cached("UPDATE queue SET tries = tries + 1 WHERE id = ?1")?
                    .execute([leased.lease as i64])?;
            }
            QueueCall::Bury { leased, .. } => {
                let insert =
                    format!("INSERT INTO dead_letter ({ITEM_COLUMNS}) SELECT {ITEM_COLUMNS} FROM queue WHERE id = ?1");
                transaction.prepare_cached(&insert)?.execute([leased.lease as i64])?;
                transaction.prepare_cached("DELETE FROM queue WHERE id = ?1")?.execute([leased.lease as i64])?;
            }
        }
        Ok(())
    }

    fn finish(self, line: &mut Arc<Line>, committed: Result<(), StoreError>) {
        match self {
            QueueCall::Put { items, leases, answer, .. } => {
                let _ = answer.send(committed.map(|()| line.admit(items, leases)));
            }
            // An item that is not forgotten comes again, and the ledger knows it.
            QueueCall::Done { removed, .. } => {
                if committed.is_ok() {
                    line.depth.fetch_sub(removed, Ordering::Relaxed);
                }
            }
            QueueCall::Retry { leased, answer } => {
                line.push([Leased { tries: leased.tries + 1, ..leased }]);
                let _ = answer.send(committed);
            }
            QueueCall::Bury { leased, answer } => {
                match &committed {
                    Ok(()) => drop(line.depth.fetch_sub(1, Ordering::Relaxed)),
                    Err(_) => line.push([leased]),
                }
                let _ = answer.send(committed);
            }
        }
    }
}

#[async_trait]
impl Queue for SqliteQueue {
    fn durability(&self) -> Durability {
        Durability::PowerLoss
    }

    async fn put(&self, items: Vec<Item>) -> Result<Kept, StoreError> {
        let (answer, answered) = oneshot::channel();
        let leases = Vec::with_capacity(items.len());
        self.writer.send(QueueCall::Put { items, copies: self.copies, leases, answer })?;
        self.writer.answer(answered).await
    }

    async fn take(&self, max: usize) -> Vec<Leased> {
        loop {
            // Registered before looking, so that an arrival in between is not missed.
            let arrived = self.line.arrived.notified();
            {
                let mut ready = self.line.ready();
                let count = max.min(ready.len());
                if count > 0 {
                    let taken = ready.drain(..count).collect();
                    if !ready.is_empty() {
                        self.line.arrived.notify_one();
                    }
                    return taken;
                }
            }
            arrived.await;
        }
    }

    async fn done(&self, leases: &[u64]) -> Result<(), StoreError> {
        self.writer.send(QueueCall::Done { leases: leases.to_vec(), removed: 0 })
    }

    async fn retry(&self, leased: Leased) -> Result<(), StoreError> {
        let (answer, answered) = oneshot::channel();
        self.writer.send(QueueCall::Retry { leased, answer })?;
        self.writer.answer(answered).await
    }

    async fn bury(&self, leased: Leased) -> Result<(), StoreError> {
        let (answer, answered) = oneshot::channel();
        self.writer.send(QueueCall::Bury { leased, answer })?;
        self.writer.answer(answered).await
    }

    fn depth(&self) -> u64 {
        self.line.depth.load(Ordering::Relaxed)
    }

    fn volatile_residue(&self) -> (Vec<Item>, Vec<Item>) {
        (Vec::new(), Vec::new())
    }
}
