//! Somebody else's system, which is called for an effect: its own file, its own transactions.

use std::path::Path;

use async_trait::async_trait;
use rusqlite::{OptionalExtension, Transaction, params};
use tokio::sync::oneshot;

use super::{
    StoreError, open,
    writer::{Call, Writer},
};
use crate::{
    backend::{CallAnswer, Clockwork, Downstream, Outgoing},
    model::{ClientNo, RunId, Span, Time},
    scenario::CallLimit,
};

const TABLES: &str = "
    CREATE TABLE IF NOT EXISTS call (
        id INTEGER PRIMARY KEY, run_id TEXT NOT NULL, key TEXT NOT NULL, client INTEGER NOT NULL,
        event_id TEXT NOT NULL, at INTEGER NOT NULL, effected INTEGER NOT NULL);
    CREATE INDEX IF NOT EXISTS call_key ON call (key);
    CREATE INDEX IF NOT EXISTS call_client ON call (client, id);";

/// The system.
pub(in crate::backend) struct SqliteDownstream {
    writer: Writer<Order>,
}

struct Books {
    run_id: String,
    /// Whether a key that it has seen is answered without a further effect.
    honours_key: bool,
    limit: Option<CallLimit>,
    now: Clockwork,
}

struct Order {
    key: String,
    wanted: Outgoing,
    said: CallAnswer,
    answer: oneshot::Sender<Result<CallAnswer, StoreError>>,
}

impl SqliteDownstream {
    /// Opens its file.
    pub fn open(
        path: &Path,
        run_id: RunId,
        (honours_key, limit): (bool, Option<CallLimit>),
        now: Clockwork,
    ) -> Result<SqliteDownstream, StoreError> {
        let books = Books { run_id: run_id.to_string(), honours_key, limit, now };
        Ok(SqliteDownstream { writer: Writer::start(path, open(path, TABLES)?, books, Box::new(|_| {}))? })
    }
}

impl Books {
    /// How long a client has to wait until its next call is taken; nothing where it is taken now. What was
    /// taken is read off the calls themselves, so a limit outlives whoever calls.
    fn must_wait(&self, transaction: &Transaction<'_>, client: ClientNo, now: Time) -> rusqlite::Result<Option<Span>> {
        let Some(limit) = self.limit else { return Ok(None) };
        let oldest_that_counts: Option<i64> = transaction
            .prepare_cached("SELECT at FROM call WHERE client = ?1 AND run_id = ?2 ORDER BY id DESC LIMIT 1 OFFSET ?3")?
            .query_row(params![client, self.run_id, limit.count - 1], |row| row.get(0))
            .optional()?;
        let free_at = oldest_that_counts.map(|at| Time(at.max(0) as u64) + limit.per);
        Ok(free_at.filter(|free_at| *free_at > now).map(|free_at| free_at.since(now)))
    }
}

impl Call for Order {
    type Shared = Books;

    fn run(&mut self, books: &mut Books, transaction: &Transaction<'_>) -> rusqlite::Result<()> {
        let Outgoing { client, event_id, .. } = &self.wanted;
        let now = (books.now)();
        if let Some(wait) = books.must_wait(transaction, *client, now)? {
            self.said = CallAnswer::TooMany(wait);
            return Ok(());
        }
        let seen: bool = transaction
            .prepare_cached("SELECT EXISTS (SELECT 1 FROM call WHERE key = ?1)")?
            .query_row([&self.key], |row| row.get(0))?;
        self.said = if seen && books.honours_key { CallAnswer::Known } else { CallAnswer::Effected };
        let effected = self.said == CallAnswer::Effected;
        transaction
            .prepare_cached(
                "INSERT INTO call (run_id, key, client, event_id, at, effected) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?
            .execute(params![books.run_id, self.key, client, event_id, now.0 as i64, effected])?;
        Ok(())
    }

    fn finish(self, _books: &mut Books, committed: Result<(), StoreError>) {
        let _ = self.answer.send(committed.map(|()| self.said));
    }
}

#[async_trait]
impl Downstream for SqliteDownstream {
    async fn call(&self, key: String, wanted: Outgoing) -> Result<CallAnswer, StoreError> {
        let (answer, answered) = oneshot::channel();
        self.writer.send(Order { key, wanted, said: CallAnswer::Known, answer })?;
        self.writer.answer(answered).await
    }
}
