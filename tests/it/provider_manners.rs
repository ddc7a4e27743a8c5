//! What sets one provider apart from another, over real HTTP.

use std::collections::BTreeMap;

use pushpull::{
    model::{DisabledBy, GiveUp},
    record::{Attempt, Record, read_dir},
};

use crate::support::{Run, pushpull, run};

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

/// The records that `is` picks, in the provider's order.
fn picked<T>(run: &Run, is: impl Fn(&Record) -> Option<T>) -> Vec<T> {
    let mut found = Vec::new();
    read_dir(&run.dir.join("records"), |record| found.extend(is(&record))).expect("the run's records");
    found
}

#[test]
fn a_410_switches_one_endpoint_off_and_nothing_more_is_attempted() {
    let scenario = r#"
        title    = "gone"
        duration = "2s"
        drain    = "10s"
        [workload]
        arrivals = { kind = "constant", rate = "100/s" }
        subjects = 100
        [[provider]]
        retry = ["100ms", "100ms", "100ms"]
        [[consumer]]
        name    = "webhook"
        kind    = "webhook"
        clients = 4
        [[fault]]
        kind    = "respond"
        status  = 410
        clients = [2]
        from    = "500ms"
    "#;
    let (run, _work) = run(scenario, &[]);
    assert_eq!(run.why_void_but_lag(), Vec::<String>::new(), "{}", run.stdout());
    let off = picked(&run, |record| match record {
        Record::EndpointDisabled { client: 2, at, until: None, why: DisabledBy::Gone, .. } => Some(*at),
        Record::EndpointDisabled { .. } => panic!("{record:?}"),
        _ => None,
    });
    let [off] = off[..] else { panic!("{off:?}") };
    let sent_to_it = |record: &Record| match record {
        Record::Attempt(attempt) if attempt.what.client == 2 => Some(attempt.sent),
        _ => None,
    };
    assert!(picked(&run, sent_to_it).iter().all(|sent| *sent <= off));
    let whys = picked(&run, |record| if let Record::GaveUp { why, .. } = record { Some(*why) } else { None });
    assert_eq!(whys.iter().filter(|why| **why == GiveUp::Gone).count(), 1);
    assert_eq!(whys.len() as u64, run.count("webhook", "undelivered"));
    assert!(whys.len() > 20 && whys.iter().all(|why| *why != GiveUp::Exhausted), "{whys:?}");
    assert_eq!(run.count("webhook", "applied") + whys.len() as u64, run.count("webhook", "due"));
    assert_eq!(run.count("webhook", "endpoints_disabled"), 1);
    let windows = run.run()["disturbances"].as_array().unwrap();
    assert!(windows.iter().any(|window| window["what"] == "endpoint off"), "{windows:?}");
}

/// Down for 2 s, switched off for good after 8 failures in a row; what that gave up is replayed.
const SWITCHED_OFF: &str = r#"
    title    = "switched off"
    duration = "4s"
    drain    = "10s"
    [workload]
    arrivals = { kind = "constant", rate = "100/s" }
    [[provider]]
    retry                  = ["100ms", "200ms"]
    auto_disable           = { failures = 8 }
    replay_dead_letters_at = "5s"
    [[consumer]]
    name = "webhook"
    kind = "webhook"
    [[fault]]
    kind  = "outage"
    from  = "1s"
    until = "2s"
"#;

#[test]
fn dead_letters_of_a_switched_off_endpoint_are_replayed_and_applied_once() {
    let (run, work) = run(SWITCHED_OFF, &[]);
    run.assert_safe("webhook");
    let redelivered = run.count("webhook", "redelivered");
    // From about 1.1 s to the window's end at 4 s, 100 a second.
    assert!((280..=305).contains(&redelivered), "{redelivered}");
    assert_eq!((run.count("webhook", "endpoints_disabled"), run.count("webhook", "gave_up")), (1, 0));
    assert_eq!(run.count("webhook", "duplicates_received"), 0);
    let given_up = picked(&run, |record| if let Record::GaveUp { what, .. } = record { Some(what.seq) } else { None });
    let numbers = picked(&run, |record| match record {
        Record::Attempt(attempt) if attempt.outcome.is_ack() && attempt.number > 1 => Some(attempt.what.seq),
        _ => None,
    });
    assert!(numbers.iter().all(|seq| given_up.contains(seq)), "attempts go on where the dead letter stopped");

    // The story of a replayed event tells it.
    let seq = numbers.first().expect("an event that was tried before it was given up").to_string();
    let told = pushpull(work.path()).args(["explain", "out", &seq]).output().unwrap();
    let told = String::from_utf8_lossy(&told.stdout).into_owned();
    for words in ["the endpoint is switched off for good", "sender gives up", "sent again", "acked 200"] {
        assert!(told.contains(words), "{words}: {told}");
    }
}

