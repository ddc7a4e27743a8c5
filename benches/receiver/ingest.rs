//! Acks per second in a closed loop, workers idle: the receiver against bare hyper.

use std::time::Duration;

use serde_json::{Value, json};

use crate::{
    Options,
    site::{self, Site, Workers},
    support::{
        Outcome,
        closed_loop::ClosedLoop,
        figures::Figure,
        process::{Server, Usage},
    },
};

/// More than any server here answers per second: what is prepared must last.
const REQUESTS_PER_SECOND: f64 = 200_000.0;
const WARM_UP: Duration = Duration::from_secs(1);

/// What one server's rounds came to.
#[derive(Debug, Default)]
struct Row {
    rate: Figure,
    ratio: Figure,
    p50_ms: Figure,
    p99_ms: Figure,
    cpu_us: Figure,
    peak_rss_mb: Figure,
}

impl Row {
    fn note(&mut self, outcome: &Outcome, bare: f64, usage: Usage) {
        self.rate.note(outcome.rate());
        self.ratio.note(outcome.rate() / bare);
        self.p50_ms.note(outcome.latency_ms(50.0));
        self.p99_ms.note(outcome.latency_ms(99.0));
        // Over the whole run, as the acks are: the grain of the CPU time is 10 ms.
        self.cpu_us.note(usage.cpu_ns as f64 / 1e3 / outcome.acked_offsets.len() as f64);
        self.peak_rss_mb.note(usage.peak_rss_bytes as f64 / 1e6);
    }

    fn tell(&self, name: &str) {
        println!(
            "{name:<18} {:>26} req/s   ratio {:>22}   p50 {:>6.2} ms   p99 {:>6.2} ms   {:>5.1} us CPU/req   {:>4.0} MB",
            self.rate.told(0),
            self.ratio.told(3),
            self.p50_ms.median(),
            self.p99_ms.median(),
            self.cpu_us.median(),
            self.peak_rss_mb.median(),
        );
    }

    fn json(&self) -> Value {
        json!({
            "requests_per_second": self.rate.json(), "ratio_to_bare": self.ratio.json(), "p50_ms": self.p50_ms.json(),
            "p99_ms": self.p99_ms.json(), "server_cpu_us_per_request": self.cpu_us.json(),
            "peak_rss_mb": self.peak_rss_mb.json(),
        })
    }
}

/// Measures bare hyper and a receiver per queue engine in turn.
pub fn run(options: &Options) -> anyhow::Result<Value> {
    println!("\ningest: {} connections, {} bytes, workers idle", options.connections, options.body_bytes);
    let mut bare_row = Row::default();
    let mut rows: Vec<(&str, Row)> = options.queues.iter().map(|queue| (queue.as_str(), Row::default())).collect();
    for _ in 0..options.rounds {
        let server = Server::bare()?;
        let (outcome, usage) = load(&server, options)?;
        let bare = outcome.rate();
        bare_row.note(&outcome, bare, usage);
        server.kill();
        for (queue, row) in &mut rows {
            let site = Site::start(queue, Workers::Idle)?;
            let (outcome, usage) = load(&site.server, options)?;
            row.note(&outcome, bare, usage);
            site.kill_and_check(queue, &outcome)?;
        }
    }
    bare_row.tell("bare hyper");
    let mut result = json!({ "bare": bare_row.json() });
    for (queue, row) in rows {
        row.tell(&format!("receiver, {queue}"));
        result[queue] = row.json();
    }
    Ok(result)
}

/// A closed loop against a fresh server, and what the server used for it.
fn load(server: &Server, options: &Options) -> anyhow::Result<(Outcome, Usage)> {
    let outcome = sound(closed_loop(server, options))?;
    Ok((outcome, server.usage()))
}

/// A closed loop on every core.
pub fn closed_loop(server: &Server, options: &Options) -> Outcome {
    let seconds = (WARM_UP + options.measured()).as_secs_f64();
    let requests = site::requests(server, (seconds * REQUESTS_PER_SECOND) as u32, options.body_bytes);
    let load = ClosedLoop {
        target: server.listen,
        connections: options.connections,
        threads: std::thread::available_parallelism().map_or(1, usize::from),
        warm_up: WARM_UP,
        measured: options.measured(),
    };
    load.run(&requests)
}

/// Figures with a flaw in them are an error.
pub fn sound(outcome: Outcome) -> anyhow::Result<Outcome> {
    match outcome.problem() {
        Some(problem) => anyhow::bail!("the figures are void: {problem}"),
        None => Ok(outcome),
    }
}
