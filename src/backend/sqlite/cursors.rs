//! Cursors: one row per (run, client), because another run is another log.

use std::path::Path;

use async_trait::async_trait;
use rusqlite::{OptionalExtension, Transaction, params};
use tokio::sync::oneshot;

use super::{
    StoreError, open,
    writer::{Call, Writer},
};
use crate::{
    backend::CursorStore,
    model::{ClientNo, RunId},
};

const TABLES: &str = "
    CREATE TABLE IF NOT EXISTS cursor (
        run_id TEXT NOT NULL, client INTEGER NOT NULL, position TEXT NOT NULL,
        PRIMARY KEY (run_id, client)) WITHOUT ROWID;";

/// Durable cursors.
pub(in crate::backend) struct SqliteCursors {
    writer: Writer<CursorCall>,
}

enum CursorCall {
    Load { client: ClientNo, found: Option<String>, answer: oneshot::Sender<Result<Option<String>, StoreError>> },
    Save { client: ClientNo, cursor: String, answer: oneshot::Sender<Result<(), StoreError>> },
}

impl SqliteCursors {
    /// Opens the file.
    pub fn open(path: &Path, run_id: RunId) -> Result<SqliteCursors, StoreError> {
        let connection = open(path, TABLES)?;
        Ok(SqliteCursors { writer: Writer::start(path, connection, run_id.to_string(), Box::new(|_| {}))? })
    }
}

impl Call for CursorCall {
    /// The run id.
    type Shared = String;

    fn run(&mut self, run_id: &mut String, transaction: &Transaction<'_>) -> rusqlite::Result<()> {
        let run_id: &str = run_id;
        match self {
            CursorCall::Load { client, found, .. } => {
                *found = transaction
                    .prepare_cached("SELECT position FROM cursor WHERE run_id = ?1 AND client = ?2")?
                    .query_row(params![run_id, *client], |row| row.get(0))
                    .optional()?;
            }
            CursorCall::Save { client, cursor, .. } => {
                transaction
                    .prepare_cached("INSERT OR REPLACE INTO cursor (run_id, client, position) VALUES (?1, ?2, ?3)")?
                    .execute(params![run_id, *client, *cursor])?;
            }
        }
        Ok(())
    }

    fn finish(self, _run_id: &mut String, committed: Result<(), StoreError>) {
        match self {
            CursorCall::Load { found, answer, .. } => drop(answer.send(committed.map(|()| found))),
            CursorCall::Save { answer, .. } => drop(answer.send(committed)),
        }
    }
}

#[async_trait]
impl CursorStore for SqliteCursors {
    async fn load(&self, client: ClientNo) -> Result<Option<String>, StoreError> {
        let (answer, answered) = oneshot::channel();
        self.writer.send(CursorCall::Load { client, found: None, answer })?;
        self.writer.answer(answered).await
    }

    async fn save(&self, client: ClientNo, cursor: String) -> Result<(), StoreError> {
        let (answer, answered) = oneshot::channel();
        self.writer.send(CursorCall::Save { client, cursor, answer })?;
        self.writer.answer(answered).await
    }
}
