//! A receiver to measure: a scenario, a folder that goes away, and the check that what it acked is
//! there after it was killed.

use std::{
    collections::HashSet,
    path::Path,
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use pushpull::{
    backend,
    record::Record,
    scenario::{self, LoadOptions},
    wire::Secret,
};

use crate::support::{
    Outcome,
    process::Server,
    requests::{FIRST_SEQ, Requests, run_id},
};

/// A receiver in a folder of its own.
pub struct Site {
    dir: tempfile::TempDir,
    scenario: String,
    /// The process.
    pub server: Server,
}

/// Whether workers have anything to do while acks are measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Workers {
    /// One, busy for ever with the first event.
    Idle,
    /// Four, which apply each event to the ledger at once.
    On,
}

impl std::fmt::Display for Workers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if *self == Workers::Idle { "idle" } else { "on" })
    }
}

/// The secret of every bench.
pub fn secret() -> Secret {
    Secret::from_bytes(&[42; 32]).expect("32 bytes are a secret")
}

/// Requests to a server, signed now.
pub fn requests(server: &Server, count: u32, body_bytes: usize) -> Arc<Requests> {
    let now_s = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    Arc::new(Requests::prepare(server.listen, &secret(), now_s, count, body_bytes))
}

impl Site {
    /// Starts a receiver with fresh stores.
    pub fn start(queue: &str, workers: Workers) -> anyhow::Result<Site> {
        Site::start_with(queue, workers, 4_096)
    }

    /// Starts a receiver with fresh stores and room for so many connections.
    pub fn start_with(queue: &str, workers: Workers, connection_limit: u32) -> anyhow::Result<Site> {
        let (workers, duration) = match workers {
            Workers::Idle => (1, "1h"),
            Workers::On => (4, "0s"),
        };
        // Only a queue that outlives its process can know copies.
        let dedupe = queue != "memory";
        let scenario = format!(
            "title = \"bench\"\nrun_id = \"{}\"\n[[consumer]]\nname = \"webhook\"\nkind = \"webhook\"\n\
             queue = \"{queue}\"\nqueue_capacity = 1000000000\nworkers = {workers}\n\
             connection_limit = {connection_limit}\ndedupe = {dedupe}\neffect = {{ duration = \"{duration}\" }}\n",
            run_id()
        );
        let dir = tempfile::tempdir()?;
        let server = Server::receiver(dir.path(), &scenario, &secret())?;
        Ok(Site { dir, scenario, server })
    }

    /// Kills the receiver, then looks for every event it acked: in the queue, or applied.
    pub fn kill_and_check(self, queue: &str, outcome: &Outcome) -> anyhow::Result<()> {
        self.server.kill();
        if queue == "memory" {
            return Ok(());
        }
        let stores = self.dir.path().join("part/stores/webhook");
        let kept = kept(&stores, &self.scenario)?;
        let lost = outcome.acked_offsets.iter().filter(|offset| !kept.contains(&(FIRST_SEQ + **offset))).count();
        anyhow::ensure!(lost == 0, "{lost} of {} acked events are in no store", outcome.acked_offsets.len());
        Ok(())
    }
}

/// The sequences in a receiver's stores.
fn kept(stores: &Path, scenario: &str) -> anyhow::Result<HashSet<u32>> {
    let options = LoadOptions::new("bench", run_id());
    let plan = scenario::load(scenario, &options)?;
    let seq = |record| match record {
        Record::Queued { what, .. } => Some(what.seq),
        Record::Effect(row) => Some(row.what.seq),
        _ => None,
    };
    Ok(backend::export(stores, &plan, 0)?.into_iter().filter_map(seq).collect())
}
