//! Polling for states, live: what was overwritten is superseded, what stands at the end is never lost.

use crate::support::{Run, run};

/// All forms at once, from a provider whose times are coarse and whose view lags; one of them is killed.
const SCENARIO: &str = r#"
title    = "states"
duration = "8s"
drain    = "20s"
[workload]
arrivals = { kind = "poisson", rate = "40/s" }
subjects = 20
[[provider]]
timestamp_grain = "300ms"
view_lag        = "200ms"
retry           = "never"
[[consumer]]
name     = "looks"
kind     = "polling"
clients  = 20
strategy = { kind = "state", interval = "1s", conditional = true }
[[consumer]]
name     = "in-turn"
kind     = "polling"
clients  = 2
strategy = { kind = "state", interval = "100ms" }
[[consumer]]
name     = "scan"
kind     = "polling"
clients  = 2
strategy = { kind = "state", ask = "updated-since", interval = "1s", page_size = 3 }
[[consumer]]
name     = "conditional-scan"
kind     = "polling"
clients  = 20
strategy = { kind = "state", ask = "updated-since", interval = "200ms", conditional = true }
[[consumer]]
name     = "killed"
kind     = "polling"
clients  = 2
follows  = "all"
strategy = { kind = "state", ask = "updated-since", interval = "500ms" }
[[consumer]]
name     = "hybrid"
kind     = "hybrid"
clients  = 2
strategy = { kind = "state", ask = "updated-since", interval = "1s" }
[[fault]]
kind     = "crash"
consumer = "killed"
at       = ["3s", "5s"]
[[fault]]
kind        = "drop-request"
consumer    = "hybrid"
path        = "push"
probability = 0.5
"#;

fn superseded(run: &Run, consumer: &str) -> f64 {
    run.count(consumer, "superseded") as f64 / run.count(consumer, "due") as f64
}

#[test]
fn every_way_of_asking_for_states_ends_where_the_provider_does() {
    let (run, _work) = run(SCENARIO, &[]);
    for consumer in ["looks", "in-turn", "scan", "conditional-scan", "killed", "hybrid"] {
        run.assert_safe(consumer);
        assert_eq!(run.count(consumer, "stale_overwrites"), 0, "{consumer}\n{}", run.stdout());
    }
    // Two changes a second, a look a second: 1 - (1 - e^-2) / 2 of them are never seen.
    for consumer in ["looks", "in-turn", "scan"] {
        assert!((0.4..0.7).contains(&superseded(&run, consumer)), "{consumer}\n{}", run.stdout());
    }
    assert!(superseded(&run, "conditional-scan") < superseded(&run, "scan"));
    // What an overlap shows again is known, and costs no receipt.
    for consumer in ["looks", "in-turn", "scan", "conditional-scan"] {
        assert_eq!(run.count(consumer, "duplicates_received"), 0, "{consumer}\n{}", run.stdout());
    }
    for consumer in ["looks", "conditional-scan"] {
        assert!(run.count(consumer, "not_modified") > 0, "{consumer}\n{}", run.stdout());
    }
    assert_eq!(run.count("killed", "due"), 2 * run.count("scan", "due"));
    assert!(run.deaths() >= 2);
    // Half of the hybrid's webhooks are lost for good, and the poll tells where the subjects stand.
    assert!(run.count("hybrid", "gave_up") > 0 && run.count("hybrid", "receipts_by_poll") > 0);
}

/// Nobody can read for longer than the log keeps events.
const AWAY: &str = r#"
title    = "longer away than events are kept"
duration = "6s"
drain    = "20s"
[workload]
arrivals = { kind = "constant", rate = "20/s" }
subjects = 10
[[provider]]
retention = "1s"
[[consumer]]
name     = "events"
kind     = "polling"
effect   = "set"
strategy = { kind = "fixed", interval = "200ms" }
[[consumer]]
name     = "states"
kind     = "polling"
strategy = { kind = "state", ask = "updated-since", interval = "200ms" }
[[fault]]
kind  = "outage"
from  = "1s"
until = "5s"
"#;

#[test]
fn a_state_outlives_the_event_that_made_it() {
    let (run, _work) = run(AWAY, &[]);
    run.assert_safe("states");
    assert!(run.count("events", "lost") > 0, "{}", run.stdout());
    assert!(run.count("states", "superseded") > 0);
}
