//! Virtual time: the same plan, the same bytes, and the same findings as over real sockets.

use crate::support::{pushpull, run, run_in};
use pushpull::{
    measure::calibrate,
    model::{RunId, Span},
    record::{MemoryLog, read_memory},
    scenario::{EMBEDDED, LoadOptions, Mode, VirtualPlan, load},
};

/// Everything that both drivers know, in a few seconds.
const BOTH: &str = r#"
title    = "Both ways"
duration = "4s"
drain    = "20s"
[workload]
arrivals = { kind = "poisson", rate = "40/s" }
subjects = 12
[[provider]]
retry = ["100ms", "300ms", "900ms"]
[[consumer]]
name     = "poll"
kind     = "polling"
clients  = 3
strategy = { kind = "conditional", interval = "500ms" }
[[consumer]]
name     = "held"
kind     = "polling"
clients  = 2
strategy = { kind = "long-poll", hold = "1s" }
[[consumer]]
name    = "webhook"
kind    = "webhook"
clients = 2
[[consumer]]
name     = "hybrid"
kind     = "hybrid"
strategy = { kind = "fixed", interval = "400ms" }
[[fault]]
kind        = "drop-ack"
probability = 0.2
path        = "push"
[[fault]]
kind        = "drop-request"
probability = 0.1
consumer    = "webhook"
"#;

#[test]
fn both_drivers_say_the_same_of_one_plan() {
    let (run, _work) = run(BOTH, &["--mode", "both"]);
    let rows = run.results["agreement"].as_array().expect("the comparison");
    // What an age comes to depends on how busy the machine is, which is not what this tests.
    let counts: Vec<_> =
        rows.iter().filter(|row| !row["quantity"].as_str().unwrap_or_default().starts_with("age_s")).collect();
    assert_eq!(counts.len(), 4 * 11, "eleven counts of four consumers");
    for row in counts {
        assert_eq!(row["finding"], "agrees", "{row:#}");
    }
    let ages = rows.len() - 4 * 11;
    assert_eq!(ages, 4 * 3, "three ages of four consumers");
    let runs = run.results["runs"].as_array().expect("the runs");
    let modes: Vec<_> = runs.iter().map(|run| run["mode"].as_str().unwrap_or_default()).collect();
    assert_eq!(modes, ["live", "virtual"]);
    assert!(run.stdout().contains("Live and virtual, side by side"), "{}", run.stdout());
}

#[test]
fn a_virtual_run_takes_its_service_times_from_the_live_one() {
    let (run, _work) = run(BOTH, &["--mode", "both", "--calibrate"]);
    let found = &run.results["calibration"];
    let taken = |plan: &str, key: &str| {
        let text = std::fs::read_to_string(run.dir.join(plan).join("plan.json")).expect("a plan");
        let plan: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        plan["virtual_time"][key].clone()
    };
    for key in ["one_way_delay", "commit_time"] {
        assert!(found[key]["n"].as_u64().is_some_and(|n| n > 30), "{found:#}");
        assert_eq!(taken("virtual", key), found[key]["median"], "what was measured is what was taken");
        assert_ne!(taken("live", key), found[key]["median"], "and not what is usual");
    }
    assert!(run.stdout().contains("took its service times from the live one: one-way delay"), "{}", run.stdout());
}

/// A virtual run's service times are known: what is read out of its records must be them.
#[test]
fn service_times_are_read_back_from_the_records_that_they_made() {
    let scenario = format!(
        "{BOTH}\n[virtual]\none_way_delay = \"3ms\"\ndelay_distribution = \"constant\"\ncommit_time = \"20ms\"\n"
    );
    let options = LoadOptions { mode: Some(Mode::Virtual), ..LoadOptions::new("known", RunId::from_bits(1)) };
    let plan = load(&scenario, &options).expect("a plan");
    let log = MemoryLog::default();
    pushpull::virtual_time::run(&plan, &log);
    let records = log.into_records();
    let found = calibrate(&plan, &|each| read_memory(&records, each)).expect("records in memory can be read");
    let taken = found.applied_to(VirtualPlan::default());
    assert_eq!((taken.one_way_delay, taken.commit_time), (Span::from_millis(3), Span::from_millis(20)), "{found:?}");
    // A run without an ack tells nothing.
    let nothing = calibrate(&plan, &|each| read_memory(&[], each)).expect("no records");
    assert_eq!(nothing.applied_to(VirtualPlan::default()), VirtualPlan::default());
}

#[test]
fn a_seed_makes_the_same_records_in_two_processes() {
    let work = tempfile::tempdir().expect("a temporary folder");
    let bytes = |out: &str, seed: &str| {
        let run = run_in(work.path(), out, BOTH, &["--mode", "virtual", "--seed", seed]);
        assert_eq!(run.why_void_but_lag(), Vec::<String>::new());
        std::fs::read(run.dir.join("records/run.records")).expect("the records")
    };
    let (first, second, other) = (bytes("a", "7"), bytes("b", "7"), bytes("c", "8"));
    assert!(first == second, "the same seed");
    assert!(first != other, "another seed");
}

/// Scenarios that virtual time refuses so far. Whoever teaches it more takes one off.
const REFUSED: [&str; 5] = ["forged-payload", "outbox", "cpu-alert", "package-ready", "shipping-label"];

#[test]
fn every_lesson_holds_in_virtual_time_or_is_refused_with_the_reason() {
    let work = tempfile::tempdir().expect("a temporary folder");
    for scenario in EMBEDDED {
        let output = pushpull(work.path())
            .args(["run", scenario.name, "--mode", "virtual", "--out", scenario.name])
            .output()
            .expect("run the program");
        let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
        let wanted = if REFUSED.contains(&scenario.name) { 2 } else { 0 };
        assert_eq!(output.status.code(), Some(wanted), "{}: {said}", scenario.name);
        assert!(wanted == 0 || said.contains("fix:"), "{}: {said}", scenario.name);
    }
}
