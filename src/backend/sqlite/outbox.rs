//! The outbox: rows that are written in the ledger's transaction and wait for their call.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
};

use rusqlite::{Connection, Transaction, params};
use tokio::sync::Notify;

use crate::backend::{Effect, Outgoing};

/// The outbox's table, in the ledger's file.
pub(super) const TABLES: &str = "
    CREATE TABLE IF NOT EXISTS outbox (
        id INTEGER PRIMARY KEY AUTOINCREMENT, client INTEGER NOT NULL, event_id TEXT NOT NULL,
        subject INTEGER NOT NULL, version INTEGER NOT NULL);";

/// Writes a row within the transaction that holds the ledger's entry.
pub(super) fn insert(transaction: &Transaction<'_>, effect: &Effect) -> rusqlite::Result<Outgoing> {
    let id = transaction
        .prepare_cached("INSERT INTO outbox (client, event_id, subject, version) VALUES (?1, ?2, ?3, ?4)")?
        .insert(params![effect.client, effect.event_id, effect.subject, effect.version])?;
    let Effect { client, event_id, subject, version, .. } = effect.clone();
    Ok(Outgoing { id, client, event_id, subject, version })
}

/// Marks a row done: it is gone.
pub(super) fn mark(transaction: &Transaction<'_>, id: i64) -> rusqlite::Result<()> {
    transaction.prepare_cached("DELETE FROM outbox WHERE id = ?1")?.execute([id]).map(|_| ())
}

/// The rows that an earlier process left, in their order.
pub(super) fn left(connection: &Connection) -> rusqlite::Result<Vec<Outgoing>> {
    let mut rows = connection.prepare("SELECT id, client, event_id, subject, version FROM outbox ORDER BY id")?;
    let read = |row: &rusqlite::Row<'_>| {
        Ok(Outgoing {
            id: row.get(0)?,
            client: row.get(1)?,
            event_id: row.get(2)?,
            subject: row.get(3)?,
            version: row.get(4)?,
        })
    };
    rows.query_map([], read)?.collect()
}

/// What waits in memory for a call. What is under way is counted as well.
#[derive(Default)]
pub(super) struct Line {
    state: Mutex<State>,
    arrived: Notify,
}

#[derive(Default)]
struct State {
    ready: VecDeque<Outgoing>,
    open: u64,
}

impl Line {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn push(&self, rows: Vec<Outgoing>) {
        let mut state = self.state();
        state.open += rows.len() as u64;
        state.ready.extend(rows);
        drop(state);
        self.arrived.notify_one();
    }

    pub async fn next(&self) -> Outgoing {
        loop {
            // Registered before looking, so that an arrival in between is not missed.
            let arrived = self.arrived.notified();
            if let Some(next) = self.pop() {
                return next;
            }
            arrived.await;
        }
    }

    fn pop(&self) -> Option<Outgoing> {
        let mut state = self.state();
        let next = state.ready.pop_front();
        if !state.ready.is_empty() {
            self.arrived.notify_one();
        }
        next
    }

    /// One of them is done.
    pub fn close(&self) {
        let mut state = self.state();
        state.open = state.open.saturating_sub(1);
    }

    pub fn depth(&self) -> u64 {
        self.state().open
    }
}
