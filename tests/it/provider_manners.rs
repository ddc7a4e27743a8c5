//! What sets one provider apart from another, over real HTTP.

use crate::support::run;

#[test]
fn two_providers_emit_the_same_events_each_to_its_own_consumers() {
    let scenario = r#"
        title    = "two providers"
        duration = "1s"
        drain    = "10s"
        [workload]
        arrivals = { kind = "constant", rate = "100/s" }
        [[provider]]
        name  = "patient"
        retry = ["50ms", "50ms"]
        [[provider]]
        name  = "hasty"
        retry = "never"
        [[consumer]]
        name     = "retried"
        provider = "patient"
        kind     = "webhook"
        [[consumer]]
        name     = "told-once"
        provider = "hasty"
        kind     = "webhook"
        clients  = 5
        [[consumer]]
        name     = "asks"
        provider = "hasty"
        kind     = "polling"
        strategy = { kind = "fixed", interval = "200ms" }
        [[fault]]
        kind     = "drop-request"
        attempt  = 1
        provider = "patient"
        every    = 2
        [[fault]]
        kind     = "drop-request"
        consumer = "told-once"
        clients  = [3]
    "#;
    let (run, _work) = run(scenario, &[]);
    run.assert_safe("retried");
    run.assert_safe("asks");
    assert_eq!(run.count("retried", "attempts"), 99 + 49);
    // One client in five hears nothing: its share of the subjects, and nobody else's.
    let (due, undelivered) = (run.count("told-once", "due"), run.count("told-once", "undelivered"));
    assert!(undelivered > 0 && undelivered < due / 2, "{undelivered} of {due}");
    assert_eq!(run.count("told-once", "applied"), due - undelivered);
}
