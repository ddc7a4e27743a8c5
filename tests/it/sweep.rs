//! Sweeps: where consumers break even, and parts that come together to the byte.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::Output,
};

use serde_json::Value;

use crate::support::pushpull;

/// A poller asks as often whatever happens; a webhook asks once per event. With 4 clients every 10 s they are even
/// at 0.4 events a second.
const EVEN: &str = r#"
# When is a push cheaper than a poll?
title    = "Break-even"
duration = "5min"
seeds    = 2
[workload]
arrivals = { kind = "poisson", rate = "1/s" }
subjects = 20
[[consumer]]
name     = "poll"
kind     = "polling"
clients  = 4
strategy = { kind = "fixed", interval = "10s" }
[[consumer]]
name    = "webhook"
kind    = "webhook"
clients = 4
"#;

const RATES: &str = "workload.arrivals.rate=0.1/s..10/s/5:log";

fn sweep(work: &Path, args: &[&str]) -> Output {
    std::fs::write(work.join("even.toml"), EVEN).expect("write the scenario");
    pushpull(work).args(args).output().expect("run the program")
}

fn good(work: &Path, args: &[&str]) -> String {
    let output = sweep(work, args);
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{args:?}: {said}");
    said.into_owned()
}

/// Every file in a folder and its bytes.
fn contents(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(contents(&path).into_iter().map(|(inner, bytes)| (path.join(inner), bytes)));
        } else {
            found.insert(path.file_name().expect("a name").into(), std::fs::read(&path).expect("a file"));
        }
    }
    found
        .into_iter()
        .map(|(path, bytes)| (path.strip_prefix(folder).map(Path::to_owned).unwrap_or(path), bytes))
        .collect()
}

fn json(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).expect("the file")).expect("JSON")
}

#[test]
fn the_break_even_rate_is_solved_charted_and_printed() {
    let work = tempfile::tempdir().expect("a temporary folder");
    let said = good(work.path(), &["sweep", "even.toml", "--vary", RATES, "--seeds", "4", "--out", "out"]);
    assert!(said.contains("requests: webhook has less below workload.arrivals.rate = 0."), "{said}");
    let results = json(&work.path().join("out/sweep.json"));
    let points = results["points"].as_array().expect("points");
    assert_eq!(points.len(), 5);
    assert_eq!(points[2]["values"][0], "1/s");
    assert_eq!(points[2]["consumers"][0]["figures"]["requests"]["n"], 4);
    let evens = results["break_evens"].as_array().expect("break-even points");
    let even = evens.iter().find(|even| even["quantity"] == "requests").expect("one of requests");
    // Polls of the drain and chance in the number of events leave some room.
    let rate = even["value"].as_f64().expect("a rate");
    assert!((rate - 0.4).abs() < 0.04, "{rate}");
    assert_eq!(even["runs"], 6 * 4, "halved six times, with four seeds each");
    let chart = std::fs::read_to_string(work.path().join("out/plots/requests.svg")).expect("a chart");
    assert!(chart.contains("webhook") && chart.contains("workload.arrivals.rate, per s"), "{chart}");
    assert!(chart.contains(even["written"].as_str().expect("a text")), "the point is in the chart");
    let page = std::fs::read_to_string(work.path().join("out/sweep.html")).expect("a page");
    assert!(page.contains("Where do they break even?") && page.contains("<svg"));
    let csv = std::fs::read_to_string(work.path().join("out/sweep.csv")).expect("a table");
    assert!(
        csv.starts_with("workload.arrivals.rate,consumer,quantity,n,mean,low,high\n0.1/s,poll,requests,4,"),
        "{csv}"
    );
}

#[test]
fn shards_come_together_to_the_byte() {
    let work = tempfile::tempdir().expect("a temporary folder");
    let keys = ["--vary", RATES, "--vary", "consumer.poll.strategy.interval=5s,20s"];
    let with = |more: &[&str]| good(work.path(), &[&["sweep", "even.toml"], &keys[..], more].concat());
    with(&["--out", "whole"]);
    for part in ["1/3", "2/3", "3/3"] {
        let said = with(&["--shard", part, "--out", &format!("part-{}", &part[..1])]);
        assert!(said.contains("pushpull merge"), "{said}");
    }
    // In any order, by folder or by file.
    let file = "part-3/shard-3-of-3.json";
    good(work.path(), &["merge", file, "part-1", "part-2", "--out", "merged"]);
    let (whole, merged) = (contents(&work.path().join("whole")), contents(&work.path().join("merged")));
    assert!(whole.len() >= 8, "four formats and charts for both intervals: {:?}", whole.keys());
    assert_eq!(whole.keys().collect::<Vec<_>>(), merged.keys().collect::<Vec<_>>());
    for (path, bytes) in &whole {
        assert!(merged[path] == *bytes, "{} differs", path.display());
    }
}

