//! How fast the dispatcher sends, end to end: the real provider process on a backlog, against a bare
//! hyper server, in rounds that alternate with `wrk` against the same server, so that what is told is
//! a ratio of the same minute on the same machine.
//!
//! `cargo bench --bench dispatcher -- --help` has the options.
#![allow(clippy::disallowed_methods, reason = "a bench measures time and waits for processes")]

#[path = "../support/mod.rs"]
mod support;

mod provider;
mod yardstick;

use std::{path::PathBuf, time::Duration};

use clap::Parser;
use serde_json::{Value, json};

use self::{provider::Fleet, yardstick::Yardstick};
use support::{
    bare,
    figures::{self, Figure},
    process::Server,
};

/// Measures the dispatcher against wrk.
#[derive(Debug, Parser)]
struct Options {
    /// Rounds; figures are medians over them.
    #[arg(long, default_value_t = 5)]
    rounds: u32,
    /// Seconds measured per run, after one second to warm up.
    #[arg(long, default_value_t = 4.0)]
    seconds: f64,
    /// Connections in all: wrk's, and the provider's over all endpoints.
    #[arg(long, default_value_t = 64)]
    connections: u32,
    /// How many endpoints share them; one row of figures for each.
    #[arg(long, value_delimiter = ',', default_value = "8,1")]
    endpoints: Vec<u32>,
    /// Bytes of a body.
    #[arg(long, default_value_t = 1024)]
    body_bytes: u32,
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

/// One way to share the connections among endpoints, over all rounds.
#[derive(Debug, Default)]
struct Row {
    rate: Figure,
    ratio: Figure,
    cpu_us: Figure,
}

fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    if options.serve.is_some() {
        return Ok(bare::serve()?);
    }
    let yardstick = Yardstick::choose();
    let machine = figures::machine();
    println!("{} rounds of {} s on {machine}", options.rounds, options.seconds);
    println!("the yardstick is {}", yardstick.in_words());
    let mut yard_rate = Figure::default();
    let mut rows: Vec<Row> = options.endpoints.iter().map(|_| Row::default()).collect();
    for round in 1..=options.rounds {
        let yard = yardstick.rate(&Server::bare()?, &options)?;
        yard_rate.note(yard);
        print!("round {round}: {} {yard:.0}/s", yardstick.name());
        for (row, &endpoints) in rows.iter_mut().zip(&options.endpoints) {
            let sent = Fleet { endpoints, connections: options.connections }.send(&Server::bare()?, &options, yard)?;
            print!(", {endpoints} endpoint(s) {:.0}/s", sent.rate);
            row.rate.note(sent.rate);
            row.ratio.note(sent.rate / yard);
            row.cpu_us.note(sent.cpu_us);
        }
        println!();
    }
    println!("{}: {}/s", yardstick.name(), yard_rate.told(0));
    let mut results = json!({ "machine": machine, "yardstick": yardstick.name(), "yardstick_rate": yard_rate.json() });
    for (row, endpoints) in rows.iter().zip(&options.endpoints) {
        println!(
            "{endpoints} endpoint(s): {} of {}; {}/s; {} us of CPU per attempt",
            row.ratio.told(2),
            yardstick.name(),
            row.rate.told(0),
            row.cpu_us.told(1)
        );
        results[format!("endpoints_{endpoints}")] = row.json();
    }
    if let Some(path) = &options.json {
        std::fs::write(path, serde_json::to_string_pretty(&results)?)?;
    }
    Ok(())
}

impl Row {
    fn json(&self) -> Value {
        json!({ "ratio": self.ratio.json(), "rate": self.rate.json(), "cpu_us_per_attempt": self.cpu_us.json() })
    }
}