#[test]
fn without_a_replay_what_a_switched_off_endpoint_missed_stays_undelivered() {
    let scenario = SWITCHED_OFF.replace("replay_dead_letters_at = \"5s\"", "");
    let (run, _work) = run(&scenario, &[]);
    assert_eq!(run.why_void_but_lag(), Vec::<String>::new(), "{}", run.stdout());
    let undelivered = run.count("webhook", "undelivered");
    assert!((280..=305).contains(&undelivered), "{undelivered}");
    assert_eq!(run.count("webhook", "applied") + undelivered, run.count("webhook", "due"));
}

#[test]
fn a_pause_ends_by_itself_and_doubles_while_the_endpoint_stays_down() {
    let scenario = SWITCHED_OFF
        .replace("replay_dead_letters_at = \"5s\"", "")
        .replace("failures = 8", "failures = 8, pause = \"200ms\", pause_max = \"400ms\"");
    let (run, _work) = run(&scenario, &[]);
    assert_eq!(run.why_void_but_lag(), Vec::<String>::new(), "{}", run.stdout());
    let pauses = picked(&run, |record| match record {
        Record::EndpointDisabled { at, until, .. } => until.map(|until| (*at, until)),
        _ => None,
    });
    let lengths: Vec<u64> = pauses.iter().map(|(at, until)| until.since(*at).0 / 1_000_000).collect();
    // Down from 1 s to 2 s: pauses from about 1.1 s, 1.3 s and 1.7 s on.
    assert_eq!(lengths, [200, 400, 400], "{}", run.stdout());
    let given_up = picked(&run, |record| match record {
        Record::GaveUp { what, at, .. } => Some((what.seq, *at)),
        _ => None,
    });
    assert_eq!(given_up.len() as u64, run.count("webhook", "undelivered"));
    let (seqs, instants): (Vec<_>, Vec<_>) = given_up.into_iter().unzip();
    assert!(instants.iter().all(|at| pauses.iter().any(|(from, until)| from <= at && at <= until)), "{instants:?}");
    // Whoever comes in a pause's second half may be seen to only behind it, on a machine that is busy.
    let early = |at: &pushpull::model::Time| {
        pauses.iter().any(|(from, until)| from <= at && at.since(*from) < until.since(*at))
    };
    let paused = picked(&run, |record| match record {
        Record::Emitted { event, .. } if early(&event.occurred_at) => Some(event.seq),
        _ => None,
    });
    assert!(paused.len() > 40 && paused.iter().all(|seq| seqs.contains(seq)), "{paused:?} {seqs:?}");
}

#[test]
fn ordered_delivery_lets_no_event_overtake_another_of_its_subject() {
    let scenario = |ordering: &str| {
        format!(
            r#"
            title    = "order"
            duration = "2s"
            drain    = "20s"
            [workload]
            arrivals = {{ kind = "constant", rate = "100/s" }}
            subjects = 10
            [[provider]]
            retry    = ["100ms", "100ms", "100ms", "100ms", "100ms", "100ms", "100ms", "100ms"]
            ordering = "{ordering}"
            [[consumer]]
            name   = "webhook"
            kind   = "webhook"
            effect = "set"
            [[fault]]
            kind        = "drop-request"
            probability = 0.2
            "#
        )
    };
    let starts = |run: &Run| {
        let mut starts = picked(run, |record| match record {
            Record::Attempt(attempt) => Some((attempt.sent, attempt.done, attempt.what.seq)),
            _ => None,
        });
        starts.sort_unstable();
        starts
    };
    let (free, _work) = run(&scenario("none"), &[]);
    free.assert_safe("webhook");
    assert!(free.count("webhook", "superseded") > 0, "a retried event is overtaken");
    let (ordered, _work) = run(&scenario("subject"), &[]);
    ordered.assert_safe("webhook");
    assert_eq!(ordered.count("webhook", "superseded"), 0, "nothing overtakes");
    // Attempts of one subject never overlap, and other subjects go on meanwhile.
    let subjects: BTreeMap<u32, u32> =
        picked(
            &ordered,
            |r| if let Record::Emitted { event, .. } = r { Some((event.seq, event.subject)) } else { None },
        )
        .into_iter()
        .collect();
    let mut newest: BTreeMap<u32, u32> = BTreeMap::new();
    for (_, _, seq) in starts(&ordered) {
        let last = newest.entry(subjects[&seq]).or_insert(seq);
        assert!(seq >= *last, "event {seq} starts behind event {last}");
        *last = seq;
    }
    let (whole, _work) = run(&scenario("endpoint"), &[]);
    whole.assert_safe("webhook");
    let starts = starts(&whole);
    assert!(starts.windows(2).all(|pair| pair[0].1 <= pair[1].0 && pair[0].2 <= pair[1].2), "one at a time");
}

