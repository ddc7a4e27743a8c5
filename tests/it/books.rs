//! Each class of the books is reached by a real run, and the books balance around it.
//! (`lost` is reached in `wrong_consumers`; planted miscounts are in `src/measure/judge_tests.rs`.)

use crate::support::{Run, run};

fn balanced(run: &Run, consumer: &str) {
    assert_eq!(run.why_void_but_lag(), Vec::<String>::new(), "{}", run.stdout());
    let classes = ["applied", "superseded", "dead_lettered", "lost", "pending", "undelivered"];
    let sum: u64 = classes.iter().map(|class| run.count(consumer, class)).sum();
    assert_eq!(sum, run.count(consumer, "due"), "{}", run.stdout());
}

#[test]
fn every_class_is_reached_and_the_books_balance() {
    let scenario = r#"
        title    = "all classes"
        duration = "2s"
        drain    = "2s"
        [workload]
        arrivals = { kind = "constant", rate = "100/s" }
        subjects = 10
        [[provider]]
        retry = ["50ms", "100ms", "200ms", "300ms"]
        [[consumer]]
        name      = "poison"
        kind      = "webhook"
        max_tries = 3
        effect    = { poison_every = 10 }
        [[consumer]]
        name   = "state"
        kind   = "webhook"
        effect = "set"
        [[consumer]]
        name = "cut-off"
        kind = "webhook"
        [[consumer]]
        name = "too-slow"
        kind = "webhook"
        workers = 1
        effect  = { duration = "200ms" }
        [[fault]]
        kind        = "drop-request"
        consumer    = "state"
        probability = 0.3
        [[fault]]
        kind     = "outage"
        consumer = "cut-off"
        from     = "0s"
        until    = "10s"
    "#;
    let (run, _work) = run(scenario, &[]);
    for consumer in ["poison", "state", "cut-off", "too-slow"] {
        balanced(&run, consumer);
    }
    assert_eq!(run.count("poison", "dead_lettered"), run.count("poison", "due") / 10);
    assert!(run.count("state", "superseded") > 0);
    assert_eq!(run.count("state", "stale_overwrites"), 0);
    assert_eq!(run.count("cut-off", "undelivered"), run.count("cut-off", "due"));
    assert!(run.count("too-slow", "pending") > 0 && run.count("too-slow", "applied") > 0);
    // Work that is left over is told, and does not pass.
    assert_eq!(run.output.status.code(), Some(1));
    assert!(run.stdout().contains("still pending"), "{}", run.stdout());
}
