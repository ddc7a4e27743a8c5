//! What the dispatcher is compared with: the fastest sender there is, of constant bytes.

use std::{
    process::{Command, Stdio},
    sync::Arc,
    time::Duration,
};

use anyhow::Context;
use pushpull::wire::Secret;

use crate::{
    Options,
    support::{closed_loop::ClosedLoop, process::Server, requests::Requests},
};

/// Who sends the constant bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Yardstick {
    /// `wrk`, as installed.
    Wrk,
    /// The generator in here, where there is no wrk.
    RawSockets,
}

impl Yardstick {
    /// wrk where it is installed.
    pub fn choose() -> Yardstick {
        let found = Command::new("wrk").arg("-v").stdout(Stdio::null()).stderr(Stdio::null()).status();
        if found.is_ok() { Yardstick::Wrk } else { Yardstick::RawSockets }
    }

    /// How it is called in figures.
    pub fn name(self) -> &'static str {
        match self {
            Yardstick::Wrk => "wrk",
            Yardstick::RawSockets => "raw sockets",
        }
    }

    /// What it is, for the reader of the figures.
    pub fn in_words(self) -> &'static str {
        match self {
            Yardstick::Wrk => "wrk, which sends the same bytes again and again",
            Yardstick::RawSockets => {
                "a raw-socket sender of prepared bytes in this bench: wrk is not installed (scripts/install-wrk)"
            }
        }
    }

    /// Answers per second from this server.
    pub fn rate(self, server: &Server, options: &Options) -> anyhow::Result<f64> {
        match self {
            Yardstick::Wrk => wrk(server, options),
            Yardstick::RawSockets => raw_sockets(server, options),
        }
    }
}

/// Headers and body of the size that the dispatcher's have.
fn wrk(server: &Server, options: &Options) -> anyhow::Result<f64> {
    let dir = tempfile::tempdir()?;
    let script = dir.path().join("post.lua");
    std::fs::write(
        &script,
        format!(
            "wrk.method = 'POST'\nwrk.body = string.rep('.', {})\n\
             wrk.headers['content-type'] = 'application/json'\nwrk.headers['user-agent'] = 'pushpull/0.0.0'\n\
             wrk.headers['webhook-id'] = 'evt_000000000001_0000000001'\n\
             wrk.headers['webhook-timestamp'] = '1760000000'\nwrk.headers['pushpull-attempt'] = '1'\n\
             wrk.headers['webhook-signature'] = 'v1,' .. string.rep('A', 44)\n",
            options.body_bytes
        ),
    )?;
    let run = |duration: Duration| -> anyhow::Result<String> {
        let out = Command::new("wrk")
            .args(["-t2", &format!("-c{}", options.connections), &format!("-d{}s", duration.as_secs().max(1))])
            .arg("-s")
            .arg(&script)
            .arg(format!("http://{}/webhooks/0", server.listen))
            .output()?;
        Ok(String::from_utf8(out.stdout)?)
    };
    run(Duration::from_secs(1))?;
    let told = run(options.measured())?;
    anyhow::ensure!(!told.contains("Non-2xx") && !told.contains("Socket errors"), "wrk met errors: {told}");
    let line = told.lines().find_map(|line| line.strip_prefix("Requests/sec:"));
    line.and_then(|rate| rate.trim().parse().ok()).with_context(|| format!("wrk said no rate: {told}"))
}

fn raw_sockets(server: &Server, options: &Options) -> anyhow::Result<f64> {
    let secret = Secret::from_bytes(&[42; 32])?;
    let prepared = ((options.seconds + 2.0) * 300_000.0) as u32;
    let requests = Requests::prepare(server.listen, &secret, 1_760_000_000, prepared, options.body_bytes as usize);
    let load = ClosedLoop {
        target: server.listen,
        connections: options.connections as usize,
        threads: 2,
        warm_up: Duration::from_secs(1),
        measured: options.measured(),
    };
    let outcome = load.run(&Arc::new(requests));
    if let Some(problem) = outcome.problem() {
        anyhow::bail!("{problem}");
    }
    Ok(outcome.rate())
}
