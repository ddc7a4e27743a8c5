//! A webhook and a reconciling poll of one client: two paths to the same obligations.

use crate::support::run;

/// One webhook in five is lost for good; the poll finds it.
const LOSSY: &str = r#"
title    = "a hybrid"
duration = "4s"
drain    = "20s"
[workload]
arrivals = { kind = "poisson", rate = "100/s" }
subjects = 20
[[provider]]
retry = "never"
[[consumer]]
name     = "hybrid"
kind     = "hybrid"
clients  = 2
strategy = { kind = "fixed", interval = "400ms" }
[[fault]]
kind        = "drop-request"
path        = "push"
probability = 0.2
"#;

#[test]
fn what_a_webhook_loses_the_poll_brings_and_copies_are_counted_by_path() {
    let (run, _work) = run(LOSSY, &[]);
    run.assert_safe("hybrid");
    let count = |key| run.count("hybrid", key);
    assert!(count("gave_up") > 0 && count("gave_up_but_applied") == count("gave_up"), "{}", run.stdout());
    assert_eq!(count("receipts"), count("receipts_by_push") + count("receipts_by_poll"));
    assert_eq!(count("duplicates_received"), count("duplicates_by_push") + count("duplicates_by_poll"));
    // The poll reads everything; what it was the first to see is at least what the sender gave up.
    assert_eq!(count("receipts_by_poll"), count("due"), "{}", run.stdout());
    assert_eq!(count("receipts_by_push"), count("acked"));
    let first_by_poll = count("receipts_by_poll") - count("duplicates_by_poll");
    assert!(first_by_poll >= count("gave_up"), "{}", run.stdout());
    assert_eq!(count("duplicates_suppressed"), count("duplicates_received"));
    assert!(count("requests") > count("attempts"), "polls are requests too");
}

/// The pull path is cut; the webhooks go through. Then the process is killed, and restarted.
const CUT_AND_KILLED: &str = r#"
title    = "a hybrid that is killed"
duration = "4s"
drain    = "20s"
[workload]
arrivals = { kind = "constant", rate = "100/s" }
[[provider]]
retry = ["100ms", "400ms"]
[[consumer]]
name     = "hybrid"
kind     = "hybrid"
strategy = { kind = "fixed", interval = "200ms" }
[[fault]]
kind = "crash"
at   = ["1s", "2500ms"]
down = "700ms"
[[fault]]
kind  = "outage"
path  = "pull"
from  = "500ms"
until = "900ms"
"#;

#[cfg(unix)]
#[test]
fn a_killed_hybrid_takes_both_paths_up_again() {
    let (run, _work) = run(CUT_AND_KILLED, &[]);
    run.assert_safe("hybrid");
    assert_eq!(run.deaths(), 2);
    let count = |key| run.count("hybrid", key);
    // Retries over half a second cannot bridge a process that is down for longer: the poll does.
    assert!(count("gave_up") > 0 && count("gave_up_but_applied") == count("gave_up"), "{}", run.stdout());
    assert!(count("failed_requests") > 0, "{}", run.stdout());
}

/// The process stops for longer than its webhooks are retried: they are given up, and the poll that goes
/// on afterwards finds them.
const STALLED: &str = r#"
title    = "a hybrid that is stalled"
duration = "4s"
drain    = "20s"
[workload]
arrivals = { kind = "constant", rate = "100/s" }
[[provider]]
retry       = ["100ms", "200ms"]
ack_timeout = "300ms"
[[consumer]]
name     = "hybrid"
kind     = "hybrid"
clients  = 2
strategy = { kind = "fixed", interval = "200ms" }
[[fault]]
kind  = "stall"
from  = "1s"
until = "2500ms"
"#;

#[cfg(unix)]
#[test]
fn a_stalled_hybrid_loses_nothing_and_its_poll_brings_what_was_given_up() {
    for what in ["process", "queue", "ledger"] {
        let scenario = STALLED.replace("kind  = \"stall\"", &format!("kind  = \"stall\"\nwhat  = \"{what}\""));
        let (run, _work) = run(&scenario, &[]);
        run.assert_safe("hybrid");
        let count = |key| run.count("hybrid", key);
        assert_eq!(count("receipts"), count("receipts_by_push") + count("receipts_by_poll"), "{what}");
        assert_eq!(count("duplicates_suppressed"), count("duplicates_received"), "{what}\n{}", run.stdout());
        // A locked ledger keeps nobody from accepting; without process or queue there are no acks.
        let given_up = count("gave_up");
        assert_eq!(given_up > 0, what != "ledger", "{what}: {given_up}\n{}", run.stdout());
        assert_eq!(count("gave_up_but_applied"), given_up, "{what}");
        assert!(run.consumer("hybrid")["age_s"]["max"].as_f64().expect("a largest age") > 1.0, "{what}");
    }
}
