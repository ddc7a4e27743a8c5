//! Receivers that work, crash, stop, hold on for too long and contend: each against its closed form.

use super::{judged, plan, records, run};
use crate::{
    model::AttemptOutcome,
    record::{ProcessChange, Record},
};

/// Eight workers of half a second each, Poisson arrivals at half of what they can do, and a patience of
/// three seconds: an M/M/8.
const SYNCHRONOUS: &str = r#"
title = "Synchronous"
modes = ["virtual"]
duration = "20000s"
[virtual]
one_way_delay = "0s"
commit_time = "0s"
[workload]
arrivals = { kind = "poisson", rate = "8/s" }
[[provider]]
ack_timeout = "3s"
concurrency = 1000
retry = ["1000s"]
[[consumer]]
name = "synchronous"
kind = "webhook"
flaw = "synchronous"
workers = 8
effect = { duration = "500ms", distribution = "exponential" }
"#;

#[test]
fn a_synchronous_receiver_is_a_queue_with_as_many_servers_as_it_has_workers() {
    let plan = plan(SYNCHRONOUS);
    let records = records(&plan);
    let timeouts = records.iter().filter(|record| timed_out(record)).count() as f64;
    let attempts = records.iter().filter(|record| matches!(record, Record::Attempt(_))).count() as f64;
    // P(R > 3 s) of an M/M/8 at a = 4; the standard deviation of the share is sqrt(0.00253 / 160,000) = 0.00013.
    let share = timeouts / attempts;
    assert!((share - 0.00253).abs() < 0.0005, "{share}");
    let receipts = records.iter().filter(|record| matches!(record, Record::Receipt { .. })).count() as f64;
    assert_eq!(receipts, attempts, "work goes on after its sender has left");
    assert!(judged(&plan, &records).valid);
}

fn timed_out(record: &Record) -> bool {
    matches!(record, Record::Attempt(attempt) if attempt.outcome == AttemptOutcome::Timeout)
}

/// A hundred events a second, commits that take 5 ms, and a process that is killed every two seconds.
const KILLED: &str = r#"
title = "Killed"
modes = ["virtual"]
duration = "400s"
[virtual]
commit_time = "5ms"
[workload]
arrivals = { kind = "poisson", rate = "100/s" }
[[provider]]
retry = ["1s", "5s", "20s"]
[[consumer]]
name = "webhook"
kind = "webhook"
effect = { duration = "5ms" }
[[fault]]
kind = "crash"
spaced = "2s"
down = "100ms"
"#;

#[test]
fn a_crash_repeats_what_lies_between_effect_and_ledger_and_loses_what_was_acked_and_not_stored() {
    let right = run(KILLED);
    assert!(right.valid, "{:?}", right.why_void);
    let [consumer] = &right.consumers[..] else { panic!("one consumer") };
    let told = [consumer.duplicates_applied, consumer.lost, consumer.pending, consumer.undelivered];
    assert_eq!(told, [Some(0); 4], "one transaction, and an ack after the commit");
    assert!(consumer.failed_requests > 1_000, "199 crashes of 0.1 s at 100/s");

    let of = |flaw: &str| run(&KILLED.replace("effect =", &format!("flaw = \"{flaw}\"\neffect =")));
    // Little: 100/s x 5 ms = 0.5 per crash; 199 crashes have a standard deviation of 10.
    let repeated = of("effect-before-ledger");
    let repeats = repeated.consumers[0].duplicates_applied.unwrap_or(0) as f64;
    assert!(repeated.valid && (repeats - 99.5).abs() < 40.0, "{repeats}");
    assert_eq!(repeated.consumers[0].lost, Some(0));
    // Likewise 100/s x 105 ms in memory.
    let lost = of("ack-before-store");
    let gone = lost.consumers[0].lost.unwrap_or(0) as f64;
    assert!(lost.valid && (gone - 199.0 * 10.5).abs() < 200.0, "{gone}");
    let forgetful = run(&KILLED.replace("effect =", "queue = \"memory\"\neffect ="));
    assert!(forgetful.valid && forgetful.consumers[0].lost > Some(50), "{:?}", forgetful.consumers[0].lost);
}

#[test]
fn every_crash_point_is_survived_by_a_right_receiver_and_told_of() {
    let points =
        ["before-store", "after-store", "after-ack", "before-apply", "between-effect-and-ledger", "after-apply"];
    for point in points {
        let crash = format!("point = \"{point}\"\npass = 40\ntimes = 3");
        let text = KILLED.replace("spaced = \"2s\"", &crash).replace("400s", "20s");
        let plan = plan(&text);
        let records = records(&plan);
        let deaths = |record: &&Record| matches!(record, Record::Process { change: ProcessChange::Crashed(_), .. });
        assert_eq!(records.iter().filter(deaths).count(), 3, "{point}");
        let result = judged(&plan, &records);
        assert!(result.valid, "{point}: {:?}", result.why_void);
        let consumer = &result.consumers[0];
        assert_eq!([consumer.duplicates_applied, consumer.lost, consumer.pending], [Some(0); 3], "{point}");
        assert_eq!(consumer.applied, Some(consumer.due), "{point}");
        // What is durable and not acked, or applied and not forgotten, comes again.
        let again = matches!(point, "after-store" | "after-apply");
        assert_eq!(consumer.duplicates_suppressed > Some(0), again, "{point}");
    }
}