#[test]
fn what_is_not_every_part_of_one_sweep_once_is_refused() {
    let work = tempfile::tempdir().expect("a temporary folder");
    let vary = "consumer.poll.clients=1,2";
    for (out, key, part) in
        [("a", vary, "1/2"), ("b", vary, "2/2"), ("c", "consumer.poll.clients=1,4", "2/2"), ("d", vary, "2/3")]
    {
        good(work.path(), &["sweep", "even.toml", "--vary", key, "--seeds", "1", "--shard", part, "--out", out]);
    }
    let newer = std::fs::read_to_string(work.path().join("b/shard-2-of-2.json")).expect("a shard");
    let newer = newer.replacen("\"schema_version\":1", "\"schema_version\":2", 1);
    std::fs::write(work.path().join("newer.json"), newer).expect("write");
    std::fs::write(work.path().join("none.json"), "{}").expect("write");
    let refused = |args: &[&str]| {
        let output = sweep(work.path(), args);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{args:?}: {said}");
        assert!(!work.path().join("pushpull-out").exists(), "nothing is half-written");
        said
    };
    let cases: [&[&str]; 16] = [
        &["merge", "a"],
        &["merge", "a", "b", "b"],
        &["merge", "a", "c"],
        &["merge", "a", "d"],
        &["merge", "a", "newer.json"],
        &["merge", "a", "none.json"],
        &["merge", "a", "missing.json"],
        &["sweep", "even.toml", "--vary", "workload.arrivals.rat=1/s,2/s"],
        &["sweep", "even.toml", "--vary", "consumer.nobody.clients=1,2"],
        &["sweep", "even.toml", "--vary", "consumer.poll.clients=5..1/3"],
        &["sweep", "even.toml", "--vary", "consumer.poll.clients=1..5"],
        &["sweep", "even.toml", "--vary", "consumer.poll.clients"],
        &["sweep", "even.toml", "--vary", "seed=1,2"],
        &["sweep", "even.toml", "--vary", vary, "--vary", vary],
        &["sweep", "even.toml", "--vary", vary, "--mode", "both"],
        &["sweep", "even.toml", "--vary", vary, "--shard", "4/3"],
    ];
    let said: Vec<String> = cases.iter().map(|args| refused(args)).collect();
    insta::assert_snapshot!(said.join(""), @r#"
    pushpull: parts are missing: 2/2
      fix: run them, or name their files too
    pushpull: part 2/2 is there twice: b/shard-2-of-2.json and b/shard-2-of-2.json
      fix: leave one of them out
    pushpull: a/shard-1-of-2.json and c/shard-2-of-2.json are of different sweeps: their varied keys or values differ
      fix: merge the parts of one sweep
    pushpull: a/shard-1-of-2.json is one of 2 parts, d/shard-2-of-3.json one of 3
      fix: merge the parts of one sweep
    pushpull: newer.json: schema version 2, and this program reads version 1
      fix: merge with the version that swept
    pushpull: none.json: no shard of a sweep
      fix: name what `pushpull sweep --shard` wrote
    pushpull: cannot read missing.json: No such file or directory (os error 2)
    pushpull: --vary workload.arrivals.rat=1/s: even.toml: rat: unknown key
      fix: did you mean "rate"?
    pushpull: --vary consumer.nobody.clients=1: even.toml: --set consumer.nobody.clients=1: there is no consumer "nobody"
      fix: write its name, or its number from 0
    pushpull: --vary consumer.poll.clients=5..1/3: 5..1 is an empty range
      fix: begin with the smaller end
    pushpull: --vary consumer.poll.clients=1..5: a range without steps
      fix: write from..to/steps with 2 steps or more, such as 1s..60s/5, or 1s..1h/7:log
    pushpull: --vary consumer.poll.clients: no values
      fix: write key=a,b,c, key=from..to/steps or key=from..to/steps:log
    pushpull: --vary seed: every point has the same seeds
      fix: write --seed and --seeds
    pushpull: --vary consumer.poll.clients: it varies already
      fix: name another key
    pushpull: --mode both: a sweep takes one mode
      fix: write --mode live or --mode virtual
    error: invalid value '4/3' for '--shard <I/N>': there is no part 4 of 3: parts are counted from 1 to N

    For more information, try '--help'.
    "#);
}
