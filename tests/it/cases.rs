//! Cases and seeds: several plans in one file, one plan with many seeds, several files in one command.

use serde_json::Value;

use crate::support::{pushpull, run_by, run_in};

/// Two intervals, and what each is expected to come to.
const CASES: &str = r#"
# Does the interval decide the age?
title    = "Two intervals"
modes    = ["virtual"]
duration = "10min"
[workload]
arrivals = { kind = "poisson", rate = "2/s" }
[[consumer]]
name     = "poll"
kind     = "polling"
clients  = 5
strategy = { kind = "fixed", interval = "10s" }
[expect]
"poll.lost" = 0
"poll.age_s.mean" = "5s +- 5%"
[[case]]
name = "ten-seconds"
[[case]]
name   = "a-minute"
title  = "six times longer"
set    = { "consumer.poll.strategy.interval" = "1min" }
expect = { "poll.age_s.mean" = "30s +- 10%", "poll.requests" = "55 +- 6" }
"#;

/// A webhook whose acks get lost, beside a poller.
const SEEDS: &str = r#"
title    = "Many seeds"
modes    = ["virtual"]
duration = "1min"
seeds    = 5
[workload]
arrivals = { kind = "poisson", rate = "5/s" }
[[provider]]
retry = ["1s", "5s", "30s"]
[[consumer]]
name = "webhook"
kind = "webhook"
[[consumer]]
name     = "poll"
kind     = "polling"
strategy = { kind = "fixed", interval = "10s" }
[[fault]]
kind        = "drop-ack"
consumer    = "webhook"
probability = 0.1
[expect]
"webhook.lost"       = 0
"webhook.due"        = "< 400"
"webhook.age_s.mean" = "< 1s"
"poll.age_s.mean"    = "5s +- 10%"
"#;

