//! A lock on a store's file, held from outside: what a backup, a migration or an operator does to a
//! database at the wrong moment.

use std::{path::Path, time::Duration};

use rusqlite::{Connection, OpenFlags};

use super::{StoreError, error_in};

/// How long to try for the lock while a consumer keeps writing.
const PATIENCE: Duration = Duration::from_secs(5);

/// Nobody else can write to the file while this lives.
pub struct StoreLock {
    /// Its open transaction ends with it.
    _connection: Connection,
}

impl StoreLock {
    /// Locks a file that is there. Blocks for as long as others hold it, up to a bound.
    pub fn take(path: &Path) -> Result<StoreLock, StoreError> {
        let wrong = error_in(path);
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags).map_err(&wrong)?;
        connection.busy_timeout(PATIENCE).map_err(&wrong)?;
        connection.execute_batch("BEGIN EXCLUSIVE").map_err(&wrong)?;
        Ok(StoreLock { _connection: connection })
    }
}