#[test]
fn what_comes_to_a_stopped_process_waits_until_it_goes_on() {
    let stall = |what: &str| format!("kind = \"stall\"\nwhat = \"{what}\"\nfrom = \"5s\"\nuntil = \"8s\"");
    for what in ["process", "queue", "ledger"] {
        let text =
            KILLED.replace("kind = \"crash\"\nspaced = \"2s\"\ndown = \"100ms\"", &stall(what)).replace("400s", "20s");
        let result = run(&text.replace("[[provider]]", "[[provider]]\nack_timeout = \"2s\"\nconcurrency = 1000"));
        assert!(result.valid, "{what}: {:?}", result.why_void);
        let consumer = &result.consumers[0];
        assert_eq!((consumer.applied, consumer.duplicates_applied), (Some(consumer.due), Some(0)), "{what}");
        let oldest = consumer.age_s.as_ref().and_then(|age| age.max).unwrap_or(0.0);
        assert!((2.9..6.0).contains(&oldest), "{what}: {oldest}");
        let deliveries_end = consumer.acked + consumer.gave_up;
        assert_eq!(deliveries_end, consumer.due, "{what}: a sender whose receiver is stopped loses its patience");
        // A locked ledger holds no ack up.
        assert_eq!(consumer.load.timeouts > 0, what != "ledger", "{what}: {}", consumer.load.timeouts);
    }
}

/// Work of one second on average, by as many workers as it takes, and a queue that lets go after as long.
const VISIBLE: &str = r#"
title = "Visibility"
modes = ["virtual"]
duration = "2000s"
[workload]
arrivals = { kind = "poisson", rate = "10/s" }
[[consumer]]
name = "webhook"
kind = "webhook"
workers = 500
visibility = "1s"
effect = { duration = "1s", distribution = "exponential" }
"#;

#[test]
fn an_event_that_is_held_for_too_long_is_worked_on_again_and_takes_effect_once() {
    let result = run(VISIBLE);
    assert!(result.valid, "{:?}", result.why_void);
    let consumer = &result.consumers[0];
    // Sum of e^(-j(j+1)/2) = 0.420 extra executions per event; 0.005 is the standard deviation over 20,000.
    let extra = consumer.duplicates_suppressed.unwrap_or(0) as f64 / consumer.due as f64;
    assert!((extra - 0.420).abs() < 0.02, "{extra}");
    assert_eq!((consumer.applied, consumer.duplicates_applied), (Some(consumer.due), Some(0)));
}

/// Ten writers of one row.
const CONTENTION: &str = r#"
title = "Contention"
modes = ["virtual"]
duration = "101us"
[virtual]
one_way_delay = "10ms"
delay_distribution = "normal"
commit_time = "0s"
[workload]
arrivals = { kind = "constant", rate = "100000/s" }
subjects = 1
[[provider]]
retry = { base = "5ms", cap = "2s", retries = 100, jitter = "full" }
concurrency = 100
[[consumer]]
name = "row"
kind = "webhook"
optimistic = true
"#;

#[test]
fn of_those_who_have_read_a_row_one_writes_it_and_the_others_come_again() {
    let result = run(CONTENTION);
    assert!(result.valid, "{:?}", result.why_void);
    let row = &result.consumers[0];
    assert_eq!((row.due, row.applied, row.duplicates_received), (10, Some(10), Some(0)));
    assert_eq!(row.rejected, Some(row.attempts - 10), "whoever is not the first is told of a conflict");
    assert!((15..=55).contains(&row.attempts), "{}", row.attempts);
    assert!(result.broken().next().is_none(), "to come again is not to be refused");
}

/// A provider that takes nothing but 204 for an ack, and a receiver of its.
const STRICT: &str = r#"
title = "Strict"
modes = ["virtual"]
duration = "10s"
[workload]
arrivals = { kind = "constant", rate = "10/s" }
[[provider]]
success = ["204"]
retry = ["1s"]
[[consumer]]
name = "webhook"
kind = "webhook"
[[fault]]
kind = "respond"
status = 200
attempt = 1
first = 7
"#;

#[test]
fn a_200_of_somebody_in_between_ends_nothing_where_only_204_is_an_ack() {
    let of = |text: &str| {
        let result = run(text);
        assert!(result.valid, "{:?}", result.why_void);
        let consumer = &result.consumers[0];
        (consumer.due, consumer.acked, consumer.attempts, consumer.lost)
    };
    assert_eq!(of(STRICT), (99, 99, 99 + 7, Some(0)));
    // To others it is an ack for what nobody has stored.
    assert_eq!(of(&STRICT.replace("success = [\"204\"]\n", "")), (99, 99, 99, Some(7)));
}