fn text(path: &std::path::Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn each_case_is_a_run_of_its_own_and_the_page_is_about_all() {
    let work = tempfile::tempdir().expect("a temporary folder");
    let run = run_in(work.path(), "out", CASES, &[]);
    assert_eq!(run.output.status.code(), Some(0), "{}", run.stdout());
    let said = run.stdout();
    assert!(said.starts_with("PASS: all 2 cases, 5 expectations"), "{said}");
    assert!(said.contains("Case a-minute: six times longer"), "{said}");
    assert!(said.contains("Reproduce: pushpull run") && !said.contains("--case"), "the command runs all: {said}");
    let cases = run.results["cases"].as_array().expect("cases");
    let names: Vec<_> = cases.iter().map(|case| case["name"].as_str().unwrap_or_default()).collect();
    assert_eq!(names, ["ten-seconds", "a-minute"]);
    let age = |results: &Value, no: usize| results["cases"][no]["results"]["runs"][0]["consumers"][0]["age_s"].clone();
    let means = [0, 1].map(|no| age(&run.results, no)["mean"].as_f64().expect("an age"));
    assert!(means[0] < 6.0 && means[1] > 25.0, "{means:?}");
    let page = text(&run.dir.join("report.html"));
    let place = |words: &str| page.find(words).unwrap_or_else(|| panic!("{words}: {page}"));
    assert!(place("PASS: all 2 cases") < place("30s +- 10%"));
    assert!(place("30s +- 10%") < place("id=\"a-minute\""));
    // A case's own folder is a run's folder, and its command runs it alone.
    let own = text(&run.dir.join("a-minute/report.txt"));
    assert!(own.contains("--case a-minute"), "{own}");
    assert!(run.dir.join("a-minute/records/run.records").exists());
    let alone = run_in(work.path(), "alone", CASES, &["--case", "a-minute"]);
    assert_eq!(alone.results["cases"].as_array().map(Vec::len), Some(1));
    assert_eq!(age(&alone.results, 0), age(&run.results, 1), "the same run");
}

#[test]
fn one_case_that_fails_fails_all_and_is_named() {
    let work = tempfile::tempdir().expect("a temporary folder");
    let run = run_in(work.path(), "out", &CASES.replace("55 +- 6", "20 +- 6"), &[]);
    assert_eq!(run.output.status.code(), Some(1), "{}", run.stdout());
    assert!(run.stdout().starts_with("FAIL: 1 of 2 cases: a-minute"), "{}", run.stdout());
}

#[test]
fn what_the_command_line_sets_has_the_last_word() {
    let work = tempfile::tempdir().expect("a temporary folder");
    let sets = ["--set", "consumer.poll.strategy.interval=20s", "--set", "case.a-minute.expect={}"];
    let run = run_in(work.path(), "out", CASES, &sets);
    let first = |no: usize| &run.results["cases"][no]["results"]["runs"][0];
    let requests = |no: usize| first(no)["consumers"][0]["requests"].as_u64();
    assert!(requests(0).is_some_and(|n| n > 0));
    assert_eq!(requests(0), requests(1));
    let expected = first(1)["expectations"].as_array().map(Vec::len);
    assert_eq!(expected, Some(2), "the file's own hold for each case: {}", run.stdout());
}

#[test]
fn counts_hold_for_each_seed_and_ages_for_the_mean() {
    let work = tempfile::tempdir().expect("a temporary folder");
    let run = run_in(work.path(), "out", SEEDS, &[]);
    assert_eq!(run.output.status.code(), Some(0), "{}", run.stdout());
    let held = run.results["over_seeds"].as_array().expect("over_seeds");
    let of = |key: &str| held.iter().find(|e| e["key"] == key).unwrap_or_else(|| panic!("{key}: {held:?}"));
    assert_eq!(of("webhook.lost")["over"]["rule"], "each");
    assert_eq!(of("webhook.age_s.mean")["over"]["rule"], "mean");
    let seeds: Vec<_> = run.results["runs"].as_array().expect("runs").iter().map(|run| run["seed"].as_u64()).collect();
    assert_eq!(seeds, (42..47).map(Some).collect::<Vec<_>>());
    // A count that one seed of five exceeds fails, and the seed is named.
    let due = |no: usize| run.results["runs"][no]["consumers"][0]["due"].as_u64().expect("due");
    let most = (0..5).map(due).max().expect("five seeds");
    let which = 42 + (0..5).position(|no| due(no) == most).expect("a greatest");
    let strict = run_in(work.path(), "strict", &SEEDS.replace("< 400", &format!("< {most}")), &[]);
    assert_eq!(strict.output.status.code(), Some(1));
    assert!(strict.stdout().contains(&format!("{most} for seed {which}")), "{}", strict.stdout());
    // Alone that seed does what it did among the others.
    let alone = run_in(work.path(), "alone", SEEDS, &["--seeds", "1", "--seed", &which.to_string()]);
    assert_eq!(alone.count("webhook", "due"), most);
}

#[test]
fn consumers_are_held_against_each_other_seed_by_seed() {
    let work = tempfile::tempdir().expect("a temporary folder");
    let run = run_in(work.path(), "out", SEEDS, &["--seeds", "8"]);
    let rows = run.results["paired"].as_array().expect("paired");
    let age = rows.iter().find(|row| row["quantity"] == "age_s.mean").expect("the mean age");
    assert_eq!((age["consumer"].as_str(), age["less"].as_str()), (Some("poll"), Some("webhook")));
    assert_eq!(age["n"], 8);
    assert!(age["low"].as_f64().expect("low") > 3.0, "a poll every 10 s is later than a push: {age}");
    // The difference of the means is the mean of the differences.
    let mean = |consumer: &str| {
        let rows = run.results["summary"].as_array().expect("summary");
        let mine = rows.iter().find(|row| row["consumer"] == consumer && row["quantity"] == "age_s.mean");
        mine.and_then(|row| row["mean"].as_f64()).expect("a mean")
    };
    let apart = age["mean"].as_f64().expect("mean") - (mean("poll") - mean("webhook"));
    assert!(apart.abs() < 1e-9, "{apart}");
    assert!(run.stdout().contains("--seeds 8"), "the command repeats it: {}", run.stdout());
}

#[test]
fn results_do_not_depend_on_the_number_of_processors() {
    let work = tempfile::tempdir().expect("a temporary folder");
    let results = |out: &str, program: &mut std::process::Command| {
        let mut results = run_by(program, work.path(), out, SEEDS, &[]).results;
        // What they ran on, and what they were called, differ.
        for key in ["host", "scenario", "reproduce"] {
            results[key].take();
        }
        results.to_string()
    };
    let many = results("many", &mut pushpull(work.path()));
    assert!(many.len() > 1_000);
    assert!(many == results("again", &mut pushpull(work.path())), "the same again");
    if cfg!(target_os = "linux") {
        let mut pinned = std::process::Command::new("taskset");
        pinned.args(["-c", "0", env!("CARGO_BIN_EXE_pushpull")]).current_dir(work.path());
        assert!(many == results("pinned", &mut pinned), "one processor");
    }
}

#[test]
fn several_scenarios_get_a_line_each_and_a_summary() {
    let work = tempfile::tempdir().expect("a temporary folder");
    std::fs::write(work.path().join("good.toml"), CASES).expect("write");
    std::fs::write(work.path().join("bad.toml"), SEEDS.replace("< 1s", "< 1ns")).expect("write");
    let output = pushpull(work.path()).args(["run", "good.toml", "bad.toml", "--out", "all"]).output().expect("run");
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines[0], "good  PASS: all 2 cases, 5 expectations");
    assert_eq!(lines[1], "bad   FAIL: 1 of 4 expectations did not hold");
    assert!(lines[2].trim_start().starts_with("FAILED webhook.age_s.mean wanted < 1ns, was "), "{said}");
    assert_eq!(lines.last(), Some(&"FAIL: 1 of 2 scenarios: bad"));
    assert!(work.path().join("all/good/a-minute/report.html").exists());
    assert!(work.path().join("all/bad/seed-42/records/run.records").exists());
    assert!(!work.path().join("all/bad/.seed-43").exists(), "only the first seed's records are kept");
}
