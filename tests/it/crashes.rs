//! `kill -9` at random instants and at named points.

use pushpull::rng::{Draws, Purpose};

use crate::support::run;

/// 50 instants over the window, keyed: the same in every run of this test.
fn fifty_instants(window_ms: u64) -> String {
    let draws = Draws::new(7);
    let mut at: Vec<u64> = (0..50).map(|i| 500 + draws.below(window_ms, Purpose::FaultHit, 0, i)).collect();
    at.sort_unstable();
    at.iter().map(|ms| format!("\"{ms}ms\"")).collect::<Vec<_>>().join(", ")
}

#[cfg(unix)]
#[test]
fn fifty_kills_under_load_lose_nothing_and_double_nothing() {
    fifty_kills("");
}

/// What the queue takes for a copy must be somewhere already, whatever instant the kill came at.
#[cfg(unix)]
#[test]
fn fifty_kills_of_a_receiver_that_suppresses_copies_lose_nothing() {
    let run = fifty_kills("dedupe = true");
    assert!(run.count("webhook", "duplicates_suppressed") > 0, "{}", run.stdout());
}

#[cfg(unix)]
fn fifty_kills(extra: &str) -> crate::support::Run {
    let instants = fifty_instants(24_000);
    let scenario = format!(
        r#"
        title    = "fifty kills"
        duration = "25s"
        drain    = "60s"
        [workload]
        arrivals = {{ kind = "poisson", rate = "200/s" }}
        [[provider]]
        retry = {{ base = "50ms", factor = 1.5, cap = "1s", retries = 60 }}
        [[consumer]]
        name    = "webhook"
        kind    = "webhook"
        workers = 8
        effect  = {{ duration = "2ms", distribution = "exponential" }}
        {extra}
        [[fault]]
        kind        = "drop-ack"
        probability = 0.1
        [[fault]]
        kind = "crash"
        at   = [{instants}]
        down = "20ms"
        "#
    );
    let (run, _work) = run(&scenario, &[]);
    run.assert_safe("webhook");
    // Two instants may fall into one downtime.
    assert!(run.deaths() >= 40, "only {} kills: {}", run.deaths(), run.stdout());
    run
}

/// A correct consumer dies three times at each named point and still keeps both promises.
fn dies_at(point: &str, kind: &str, extra: &str) {
    let strategy = if kind == "polling" { r#"strategy = { kind = "fixed", interval = "100ms" }"# } else { "" };
    let scenario = format!(
        r#"
        title    = "dies at {point}"
        duration = "3s"
        drain    = "30s"
        [workload]
        arrivals = {{ kind = "constant", rate = "100/s" }}
        [[provider]]
        retry = {{ base = "50ms", factor = 1.2, cap = "500ms", retries = 60 }}
        [[consumer]]
        name = "consumer"
        kind = "{kind}"
        {strategy}
        {extra}
        [[fault]]
        kind  = "crash"
        point = "{point}"
        pass  = 5
        times = 3
        down  = "50ms"
        "#
    );
    let (run, _work) = run(&scenario, &[]);
    run.assert_safe("consumer");
    assert_eq!(run.deaths(), 3, "{point}: {}", run.stdout());
}

#[cfg(unix)]
#[test]
fn a_receiver_may_die_at_any_named_point() {
    for point in
        ["before-store", "after-store", "after-ack", "before-apply", "between-effect-and-ledger", "after-apply"]
    {
        dies_at(point, "webhook", "");
        dies_at(point, "webhook", "dedupe = true");
    }
}

#[cfg(unix)]
#[test]
fn a_poller_may_die_at_any_named_point() {
    for point in ["after-page", "before-cursor", "after-cursor", "before-apply", "after-apply"] {
        dies_at(point, "polling", "");
    }
}

#[cfg(unix)]
#[test]
fn a_poller_with_a_memory_queue_keeps_its_cursor_behind_its_effects() {
    dies_at("before-cursor", "polling", "queue = \"memory\"");
    dies_at("before-apply", "polling", "queue = \"memory\"");
}
