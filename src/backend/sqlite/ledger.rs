//! Effects and the ledger: one file, one transaction.

use std::{collections::HashMap, path::Path, sync::Arc};

use async_trait::async_trait;
use rusqlite::{OptionalExtension, Transaction, params};
use tokio::sync::oneshot;

use super::{
    StoreError, error_in, open, outbox,
    writer::{Call, Writer},
};
use crate::{
    backend::{Effect, Ledger, LedgerHooks, Outbox, Outgoing},
    model::{ClientNo, EffectOutcome, RunId, Span},
    policy::stores::Guard,
};

const TABLES: &str = "
    CREATE TABLE IF NOT EXISTS ledger (
        client INTEGER NOT NULL, event_id TEXT NOT NULL, first_receipt INTEGER NOT NULL,
        PRIMARY KEY (client, event_id)) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS head (
        client INTEGER NOT NULL, subject INTEGER NOT NULL, run_id TEXT NOT NULL, version INTEGER NOT NULL,
        PRIMARY KEY (client, subject, run_id)) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS effect (
        id INTEGER PRIMARY KEY, run_id TEXT NOT NULL, client INTEGER NOT NULL, event_id TEXT NOT NULL,
        subject INTEGER NOT NULL, version INTEGER NOT NULL, at INTEGER NOT NULL, superseded INTEGER NOT NULL);";

/// Where events are remembered. The effects are in the file in any case.
pub(in crate::backend) enum Memory {
    /// Nowhere.
    Nothing,
    /// In the process: first receipts in Unix nanoseconds by (client, event).
    InProcess(HashMap<(ClientNo, String), u64>),
    /// In the effect's own transaction.
    InTransaction,
}

/// A ledger whose effects are on disk.
pub(in crate::backend) struct SqliteLedger {
    writer: Writer<LedgerCall>,
    /// What waits to be called; stays empty where effects happen here.
    line: Arc<outbox::Line>,
}

/// What the calls share.
struct Books {
    run_id: String,
    memory: Memory,
    ttl: Option<Span>,
    hooks: LedgerHooks,
    /// Where effects go that are to happen elsewhere.
    outbox: Option<Arc<outbox::Line>>,
    /// Rows of the outbox that the transaction under way has written.
    outgoing: Vec<Outgoing>,
    /// Whether the transaction under way holds an effect with its ledger entry.
    holds_both: bool,
}

enum LedgerCall {
    Apply {
        effects: Vec<Effect>,
        guard: Guard,
        outcomes: Vec<EffectOutcome>,
        answer: oneshot::Sender<Result<Vec<EffectOutcome>, StoreError>>,
    },
    Knows {
        effect: Effect,
        known: bool,
        answer: oneshot::Sender<Result<bool, StoreError>>,
    },
    AppendEffect {
        effect: Effect,
        answer: oneshot::Sender<Result<(), StoreError>>,
    },
    Remember {
        effect: Effect,
        answer: oneshot::Sender<Result<(), StoreError>>,
    },
    Mark {
        id: i64,
        answer: oneshot::Sender<Result<(), StoreError>>,
    },
}

impl SqliteLedger {
    /// Opens the file.
    pub fn open(
        path: &Path,
        run_id: RunId,
        memory: Memory,
        ttl: Option<Span>,
        hooks: LedgerHooks,
    ) -> Result<SqliteLedger, StoreError> {
        SqliteLedger::start(path, run_id, memory, ttl, hooks, None)
    }

    /// Opens the file of a ledger with an outbox, and takes up what an earlier process left in it.
    pub fn open_with_outbox(
        path: &Path,
        run_id: RunId,
        memory: Memory,
        ttl: Option<Span>,
        hooks: LedgerHooks,
    ) -> Result<SqliteLedger, StoreError> {
        SqliteLedger::start(path, run_id, memory, ttl, hooks, Some(Arc::default()))
    }

    fn start(
        path: &Path,
        run_id: RunId,
        memory: Memory,
        ttl: Option<Span>,
        hooks: LedgerHooks,
        outbox: Option<Arc<outbox::Line>>,
    ) -> Result<SqliteLedger, StoreError> {
        let connection = open(path, &[TABLES, outbox::TABLES].concat())?;
        let line = outbox.clone().unwrap_or_default();
        if outbox.is_some() {
            line.push(outbox::left(&connection).map_err(error_in(path))?);
        }
        let (run_id, outgoing) = (run_id.to_string(), Vec::new());
        let books = Books { run_id, memory, ttl, hooks, outbox, outgoing, holds_both: false };
        let before_commit = |books: &mut Books| {
            if std::mem::take(&mut books.holds_both) {
                (books.hooks.between_effect_and_ledger)();
            }
        };
        Ok(SqliteLedger { writer: Writer::start(path, connection, books, Box::new(before_commit))?, line })
    }
}

