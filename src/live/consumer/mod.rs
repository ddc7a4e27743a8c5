//! What a receiver and a poller share: a durable queue, workers, a ledger, cursors.
//!
//! ```text
//!   accept -> intake (one batch per commit) -> queue -> workers -> ledger + effect -> done
//!                 '- Receipt records            '- bounded tries -> dead letters
//! ```
//!
//! An event is accepted when the queue has it durably and its receipt is written down; only then
//! may anybody be told.

mod intake;
mod outbox;
mod pages;
#[cfg(test)]
mod tests;
mod worker;
pub mod wrong;

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use tokio::{
    sync::{mpsc, watch},
    task::{JoinHandle, JoinSet},
};

pub use self::intake::AcceptError;
use self::{intake::Offer, pages::Pages};
use super::{CrashPoints, Role, RoleError, clock::Clock, control::Progress};
use crate::{
    backend::{
        self, Copies, CursorStore, Downstream, Durability, Item, Ledger, LedgerHooks, Outbox, Queue, StoreError,
        volatile_records,
    },
    fault::{CrashPoint, TargetPath},
    model::{RunId, Time},
    record::{RecordLog, RecordSink},
    rng::Draws,
    scenario::{ConsumerNo, ConsumerPlan, EffectKind},
};

/// Offers that wait for the intake at most; more wait outside.
const OFFERS_WAITING: usize = 4_096;

/// A consumer's inner life. Shared by everything in its process.
pub struct Consumer {
    core: Arc<Core>,
    offers: mpsc::Sender<Offer>,
    offers_in: Mutex<Option<mpsc::Receiver<Offer>>>,
    workers: Mutex<JoinSet<()>>,
    intake: Mutex<Option<JoinHandle<()>>>,
    stop: watch::Sender<bool>,
    stores: PathBuf,
    executions: wrong::Executions,
}

/// What intake and workers share.
struct Core {
    number: ConsumerNo,
    plan: ConsumerPlan,
    run_id: RunId,
    draws: Draws,
    clock: Arc<OnceLock<Clock>>,
    queue: Arc<dyn Queue>,
    ledger: Arc<dyn Ledger>,
    external: Option<External>,
    cursors: Option<Arc<dyn CursorStore>>,
    records: Arc<RecordLog>,
    crash_points: CrashPoints,
    pages: Pages,
    counts: Counts,
    failure: OnceLock<StoreError>,
}

/// Running totals, for progress and metrics.
#[derive(Debug, Default)]
pub struct Counts {
    /// Receipts.
    pub accepted: AtomicU64,
    /// Effects applied.
    pub applied: AtomicU64,
    /// Duplicates suppressed, by the ledger or before their ack.
    pub duplicates: AtomicU64,
    /// Effects that a newer version overtook.
    pub stale: AtomicU64,
    /// Events buried.
    pub dead_lettered: AtomicU64,
}

/// What an effect in somebody else's system needs.
struct External {
    outbox: Arc<dyn Outbox>,
    downstream: Arc<dyn Downstream>,
}

impl Core {
    /// Now; zero before t0 is known, when nothing can have come yet.
    fn now(&self) -> Time {
        self.clock.get().map_or(Time::ZERO, Clock::now)
    }

    /// Remembers the first failure of a store: the role ends by it.
    fn fail(&self, error: StoreError) {
        let _ = self.failure.set(error);
    }
}

impl Consumer {
    /// Opens the stores of consumer `number` in the assignment's folder. Nothing is worked on yet.
    pub fn open(role: &Role, number: ConsumerNo) -> Result<Consumer, RoleError> {
        let assignment = &role.assignment;
        let plan = assignment.plan.consumers[usize::from(number)].clone();
        let (dir, run_id) = (&assignment.stores, assignment.plan.run_id);
        let crash_points = role.crash_points();
        let clock: Arc<OnceLock<Clock>> = Arc::default();
        let hooks = LedgerHooks {
            now: {
                let clock = Arc::clone(&clock);
                Arc::new(move || clock.get().map_or(Time::ZERO, Clock::now))
            },
            between_effect_and_ledger: {
                let crash_points = crash_points.clone();
                Arc::new(move || crash_points.reach(CrashPoint::BetweenEffectAndLedger))
            },
        };
        let (ledger, external) = open_business(&plan, dir, run_id, hooks)?;
        let core = Core {
            queue: backend::open_queue_with(plan.queue, copies_of(&plan), dir)?,
            ledger,
            external,
            cursors: if plan.polls() { Some(backend::open_cursors(dir, run_id)?) } else { None },
            number,
            plan,
            run_id,
            draws: Draws::new(assignment.plan.seed),
            clock,
            records: Arc::clone(&role.records),
            crash_points,
            pages: Pages::default(),
            counts: Counts::default(),
            failure: OnceLock::new(),
        };
        let (offers, offers_in) = mpsc::channel(OFFERS_WAITING);
        Ok(Consumer {
            core: Arc::new(core),
            offers,
            offers_in: Mutex::new(Some(offers_in)),
            workers: Mutex::new(JoinSet::new()),
            intake: Mutex::new(None),
            stop: watch::channel(false).0,
            stores: dir.clone(),
            executions: wrong::Executions::default(),
        })
    }

