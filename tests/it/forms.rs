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
