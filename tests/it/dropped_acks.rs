//! The main job: acks are dropped, and nothing is lost or applied twice.

use pushpull::{
    fault::{self, ResponseFate, Target, TargetPath},
    model::Time,
    rng::Draws,
    scenario::Plan,
};

use crate::support::run;

/// 10,000 events, one ack in five lost, with and without a ledger.
const SCENARIO: &str = r#"
title    = "dropped acks"
duration = "20001ms"
drain    = "60s"
[workload]
arrivals = { kind = "constant", rate = "500/s" }
[[provider]]
retry = ["50ms", "100ms", "200ms", "400ms", "800ms", "1600ms", "3200ms"]
[[consumer]]
name   = "ledger"
kind   = "webhook"
[[consumer]]
name   = "no-ledger"
kind   = "webhook"
ledger = "none"
[[fault]]
kind        = "drop-ack"
probability = 0.2
"#;

/// How many receipts beyond the first the keyed draws predict: an attempt whose ack is dropped is
/// received and comes again, as long as the schedule has a next attempt.
fn predicted_duplicates(plan: &Plan, events: u32) -> u64 {
    let draws = Draws::new(plan.seed);
    let attempts_max = plan.providers[0].retry.max_attempts();
    let dropped = |seq: u32, attempt: u32| {
        let target =
            Target { path: TargetPath::Webhook, consumer: 1, client: 0, number: seq, attempt, copy: 0, at: Time::ZERO };
        matches!(fault::decide(&plan.faults, &target, draws).response, ResponseFate::LostAfterProcessing(_))
    };
    let receipts = |seq| (1..=attempts_max).take_while(|&n| n == 1 || dropped(seq, n - 1)).count() as u64;
    (1..=events).map(|seq| receipts(seq) - 1).sum()
}

#[test]
fn with_a_ledger_once_and_without_as_often_as_the_draws_say() {
    let (run, _work) = run(SCENARIO, &["--seed", "42"]);
    run.assert_safe("ledger");
    let plan: Plan = serde_json::from_slice(&std::fs::read(run.dir.join("plan.json")).unwrap()).unwrap();
    let events = run.count("no-ledger", "due");
    assert_eq!(events, 10_000);

    let predicted = predicted_duplicates(&plan, events as u32);
    assert_eq!(run.count("no-ledger", "duplicates_applied"), predicted);
    assert_eq!(run.count("ledger", "duplicates_received"), predicted);
    assert_eq!(run.count("ledger", "duplicates_suppressed"), predicted);
    assert_eq!(run.count("no-ledger", "lost"), 0);

    // models.md 2.6 with p_r = 0: E = (1 - p_a^K)/(1 - p_a) - 1.
    let (p, k) = (0.2f64, f64::from(plan.providers[0].retry.max_attempts()));
    let closed_form = ((1.0 - p.powf(k)) / (1.0 - p) - 1.0) * events as f64;
    let difference = (predicted as f64 - closed_form).abs() / closed_form;
    assert!(difference < 0.067, "{predicted} against {closed_form}: {difference}");
}
