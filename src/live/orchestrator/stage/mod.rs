//! Who plays in a run, and their processes: all actors, what they say, and what is done to them.
//!
//! How they enter is in `set_up`, how they leave in `stop`.

mod actor;
mod set_up;
mod stop;

use std::{collections::BTreeMap, net::SocketAddr, path::PathBuf, sync::Arc};

use tokio::sync::mpsc;

pub(super) use self::actor::Actor;
use super::{
    RunOptions,
    locks::Locks,
    process::{Event, Process, What},
    records_dir,
};
use crate::{
    live::{
        RoleError,
        clock::Epoch,
        control::{Assignment, Order, Report},
    },
    record::{Record, RecordLog, RecordSink, Role},
    scenario::{ConsumerNo, Plan},
};

/// All roles of a run.
pub(super) struct Stage<'a> {
    plan: &'a Plan,
    program: PathBuf,
    dir: PathBuf,
    stores: PathBuf,
    records: Arc<RecordLog>,
    pub actors: Vec<Actor>,
    epoch: Option<Epoch>,
    /// The pull APIs by provider, once they are bound.
    pull_apis: BTreeMap<u16, SocketAddr>,
    /// What roles said of why they could not go on, for the user's eyes.
    pub failures: Vec<String>,
    /// Stores locked up by faults.
    pub locks: Locks,
    events_in: mpsc::UnboundedSender<Event>,
    events: mpsc::UnboundedReceiver<Event>,
}

impl<'a> Stage<'a> {
    pub fn new(plan: &'a Plan, options: &RunOptions, records: Arc<RecordLog>) -> Stage<'a> {
        let (events_in, events) = mpsc::unbounded_channel();
        Stage {
            plan,
            program: options.program.clone(),
            dir: options.dir.clone(),
            stores: options.state.clone().unwrap_or_else(|| options.dir.join("stores")),
            records,
            actors: Vec::new(),
            epoch: None,
            pull_apis: BTreeMap::new(),
            failures: Vec::new(),
            locks: Locks::default(),
            events_in,
            events,
        }
    }

    pub fn plan(&self) -> &Plan {
        self.plan
    }

    pub fn stores_dir(&self) -> PathBuf {
        self.stores.clone()
    }

    pub fn record(&self, record: Record) {
        self.records.put(record);
    }

    async fn spawn(&mut self, index: usize) -> Result<(), RoleError> {
        let actor = &self.actors[index];
        let file = format!("{}-{}.records", actor.file_stem(), actor.incarnation);
        let mut plan = self.plan.clone();
        if actor.consumer().is_some() {
            // Megabytes of a captured schedule, which only a provider needs.
            plan.workload.forget_capture();
        }
        let assignment = Assignment {
            plan,
            part: actor.part.clone(),
            records: records_dir(&self.dir).join(file),
            stores: self.stores.join(&actor.name),
            listen: actor.listen,
            admin: None,
            incarnation: actor.incarnation,
            crashes_left: actor.crashes_left,
            epoch: self.epoch,
            pull_api: self.pull_api_of(actor.role),
        };
        let log = actor.log_path(&self.dir);
        let process = Process::spawn(&self.program, assignment, &log, index, self.events_in.clone()).await?;
        self.actors[index].started(process);
        Ok(())
    }

    /// Tells everybody when t0 is.
    pub async fn start(&mut self, epoch: Epoch) {
        self.epoch = Some(epoch);
        let pull_apis: Vec<_> = self.actors.iter().map(|actor| self.pull_api_of(actor.role)).collect();
        for (actor, pull_api) in self.actors.iter_mut().zip(pull_apis) {
            if let Some(process) = &mut actor.process {
                process.order(&Order::Start { epoch, pull_api }).await;
            }
        }
    }

    /// Where a consumer polls, if it does and its provider is bound.
    fn pull_api_of(&self, role: Role) -> Option<String> {
        let (Role::Receiver(consumer) | Role::Poller(consumer)) = role else { return None };
        let mine = &self.plan.consumers[usize::from(consumer)];
        let address = self.pull_apis.get(&mine.provider).filter(|_| mine.polls())?;
        Some(format!("http://{address}"))
    }

    /// The next thing that a living process says, or its end. Updates what is known of it.
    pub async fn next_event(&mut self) -> Option<Event> {
        loop {
            let event = self.events.recv().await?;
            let actor = &mut self.actors[event.actor];
            if event.incarnation != actor.incarnation {
                continue;
            }
            match &event.what {
                What::Said(report) => {
                    actor.hear(report);
                    if let Report::Failed { message } = report {
                        self.failures.push(format!("the {} failed: {message}", actor.title()));
                    }
                }
                What::Ended => {
                    let usage = actor.ended();
                    self.records.put(usage);
                }
            }
            return Some(event);
        }
    }

    /// Looks at what the living processes have used so far: a kill takes their own account along.
    pub fn look(&mut self) {
        self.actors.iter_mut().for_each(Actor::look);
    }

    /// Starts a consumer's process again, on its old port and stores.
    pub async fn restart(&mut self, consumer: ConsumerNo) -> Result<(), RoleError> {
        let found = self.actors.iter().position(|actor| actor.consumer() == Some(consumer) && !actor.lives());
        let Some(index) = found else { return Ok(()) };
        self.actors[index].reincarnate();
        self.spawn(index).await
    }

    /// Kills a consumer's living process; false where none lives, or it is dying already.
    pub fn kill(&mut self, consumer: ConsumerNo, fault: u16) -> bool {
        let Some(actor) = self.actors.iter_mut().find(|actor| actor.consumer() == Some(consumer)) else { return false };
        actor.look();
        match &mut actor.process {
            Some(process) if actor.killed_by.is_none() => process.kill(),
            _ => return false,
        }
        actor.killed_by = Some(fault);
        true
    }

    /// Stops a consumer's living process, or lets it go on; false where none lives.
    pub fn freeze(&mut self, consumer: ConsumerNo, frozen: bool) -> bool {
        let actor = self.actors.iter().find(|actor| actor.consumer() == Some(consumer));
        actor.and_then(|actor| actor.process.as_ref()).is_some_and(|process| process.freeze(frozen))
    }

    /// Locks the store of a consumer that the fault names.
    pub async fn lock_store(&mut self, consumer: ConsumerNo, fault: u16) -> Result<(), RoleError> {
        let dir = self.stores.join(&self.plan.consumers[usize::from(consumer)].name);
        self.locks.take(self.plan, dir, consumer, fault).await
    }
}
