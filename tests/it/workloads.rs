//! Workloads in real runs: captured events sent again, and bursts.

use serde_json::Value;

use crate::support::{pushpull, run, run_in};

/// Forty captured events of four accounts over two seconds, out of order in the file.
fn captured() -> String {
    let line = |i: u32| {
        let (second, millis) = (i / 20, i % 20 * 50);
        format!(
            "{{\"id\":\"cap_{i}\",\"account\":\"acct_{}\",\"at\":\"2026-01-31T09:30:0{second}.{millis:03}+01:00\",\
             \"amount\":{i}.50}}\n",
            i % 4
        )
    };
    (0..20).map(|i| line(39 - i)).chain((0..20).map(line)).collect()
}

const REPLAY: &str = r#"
title = "a replay"
drain = "10s"
[workload]
arrivals = { kind = "replay", file = "captured.jsonl", speed = 2.0, time_key = "at", subject_key = "account" }
[[provider]]
retry = ["50ms", "100ms", "200ms"]
[[consumer]]
name = "webhook"
kind = "webhook"
clients = 2
[[consumer]]
name = "poller"
kind = "polling"
clients = 2
strategy = { kind = "fixed", interval = "200ms" }
[[fault]]
kind = "drop-ack"
consumer = "webhook"
every = 4
attempts = [1]
"#;

#[test]
fn captured_events_reach_both_paths_and_the_run_can_be_judged_without_the_file() {
    let work = tempfile::tempdir().unwrap();
    std::fs::write(work.path().join("captured.jsonl"), captured()).unwrap();
    let run = run_in(work.path(), "out", REPLAY, &[]);
    for consumer in ["webhook", "poller"] {
        run.assert_safe(consumer);
        assert_eq!(run.count(consumer, "due"), 40);
    }
    assert_eq!(run.count("webhook", "duplicates_received"), 10);

    std::fs::remove_file(work.path().join("captured.jsonl")).unwrap();
    assert_eq!(std::fs::read_to_string(run.dir.join("captured.jsonl")).unwrap(), captured());
    let again = pushpull(work.path()).args(["judge", "out"]).output().unwrap();
    assert_eq!(again.status.code(), run.output.status.code(), "{}", String::from_utf8_lossy(&again.stderr));
    let results: Value = serde_json::from_slice(&std::fs::read(run.dir.join("results.json")).unwrap()).unwrap();
    assert!(results["runs"][0]["consumers"] == run.run()["consumers"], "judged again, the figures differ");
}

#[test]
fn a_bad_line_stops_the_run_before_anything_is_sent() {
    let work = tempfile::tempdir().unwrap();
    std::fs::write(work.path().join("s.toml"), REPLAY).unwrap();
    std::fs::write(work.path().join("captured.jsonl"), captured() + "{\"account\":\"a\"}\n").unwrap();
    let output = pushpull(work.path()).args(["run", "s.toml"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    insta::assert_snapshot!(String::from_utf8_lossy(&output.stderr), @r#"
    pushpull: s.toml:5: workload.arrivals.file: captured.jsonl:41: no instant under at
      fix: write RFC 3339 ("2026-01-31T09:30:00Z") or Unix seconds; time_key names the key
    "#);
    assert_eq!(std::fs::read_dir(work.path()).unwrap().count(), 2, "something was left behind");
}

#[test]
fn a_burst_beyond_the_receiver_is_turned_away_and_comes_again() {
    let scenario = r#"
        title    = "a burst"
        duration = "2s"
        drain    = "20s"
        [workload]
        arrivals = { kind = "bursty", rate = "400/s", burst = "500ms", gap = "10s" }
        [[provider]]
        retry = ["200ms", "400ms", "800ms", "1600ms", "3200ms"]
        [[consumer]]
        name = "webhook"
        kind = "webhook"
        workers = 1
        queue_capacity = 20
        effect = { duration = "5ms" }
    "#;
    let (run, _work) = run(scenario, &["--seed", "5"]);
    run.assert_safe("webhook");
    assert!((130..280).contains(&run.count("webhook", "due")), "one burst of about 200 events");
    assert!(run.count("webhook", "attempts") > run.count("webhook", "due"), "nobody was turned away");
}
