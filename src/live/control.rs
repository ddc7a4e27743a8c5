//! How the orchestrator and a role process speak: one JSON object per line, orders on the role's
//! stdin, reports on its stdout.
//!
//! ```text
//!   orchestrator                         role
//!        | -- Assign{plan, ...} ---------> |   binds, opens its stores
//!        | <--------------- Ready{addr} -- |
//!        | -- Start{epoch, pull API} ----> |   works
//!        | <--------- Progress{...} ------ |   5 times a second
//!        | -- StopPolling ---------------> |   receives on, if it receives
//!        | -- Stop ----------------------> |   closes its records
//!        | <----------------- Done{...} -- |   exits 0
//! ```
//!
//! End of file on stdin means that the orchestrator is gone, however it died: the role exits at
//! once. So no orphan outlives a run, on any platform. Secrets travel here and nowhere else: never
//! in arguments, environment, plan or records.

use std::{net::SocketAddr, path::PathBuf};

use serde::{Deserialize, Serialize};

use super::clock::Epoch;
use crate::scenario::{ConsumerNo, Plan};

/// What a role is told.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Order {
    /// What to do; the first line.
    Assign(Box<Assignment>),
    /// Begin.
    Start {
        /// At this t0.
        epoch: Epoch,
        /// Where to poll, for one that was bound before its provider was.
        pull_api: Option<String>,
    },
    /// Poll no more; for one that is also pushed to and goes on receiving.
    StopPolling,
    /// Close the records and exit.
    Stop,
}

/// One role's part of a run.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Assignment {
    /// The whole plan.
    pub plan: Plan,
    /// The part.
    pub part: Part,
    /// The record file to create.
    pub records: PathBuf,
    /// Folder of this consumer's stores (queue, ledger, cursors); they outlive the process.
    pub stores: PathBuf,
    /// Where to listen; port 0 lets the system choose. A restarted receiver is given its old port.
    pub listen: SocketAddr,
    /// Where a receiver serves health and metrics; `None` lets the system choose a loopback port.
    pub admin: Option<SocketAddr>,
    /// 0, and one more per restart.
    pub incarnation: u32,
    /// How often this process may still die at a crash point.
    pub crashes_left: u32,
    /// Set for a restarted role, which begins at once.
    pub epoch: Option<Epoch>,
    /// The base URL of the pull API, such as `http://127.0.0.1:4000`, where it is known already.
    pub pull_api: Option<String>,
}

/// Which part a role plays.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Part {
    /// Emit events, serve the pull API, send webhooks.
    Provider {
        /// Index in the plan.
        provider: u16,
        /// Where webhooks go.
        endpoints: Vec<EndpointAddress>,
        /// The file of captured events, where the plan replays one.
        capture: Option<PathBuf>,
        /// Where the control API listens, where there shall be one.
        control: Option<SocketAddr>,
    },
    /// Receive webhooks.
    Receiver {
        /// Index in the plan.
        consumer: ConsumerNo,
        /// The signing secrets accepted per client (`whsec_...`); several during a rotation.
        secrets: Vec<Vec<String>>,
    },
    /// Poll.
    Poller {
        /// Index in the plan.
        consumer: ConsumerNo,
    },
}

/// Where one client's webhooks go.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct EndpointAddress {
    /// The consumer.
    pub consumer: ConsumerNo,
    /// Its client.
    pub client: u32,
    /// The URL, plain HTTP.
    pub url: String,
    /// What to sign with (`whsec_...`).
    pub secret: String,
}

/// What a role tells.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Report {
    /// Bound and opened.
    Ready {
        /// Where it listens (a poller: nowhere).
        listen: Option<SocketAddr>,
        /// Where a receiver serves /healthz and /metrics.
        admin: Option<SocketAddr>,
        /// Where a provider serves its control API, if it does.
        control: Option<SocketAddr>,
    },
    /// How far it is.
    Progress(Progress),
    /// About to die at a crash point: the last line of this process.
    Crashing {
        /// Which.
        point: crate::fault::CrashPoint,
    },
    /// The records are closed.
    Done {
        /// CPU time used, in nanoseconds, where the platform tells.
        cpu_ns: Option<u64>,
        /// Peak resident memory, where the platform tells.
        peak_rss_bytes: Option<u64>,
    },
    /// It cannot go on; for the user's eyes, without secrets.
    Failed {
        /// Why, with the fix.
        message: String,
    },
}

/// How far a role is: for the progress line and for telling when the run is quiet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Progress {
    /// Provider: events emitted.
    pub emitted: u64,
    /// Provider: true when the last event is out.
    pub emission_over: bool,
    /// Provider: deliveries neither acked nor given up, and copies or attacks under way.
    pub open: u64,
    /// Provider: attempts made. Poller: page requests made.
    pub requests: u64,
    /// Consumer: events accepted.
    pub accepted: u64,
    /// Consumer: events applied.
    pub applied: u64,
    /// Consumer: duplicates suppressed.
    pub duplicates: u64,
    /// Consumer: events waiting in the queue or with a worker.
    pub waiting: u64,
    /// Poller: polls begun after emission's end that found nothing more, least over its clients.
    /// Counts only polls whose intended instant lies after `duration`.
    pub quiet_polls: u64,
}
