//! What lasts: acks while workers apply every event, and all of them applied, from the first request
//! to the last effect.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::{
    Options,
    ingest::{self, closed_loop},
    site::{Site, Workers},
    support::{figures::Figure, process::Server},
};

/// How often a receiver is asked how far its workers are.
const LOOK_INTERVAL: Duration = Duration::from_millis(20);

/// Measures each queue engine with four workers whose effects take no time.
pub fn run(options: &Options) -> anyhow::Result<Value> {
    println!("\nsustained: {} connections, {} bytes, workers on", options.connections, options.body_bytes);
    let mut rows: Vec<_> = options.queues.iter().map(|queue| (queue, Figure::default(), Figure::default())).collect();
    for _ in 0..options.rounds {
        for (queue, acked, applied) in &mut rows {
            let site = Site::start(queue, Workers::On)?;
            let begun = Instant::now();
            let outcome = ingest::sound(closed_loop(&site.server, options))?;
            let events = outcome.acked_offsets.len();
            wait_for_effects(&site.server, events as u64)?;
            applied.note(events as f64 / (begun.elapsed()).as_secs_f64());
            acked.note(outcome.rate());
            site.kill_and_check(queue, &outcome)?;
        }
    }
    let mut result = json!({});
    for (queue, acked, applied) in rows {
        println!(
            "receiver, {queue:<8} acked {:>24} req/s while workers are on; acked and applied {:>24} events/s",
            acked.told(0),
            applied.told(0)
        );
        result[queue.as_str()] =
            json!({ "acked_per_second": acked.json(), "acked_and_applied_per_second": applied.json() });
    }
    Ok(result)
}

/// Waits until the receiver has applied `events`.
fn wait_for_effects(server: &Server, events: u64) -> anyhow::Result<()> {
    let mut last = (Instant::now(), 0);
    loop {
        let applied = server.metric("pushpull_effects_total{outcome=\"applied\"}")?;
        if applied >= events {
            return Ok(());
        }
        if applied > last.1 {
            last = (Instant::now(), applied);
        }
        anyhow::ensure!(last.0.elapsed() < Duration::from_secs(10), "stuck: {applied} of {events} events are applied");
        std::thread::sleep(LOOK_INTERVAL);
    }
}
