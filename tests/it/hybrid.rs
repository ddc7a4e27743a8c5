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

/// A poll that reads one page and takes the head for its cursor passes what it has not seen; with
/// webhooks that are lost as well, that is gone for good.
const WRONG: &str = r#"
title    = "a hybrid with a wrong poll"
duration = "3s"
drain    = "10s"
[workload]
arrivals = { kind = "constant", rate = "100/s" }
[[provider]]
retry      = "never"
page_limit = 5
[[consumer]]
name     = "hybrid"
kind     = "hybrid"
flaw     = "one-page"
strategy = { kind = "fixed", interval = "300ms" }
[[fault]]
kind        = "drop-request"
path        = "push"
probability = 0.5
"#;

#[test]
fn a_wrong_poll_is_caught_for_its_promise() {
    let (run, _work) = run(WRONG, &[]);
    assert_eq!(run.why_void_but_lag(), Vec::<String>::new(), "{}", run.stdout());
    assert!(run.count("hybrid", "lost") > 0, "{}", run.stdout());
    assert!(run.stdout().contains("the cursor never passes an event that is not kept"), "{}", run.stdout());
}
