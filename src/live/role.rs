//! What every role process shares: its assignment, its records, its orders and its end.

use std::{
    io::{BufRead, Write},
    net::SocketAddr,
    sync::Arc,
};

use tokio::sync::{mpsc, watch};

use super::{
    clock::{Clock, Epoch},
    control::{Assignment, Order, Part, Progress, Report},
    crash_points::CrashPoints,
    open_files, usage,
};
use crate::record::{RecordLog, RecordSink};

/// A role process's side of the conversation with its orchestrator.
pub struct Role {
    /// What to do.
    pub assignment: Arc<Assignment>,
    /// Where to say what happened.
    pub records: Arc<RecordLog>,
    starts: mpsc::UnboundedReceiver<Start>,
    pull_api: Option<String>,
    stop: watch::Receiver<bool>,
    stop_polling: watch::Receiver<bool>,
    reporter: Reporter,
    crash_points: CrashPoints,
}

/// What a role is told to begin with.
struct Start {
    epoch: Epoch,
    pull_api: Option<String>,
}

/// Where a role listens, as far as it does.
#[derive(Debug, Clone, Copy, Default)]
pub struct Bound {
    /// Its pull API, or where it receives webhooks.
    pub listen: Option<SocketAddr>,
    /// Health and metrics.
    pub admin: Option<SocketAddr>,
    /// The control API.
    pub control: Option<SocketAddr>,
}

/// Why a role could not do its part.
#[derive(Debug, thiserror::Error)]
pub enum RoleError {
    /// Not started by an orchestrator, or by one of another version.
    #[error("the role was not given an assignment it understands: {0}")]
    Assignment(String),
    /// Something outside did not work.
    #[error("{what}: {problem}")]
    Io {
        /// What was tried, with the path or address.
        what: String,
        /// Why it failed.
        problem: std::io::Error,
    },
    /// A control API that others could reach.
    #[error(
        "the control API listens on this machine only, and {0} is reached from elsewhere\n  \
         fix: write --control 127.0.0.1:{port}", port = .0.port()
    )]
    ControlExposed(SocketAddr),
    /// A store did not work.
    #[error("{0}")]
    Store(String),
}

impl RoleError {
    /// Names what was tried when an error came.
    pub fn io(what: impl Into<String>) -> impl FnOnce(std::io::Error) -> RoleError {
        let what = what.into();
        move |problem| RoleError::Io { what, problem }
    }
}

/// Sends reports to the orchestrator, or tells a person what matters to one. Cheap to clone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Reporter {
    /// One JSON line per report on stdout.
    Lines,
    /// A role that a person started says where it listens and how far it came, on stderr.
    Person,
    /// To nobody.
    #[default]
    Silent,
}

impl Reporter {
    /// Sends one report. A reader that is gone is noticed on stdin.
    pub fn send(&self, report: &Report) {
        match self {
            Reporter::Lines => Self::send_line(report),
            Reporter::Person => Self::tell(report),
            Reporter::Silent => {}
        }
    }

    fn tell(report: &Report) {
        if let Report::Ready { listen: Some(listen), admin, control } = report {
            eprintln!("pushpull: listening on http://{listen}; Ctrl-C ends it");
            if let Some(admin) = admin {
                eprintln!("pushpull: health and metrics on http://{admin}/healthz and http://{admin}/metrics");
            }
            if let Some(control) = control {
                // The only line on stdout: a script reads the address that the system has chosen.
                let mut out = std::io::stdout().lock();
                let _ = writeln!(out, "control API on http://{control}").and_then(|()| out.flush());
            }
        }
    }

    fn send_line(report: &Report) {
        let mut line = serde_json::to_string(report).expect("a report is plain data");
        line.push('\n');
        let mut out = std::io::stdout().lock();
        let _ = out.write_all(line.as_bytes()).and_then(|()| out.flush());
    }
}

impl Role {
    /// Takes the assignment from stdin. From here on, end of file on stdin ends the process.
    pub async fn from_stdin() -> Result<Role, RoleError> {
        let (assign_tx, mut assign_rx) = mpsc::unbounded_channel();
        let (start_tx, starts) = mpsc::unbounded_channel();
        let (stop_tx, stop) = watch::channel(false);
        let (stop_polling_tx, stop_polling) = watch::channel(false);
        // A thread of its own: even a role whose runtime is busy notices that its parent is gone.
        std::thread::spawn(move || read_orders(&assign_tx, &start_tx, &stop_tx, &stop_polling_tx));
        ignore_interrupts();
        die_with_parent();
        let assignment: Box<Assignment> =
            assign_rx.recv().await.ok_or_else(|| RoleError::Assignment("no first line".to_owned()))?;
        let role = Role::new(*assignment, starts, (stop, stop_polling), Reporter::Lines)?;
        Ok(role)
    }

    /// A role that a person started: no orchestrator, begins at `epoch`, ends when `stop` says so.
    pub fn standalone(assignment: Assignment, epoch: Epoch, stop: watch::Receiver<bool>) -> Result<Role, RoleError> {
        let (start_tx, starts) = mpsc::unbounded_channel();
        let _ = start_tx.send(Start { epoch, pull_api: None });
        Role::new(assignment, starts, (stop.clone(), stop), Reporter::Person)
    }

