//! A run: starts the roles, carries out what happens to processes, ends when all is quiet.
//!
//! ```text
//!   receivers -> provider -> pollers      each: Assign, Ready
//!        \____ Start at one t0 ____/
//!   crashes, stalls, restarts; progress    until quiet, the drain's bound, or Ctrl-C
//!   pollers, provider, receivers           each: Stop, Done
//!   the stores' contents -> records
//! ```

mod locks;
mod process;
mod stage;
mod supervise;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use tokio::sync::watch;

use self::stage::Stage;
use super::{
    RoleError,
    clock::{Clock, Epoch},
    control::Progress,
    usage,
};
use crate::{
    model::Time,
    record::{Record, RecordLog, RecordSink, Role as RoleName},
    scenario::{ConsumerNo, Plan},
};

/// How a run is carried out.
pub struct RunOptions {
    /// The program whose roles are started: this one.
    pub program: PathBuf,
    /// The run's folder; it exists and is empty.
    pub dir: PathBuf,
    /// Where stores are kept from run to run; `None`: in the run's folder, and removed at its end.
    pub state: Option<PathBuf>,
    /// Counts Ctrl-C: 1 ends the run and judges it, 2 ends it at once.
    pub interrupts: watch::Receiver<u32>,
    /// What is signed with for receivers that are somebody else's.
    pub external_secrets: BTreeMap<ConsumerNo, String>,
    /// Told a few times a second.
    pub on_progress: Box<dyn FnMut(&Snapshot) + Send>,
}

/// How far a run is.
#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    /// Now.
    pub now: Time,
    /// The window of arrivals is over.
    pub draining: bool,
    /// The progress of all providers together.
    pub provider: Progress,
    /// Each consumer's progress, and whether its process lives.
    pub consumers: BTreeMap<ConsumerNo, (Progress, bool)>,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// A person stopped it.
    pub interrupted: bool,
    /// Why roles could not go on, for the user's eyes. Such a run is void.
    pub failures: Vec<String>,
}

/// Why a run could not be carried out. What the run's folder holds then cannot be judged.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// Something outside did not work.
    #[error(transparent)]
    Role(#[from] RoleError),
    /// A role could not begin.
    #[error("the {role} could not start: {message}")]
    Start {
        /// Which.
        role: String,
        /// Why, with the fix.
        message: String,
    },
    /// A second Ctrl-C.
    #[error("stopped at once; nothing is judged")]
    Aborted,
}

/// The folder of record files in a run's folder.
#[must_use]
pub fn records_dir(dir: &Path) -> PathBuf {
    dir.join("records")
}

/// The copy of the captured events in a run's folder: what was replayed, whatever becomes of the file.
const CAPTURE: &str = "captured.jsonl";

/// Carries out a live run. Afterwards the run's folder holds every record and can be judged.
pub async fn run(plan: &Plan, mut options: RunOptions) -> Result<Outcome, RunError> {
    let records_path = records_dir(&options.dir);
    let logs_path = options.dir.join("logs");
    for path in [&records_path, &logs_path] {
        std::fs::create_dir_all(path).map_err(RoleError::io(format!("cannot create {}", path.display())))?;
    }
    let own_path = records_path.join("run.records");
    let records = RecordLog::create(&own_path)
        .map_err(RoleError::io(format!("cannot create the record file {}", own_path.display())))?;
    let records = Arc::new(records);

    if let Some(file) = plan.workload.capture() {
        let cannot = format!("cannot copy the captured events in {file}");
        std::fs::copy(file, options.dir.join(CAPTURE)).map_err(RoleError::io(cannot))?;
    }
    let mut stage = Stage::new(plan, &options, Arc::clone(&records));
    stage.set_up(&options.external_secrets).await?;
    // Far enough ahead for every role to hear of it.
    let epoch = Epoch::ahead(Duration::from_millis(150));
    let clock = Clock::new(epoch);
    records.put(Record::Begin { wall: epoch.wall });
    stage.start(epoch).await;

    let interrupted = supervise::until_over(&mut stage, clock, &mut options).await?;
    stage.stop_all(clock, &mut options.interrupts).await?;
    let end = clock.now();
    let stores = stage.stores_dir();
    let failures = std::mem::take(&mut stage.failures);
    drop(stage);

    for consumer in 0..plan.consumers.len() {
        let consumer = consumer as ConsumerNo;
        let dir = stores.join(&plan.consumers[usize::from(consumer)].name);
        crate::backend::export_each(&dir, plan, consumer, &mut |record| records.put(record))
            .map_err(|error| RoleError::Store(format!("cannot read the stores back: {error}")))?;
    }
    let (cpu_ns, peak_rss_bytes) = usage::of_this_process();
    records.put(Record::Usage { role: RoleName::Orchestrator, incarnation: 0, cpu_ns, peak_rss_bytes });
    records.put(Record::End { at: end, interrupted });
    records.finish().map_err(RoleError::io(format!("cannot write the record file {}", own_path.display())))?;
    // Somebody else's receiver leaves no stores.
    if options.state.is_none() && stores.exists() {
        std::fs::remove_dir_all(&stores).map_err(RoleError::io(format!("cannot remove {}", stores.display())))?;
    }
    Ok(Outcome { interrupted, failures })
}
