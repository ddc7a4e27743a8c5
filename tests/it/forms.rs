//! Closed forms stand beside what was measured where they hold, within their standard errors, and nowhere else.

use serde_json::Value;

use crate::support::{Run, run};

/// A minute away, and a ledger that remembers five.
const AWAY: &str = r#"
title    = "A minute away"
modes    = ["virtual"]
duration = "4h"
[workload]
arrivals = { kind = "poisson", rate = "2/s" }
subjects = 100
[[provider]]
retry = "standard-webhooks"
[[consumer]]
name     = "poll"
kind     = "polling"
clients  = 50
strategy = { kind = "fixed", interval = "5min" }
[[consumer]]
name = "webhook"
kind = "webhook"
[[consumer]]
name       = "forgetful"
kind       = "webhook"
ledger_ttl = "5min"
[[fault]]
kind     = "outage"
consumer = ["poll", "webhook"]
from     = "100min"
until    = "101min"
[[fault]]
kind        = "drop-ack"
consumer    = "forgetful"
probability = 0.2
"#;

/// The rows of a consumer that are about this.
fn rows<'a>(run: &'a Run, consumer: &str, about: &str) -> Vec<&'a Value> {
    let rows = run.run()["model"].as_array().expect("the closed forms");
    let text = |row: &Value, key: &str| row[key].as_str().unwrap_or_default().to_owned();
    rows.iter().filter(|row| text(row, "consumer") == consumer && text(row, "quantity").contains(about)).collect()
}

fn assert_near(run: &Run, consumer: &str, about: &str, predicted: f64) {
    let found = rows(run, consumer, about);
    assert_eq!(found.len(), 1, "{consumer}: {about}: {found:?}");
    let says = found[0]["predicted"].as_f64().expect("a prediction");
    assert!((says / predicted - 1.0).abs() < 1e-3, "{says}, not {predicted}");
    if let Some(errors) = found[0]["standard_errors"].as_f64() {
        assert!(errors.abs() < 4.0, "{}", found[0]);
    }
}

#[test]
fn after_an_outage_and_under_a_short_memory_the_forms_agree_with_the_run() {
    let (run, _work) = run(AWAY, &[]);
    assert_near(&run, "poll", "mean lag after the outage", 150.0);
    assert_near(&run, "webhook", "mean lag after the outage", 250.0);
    assert_near(&run, "webhook", "largest lag after the outage", 300.0);
    // 0.2^2 + 0.2^3 + ... + 0.2^9.
    assert_near(&run, "forgetful", "effects beyond the first", 0.04 * (1.0 - 0.2f64.powi(8)) / 0.8);
    let said = run.stdout();
    assert!(said.contains("What came due in the outage was in effect with poll"), "{said}");
    assert!(said.contains("A poll costs the consumer as much as 0.246 webhooks"), "{said}");
}

#[test]
fn where_retries_are_drawn_no_form_is_held_against_the_lag() {
    let jittered = AWAY.replace("retry = \"standard-webhooks\"", "retry = \"standard-webhooks\"\nretry_jitter = 0.3");
    let (run, _work) = run(&jittered, &[]);
    assert!(rows(&run, "webhook", "lag after the outage").is_empty());
    assert!(rows(&run, "forgetful", "effects beyond the first").is_empty());
}

/// A receiver that works within the request, at half of what it can do.
const WITHIN: &str = r#"
title    = "Work within the request"
modes    = ["virtual"]
duration = "20000s"
[virtual]
one_way_delay = "0s"
commit_time   = "0s"
[workload]
arrivals = { kind = "poisson", rate = "8/s" }
[[provider]]
ack_timeout = "2s"
retry       = ["0s", "1min", "5min"]
concurrency = 10000
[[consumer]]
name    = "hook"
kind    = "webhook"
flaw    = "synchronous"
workers = 8
effect  = { duration = "500ms", distribution = "exponential" }
"#;

/// How far the only such row is off, as a share.
fn off(run: &Run, consumer: &str, about: &str) -> f64 {
    let found = rows(run, consumer, about);
    assert_eq!(found.len(), 1, "{consumer}: {about}: {found:?}");
    found[0]["difference"].as_f64().expect("a difference").abs()
}

#[test]
fn late_answers_are_held_against_erlang_while_the_receiver_stands() {
    let (up, _work) = run(WITHIN, &[]);
    // 3,000 late ones, which come in clusters of a few.
    assert!(off(&up, "hook", "late answers") < 0.1, "{:?}", rows(&up, "hook", "late answers"));
    let (steady, _work) = run(WITHIN, &["--set", "workload.arrivals={ kind = \"constant\", rate = \"8/s\" }"]);
    assert!(rows(&steady, "hook", "late answers").is_empty(), "the form is of arrivals at random");
    let (fallen, _work) = run(WITHIN, &["--set", "workload.arrivals.rate=15/s", "--set", "duration=4000s"]);
    assert!(rows(&fallen, "hook", "late answers").is_empty(), "no steady state");
}

/// A queue that is patient for as long as the work takes on average.
const IMPATIENT: &str = r#"
title    = "An impatient queue"
modes    = ["virtual"]
duration = "400s"
[workload]
arrivals = { kind = "poisson", rate = "100/s" }
[[consumer]]
name       = "worker"
kind       = "webhook"
workers    = 512
effect     = { duration = "1s", distribution = "exponential" }
visibility = "1s"
"#;

