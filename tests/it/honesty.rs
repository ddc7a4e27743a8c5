//! The harness itself: stalls show, nothing is left running, a run can be repeated.

use crate::support::{run, run_in};

const STALLED: &str = r#"
title    = "a stall of a second"
duration = "10s"
drain    = "20s"
[workload]
arrivals = { kind = "constant", rate = "100/s" }
[[consumer]]
name = "webhook"
kind = "webhook"
[[fault]]
kind  = "stall"
from  = "4s"
until = "5s"
"#;

#[cfg(unix)]
#[test]
fn a_stall_of_a_second_shows_in_the_tail() {
    let (run, _work) = run(STALLED, &[]);
    run.assert_safe("webhook");
    let age = &run.consumer("webhook")["age_s"];
    let p99 = age["p99"].as_f64().expect("p99");
    let max = age["max"].as_f64().expect("max");
    // A tenth of the events fall into the stall, their ages uniform over it: p99 of all is at
    // 1 s x (1 - 0.01/0.1) = 0.9 s, the largest is the whole stall (models.md H15). A tester that
    // waits for each answer would send one event late and show nothing at p99.
    assert!((0.85..1.2).contains(&p99), "p99 {p99}");
    assert!((0.98..1.4).contains(&max), "max {max}");
    assert!(age["p50"].as_f64().expect("p50") < 0.1);
}

const TWICE: &str = r#"
title    = "twice against one ledger"
duration = "2s"
drain    = "10s"
[workload]
arrivals = { kind = "constant", rate = "100/s" }
[[provider]]
retry = ["50ms", "100ms", "200ms", "400ms"]
[[consumer]]
name = "webhook"
kind = "webhook"
[[consumer]]
name     = "poll"
kind     = "polling"
strategy = { kind = "fixed", interval = "200ms" }
[[fault]]
kind        = "drop-ack"
consumer    = "webhook"
probability = 0.1
"#;

#[test]
fn the_same_scenario_twice_against_one_kept_ledger_applies_both_runs() {
    let work = tempfile::tempdir().unwrap();
    for out in ["first", "second"] {
        let run = run_in(work.path(), out, TWICE, &["--state", "state"]);
        run.assert_safe("webhook");
        run.assert_safe("poll");
    }
    // With the same run id they are the same events: the ledger knows them all.
    let again = |out| run_in(work.path(), out, TWICE, &["--state", "other", "--run-id", "00c0ffee0001"]);
    let first = again("third");
    first.assert_safe("webhook");
    let repeated = again("fourth");
    assert_eq!(repeated.count("webhook", "duplicates_suppressed"), repeated.count("webhook", "receipts"));
}

#[cfg(target_os = "linux")]
#[test]
fn no_process_outlives_an_orchestrator_that_was_killed() {
    use std::{
        io::Read,
        process::{Command, Stdio},
    };
    let _alone = crate::support::alone();
    let work = tempfile::tempdir().unwrap();
    std::fs::write(work.path().join("s.toml"), TWICE.replace("\"2s\"", "\"60s\"")).unwrap();
    // The children share this pipe as their stderr's file would not tell: a pipe of our own is
    // handed to the orchestrator only. So the children are found by their parent.
    let mut orchestrator = crate::support::pushpull(work.path())
        .args(["run", "s.toml", "--out", "out"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let children = || {
        let out = Command::new("ps").args(["-o", "pid=", "--ppid", &orchestrator.id().to_string()]).output().unwrap();
        let text = String::from_utf8(out.stdout).unwrap();
        text.split_whitespace().map(|pid| pid.parse::<u32>().unwrap()).collect::<Vec<_>>()
    };
    let started = wait_for(|| Some(children()).filter(|pids| pids.len() == 3));
    orchestrator.kill().unwrap();
    orchestrator.wait().unwrap();
    let alive = |pid: &u32| {
        let mut stat = String::new();
        let read = std::fs::File::open(format!("/proc/{pid}/stat")).and_then(|mut file| file.read_to_string(&mut stat));
        // A zombie waits for its reaper; it is dead.
        read.is_ok() && !stat.rsplit_once(')').is_some_and(|(_, rest)| rest.trim_start().starts_with('Z'))
    };
    wait_for(|| (!started.iter().any(alive)).then_some(()));
}

/// Polls a condition until it holds; a minute is for ever.
#[cfg(target_os = "linux")]
#[allow(clippy::disallowed_methods, reason = "waits for another process, which cannot tell")]
fn wait_for<T>(mut condition: impl FnMut() -> Option<T>) -> T {
    let began = std::time::Instant::now();
    loop {
        if let Some(value) = condition() {
            return value;
        }
        assert!(began.elapsed().as_secs() < 60, "waited a minute");
        std::thread::yield_now();
    }
}
