//! What an ack takes at a fixed rate, from the instant at which its request was due.

use std::time::Duration;

use serde_json::{Value, json};

use crate::{
    Options, ingest,
    site::{self, Site, Workers},
    support::{figures::Figure, open_loop::OpenLoop, process::Server},
};

const RATE: f64 = 2_000.0;
/// At this rate no more than a few are ever busy.
const CONNECTIONS: usize = 64;

#[derive(Debug, Default)]
struct Row {
    p50_ms: Figure,
    p99_ms: Figure,
    lag_p99_ms: Figure,
    core_percent: Figure,
}

impl Row {
    fn measure(&mut self, server: &Server, options: &Options) -> anyhow::Result<crate::support::Outcome> {
        let load = OpenLoop {
            target: server.listen,
            connections: CONNECTIONS,
            rate: RATE,
            warm_up: Duration::from_secs(1),
            measured: options.measured(),
        };
        let outcome = ingest::sound(load.run(&site::requests(server, load.count(), options.body_bytes)))?;
        self.p50_ms.note(outcome.latency_ms(50.0));
        self.p99_ms.note(outcome.latency_ms(99.0));
        self.lag_p99_ms.note(outcome.lag.value_at_quantile(0.99) as f64 / 1e6);
        let seconds = (load.warm_up + load.measured).as_secs_f64();
        self.core_percent.note(server.usage().cpu_ns as f64 / 1e7 / seconds);
        Ok(outcome)
    }

    fn tell(&self, name: &str) {
        println!(
            "{name:<30} p50 {:>22} ms   p99 {:>22} ms   of one core {:>4.1} %   generator's lag p99 {:.3} ms",
            self.p50_ms.told(3),
            self.p99_ms.told(3),
            self.core_percent.median(),
            self.lag_p99_ms.median(),
        );
    }

    fn json(&self) -> Value {
        json!({
            "p50_ms": self.p50_ms.json(), "p99_ms": self.p99_ms.json(), "lag_p99_ms": self.lag_p99_ms.json(),
            "percent_of_one_core": self.core_percent.json(),
        })
    }
}

/// Measures bare hyper and each queue engine, workers idle and on.
pub fn run(options: &Options) -> anyhow::Result<Value> {
    println!("\nopen loop: {RATE} requests per second over {CONNECTIONS} connections, {} bytes", options.body_bytes);
    let mut bare = Row::default();
    let mut rows = Vec::new();
    for queue in &options.queues {
        for workers in [Workers::Idle, Workers::On] {
            rows.push((queue, workers, Row::default()));
        }
    }
    for _ in 0..options.rounds {
        bare.measure(&Server::bare()?, options)?;
        for (queue, workers, row) in &mut rows {
            let site = Site::start(queue, *workers)?;
            let outcome = row.measure(&site.server, options)?;
            site.kill_and_check(queue, &outcome)?;
        }
    }
    bare.tell("bare hyper");
    let mut result = json!({ "bare": bare.json() });
    for (queue, workers, row) in rows {
        let name = format!("{queue}, workers {workers}");
        row.tell(&format!("receiver, {name}"));
        result[name] = row.json();
    }
    Ok(result)
}
