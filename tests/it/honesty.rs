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

/// Gil Tene's example (models.md H16), fifty times shorter: half of the time all is well, then all
/// stands still. A tester that waits for each answer sees a mean of a few milliseconds.
const HALF_STALLED: &str = r#"
title    = "well for two seconds, stalled for two"
duration = "4s"
drain    = "20s"
[workload]
arrivals = { kind = "constant", rate = "100/s" }
[[consumer]]
name = "webhook"
kind = "webhook"
[[fault]]
kind  = "stall"
from  = "2s"
until = "4s"
"#;

#[cfg(unix)]
#[test]
fn half_a_run_that_stands_still_is_half_of_what_is_reported() {
    let (run, _work) = run(HALF_STALLED, &[]);
    run.assert_safe("webhook");
    let age = |key: &str| run.consumer("webhook")["age_s"][key].as_f64().expect("an age");
    // Half of the ages are uniform over the stall: mean a quarter of it, p90 four fifths of it.
    assert!((0.45..0.75).contains(&age("mean")), "mean {}", age("mean"));
    assert!((1.5..1.9).contains(&age("p90")), "p90 {}", age("p90"));
    assert!(age("max") > 1.9, "max {}", age("max"));
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
fn ctrl_c_ends_a_run_early_and_what_happened_is_judged() {
    let _alone = crate::support::alone();
    let work = tempfile::tempdir().unwrap();
    std::fs::write(work.path().join("s.toml"), TWICE.replace("\"2s\"", "\"500s\"")).unwrap();
    let mut run = crate::support::pushpull(work.path())
        .args(["run", "s.toml", "--out", "out"])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    // The provider hands its records over in blocks: a first block means that events have come.
    let provider = work.path().join("out/records/provider-provider-0.records");
    wait_for(|| provider.metadata().ok().filter(|meta| meta.len() > 1_000));
    let told = std::process::Command::new("kill").args(["-INT", &run.id().to_string()]).status().unwrap();
    assert!(told.success());
    let status = run.wait().unwrap();
    assert_eq!(status.code(), Some(1), "nothing is proved by half a run");
    let results: serde_json::Value =
        serde_json::from_slice(&std::fs::read(work.path().join("out/results.json")).unwrap()).unwrap();
    let run = &results["runs"][0];
    assert_eq!(run["interrupted"], true);
    assert_eq!(run["valid"], true, "{}", run["why_void"]);
    assert_eq!(run["consumers"][0]["lost"], 0);
    assert!(run["consumers"][0]["due"].as_u64().unwrap() > 0);
}

#[cfg(target_os = "linux")]
#[test]
fn no_process_outlives_an_orchestrator_that_was_killed() {
    use std::process::{Command, Stdio};
    let _alone = crate::support::alone();
    let work = tempfile::tempdir().unwrap();
    // One of them is stalled by then: a stopped process does not read its stdin.
    let stalled = "[[fault]]\nkind = \"stall\"\nconsumer = \"webhook\"\nfrom = \"0s\"\nuntil = \"50s\"\n";
    std::fs::write(work.path().join("s.toml"), TWICE.replace("\"2s\"", "\"60s\"") + stalled).unwrap();
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
    let stopped = |pid: &u32| state_of(*pid) == Some('T');
    let started = wait_for(|| Some(children()).filter(|pids| pids.len() == 3 && pids.iter().any(stopped)));
    orchestrator.kill().unwrap();
    orchestrator.wait().unwrap();
    // A zombie waits for its reaper; it is dead.
    let alive = |pid: &u32| state_of(*pid).is_some_and(|state| state != 'Z');
    wait_for(|| (!started.iter().any(alive)).then_some(()));
}

/// A process's state by the kernel's letter.
#[cfg(target_os = "linux")]
fn state_of(pid: u32) -> Option<char> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(')')?.1.trim_start().chars().next()
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
