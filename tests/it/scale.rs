//! Many at once: what must hold with thousands of clients, whatever the machine.

use std::collections::BTreeMap;

use pushpull::record::{Record, read_dir};

use crate::support::{Run, pushpull, run_by};

const CLIENTS: u64 = 3_000;

/// Every client waits for the one event, which comes long after the last of them has asked.
const HELD: &str = r#"
title    = "thousands of held requests"
duration = "6s"
drain    = "60s"
[workload]
arrivals = { kind = "constant", rate = "0.2/s" }
[[consumer]]
name     = "waiting"
kind     = "polling"
clients  = 3000
follows  = "all"
strategy = { kind = "long-poll", hold = "10min" }
"#;

/// Runs it from a shell that has set a limit.
fn held(limit: &str) -> (Run, tempfile::TempDir) {
    let work = tempfile::tempdir().unwrap();
    let mut shell = std::process::Command::new("sh");
    shell.arg("-c").arg(format!("{limit} && exec \"$0\" \"$@\"")).arg(pushpull(work.path()).get_program());
    let run = run_by(shell.current_dir(work.path()), work.path(), "out", HELD, &[]);
    (run, work)
}

/// As many connections as clients, in a shell that grants a process 256 open files at first.
#[test]
fn thousands_of_held_requests_are_all_answered_when_an_event_comes() {
    let (run, _work) = held("ulimit -S -n 256");
    run.assert_safe("waiting");
    assert_eq!(run.count("waiting", "applied"), CLIENTS);
    assert_eq!(run.count("waiting", "failed_requests"), 0);
    // One request that the event has answered, and one that is held to the end.
    assert_eq!(run.count("waiting", "requests"), 2 * CLIENTS);
    assert_eq!(run.count("waiting", "empty_responses"), CLIENTS);

    // Held they were: each had been sent before there was anything to answer.
    let (mut sent, mut emitted) = (BTreeMap::new(), None);
    let note = |record| match record {
        Record::Poll(poll) => drop(sent.insert(poll.client, poll.sent)),
        Record::Emitted { emitted_at, .. } => emitted = Some(emitted_at),
        _ => {}
    };
    read_dir(&run.dir.join("records"), note).expect("the run's records");
    let emitted = emitted.expect("one event");
    assert_eq!(sent.len() as u64, CLIENTS);
    assert!(sent.values().all(|sent| *sent < emitted), "{:?} after {emitted:?}", sent.values().max());

    // A held request costs its connection's buffers and a timer on either side.
    let peak = |of: &serde_json::Value| of["peak_rss_bytes"].as_u64().expect("a peak");
    for (who, bytes) in [("provider", peak(&run.run()["provider"])), ("poller", peak(run.consumer("waiting")))] {
        assert!(bytes < BYTES_PER_CLIENT_MAX * CLIENTS, "the {who} took {} KB per client", bytes / CLIENTS / 1_000);
    }
}

/// The whole process shared out among its clients.
const BYTES_PER_CLIENT_MAX: u64 = 50_000;

#[test]
fn more_clients_than_the_system_grants_open_files_are_refused_with_the_fix() {
    let (run, _work) = held("ulimit -n 256");
    assert_eq!(run.output.status.code(), Some(3), "{}", run.stdout());
    assert!(run.stdout().contains("the limit is 256; raise it with ulimit -n"), "{}", run.stdout());
}
