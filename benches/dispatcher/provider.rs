//! The provider process on a backlog: every event is due at once, so the dispatcher never waits for
//! one. What it achieved is read from its own records.

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use anyhow::Context;
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use pushpull::{
    live::usage,
    model::{Span, Time},
    record::{self, Record},
    wire::Secret,
};

use crate::{Options, support::process::Server};

/// The variable that the provider is told its secret in.
const SECRET_VARIABLE: &str = "BENCH_WEBHOOK_SECRET";
/// The backlog, as a multiple of what the yardstick would send of it: it must not run out.
const BACKLOG_FACTOR: f64 = 1.3;
/// Connections are made and caches filled before anything counts.
const WARM_UP: Duration = Duration::from_secs(1);

/// The endpoints to send to.
#[derive(Debug, Clone, Copy)]
pub struct Fleet {
    /// How many.
    pub endpoints: u32,
    /// Connections over all of them.
    pub connections: u32,
}

/// What a provider achieved.
#[derive(Debug, Clone, Copy)]
pub struct Sent {
    /// Attempts acked per second.
    pub rate: f64,
    /// CPU of the whole process per attempt, in microseconds.
    pub cpu_us: f64,
}

impl Fleet {
    /// Runs a provider against the server and stops it in the middle of its backlog.
    pub fn send(self, server: &Server, options: &Options, yardstick_rate: f64) -> anyhow::Result<Sent> {
        let dir = tempfile::tempdir()?;
        let scenario = dir.path().join("scenario.toml");
        std::fs::write(&scenario, self.scenario(options, yardstick_rate))?;
        let mut command = Command::new(env!("CARGO_BIN_EXE_pushpull"));
        command.arg("provider").arg(&scenario).args(["--listen", "127.0.0.1:0", "--secret-env", SECRET_VARIABLE]);
        command.arg("--to").arg(format!("webhook=http://{}/webhooks/{{client}}", server.listen));
        command.arg("--out").arg(dir.path().join("part"));
        command.env(SECRET_VARIABLE, Secret::from_bytes(&[42; 32])?.reveal());
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn()?;
        wait_until_listening(&mut child)?;
        std::thread::sleep(WARM_UP);
        let before = cpu_ns(&child);
        std::thread::sleep(options.measured());
        let cpu = cpu_ns(&child).zip(before).map(|(after, before)| after - before);
        stop(&mut child)?;
        let acked = acked_in(&dir.path().join("part/records"), options.measured())?;
        Ok(Sent {
            rate: acked as f64 / options.seconds,
            cpu_us: cpu.map_or(f64::NAN, |ns| ns as f64 / 1e3 / acked as f64),
        })
    }

    /// Everything is due within the first 10 ms.
    fn scenario(self, options: &Options, yardstick_rate: f64) -> String {
        let events = BACKLOG_FACTOR * yardstick_rate * (WARM_UP + options.measured()).as_secs_f64();
        format!(
            "title = \"bench\"\nduration = \"10ms\"\n\
             [workload]\narrivals = {{ kind = \"constant\", rate = \"{}/s\" }}\nsubjects = 100000\n\
             payload_bytes = {}\n\
             [[provider]]\nconcurrency = {}\n\
             [[consumer]]\nname = \"webhook\"\nkind = \"webhook\"\nclients = {}\n",
            events as u64 * 100,
            options.body_bytes,
            self.connections / self.endpoints,
            self.endpoints
        )
    }
}

fn wait_until_listening(child: &mut Child) -> anyhow::Result<()> {
    let mut lines = BufReader::new(child.stderr.take().context("piped")?).lines();
    let first = lines.next().transpose()?.unwrap_or_default();
    anyhow::ensure!(first.contains("listening"), "the provider did not start: {first}");
    // What it says later is of no interest, but it must not wait for a reader.
    std::thread::spawn(move || lines.for_each(drop));
    Ok(())
}

fn cpu_ns(child: &Child) -> Option<u64> {
    usage::of_process(child.id()).map(|(cpu_ns, _)| cpu_ns)
}

/// Ctrl-C: the provider closes its records.
fn stop(child: &mut Child) -> anyhow::Result<()> {
    kill(Pid::from_raw(i32::try_from(child.id())?), Signal::SIGINT)?;
    let ended = child.wait()?;
    anyhow::ensure!(ended.success(), "the provider ended with {ended}");
    Ok(())
}

/// Attempts acked in the measured window behind the warm-up, from the records. Any other outcome,
/// and a backlog that has run out, spoils the figure.
fn acked_in(records: &Path, measured: Duration) -> anyhow::Result<u64> {
    let (from, until) = (Time::ZERO + span(WARM_UP), Time::ZERO + span(WARM_UP + measured));
    let (mut acked, mut failed, mut open) = (0u64, 0u64, 0u64);
    record::read_dir(records, |record| match record {
        Record::Attempt(attempt) if !attempt.outcome.is_ack() => failed += 1,
        Record::Attempt(attempt) => acked += u64::from((from..until).contains(&attempt.done)),
        Record::Open { .. } => open += 1,
        _ => {}
    })?;
    anyhow::ensure!(failed == 0, "{failed} attempts were not acked");
    anyhow::ensure!(open > 0, "the backlog ran out");
    Ok(acked)
}

fn span(duration: Duration) -> Span {
    Span(duration.as_nanos() as u64)
}
