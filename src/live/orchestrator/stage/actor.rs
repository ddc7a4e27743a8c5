//! One role of a run: who plays it, and what is known of its process.

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
};

use crate::{
    fault::{CrashPoint, FaultKind},
    live::{
        control::{Part, Progress, Report},
        orchestrator::process::Process,
        usage,
    },
    record::{ProcessChange, Record, Role},
    scenario::{ConsumerNo, Plan},
};

/// One role of the run; its process may come and go.
pub struct Actor {
    pub role: Role,
    pub(super) name: String,
    pub(super) part: Part,
    pub(super) listen: SocketAddr,
    pub(super) incarnation: u32,
    pub(super) crashes_left: u32,
    pub(super) process: Option<Process>,
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
    /// An actor without a process, who will listen on whatever port is free.
    pub(super) fn new(plan: &Plan, role: Role, name: String, part: Part) -> Actor {
        let crashes_left = match role {
            Role::Receiver(consumer) | Role::Poller(consumer) => crash_budget(plan, consumer),
            Role::Provider(_) | Role::Orchestrator => 0,
        };
        Actor {
            role,
            name,
            part,
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            incarnation: 0,
            crashes_left,
            process: None,
            last_seen: (None, None),
            progress: Progress::default(),
            reports: 0,
            crashing: None,
            killed_by: None,
            done: false,
        }
    }

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

    /// What it is and what it is called, for people.
    pub(super) fn title(&self) -> String {
        format!("{} \"{}\"", self.kind(), self.name)
    }

    /// The beginning of the names of its files.
    pub(super) fn file_stem(&self) -> String {
        format!("{}-{}", self.kind(), self.name)
    }

    /// Where it writes what is for nobody else's eyes but a person's.
    pub(super) fn log_path(&self, dir: &Path) -> PathBuf {
        dir.join("logs").join(format!("{}.log", self.file_stem()))
    }

    /// Its process runs.
    pub(super) fn started(&mut self, process: Process) {
        self.process = Some(process);
        self.crashing = None;
        self.killed_by = None;
    }

    /// Its next process will be another one, of which nothing is known yet.
    pub(super) fn reincarnate(&mut self) {
        self.incarnation += 1;
        self.last_seen = (None, None);
    }

    /// Takes in what its process says.
    pub(super) fn hear(&mut self, report: &Report) {
        match report {
            Report::Progress(progress) => {
                self.progress = *progress;
                self.reports += 1;
            }
            Report::Crashing { point } => {
                self.crashing = Some(*point);
                self.crashes_left = self.crashes_left.saturating_sub(1);
                self.look();
            }
            Report::Done { cpu_ns, peak_rss_bytes } => {
                self.done = true;
                self.last_seen = (*cpu_ns, *peak_rss_bytes);
            }
            Report::Ready { .. } | Report::Failed { .. } => {}
        }
    }

    /// Its process is gone; tells what that has used.
    pub(super) fn ended(&mut self) -> Record {
        self.process = None;
        let (cpu_ns, peak_rss_bytes) = self.last_seen;
        Record::Usage { role: self.role, incarnation: self.incarnation, cpu_ns, peak_rss_bytes }
    }

    /// Looks at what its living process has used so far: a kill takes its own account along.
    pub(super) fn look(&mut self) {
        if let Some(seen) = self.process.as_ref().and_then(|process| usage::of_process(process.pid)) {
            self.last_seen = (Some(seen.0), seen.1.or(self.last_seen.1));
        }
    }

    fn kind(&self) -> &'static str {
        match self.role {
            Role::Orchestrator => "orchestrator",
            Role::Provider(_) => "provider",
            Role::Receiver(_) => "receiver",
            Role::Poller(_) => "poller",
        }
    }
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
