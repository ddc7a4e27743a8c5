//! SQLite in WAL mode with `synchronous=FULL`: durable on return against `kill -9` and power loss.
//!
//! One writer thread per file takes whatever calls wait, up to a bound, into one transaction
//! (group commit): the more callers wait, the less each pays for the disk.

mod cursors;
mod downstream;
mod ledger;
mod lock;
mod outbox;
mod queue;
mod writer;

pub(super) use cursors::SqliteCursors;
pub(super) use downstream::SqliteDownstream;
pub(super) use ledger::{Memory, SqliteLedger};
pub use lock::StoreLock;
pub(super) use queue::{ITEM_COLUMNS, SqliteQueue, read_item};

use std::path::Path;

use rusqlite::{Connection, OpenFlags};

use super::StoreError;

/// The queue's file.
pub(super) const QUEUE_FILE: &str = "queue.db";
/// The ledger's and effects' file.
pub(super) const LEDGER_FILE: &str = "ledger.db";
/// The cursors' file.
pub(super) const CURSOR_FILE: &str = "cursors.db";

/// The file of a system that is called.
pub(super) const DOWNSTREAM_FILE: &str = "downstream.db";

/// Names the file in an error.
pub(super) fn error_in(path: &Path) -> impl Fn(rusqlite::Error) -> StoreError + Send + use<> {
    let path = path.to_owned();
    move |error| StoreError::from_sqlite(&path, &error)
}

/// Opens a file for writing, creating it and its folder, and makes its tables.
fn open(path: &Path, tables: &str) -> Result<Connection, StoreError> {
    let wrong = error_in(path);
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(|error| StoreError::from_io(folder, &error))?;
    }
    let connection = Connection::open(path).map_err(&wrong)?;
    connection
        .execute_batch(
            "PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
             PRAGMA wal_autocheckpoint = 4000;",
        )
        .map_err(&wrong)?;
    connection.execute_batch(tables).map_err(&wrong)?;
    Ok(connection)
}

/// Opens a file for reading; `None` where there is none.
pub(super) fn open_to_read(path: &Path) -> Result<Option<Connection>, StoreError> {
    if !path.exists() {
        return Ok(None);
    }
    // Read-write, so that a log which a killed process left behind is taken in.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    Connection::open_with_flags(path, flags).map(Some).map_err(error_in(path))
}