    /// Begins to work at t0. Must be called once, within the runtime.
    pub fn start(&self, clock: Clock) {
        let _ = self.core.clock.set(clock);
        let Some(offers) = self.offers_in.lock().unwrap_or_else(PoisonError::into_inner).take() else { return };
        let intake = tokio::spawn(intake::run(Arc::clone(&self.core), offers, self.stop.subscribe()));
        *self.intake.lock().unwrap_or_else(PoisonError::into_inner) = Some(intake);
        let mut workers = self.workers.lock().unwrap_or_else(PoisonError::into_inner);
        for _ in 0..self.core.plan.workers {
            workers.spawn(worker::run(Arc::clone(&self.core), self.stop.subscribe()));
            if self.core.external.is_some() {
                workers.spawn(outbox::run(Arc::clone(&self.core), self.stop.subscribe()));
            }
        }
    }

    /// Accepts one event: durable, and its receipt written down, when this returns.
    pub async fn accept(&self, item: Item) -> Result<(), AcceptError> {
        intake::offer(&self.offers, vec![item], TargetPath::Webhook).await
    }

    /// Accepts a page of events for a poller. Behind a queue that forgets, a page is safe only when
    /// it is applied: then this waits for that.
    pub async fn accept_page(&self, items: Vec<Item>) -> Result<(), AcceptError> {
        if self.core.queue.durability() > Durability::None {
            return intake::offer(&self.offers, items, TargetPath::Poll).await;
        }
        let keys: Vec<_> = items.iter().map(|item| (item.client, item.event_id.clone())).collect();
        let settled = self.core.pages.expect(&keys);
        if let Err(error) = intake::offer(&self.offers, items, TargetPath::Poll).await {
            self.core.pages.forget(&keys);
            return Err(error);
        }
        settled.wait().await;
        Ok(())
    }

    /// A polling client's durable cursor.
    pub async fn load_cursor(&self, client: u32) -> Result<Option<String>, RoleError> {
        match &self.core.cursors {
            Some(cursors) => Ok(cursors.load(client).await?),
            None => Ok(None),
        }
    }

    /// Saves a polling client's cursor, durably.
    pub async fn save_cursor(&self, client: u32, cursor: String) -> Result<(), RoleError> {
        match &self.core.cursors {
            Some(cursors) => Ok(cursors.save(client, cursor).await?),
            None => Ok(()),
        }
    }

    /// Running totals.
    #[must_use]
    pub fn counts(&self) -> &Counts {
        &self.core.counts
    }

    /// Events in the queue, those with a worker included.
    #[must_use]
    pub fn depth(&self) -> u64 {
        self.core.queue.depth()
    }

    /// How far it is.
    #[must_use]
    pub fn progress(&self) -> Progress {
        let counts = self.counts();
        Progress {
            accepted: counts.accepted.load(Ordering::Relaxed),
            applied: counts.applied.load(Ordering::Relaxed),
            duplicates: counts.duplicates.load(Ordering::Relaxed),
            waiting: self.depth() + self.core.external.as_ref().map_or(0, |external| external.outbox.depth()),
            ..Progress::default()
        }
    }

    /// The first failure of a store, after which nothing can be promised any more.
    pub fn check(&self) -> Result<(), RoleError> {
        match self.core.failure.get() {
            Some(error) => Err(error.clone().into()),
            None => Ok(()),
        }
    }

    /// Takes nothing more from the queue, lets the effects under way end, and writes down what only
    /// memory holds.
    pub async fn stop(&self) -> Result<(), RoleError> {
        let _ = self.stop.send(true);
        let mut workers = std::mem::take(&mut *self.workers.lock().unwrap_or_else(PoisonError::into_inner));
        while workers.join_next().await.is_some() {}
        // What was offered before the end is still taken in, with its receipts.
        let intake = self.intake.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(intake) = intake {
            let _ = intake.await;
        }
        // Answered after everything handed over before it: what is done is no longer in the store.
        self.core.queue.put(Vec::new()).await?;
        for record in volatile_records(self.core.run_id, self.core.number, self.core.queue.volatile_residue()) {
            self.core.records.put(record);
        }
        self.core.records.flush();
        self.check()
    }

    /// Where its stores are.
    #[must_use]
    pub fn stores(&self) -> &std::path::Path {
        &self.stores
    }
}

/// What the queue does with copies.
fn copies_of(plan: &ConsumerPlan) -> Copies {
    if plan.webhook().is_some_and(|webhook| webhook.dedupe) { Copies::Suppress } else { Copies::Keep }
}

/// The ledger, and what it takes for its effects to happen elsewhere, where they do.
fn open_business(
    plan: &ConsumerPlan,
    dir: &Path,
    run_id: RunId,
    hooks: LedgerHooks,
) -> Result<(Arc<dyn Ledger>, Option<External>), StoreError> {
    let EffectKind::External { honours_key, limit } = plan.effect.kind else {
        return Ok((backend::open_ledger(plan.ledger, dir, run_id, plan.ledger_ttl, hooks)?, None));
    };
    let downstream = backend::open_downstream(dir, run_id, (honours_key, limit), Arc::clone(&hooks.now))?;
    let (ledger, outbox) = backend::open_ledger_with_outbox(plan.ledger, dir, run_id, plan.ledger_ttl, hooks)?;
    Ok((ledger, Some(External { outbox, downstream })))
}

impl From<StoreError> for RoleError {
    fn from(error: StoreError) -> RoleError {
        RoleError::Store(error.to_string())
    }
}