#[test]
fn a_shared_pool_is_never_overdrawn_and_serves_who_is_due_first() {
    let scenario = |pool: &str| {
        format!(
            r#"
            title    = "a shared pool"
            duration = "2s"
            drain    = "20s"
            [workload]
            arrivals = {{ kind = "constant", rate = "100/s" }}
            subjects = 400
            [[provider]]
            retry       = "never"
            ack_timeout = "300ms"
            {pool}
            [[consumer]]
            name    = "webhook"
            kind    = "webhook"
            clients = 4
            [[fault]]
            kind    = "outage"
            how     = "hang"
            clients = [1]
            from    = "0s"
            until   = "30s"
            "#
        )
    };
    let attempts = |run: &Run| {
        let mut attempts =
            picked(run, |record| if let Record::Attempt(attempt) = record { Some(*attempt) } else { None });
        attempts.sort_by_key(|attempt| attempt.sent);
        attempts
    };
    let waits_s = |run: &Run| {
        let healthy = attempts(run).into_iter().filter(|attempt| attempt.what.client != 1);
        healthy.map(|attempt| attempt.sent.since(attempt.intended).as_secs_f64()).fold(0.0, f64::max)
    };
    let (shared, _work) = run(&scenario("sender_pool = 4"), &[]);
    assert_eq!(shared.why_void_but_lag(), Vec::<String>::new(), "{}", shared.stdout());
    let sent = attempts(&shared);
    let in_flight = |at: &Attempt| sent.iter().filter(|other| other.sent <= at.sent && other.done > at.sent).count();
    // An attempt's end is noted a moment after its slot's worth of waiting is over, never before.
    assert!(sent.iter().all(|attempt| in_flight(attempt) <= 4));
    // While everybody queues, who is due first is sent first: as far apart as slots are free at once.
    let passed = sent.windows(2).filter(|pair| pair[0].what.seq > pair[1].what.seq + 4).count();
    assert_eq!(passed, 0);
    // A quarter of all attempts take 300 ms of 4 slots: 52 a second pass, 100 come.
    assert!(waits_s(&shared) > 1.0, "{}", waits_s(&shared));
    let (isolated, _work) = run(&scenario(""), &[]);
    assert!(waits_s(&isolated) < 0.5, "{}", waits_s(&isolated));
}

#[test]
fn the_pull_api_turns_away_what_is_beyond_its_rate() {
    let scenario = r#"
        title    = "limited"
        duration = "4s"
        drain    = "10s"
        [workload]
        arrivals = { kind = "constant", rate = "20/s" }
        [[provider]]
        rate_limit = { rate = "2/s", burst = 4 }
        [[consumer]]
        name     = "eager"
        kind     = "polling"
        clients  = 2
        strategy = { kind = "fixed", interval = "100ms", on_429 = "ignore" }
        [[consumer]]
        name     = "polite"
        kind     = "polling"
        strategy = { kind = "fixed", interval = "100ms" }
        [[consumer]]
        name     = "modest"
        kind     = "polling"
        strategy = { kind = "fixed", interval = "1s" }
    "#;
    let (run, _work) = run(scenario, &[]);
    run.assert_safe("eager");
    run.assert_safe("modest");
    assert_eq!(run.count("modest", "rate_limited"), 0);
    run.assert_safe("polite");
    // Whoever waits as long as it is told is turned away once in a while, not at every poll.
    assert!(run.count("polite", "rate_limited") * 2 < run.count("eager", "rate_limited"), "{}", run.stdout());
    let turned_away =
        picked(
            &run,
            |record| if let Record::RateLimited { consumer: 0, client, .. } = record { Some(*client) } else { None },
        );
    assert_eq!(turned_away.len() as u64, run.count("eager", "rate_limited"));
    assert_eq!(run.count("eager", "failed_requests"), run.count("eager", "rate_limited"));
    // Each client has 4 at once and 2 a second.
    let answered = run.count("eager", "requests") - run.count("eager", "rate_limited");
    let seconds = run.run()["duration_s"].as_f64().unwrap();
    assert!(answered as f64 <= 2.0 * (4.0 + 2.0 * seconds), "{answered} in {seconds} s");
    assert!((0..2).all(|client| turned_away.iter().filter(|one| **one == client).count() > 20));
}

