//! The generator held against wrk: both drive bare hyper in the same round, so that nobody needs to
//! believe in a generator of our own.

use std::{net::SocketAddr, process::Command};

use anyhow::Context;
use serde_json::{Value, json};

use crate::{
    Options,
    ingest::{self, closed_loop},
    support::{figures::Figure, process::Server},
};

/// Measures bare hyper with both in turn.
pub fn run(options: &Options) -> anyhow::Result<Value> {
    println!("\ncross-check: bare hyper, {} connections, {} bytes", options.connections, options.body_bytes);
    let (mut ours, mut wrks, mut ratio) = (Figure::default(), Figure::default(), Figure::default());
    for _ in 0..options.rounds {
        let own = ingest::sound(closed_loop(&Server::bare()?, options))?.rate();
        let wrk = drive(Server::bare()?.listen, options)?;
        ours.note(own);
        wrks.note(wrk);
        ratio.note(own / wrk);
    }
    println!("this generator {:>26} req/s\nwrk            {:>26} req/s", ours.told(0), wrks.told(0));
    println!("ratio          {:>26}", ratio.told(3));
    Ok(json!({ "requests_per_second": ours.json(), "wrk_requests_per_second": wrks.json(), "ratio": ratio.json() }))
}

/// wrk's requests per second, with a body and headers as long as ours.
fn drive(target: SocketAddr, options: &Options) -> anyhow::Result<f64> {
    let script = tempfile::NamedTempFile::with_suffix(".lua")?;
    let lua = format!(
        "wrk.method = 'POST'\nwrk.body = string.rep('.', {})\nwrk.headers['content-type'] = 'application/json'\n\
         wrk.headers['user-agent'] = 'bench'\nwrk.headers['webhook-id'] = string.rep('x', 27)\n\
         wrk.headers['webhook-timestamp'] = string.rep('1', 10)\n\
         wrk.headers['webhook-signature'] = string.rep('x', 47)\n",
        options.body_bytes
    );
    std::fs::write(script.path(), lua)?;
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let output = Command::new("wrk")
        .args([format!("-t{threads}"), format!("-c{}", options.connections), format!("-d{}s", options.seconds as u32)])
        .arg("-s")
        .arg(script.path())
        .arg(format!("http://{target}/webhooks/0"))
        .output()
        .context("this part needs wrk (Debian: apt-get install wrk)")?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    anyhow::ensure!(!text.contains("Non-2xx"), "wrk was not answered 2xx:\n{text}");
    let rate = text.lines().find_map(|line| line.trim().strip_prefix("Requests/sec:")?.trim().parse().ok());
    rate.with_context(|| format!("wrk told no rate:\n{text}"))
}
