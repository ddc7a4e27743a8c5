//! Who plays in a run, and their processes: set up, start, restart, stop.

use std::{
    collections::BTreeMap,
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use rand::Rng as _;
use tokio::sync::{mpsc, watch};

use super::{
    RunError, RunOptions,
    locks::Locks,
    process::{Event, Process, What},
};
use crate::{
    fault::{CrashPoint, FaultKind},
    live::{
        RoleError,
        clock::{Clock, Epoch},
        control::{Assignment, EndpointAddress, Order, Part, Progress, Report},
        usage,
    },
    record::{ProcessChange, Record, RecordLog, RecordSink, Role},
    scenario::{ConsumerNo, Plan},
    wire::Secret,
};

/// How long a role may take to bind and open its stores.
const READY_TIMEOUT: Duration = Duration::from_secs(20);
/// How long a role may take to close its records.
const DONE_TIMEOUT: Duration = Duration::from_secs(20);
/// How often the resources of living processes are looked at.
const LOOK_INTERVAL: Duration = Duration::from_millis(200);

/// One role of the run; its process may come and go.
pub(super) struct Actor {
    pub role: Role,
    name: String,
    part: Part,
    listen: SocketAddr,
    incarnation: u32,
    crashes_left: u32,
    process: Option<Process>,
    last_seen: (Option<u64>, Option<u64>),
    pub progress: Progress,
    pub reports: u64,
    /// The point at which it said it was about to die.
    pub crashing: Option<CrashPoint>,
    /// The fault that has killed it, until its end is noticed.
    pub killed_by: Option<u16>,
    done: bool,
}

impl Actor {
    pub fn lives(&self) -> bool {
        self.process.is_some()
    }

    /// What its end means.
    pub fn end(&self) -> ProcessChange {
        match (self.crashing, self.killed_by) {
            (Some(point), _) => ProcessChange::Crashed(point),
            (None, Some(_)) => ProcessChange::Killed,
            (None, None) if self.done => ProcessChange::Exited,
            (None, None) => ProcessChange::Failed,
        }
    }

    pub fn consumer(&self) -> Option<ConsumerNo> {
        match self.role {
            Role::Receiver(consumer) | Role::Poller(consumer) => Some(consumer),
            Role::Provider(_) | Role::Orchestrator => None,
        }
    }
}

/// All roles of a run.
pub(super) struct Stage<'a> {
    plan: &'a Plan,
    program: PathBuf,
    dir: PathBuf,
    stores: PathBuf,
    records: Arc<RecordLog>,
    external_secrets: BTreeMap<ConsumerNo, Secret>,
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
            external_secrets: options.external_secrets.clone(),
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

    /// Starts every role and waits until each is bound: receivers first, because the provider must
    /// know their addresses, and the provider before the pollers, for the same reason.
    pub async fn set_up(&mut self) -> Result<(), RunError> {
        let mut endpoints = Vec::new();
        for (index, consumer) in self.plan.consumers.iter().enumerate() {
            let number = index as ConsumerNo;
            let Some(webhook) = consumer.webhook() else { continue };
            let url_of: Box<dyn Fn(u32) -> String> = match &webhook.external {
                Some(external) => {
                    let url = external.url.clone();
                    Box::new(move |client| url.replace("{client}", &client.to_string()))
                }
                None => Box::new(|_| String::new()),
            };
            let secrets: Vec<Secret> = (0..consumer.clients).map(|_| self.secret_for(number)).collect();
            let mut base = None;
            if webhook.external.is_none() {
                let part = Part::Receiver {
                    consumer: number,
                    secrets: secrets.iter().map(|secret| vec![secret.reveal()]).collect(),
                };
                base = Some(self.enter(Role::Receiver(number), consumer.name.clone(), part).await?);
            }
            for (client, secret) in (0..consumer.clients).zip(&secrets) {
                let url = match base {
                    Some(address) => format!("http://{address}/webhooks/{client}"),
                    None => url_of(client),
                };
                endpoints.push(EndpointAddress { consumer: number, client, url, secret: secret.reveal() });
            }
        }
        for provider in 0..self.plan.providers.len() as u16 {
            self.set_up_provider(provider, &endpoints).await?;
        }
        Ok(())
    }

    /// One provider and whoever polls it.
    async fn set_up_provider(&mut self, provider: u16, endpoints: &[EndpointAddress]) -> Result<(), RunError> {
        let plan = self.plan;
        let served = |consumer: ConsumerNo| plan.consumers[usize::from(consumer)].provider == provider;
        let endpoints = endpoints.iter().filter(|endpoint| served(endpoint.consumer)).cloned().collect();
        let name = plan.providers[usize::from(provider)].name.clone();
        let capture = plan.workload.capture().map(|_| self.dir.join(super::CAPTURE));
        let part = Part::Provider { provider, endpoints, capture };
        let address = self.enter(Role::Provider(provider), name, part).await?;
        self.pull_apis.insert(provider, address);
        for (number, consumer) in (0..).zip(&plan.consumers) {
            // A consumer that is pushed to is on the stage already.
            if !consumer.is_pushed() && served(number) {
                let part = Part::Poller { consumer: number };
                self.enter(Role::Poller(number), consumer.name.clone(), part).await?;
            }
        }
        Ok(())
    }

    fn secret_for(&self, consumer: ConsumerNo) -> Secret {
        if let Some(secret) = self.external_secrets.get(&consumer) {
            return secret.clone();
        }
        let mut bytes = [0; 32];
        #[allow(clippy::disallowed_methods, reason = "a secret must not follow from the seed")]
        rand::rng().fill_bytes(&mut bytes);
        Secret::from_bytes(&bytes).expect("32 bytes make a secret")
    }

    /// Puts an actor on the stage and waits until it is ready; returns where it listens.
    async fn enter(&mut self, role: Role, name: String, part: Part) -> Result<SocketAddr, RunError> {
        let any_port = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let crashes_left = match role {
            Role::Receiver(consumer) | Role::Poller(consumer) => crash_budget(self.plan, consumer),
            Role::Provider(_) | Role::Orchestrator => 0,
        };
        self.actors.push(Actor {
            role,
            name,
            part,
            listen: any_port,
            incarnation: 0,
            crashes_left,
            process: None,
            last_seen: (None, None),
            progress: Progress::default(),
            reports: 0,
            crashing: None,
            killed_by: None,
            done: false,
        });
        let index = self.actors.len() - 1;
        self.spawn(index).await?;
        let ready = tokio::time::timeout(READY_TIMEOUT, self.wait_ready(index)).await;
        let listen = ready.unwrap_or_else(|_| Err(self.start_error(index, "it did not answer in time".to_owned())))?;
        self.actors[index].listen = listen.unwrap_or(any_port);
        Ok(self.actors[index].listen)
    }

    async fn wait_ready(&mut self, index: usize) -> Result<Option<SocketAddr>, RunError> {
        loop {
            let Some(event) = self.events.recv().await else {
                return Err(self.start_error(index, "it is gone".to_owned()));
            };
            match event.what {
                What::Said(Report::Ready { listen, .. }) if event.actor == index => return Ok(listen),
                What::Said(Report::Failed { message }) => return Err(self.start_error(event.actor, message)),
                What::Ended => {
                    let said = self.last_words(event.actor);
                    return Err(self.start_error(event.actor, format!("it ended at once{said}")));
                }
                What::Said(_) => {}
            }
        }
    }

    fn start_error(&self, index: usize, message: String) -> RunError {
        let actor = &self.actors[index];
        RunError::Start { role: format!("{} \"{}\"", kind_of(actor.role), actor.name), message }
    }

    /// The end of a role's log: what it said before it died.
    fn last_words(&self, index: usize) -> String {
        let text = std::fs::read_to_string(self.log_path(&self.actors[index])).unwrap_or_default();
        let tail: Vec<&str> = text.lines().rev().take(5).collect();
        if tail.is_empty() {
            String::new()
        } else {
            format!("; it said: {}", tail.into_iter().rev().collect::<Vec<_>>().join(" / "))
        }
    }

    fn log_path(&self, actor: &Actor) -> PathBuf {
        self.dir.join("logs").join(format!("{}-{}.log", kind_of(actor.role), actor.name))
    }

    async fn spawn(&mut self, index: usize) -> Result<(), RoleError> {
        let actor = &self.actors[index];
        let file = format!("{}-{}-{}", kind_of(actor.role), actor.name, actor.incarnation);
        let mut plan = self.plan.clone();
        if actor.consumer().is_some() {
            // Megabytes of a captured schedule, which only a provider needs.
            plan.workload.forget_capture();
        }
        let assignment = Assignment {
            plan,
            part: actor.part.clone(),
            records: super::records_dir(&self.dir).join(format!("{file}.records")),
            stores: self.stores.join(&actor.name),
            listen: actor.listen,
            admin: None,
            incarnation: actor.incarnation,
            crashes_left: actor.crashes_left,
            epoch: self.epoch,
            pull_api: self.pull_api_of(actor.role),
        };
        let log = self.log_path(actor);
        let process = Process::spawn(&self.program, assignment, &log, index, self.events_in.clone()).await?;
        let actor = &mut self.actors[index];
        actor.process = Some(process);
        actor.crashing = None;
        actor.killed_by = None;
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
                What::Said(Report::Progress(progress)) => {
                    actor.progress = *progress;
                    actor.reports += 1;
                }
                What::Said(Report::Crashing { point }) => {
                    actor.crashing = Some(*point);
                    actor.crashes_left = actor.crashes_left.saturating_sub(1);
                    actor.look();
                }
                What::Said(Report::Done { cpu_ns, peak_rss_bytes }) => {
                    actor.done = true;
                    actor.last_seen = (*cpu_ns, *peak_rss_bytes);
                }
                What::Said(Report::Failed { message }) => {
                    self.failures.push(format!("the {} \"{}\" failed: {message}", kind_of(actor.role), actor.name));
                }
                What::Said(_) => {}
                What::Ended => {
                    actor.process = None;
                    let usage = Record::Usage {
                        role: actor.role,
                        incarnation: actor.incarnation,
                        cpu_ns: actor.last_seen.0,
                        peak_rss_bytes: actor.last_seen.1,
                    };
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
        self.actors[index].incarnation += 1;
        self.actors[index].last_seen = (None, None);
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

    /// Ends every role: the pollers first, because a poll that finds the provider gone would count as
    /// failed; then the provider, so that nothing new is sent; the receivers last.
    pub async fn stop_all(&mut self, clock: Clock, interrupts: &mut watch::Receiver<u32>) -> Result<(), RunError> {
        self.locks.release_all();
        for process in self.actors.iter_mut().filter_map(|actor| actor.process.as_mut()) {
            // One that is stopped would read it too late.
            process.freeze(false);
            process.order(&Order::StopPolling).await;
        }
        for wave in [is_poller, is_provider, is_receiver] {
            for actor in &mut self.actors {
                if let (true, Some(process)) = (wave(actor.role), &mut actor.process) {
                    process.freeze(false);
                    process.order(&Order::Stop).await;
                }
            }
            let waited = tokio::time::timeout(DONE_TIMEOUT, self.wait_ended(clock, wave, interrupts)).await;
            match waited {
                Ok(ended) => ended?,
                Err(_) => self.fail_the_living(clock, wave).await,
            }
        }
        Ok(())
    }

    async fn wait_ended(
        &mut self,
        clock: Clock,
        wave: fn(Role) -> bool,
        interrupts: &mut watch::Receiver<u32>,
    ) -> Result<(), RunError> {
        while self.actors.iter().any(|actor| wave(actor.role) && actor.lives()) {
            let event = tokio::select! {
                event = self.next_event() => event,
                _ = interrupts.wait_for(|count| *count >= 2) => return Err(RunError::Aborted),
            };
            let Some(event) = event else { return Ok(()) };
            if matches!(event.what, What::Ended) {
                let actor = &self.actors[event.actor];
                self.record(Record::Process { role: actor.role, change: actor.end(), at: clock.now() });
            }
        }
        Ok(())
    }

    /// Kills what does not end by itself; that voids the run.
    async fn fail_the_living(&mut self, clock: Clock, wave: fn(Role) -> bool) {
        for index in 0..self.actors.len() {
            if !wave(self.actors[index].role) {
                continue;
            }
            if let Some(mut process) = self.actors[index].process.take() {
                process.kill();
                let change = ProcessChange::Failed;
                self.record(Record::Process { role: self.actors[index].role, change, at: clock.now() });
            }
        }
    }
}

impl Actor {
    fn look(&mut self) {
        if let Some(seen) = self.process.as_ref().and_then(|process| usage::of_process(process.pid)) {
            self.last_seen = (Some(seen.0), seen.1.or(self.last_seen.1));
        }
    }
}

pub(super) fn look_interval() -> Duration {
    LOOK_INTERVAL
}

/// How often a consumer may die at a crash point.
fn crash_budget(plan: &Plan, consumer: ConsumerNo) -> u32 {
    let crash = plan.faults.iter().filter(|fault| fault.consumers.contains(&consumer));
    crash
        .filter_map(|fault| match &fault.kind {
            FaultKind::Crash(crash) if crash.point.is_some() => Some(crash.times),
            _ => None,
        })
        .sum()
}

fn kind_of(role: Role) -> &'static str {
    match role {
        Role::Orchestrator => "orchestrator",
        Role::Provider(_) => "provider",
        Role::Receiver(_) => "receiver",
        Role::Poller(_) => "poller",
    }
}

fn is_provider(role: Role) -> bool {
    matches!(role, Role::Provider(_))
}

fn is_poller(role: Role) -> bool {
    matches!(role, Role::Poller(_))
}

fn is_receiver(role: Role) -> bool {
    matches!(role, Role::Receiver(_))
}