/// Two consumers of two clients each ask forty times as often as the limit lets one. Without jitter the
/// same client would always be the first to find a new token.
fn limited_per(scope: &str) -> Run {
    let consumer = |name: &str| {
        format!(
            "[[consumer]]\nname = \"{name}\"\nkind = \"polling\"\nclients = 2\n\
             strategy = {{ kind = \"fixed\", interval = \"50ms\", jitter = 1.0, on_429 = \"ignore\" }}\n"
        )
    };
    let scenario = format!(
        "title = \"limited\"\nduration = \"4s\"\ndrain = \"40s\"\n[workload]\n\
         arrivals = {{ kind = \"constant\", rate = \"20/s\" }}\n\
         [[provider]]\nrate_limit = {{ rate = \"1/s\", burst = 3, per = \"{scope}\" }}\n{}{}",
        consumer("one"),
        consumer("two")
    );
    let (run, _work) = run(&scenario, &[]);
    run.assert_safe("one");
    run.assert_safe("two");
    run
}

#[cfg(target_os = "linux")]
#[test]
fn by_address_each_consumer_has_a_budget_and_all_together_have_one() {
    // What a bucket that is asked all the time lets through: the burst, and one a second.
    let budget = |run: &Run| 3.0 + run.run()["duration_s"].as_f64().unwrap();
    let answered = |run: &Run, consumer| (run.count(consumer, "requests") - run.count(consumer, "rate_limited")) as f64;
    let apart = limited_per("address");
    for consumer in ["one", "two"] {
        let (answered, budget) = (answered(&apart, consumer), budget(&apart));
        assert!(answered <= budget && answered > 0.7 * budget, "{answered} of {budget}\n{}", apart.stdout());
    }
    let shared = limited_per("all");
    let (both, budget) = (answered(&shared, "one") + answered(&shared, "two"), budget(&shared));
    assert!(both <= budget && both > 0.7 * budget, "{both} of {budget}\n{}", shared.stdout());
}

#[test]
fn a_retention_shorter_than_an_outage_loses_what_falls_between_them() {
    let scenario = |retention: &str| {
        format!(
            r#"
            title    = "retention"
            duration = "6s"
            drain    = "10s"
            [workload]
            arrivals = {{ kind = "constant", rate = "200/s" }}
            [[provider]]
            {retention}
            [[consumer]]
            name     = "poll"
            kind     = "polling"
            strategy = {{ kind = "fixed", interval = "50ms" }}
            [[fault]]
            kind  = "outage"
            from  = "1s"
            until = "4s"
            "#
        )
    };
    let (long, _work) = run(&scenario("retention = \"4s\""), &[]);
    long.assert_safe("poll");
    let (short, work) = run(&scenario("retention = \"1s\""), &[]);
    assert_eq!(short.why_void_but_lag(), Vec::<String>::new(), "{}", short.stdout());
    // lambda x (outage - retention) = 200 x (3 - 1), and up to an interval more on either side.
    let lost = short.count("poll", "lost");
    assert!((395..=430).contains(&lost), "{lost}");
    assert_eq!(short.count("poll", "applied") + lost, short.count("poll", "due"));
    let broken = |run: &Run| {
        let promises = run.run()["promises"].as_array().unwrap();
        promises.iter().filter(|p| p["verdict"] == "broken").map(|p| p["name"].to_string()).collect::<Vec<_>>()
    };
    assert_eq!((broken(&short), broken(&long)), (vec!["\"cursor-skips-nothing\"".to_owned()], vec![]));
    // Event 300 came half a second into the outage.
    let told = pushpull(work.path()).args(["explain", "out", "300"]).output().unwrap();
    let told = String::from_utf8_lossy(&told.stdout).into_owned();
    assert!(told.contains("lets go of it, after 1s") && told.contains("has passed it"), "{told}");
}

#[test]
fn what_expires_while_nobody_asks_is_lost_and_not_pending() {
    let scenario = r#"
        title    = "nobody asks"
        duration = "3s"
        drain    = "2s"
        [workload]
        arrivals = { kind = "constant", rate = "100/s" }
        [[provider]]
        retention = "1s"
        [[consumer]]
        name     = "poll"
        kind     = "polling"
        strategy = { kind = "fixed", interval = "100ms" }
        [[fault]]
        kind  = "outage"
        from  = "1s"
        until = "30s"
    "#;
    let (run, _work) = run(scenario, &[]);
    assert_eq!(run.why_void_but_lag(), Vec::<String>::new(), "{}", run.stdout());
    let (lost, pending) = (run.count("poll", "lost"), run.count("poll", "pending"));
    assert_eq!(run.count("poll", "applied") + lost + pending, run.count("poll", "due"));
    // The run ends at 5 s: everything since the outage's beginning has expired.
    assert!(pending == 0 && (195..=220).contains(&lost), "{lost} {pending}");
}