impl Books {
    /// Applies one effect, entry first.
    fn apply(
        &mut self,
        transaction: &Transaction<'_>,
        effect: &Effect,
        guard: Guard,
    ) -> rusqlite::Result<EffectOutcome> {
        if !self.claim(transaction, effect)? {
            return Ok(EffectOutcome::Duplicate);
        }
        if self.outbox.is_some() {
            self.outgoing.push(outbox::insert(transaction, effect)?);
            self.holds_both |= matches!(self.memory, Memory::InTransaction);
            return Ok(EffectOutcome::Applied);
        }
        let superseded = !self.may(transaction, effect, guard)?;
        self.append(transaction, effect, superseded)?;
        self.holds_both |= matches!(self.memory, Memory::InTransaction);
        Ok(if superseded { EffectOutcome::Stale } else { EffectOutcome::Applied })
    }

    /// Inserts the ledger's entry; true for the one caller who may go on.
    fn claim(&mut self, transaction: &Transaction<'_>, effect: &Effect) -> rusqlite::Result<bool> {
        match &self.memory {
            Memory::Nothing => Ok(true),
            // Written down in `finish`, after the effect: two stores cannot commit together.
            Memory::InProcess(known) => {
                let first = known.get(&(effect.client, effect.event_id.clone()));
                Ok(first.is_none_or(|first| self.forgotten(*first, effect.received_unix_ns)))
            }
            Memory::InTransaction => self.insert(transaction, effect),
        }
    }

    /// One statement that inserts, or takes over an entry whose time is up, and tells which.
    fn insert(&self, transaction: &Transaction<'_>, effect: &Effect) -> rusqlite::Result<bool> {
        // An entry from up to here is forgotten; without a TTL none is.
        let forgotten_until = match self.ttl {
            Some(ttl) => effect.received_unix_ns.saturating_sub(ttl.0) as i64,
            None => i64::MIN,
        };
        let changed = transaction
            .prepare_cached(
                "INSERT INTO ledger (client, event_id, first_receipt) VALUES (?1, ?2, ?3)
                 ON CONFLICT (client, event_id) DO UPDATE SET first_receipt = excluded.first_receipt
                 WHERE ledger.first_receipt <= ?4",
            )?
            .execute(params![effect.client, effect.event_id, effect.received_unix_ns as i64, forgotten_until])?;
        Ok(changed > 0)
    }

    fn forgotten(&self, first_receipt: u64, now_unix_ns: u64) -> bool {
        self.ttl.is_some_and(|ttl| now_unix_ns.saturating_sub(first_receipt) >= ttl.0)
    }

    /// Whether the effect may happen to its subject, which takes note of it in any case.
    fn may(&self, transaction: &Transaction<'_>, effect: &Effect, guard: Guard) -> rusqlite::Result<bool> {
        match guard {
            Guard::None => self.advance(transaction, effect).map(|_| true),
            Guard::Newest => self.advance(transaction, effect),
            Guard::First => self.take(transaction, effect),
        }
    }

    /// Takes the subject for this effect; false where another one has it. The row is its unique key: of two
    /// that come at once one inserts it.
    fn take(&self, transaction: &Transaction<'_>, effect: &Effect) -> rusqlite::Result<bool> {
        let changed = transaction
            .prepare_cached(
                "INSERT INTO head (client, subject, run_id, version) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT (client, subject, run_id) DO NOTHING",
            )?
            .execute(params![effect.client, effect.subject, self.run_id, effect.version])?;
        Ok(changed > 0)
    }

    /// Moves the subject's newest version on; false where it is beyond already. A copy of the newest
    /// one is no older version: that it happened twice must show.
    fn advance(&self, transaction: &Transaction<'_>, effect: &Effect) -> rusqlite::Result<bool> {
        let changed = transaction
            .prepare_cached(
                "INSERT INTO head (client, subject, run_id, version) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT (client, subject, run_id) DO UPDATE SET version = excluded.version
                 WHERE excluded.version >= head.version",
            )?
            .execute(params![effect.client, effect.subject, self.run_id, effect.version])?;
        Ok(changed > 0)
    }

    fn append(&self, transaction: &Transaction<'_>, effect: &Effect, superseded: bool) -> rusqlite::Result<()> {
        let at = (self.hooks.now)().0 as i64;
        transaction
            .prepare_cached(
                "INSERT INTO effect (run_id, client, event_id, subject, version, at, superseded)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            )?
            .execute(params![
                self.run_id,
                effect.client,
                effect.event_id,
                effect.subject,
                effect.version,
                at,
                superseded
            ])?;
        Ok(())
    }

    fn knows(&self, transaction: &Transaction<'_>, effect: &Effect) -> rusqlite::Result<bool> {
        let first_receipt = match &self.memory {
            Memory::Nothing => None,
            Memory::InProcess(known) => known.get(&(effect.client, effect.event_id.clone())).copied(),
            Memory::InTransaction => transaction
                .prepare_cached("SELECT first_receipt FROM ledger WHERE client = ?1 AND event_id = ?2")?
                .query_row(params![effect.client, effect.event_id], |row| row.get::<_, i64>(0))
                .optional()?
                .map(|first| first.max(0) as u64),
        };
        Ok(first_receipt.is_some_and(|first| !self.forgotten(first, effect.received_unix_ns)))
    }
}

impl Call for LedgerCall {
    type Shared = Books;