#[test]
fn work_done_again_is_held_against_its_form_while_workers_are_free() {
    let (free, _work) = run(IMPATIENT, &[]);
    assert_near(&free, "worker", "executions beyond the first", 0.4205);
    assert!(off(&free, "worker", "executions beyond the first") < 0.04);
    let (busy, _work) = run(IMPATIENT, &["--set", "consumer.worker.workers=150"]);
    assert!(rows(&busy, "worker", "executions beyond the first").is_empty(), "events wait for workers");
}

/// A ledger that is locked for a minute, and a worker that then catches up.
const LOCKED: &str = r#"
title    = "Locked for a minute"
modes    = ["virtual"]
duration = "20min"
[virtual]
commit_time = "0s"
[workload]
arrivals = { kind = "poisson", rate = "80/s" }
[[consumer]]
name           = "queue"
kind           = "webhook"
workers        = 1
queue_capacity = 100000
effect         = { duration = "10ms", distribution = "exponential" }
[[fault]]
kind  = "stall"
what  = "ledger"
from  = "100s"
until = "160s"
"#;

#[test]
fn a_drain_is_held_against_its_form_where_the_queue_holds_all() {
    let (all, _work) = run(LOCKED, &[]);
    let found = rows(&all, "queue", "time to drain");
    assert_eq!(found.len(), 1);
    // 80/s for a minute, at 20/s to spare; the rate is the measured one.
    assert!((found[0]["predicted"].as_f64().expect("a prediction") / 240.0 - 1.0).abs() < 0.1, "{}", found[0]);
    assert!(found[0]["standard_errors"].as_f64().is_some_and(|errors| errors.abs() < 4.0), "{}", found[0]);
    let (full, _work) = run(LOCKED, &["--set", "consumer.queue.queue_capacity=1000"]);
    assert!(rows(&full, "queue", "time to drain").is_empty(), "what does not fit comes later");
}

/// Two requests of three are lost, and four attempts made; beside it a poll finds what a single one loses.
const GIVEN_UP: &str = r#"
title    = "Given up"
modes    = ["virtual"]
duration = "2h"
[workload]
arrivals = { kind = "poisson", rate = "5/s" }
[[provider]]
name  = "patient"
retry = ["1s", "2s", "3s"]
[[provider]]
name  = "once"
retry = "never"
[[consumer]]
name     = "hook"
kind     = "webhook"
provider = "patient"
[[consumer]]
name     = "both"
kind     = "hybrid"
provider = "once"
clients  = 20
strategy = { kind = "fixed", interval = "2min" }
[[fault]]
kind        = "drop-request"
consumer    = "hook"
probability = 0.3
[[fault]]
kind        = "drop-ack"
consumer    = "hook"
probability = 0.2
[[fault]]
kind        = "drop-request"
consumer    = "both"
path        = "push"
probability = 0.1
"#;

#[test]
fn what_is_given_up_and_what_a_poll_finds_late_agree_with_their_forms() {
    let (lossy, _work) = run(GIVEN_UP, &[]);
    // An attempt fails with 0.3 + 0.7 x 0.2.
    let (fails, lost) = (0.44f64.powi(4), 0.3f64.powi(4));
    assert_near(&lossy, "hook", "share given up = f^K", fails);
    assert_near(&lossy, "hook", "share given up although in effect", fails - lost);
    assert_near(&lossy, "both", "share older than half an interval", 0.05);
    let (whole, _work) = run(GIVEN_UP, &["--set", "fault.0.probability=0.0", "--set", "fault.1.probability=0.001"]);
    assert!(rows(&whole, "hook", "share given up").is_empty(), "nothing is to be expected");
}

/// A poll that finds more than a page, by one that reads all and one that does not.
const PAGES: &str = r#"
title    = "More than a page"
modes    = ["virtual"]
duration = "20000s"
[workload]
arrivals = { kind = "poisson", rate = "120/min" }
[[provider]]
page_limit = 100
[[consumer]]
name     = "one-page"
kind     = "polling"
strategy = { kind = "fixed", interval = "1min" }
flaw     = "one-page"
[[consumer]]
name     = "all-pages"
kind     = "polling"
strategy = { kind = "fixed", interval = "1min" }
[[consumer]]
name     = "conditional"
kind     = "polling"
strategy = { kind = "conditional", interval = "1s" }
"#;

#[test]
fn pages_and_bytes_agree_with_their_forms() {
    let (paged, _work) = run(PAGES, &[]);
    assert_near(&paged, "one-page", "share lost behind the first page", 0.1677);
    assert!(off(&paged, "one-page", "share lost behind the first page") < 0.1);
    assert!(off(&paged, "all-pages", "bytes per poll") < 0.03, "{:?}", rows(&paged, "all-pages", "bytes"));
    assert!(off(&paged, "conditional", "bytes per poll") < 0.03, "{:?}", rows(&paged, "conditional", "bytes"));
    let (steady, _work) = run(PAGES, &["--set", "workload.arrivals={ kind = \"constant\", rate = \"2/s\" }"]);
    assert!(rows(&steady, "all-pages", "bytes per poll").is_empty(), "the form is of arrivals at random");
}
