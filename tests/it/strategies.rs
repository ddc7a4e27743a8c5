//! Every polling strategy, live: none loses anything, and each behaves as it says.

use pushpull::{
    model::Span,
    record::{Poll, Record, read_dir},
};

use crate::support::{Run, run};

/// A second of polling intervals, ten of arrivals, all strategies at once.
const SCENARIO: &str = r#"
title    = "every strategy"
duration = "10s"
drain    = "20s"
[workload]
arrivals = { kind = "poisson", rate = "10/s" }
subjects = 8
[[consumer]]
name     = "fixed"
kind     = "polling"
clients  = 4
strategy = { kind = "fixed", interval = "500ms", jitter = 0.5, connection = "per-request" }
[[consumer]]
name     = "conditional"
kind     = "polling"
clients  = 4
strategy = { kind = "conditional", interval = "100ms" }
[[consumer]]
name     = "cron"
kind     = "polling"
clients  = 4
strategy = { kind = "cron", interval = "1s", spread = "200ms" }
[[consumer]]
name     = "adaptive"
kind     = "polling"
clients  = 4
strategy = { kind = "adaptive", min = "100ms", max = "800ms" }
[[consumer]]
name     = "long-poll"
kind     = "polling"
clients  = 4
strategy = { kind = "long-poll", hold = "2s" }
[[consumer]]
name     = "follows-all"
kind     = "polling"
clients  = 3
follows  = "all"
strategy = { kind = "long-poll", hold = "2s" }
"#;

fn age_p50(run: &Run, consumer: &str) -> f64 {
    run.consumer(consumer)["age_s"]["p50"].as_f64().expect("a median age")
}

#[test]
fn every_strategy_loses_nothing_and_behaves_as_it_says() {
    let (run, _work) = run(SCENARIO, &[]);
    for consumer in ["fixed", "conditional", "cron", "adaptive", "long-poll", "follows-all"] {
        run.assert_safe(consumer);
        assert_eq!(run.count(consumer, "failed_requests"), 0, "{consumer}\n{}", run.stdout());
    }
    let seconds = run.run()["duration_s"].as_f64().expect("duration_s");
    let per_client = |consumer: &str, clients: f64| run.count(consumer, "requests") as f64 / clients / seconds;

    assert!(run.count("conditional", "not_modified") > 0);
    assert!(run.count("conditional", "empty_responses") <= 4, "nothing new is a 304, but for a client's first poll");
    // A request a second, and a few pages more.
    assert!((0.7..1.5).contains(&per_client("cron", 4.0)), "{}", run.stdout());
    // Between a poll per longest and one per shortest gap.
    assert!((1.2..10.1).contains(&per_client("adaptive", 4.0)), "{}", run.stdout());
    // An event is there almost at once, however long a request may be held, ...
    assert!(age_p50(&run, "long-poll") < 0.1 * age_p50(&run, "cron"), "{}", run.stdout());
    // ... for about one request per event, and a few that were held in vain.
    let events = run.count("long-poll", "due");
    assert!((events / 2..=events + 80).contains(&run.count("long-poll", "requests")), "{}", run.stdout());
    assert_eq!(run.count("follows-all", "due"), 3 * run.count("fixed", "due"));
}

/// The first polls are turned away with the wish to wait for a tenth of the run.
const LIMITED: &str = r#"
title      = "turned away"
duration   = "40s"
drain      = "40s"
time_scale = 10
[workload]
arrivals = { kind = "constant", rate = "1/s" }
[[provider]]
poll_interval_hint = "4s"
[[consumer]]
name     = "respects"
kind     = "polling"
strategy = { kind = "fixed", interval = "1s" }
[[consumer]]
name     = "ignores"
kind     = "polling"
strategy = { kind = "fixed", interval = "1s", on_429 = "ignore" }
[[fault]]
kind          = "respond"
status        = 429
retry_after_s = 10
until         = "10s"
"#;