    fn new(
        assignment: Assignment,
        starts: mpsc::UnboundedReceiver<Start>,
        (stop, stop_polling): (watch::Receiver<bool>, watch::Receiver<bool>),
        reporter: Reporter,
    ) -> Result<Role, RoleError> {
        let _ = open_files::raise_limit();
        let records = RecordLog::create(&assignment.records)
            .map_err(RoleError::io(format!("cannot create the record file {}", assignment.records.display())))?;
        let records = Arc::new(records);
        let crash_points = match assignment.part {
            Part::Receiver { consumer, .. } | Part::Poller { consumer, .. } => {
                let left = assignment.crashes_left;
                CrashPoints::new(&assignment.plan, consumer, left, Arc::clone(&records), reporter)
            }
            Part::Provider { .. } => CrashPoints::none(),
        };
        let pull_api = assignment.pull_api.clone();
        let assignment = Arc::new(assignment);
        Ok(Role { assignment, records, starts, pull_api, stop, stop_polling, reporter, crash_points })
    }

    /// Tells that everything is bound and opened.
    pub fn ready(&self, Bound { listen, admin, control }: Bound) {
        self.reporter.send(&Report::Ready { listen, admin, control });
    }

    /// Waits for t0 to be told; it may still lie ahead ([`Clock::sleep_until`]). A restarted role
    /// knows it already.
    pub async fn start(&mut self) -> Clock {
        let epoch = match self.assignment.epoch {
            Some(epoch) => epoch,
            // The sender lives in the stdin thread, which ends the process when it ends.
            None => {
                let start = self.starts.recv().await.unwrap_or_else(|| std::process::exit(3));
                self.pull_api = start.pull_api.or(self.pull_api.take());
                start.epoch
            }
        };
        Clock::new(epoch)
    }

    /// Where to poll; known once the role has started.
    pub fn pull_api(&self) -> Result<&str, RoleError> {
        self.pull_api.as_deref().ok_or_else(|| RoleError::Assignment("no pull API to poll".to_owned()))
    }

    /// Turns true when the role shall poll no more.
    #[must_use]
    pub fn stop_polling_signal(&self) -> watch::Receiver<bool> {
        self.stop_polling.clone()
    }

    /// Tells how far the role is.
    pub fn reporter(&self) -> Reporter {
        self.reporter
    }

    /// Turns true when the role shall end.
    #[must_use]
    pub fn stop_signal(&self) -> watch::Receiver<bool> {
        self.stop.clone()
    }

    /// The consumer's crash points. Passes are counted per process, whoever makes them.
    #[must_use]
    pub fn crash_points(&self) -> CrashPoints {
        self.crash_points.clone()
    }

    /// The records, for those who only write.
    #[must_use]
    pub fn sink(&self) -> Arc<dyn RecordSink> {
        Arc::clone(&self.records) as Arc<dyn RecordSink>
    }

    /// Closes the records and says goodbye. The last thing a role does.
    pub fn done(self) -> Result<(), RoleError> {
        let path = self.assignment.records.display().to_string();
        self.records.finish().map_err(RoleError::io(format!("cannot write the record file {path}")))?;
        let (cpu_ns, peak_rss_bytes) = usage::of_this_process();
        self.reporter.send(&Report::Done { cpu_ns, peak_rss_bytes });
        Ok(())
    }
}

impl Reporter {
    /// Sends one progress line.
    pub fn progress(&self, progress: Progress) {
        self.send(&Report::Progress(progress));
    }
}

/// Reads orders until the orchestrator is gone, then ends the process.
fn read_orders(
    assign: &mpsc::UnboundedSender<Box<Assignment>>,
    start: &mpsc::UnboundedSender<Start>,
    stop: &watch::Sender<bool>,
    stop_polling: &watch::Sender<bool>,
) {
    for line in std::io::stdin().lock().lines() {
        let Ok(line) = line else { break };
        match serde_json::from_str(&line) {
            Ok(Order::Assign(assignment)) => drop(assign.send(assignment)),
            Ok(Order::Start { epoch, pull_api }) => drop(start.send(Start { epoch, pull_api })),
            Ok(Order::StopPolling) => drop(stop_polling.send(true)),
            Ok(Order::Stop) => drop(stop.send(true)),
            Err(error) => {
                eprintln!("pushpull: an order that is none: {error}");
                break;
            }
        }
    }
    std::process::exit(3);
}

/// Ctrl-C goes to the whole process group; the orchestrator decides what it means.
fn ignore_interrupts() {
    tokio::spawn(async { while tokio::signal::ctrl_c().await.is_ok() {} });
}

/// A stalled process does not read its stdin; the kernel ends it with its parent.
#[cfg(target_os = "linux")]
fn die_with_parent() {
    let _ = nix::sys::prctl::set_pdeathsig(nix::sys::signal::Signal::SIGKILL);
}

#[cfg(not(target_os = "linux"))]
fn die_with_parent() {}
