//! The writer thread of one file: group commit.

use std::{
    path::Path,
    sync::{
        Mutex, PoisonError,
        mpsc::{Receiver, Sender, channel},
    },
    thread::JoinHandle,
    time::Duration,
};

use rusqlite::{Connection, Transaction};
use tokio::sync::oneshot;

use super::{StoreError, error_in};
use crate::backend::StoreFailure;

/// Calls in one transaction at most: bounds the wait of the first for the last.
const CALLS_PER_COMMIT: usize = 1_024;

/// The longest that SQLite can be told to wait: three weeks.
const FOR_EVER: Duration = Duration::from_millis(i32::MAX as u64);

/// One call's work: runs within the transaction, and is told afterwards whether it was committed.
pub(super) trait Call: Send + 'static {
    /// What the calls of one file share.
    type Shared;

    /// Does the work. An error rolls the whole transaction back.
    fn run(&mut self, shared: &mut Self::Shared, transaction: &Transaction<'_>) -> rusqlite::Result<()>;

    /// Answers the caller: the transaction is durable, or nothing of it has happened.
    fn finish(self, shared: &mut Self::Shared, committed: Result<(), StoreError>);
}

/// What happens just before a transaction commits.
pub(super) type BeforeCommit<S> = Box<dyn Fn(&mut S) + Send>;

/// A handle to the writer thread. Dropping it ends the thread when its calls are done.
pub(super) struct Writer<C: Call> {
    calls: Mutex<Option<Sender<C>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
    store: String,
}

impl<C: Call> Writer<C> {
    /// Starts the thread on an open connection.
    pub fn start(
        path: &Path,
        connection: Connection,
        shared: C::Shared,
        before_commit: BeforeCommit<C::Shared>,
    ) -> Result<Writer<C>, StoreError>
    where
        C::Shared: Send + 'static,
    {
        // Who has the file open waits, however long somebody else locks it up: nothing is lost by that.
        connection.busy_timeout(FOR_EVER).map_err(error_in(path))?;
        let (calls, waiting) = channel();
        let store = path.display().to_string();
        let wrong = error_in(path);
        let thread = std::thread::Builder::new()
            .name("store".to_owned())
            .spawn(move || write(connection, shared, &waiting, &before_commit, &wrong))
            .map_err(|error| StoreError {
                store: store.clone(),
                kind: StoreFailure::Other,
                problem: format!("no thread for its writer: {error}"),
            })?;
        Ok(Writer { calls: Mutex::new(Some(calls)), thread: Mutex::new(Some(thread)), store })
    }

    /// Hands a call over without waiting for it.
    pub fn send(&self, call: C) -> Result<(), StoreError> {
        let calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        match calls.as_ref().map(|calls| calls.send(call)) {
            Some(Ok(())) => Ok(()),
            _ => Err(self.gone()),
        }
    }

    /// Waits for a call's answer.
    pub async fn answer<T>(&self, answer: oneshot::Receiver<Result<T, StoreError>>) -> Result<T, StoreError> {
        answer.await.unwrap_or_else(|_| Err(self.gone()))
    }

    fn gone(&self) -> StoreError {
        StoreError { store: self.store.clone(), kind: StoreFailure::Closed, problem: "its writer has ended".to_owned() }
    }
}

impl<C: Call> Drop for Writer<C> {
    /// Waits until every call handed over is on disk.
    fn drop(&mut self) {
        drop(self.calls.lock().unwrap_or_else(PoisonError::into_inner).take());
        if let Some(thread) = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take() {
            let _ = thread.join();
        }
    }
}

fn write<C: Call>(
    mut connection: Connection,
    mut shared: C::Shared,
    waiting: &Receiver<C>,
    before_commit: &BeforeCommit<C::Shared>,
    wrong: &dyn Fn(rusqlite::Error) -> StoreError,
) {
    connection.set_prepared_statement_cache_capacity(32);
    while let Ok(first) = waiting.recv() {
        let mut calls = vec![first];
        calls.extend(waiting.try_iter().take(CALLS_PER_COMMIT - 1));
        let committed = commit(&mut connection, &mut shared, &mut calls, before_commit).map_err(wrong);
        for call in calls {
            call.finish(&mut shared, committed.clone());
        }
    }
}

fn commit<C: Call>(
    connection: &mut Connection,
    shared: &mut C::Shared,
    calls: &mut [C],
    before_commit: &BeforeCommit<C::Shared>,
) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    for call in calls.iter_mut() {
        call.run(shared, &transaction)?;
    }
    before_commit(shared);
    transaction.commit()
}
