//! Somebody else's system, which is called for an effect: its own file, its own transactions.

use std::path::Path;

use async_trait::async_trait;
use rusqlite::{Transaction, params};
use tokio::sync::oneshot;

use super::{
    StoreError, open,
    writer::{Call, Writer},
};
use crate::{
    backend::{Clockwork, Downstream, Outgoing},
    model::RunId,
};

const TABLES: &str = "
    CREATE TABLE IF NOT EXISTS call (
        id INTEGER PRIMARY KEY, run_id TEXT NOT NULL, key TEXT NOT NULL, client INTEGER NOT NULL,
        event_id TEXT NOT NULL, at INTEGER NOT NULL, effected INTEGER NOT NULL);
    CREATE INDEX IF NOT EXISTS call_key ON call (key);";

/// The system.
pub(in crate::backend) struct SqliteDownstream {
    writer: Writer<Order>,
}

struct Books {
    run_id: String,
    /// Whether a key that it has seen is answered without a further effect.
    honours_key: bool,
    now: Clockwork,
}

struct Order {
    key: String,
    wanted: Outgoing,
    effected: bool,
    answer: oneshot::Sender<Result<bool, StoreError>>,
}

impl SqliteDownstream {
    /// Opens its file.
    pub fn open(path: &Path, run_id: RunId, honours_key: bool, now: Clockwork) -> Result<SqliteDownstream, StoreError> {
        let books = Books { run_id: run_id.to_string(), honours_key, now };
        Ok(SqliteDownstream { writer: Writer::start(path, open(path, TABLES)?, books, Box::new(|_| {}))? })
    }
}

impl Call for Order {
    type Shared = Books;

    fn run(&mut self, books: &mut Books, transaction: &Transaction<'_>) -> rusqlite::Result<()> {
        let seen: bool = transaction
            .prepare_cached("SELECT EXISTS (SELECT 1 FROM call WHERE key = ?1)")?
            .query_row([&self.key], |row| row.get(0))?;
        self.effected = !(seen && books.honours_key);
        let Outgoing { client, event_id, .. } = &self.wanted;
        let at = (books.now)().0 as i64;
        transaction
            .prepare_cached(
                "INSERT INTO call (run_id, key, client, event_id, at, effected) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?
            .execute(params![books.run_id, self.key, client, event_id, at, self.effected])?;
        Ok(())
    }

    fn finish(self, _books: &mut Books, committed: Result<(), StoreError>) {
        let _ = self.answer.send(committed.map(|()| self.effected));
    }
}

#[async_trait]
impl Downstream for SqliteDownstream {
    async fn call(&self, key: String, wanted: Outgoing) -> Result<bool, StoreError> {
        let (answer, answered) = oneshot::channel();
        self.writer.send(Order { key, wanted, effected: false, answer })?;
        self.writer.answer(answered).await
    }
}