#[test]
fn a_client_waits_as_long_as_it_is_asked_to_or_does_not() {
    let (run, _work) = run(LIMITED, &[]);
    for consumer in ["respects", "ignores"] {
        run.assert_safe(consumer);
    }
    // One that waits for ten seconds is turned away once or twice in ten seconds; the other every second.
    assert!((1..=2).contains(&run.count("respects", "failed_requests")), "{}", run.stdout());
    assert!((8..=11).contains(&run.count("ignores", "failed_requests")), "{}", run.stdout());
    // And keeps the interval that the provider wants afterwards.
    let (respects, ignores) = (run.count("respects", "requests"), run.count("ignores", "requests"));
    assert!(respects * 3 < ignores, "{respects} and {ignores}\n{}", run.stdout());
}

/// Nobody is turned away; every answer asks for four seconds until the next poll.
const HINTED: &str = r#"
title      = "asked to come less often"
duration   = "40s"
drain      = "40s"
time_scale = 10
[workload]
arrivals = { kind = "constant", rate = "5/s" }
[[provider]]
poll_interval_hint = "4s"
[[consumer]]
name     = "honours"
kind     = "polling"
strategy = { kind = "fixed", interval = "100ms" }
[[consumer]]
name     = "ignores"
kind     = "polling"
strategy = { kind = "fixed", interval = "100ms", on_429 = "ignore" }
"#;

#[test]
fn a_client_that_honours_the_interval_hint_polls_at_its_rate() {
    let (run, _work) = run(HINTED, &[]);
    for consumer in ["honours", "ignores"] {
        run.assert_safe(consumer);
        assert_eq!(run.count(consumer, "failed_requests"), 0, "{consumer}\n{}", run.stdout());
    }
    // Each of its polls brings events, so each has a record: never two within the hint, ...
    let hint = Span::from_millis(400);
    let mut sent = Vec::new();
    let note = |record| {
        if let Record::Poll(Poll { consumer: 0, sent: at, .. }) = record {
            sent.push(at)
        }
    };
    read_dir(&run.dir.join("records"), note).expect("the run's records");
    assert!(sent.windows(2).all(|pair| pair[1].since(pair[0]) >= hint), "{sent:?}");
    // ... and as many as it allows: one every four seconds, and a moment until the timer's next tick.
    assert!((6..=10).contains(&sent.len()), "{sent:?}");
    assert!(run.count("ignores", "requests") > 10 * run.count("honours", "requests"), "{}", run.stdout());
}

/// Twenty clients at places of their own, and twenty together; both timers divide the window.
const COUNTED: &str = r#"
title    = "polls to be counted"
duration = "5s"
drain    = "20s"
[workload]
arrivals = { kind = "poisson", rate = "20/s" }
subjects = 20
[[consumer]]
name     = "apart"
kind     = "polling"
clients  = 20
strategy = { kind = "fixed", interval = "500ms" }
[[consumer]]
name     = "together"
kind     = "polling"
clients  = 20
strategy = { kind = "cron", interval = "500ms" }
"#;

#[test]
fn polls_within_the_window_are_as_many_as_the_timer_says_not_one_more_or_less() {
    let (run, _work) = run(COUNTED, &[]);
    let rows = run.run()["model"].as_array().expect("closed forms");
    // One that begins an interval after t0 has missed the place that a random phase has at the start.
    for (consumer, polls) in [("apart", 200.0), ("together", 180.0)] {
        let mine = rows.iter().find(|row| {
            row["consumer"] == consumer && row["quantity"].as_str().is_some_and(|name| name.starts_with("polls"))
        });
        let row = mine.unwrap_or_else(|| panic!("no row for {consumer}\n{}", run.stdout()));
        assert_eq!((&row["predicted"], &row["measured"]), (&polls.into(), &polls.into()), "{}", run.stdout());
    }
}
