//! How fast the receiver is, end to end: signed webhooks over loopback against the real process, in
//! rounds that alternate with bare hyper answering 200, so that what is told is a ratio of the same
//! minute on the same machine.
//!
//! `cargo bench --bench receiver -- --help` has the options.
#![allow(clippy::disallowed_methods, reason = "a bench measures time and waits for processes")]

#[path = "../support/mod.rs"]
mod support;

mod hostile;
mod ingest;
mod open;
mod site;
mod sustained;
mod wrk;

use std::{path::PathBuf, time::Duration};

use clap::Parser;
use serde_json::{Value, json};

use support::{bare, figures};

/// Measures the receiver against bare hyper.
#[derive(Debug, Clone, Parser)]
struct Options {
    /// Rounds; figures are medians over them.
    #[arg(long, default_value_t = 5)]
    rounds: u32,
    /// Seconds measured per run, after one second to warm up.
    #[arg(long, default_value_t = 4.0)]
    seconds: f64,
    /// Connections of the closed loop.
    #[arg(long, default_value_t = 256)]
    connections: usize,
    /// Bytes of a body.
    #[arg(long, default_value_t = 1024)]
    body_bytes: usize,
    /// The parts to measure: ingest, sustained, open, hostile, wrk.
    #[arg(long, value_delimiter = ',', default_value = "ingest,sustained,open,hostile")]
    parts: Vec<String>,
    /// The queue engines to measure.
    #[arg(long, value_delimiter = ',', default_value = "sqlite")]
    queues: Vec<String>,
    /// Where the figures go as JSON as well.
    #[arg(long)]
    json: Option<PathBuf>,
    /// Be a server for another process of this bench.
    #[arg(long, hide = true)]
    serve: Option<String>,
    /// What cargo passes to every bench.
    #[arg(long, hide = true)]
    bench: bool,
}

impl Options {
    fn measured(&self) -> Duration {
        Duration::from_secs_f64(self.seconds)
    }
}

/// A part of the bench: prints its figures and returns them.
type Part = fn(&Options) -> anyhow::Result<Value>;

const PARTS: [(&str, Part); 5] = [
    ("ingest", ingest::run),
    ("sustained", sustained::run),
    ("open", open::run),
    ("hostile", hostile::run),
    ("wrk", wrk::run),
];

fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    if options.serve.is_some() {
        return Ok(bare::serve()?);
    }
    let machine = figures::machine();
    println!("{} rounds of {} s on {machine}", options.rounds, options.seconds);
    let mut results = json!({ "machine": machine, "rounds": options.rounds, "seconds": options.seconds });
    for name in &options.parts {
        let part = PARTS.iter().find(|(known, _)| known == name);
        let Some((name, run)) = part else { anyhow::bail!("no part {name}: {:?}", PARTS.map(|(name, _)| name)) };
        results[*name] = run(&options)?;
    }
    if let Some(path) = &options.json {
        std::fs::write(path, serde_json::to_string_pretty(&results)?)?;
    }
    Ok(())
}