    fn run(&mut self, books: &mut Books, transaction: &Transaction<'_>) -> rusqlite::Result<()> {
        match self {
            LedgerCall::Apply { effects, guard, outcomes, .. } => {
                for effect in effects {
                    outcomes.push(books.apply(transaction, effect, *guard)?);
                    // Two copies in one batch: the second must find the first.
                    if let (Memory::InProcess(known), Some(EffectOutcome::Applied | EffectOutcome::Stale)) =
                        (&mut books.memory, outcomes.last())
                    {
                        known.insert((effect.client, effect.event_id.clone()), effect.received_unix_ns);
                    }
                }
            }
            LedgerCall::Mark { id, .. } => outbox::mark(transaction, *id)?,
            LedgerCall::Knows { effect, known, .. } => *known = books.knows(transaction, effect)?,
            LedgerCall::AppendEffect { effect, .. } => {
                books.advance(transaction, effect)?;
                books.append(transaction, effect, false)?;
            }
            LedgerCall::Remember { effect, .. } => {
                if let Memory::InProcess(known) = &mut books.memory {
                    known.insert((effect.client, effect.event_id.clone()), effect.received_unix_ns);
                } else {
                    books.insert(transaction, effect)?;
                }
            }
        }
        Ok(())
    }

    fn finish(self, books: &mut Books, committed: Result<(), StoreError>) {
        // A transaction that failed holds nothing any more.
        books.holds_both = false;
        let outgoing = std::mem::take(&mut books.outgoing);
        if let (Ok(()), Some(line)) = (&committed, &books.outbox)
            && !outgoing.is_empty()
        {
            line.push(outgoing);
        }
        match self {
            LedgerCall::Apply { effects, outcomes, answer, .. } => {
                if let (Err(_), Memory::InProcess(known)) = (&committed, &mut books.memory) {
                    // Nothing has happened: what was remembered ahead is taken back.
                    for (effect, outcome) in effects.iter().zip(&outcomes) {
                        if *outcome != EffectOutcome::Duplicate {
                            known.remove(&(effect.client, effect.event_id.clone()));
                        }
                    }
                }
                let _ = answer.send(committed.map(|()| outcomes));
            }
            LedgerCall::Knows { known, answer, .. } => drop(answer.send(committed.map(|()| known))),
            LedgerCall::Mark { answer, .. } => {
                if let (Ok(()), Some(line)) = (&committed, &books.outbox) {
                    line.close();
                }
                drop(answer.send(committed));
            }
            LedgerCall::AppendEffect { answer, .. } | LedgerCall::Remember { answer, .. } => {
                drop(answer.send(committed));
            }
        }
    }
}

#[async_trait]
impl Ledger for SqliteLedger {
    async fn apply(&self, effects: Vec<Effect>, guard: Guard) -> Result<Vec<EffectOutcome>, StoreError> {
        let (answer, answered) = oneshot::channel();
        let outcomes = Vec::with_capacity(effects.len());
        self.writer.send(LedgerCall::Apply { effects, guard, outcomes, answer })?;
        self.writer.answer(answered).await
    }

    async fn knows(&self, effect: Effect) -> Result<bool, StoreError> {
        let (answer, answered) = oneshot::channel();
        self.writer.send(LedgerCall::Knows { effect, known: false, answer })?;
        self.writer.answer(answered).await
    }

    async fn append_effect(&self, effect: Effect) -> Result<(), StoreError> {
        let (answer, answered) = oneshot::channel();
        self.writer.send(LedgerCall::AppendEffect { effect, answer })?;
        self.writer.answer(answered).await
    }

    async fn remember(&self, effect: Effect) -> Result<(), StoreError> {
        let (answer, answered) = oneshot::channel();
        self.writer.send(LedgerCall::Remember { effect, answer })?;
        self.writer.answer(answered).await
    }
}

#[async_trait]
impl Outbox for SqliteLedger {
    async fn next(&self) -> Outgoing {
        self.line.next().await
    }

    async fn done(&self, id: i64) -> Result<(), StoreError> {
        let (answer, answered) = oneshot::channel();
        self.writer.send(LedgerCall::Mark { id, answer })?;
        self.writer.answer(answered).await
    }

    fn depth(&self) -> u64 {
        self.line.depth()
    }
}
