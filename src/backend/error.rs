//! Why a store did not do as told, sorted by what the user can do about it.

use std::{fmt, path::Path};

/// A store's failure. Nothing of the failed call has been kept. Cheap to clone: one failed commit
/// fails many calls.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the store {store} {kind}: {problem}{}", kind.fix())]
pub struct StoreError {
    /// The file, or the engine.
    pub store: String,
    /// What kind of failure it is.
    pub kind: StoreFailure,
    /// The engine's words.
    pub problem: String,
}

/// Kinds of failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoreFailure {
    /// No space, or a limit on the file's size.
    Full,
    /// Another process holds it.
    Locked,
    /// The folder or file cannot be created, opened or written.
    Unwritable,
    /// Not a store of this version, or damaged.
    Damaged,
    /// Closed while it was asked.
    Closed,
    /// Anything else.
    Other,
}

impl StoreFailure {
    /// What to do about it, as the end of a message; empty where nobody can tell.
    fn fix(self) -> &'static str {
        match self {
            StoreFailure::Full => "; free disk space",
            StoreFailure::Locked => "; give each consumer a folder of its own",
            StoreFailure::Unwritable => "; check that the folder exists and may be written",
            StoreFailure::Damaged => "; move the file away",
            StoreFailure::Closed | StoreFailure::Other => "",
        }
    }
}

impl fmt::Display for StoreFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            StoreFailure::Full => "is full",
            StoreFailure::Locked => "is locked by another process",
            StoreFailure::Unwritable => "cannot be written",
            StoreFailure::Damaged => "is not one of this version, or damaged",
            StoreFailure::Closed => "is closed",
            StoreFailure::Other => "failed",
        })
    }
}

impl StoreError {
    /// Sorts SQLite's failure.
    pub(super) fn from_sqlite(path: &Path, error: &rusqlite::Error) -> StoreError {
        use rusqlite::{Error, ErrorCode};
        let kind = match (error.sqlite_error_code(), error) {
            (Some(ErrorCode::DiskFull | ErrorCode::TooBig), _) => StoreFailure::Full,
            (Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked), _) => StoreFailure::Locked,
            (Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly | ErrorCode::PermissionDenied), _) => {
                StoreFailure::Unwritable
            }
            (Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase), _) => StoreFailure::Damaged,
            // Columns that are missing or hold what this version never writes.
            (
                None,
                Error::FromSqlConversionFailure(..) | Error::IntegralValueOutOfRange(..) | Error::InvalidColumnType(..),
            ) => StoreFailure::Damaged,
            _ => StoreFailure::Other,
        };
        StoreError { store: path.display().to_string(), kind, problem: error.to_string() }
    }

    /// Sorts the file system's failure.
    pub(super) fn from_io(path: &Path, error: &std::io::Error) -> StoreError {
        use std::io::ErrorKind;
        let kind = match error.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => StoreFailure::Full,
            _ => StoreFailure::Unwritable,
        };
        StoreError { store: path.display().to_string(), kind, problem: error.to_string() }
    }
}
