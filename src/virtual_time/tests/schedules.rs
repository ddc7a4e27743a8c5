//! When each provider sends an event again that nobody takes: attempt by attempt, as its profile has
//! it, against what `profiles/` cites. Delays that a provider does not publish are held against the shape that
//! it does: how many, and for how long.

use toml::{Table, Value};

use super::{plan, records};
use crate::{
    model::{GiveUp, Span},
    profile::PROFILES,
    record::Record,
};

const MIN: u64 = 60;
const H: u64 = 3_600;
const DAY: u64 = 24 * H;

/// One event, and a network that takes no time.
const ONE_EVENT: &str = r#"
title = "One event"
modes = ["virtual"]
duration = "1500ms"
virtual = { one_way_delay = "0s", delay_distribution = "constant", commit_time = "0s" }
workload = { arrivals = { kind = "constant", rate = "1/s" } }
consumer = [{ name = "webhook", kind = "webhook" }]
"#;

/// A receiver that says nothing.
const SILENT: &str = "kind = \"drop-request\"\nseen_as = \"timeout\"";

/// A receiver that cannot be reached.
const UNREACHABLE: &str = "kind = \"outage\"\nfrom = \"0s\"\nuntil = \"30d\"";

fn answering(status: u16) -> String {
    format!("kind = \"respond\"\nstatus = {status}")
}

/// When the attempts of the one event left, in seconds after the first, and why there were no more.
fn attempts(profile: &str, fault: &str) -> (Vec<f64>, GiveUp) {
    let provider = Table::from_iter([("profile".to_owned(), Value::String(profile.to_owned()))]);
    let fault: Table = fault.parse().expect("a fault in TOML");
    let mut scenario: Table = ONE_EVENT.parse().expect("a scenario in TOML");
    scenario.insert("provider".to_owned(), Value::Array(vec![Value::Table(provider)]));
    scenario.insert("fault".to_owned(), Value::Array(vec![Value::Table(fault)]));
    let plan = plan(&toml::to_string(&scenario).expect("what was read can be written"));
    let (mut sent, mut why) = (Vec::new(), None);
    for record in records(&plan) {
        match record {
            Record::Attempt(attempt) => sent.push(attempt.sent),
            Record::GaveUp { why: given, attempts, .. } => {
                assert_eq!(attempts as usize, sent.len(), "{profile}");
                why = Some(given);
            }
            _ => {}
        }
    }
    let first = sent[0];
    (sent.iter().map(|sent| sent.since(first).as_secs_f64()).collect(), why.expect("a delivery that ends"))
}

/// The same where no chance is in it, in whole seconds.
fn exact(profile: &str, fault: &str) -> (Vec<u64>, GiveUp) {
    let (sent, why) = attempts(profile, fault);
    assert!(sent.iter().all(|sent| sent.fract() == 0.0), "{profile}: {sent:?}");
    (sent.into_iter().map(|sent| sent as u64).collect(), why)
}

/// Offsets of attempts so many seconds after one another's end, where it takes `detection` to see a failure.
fn offsets(delays: &[u64], detection: u64) -> Vec<u64> {
    let mut at = 0;
    std::iter::once(0)
        .chain(delays.iter().map(|delay| {
            at += delay + detection;
            at
        }))
        .collect()
}

/// Chance stretches and shortens each delay by up to `share`.
fn assert_within(profile: &str, fault: &str, delays: &[u64], (share, detection): (f64, u64)) {
    let (sent, why) = attempts(profile, fault);
    assert_eq!((sent.len(), why), (delays.len() + 1, GiveUp::Exhausted), "{profile}");
    for (pair, delay) in sent.windows(2).zip(delays) {
        let waited = pair[1] - pair[0] - detection as f64;
        assert!((waited / *delay as f64 - 1.0).abs() <= share + 1e-9, "{profile}: {waited} instead of {delay}");
        assert!(waited != *delay as f64, "{profile}: no chance in {delay}");
    }
}

#[test]
fn those_who_do_not_retry_send_once() {
    for profile in ["github", "gitlab", "gitlab-token"] {
        for fault in [SILENT, UNREACHABLE, &answering(500)] {
            assert_eq!(exact(profile, fault), (vec![0], GiveUp::Exhausted), "{profile}");
        }
    }
}

#[test]
fn slack_retries_at_once_after_one_minute_and_after_five() {
    assert_eq!(exact("slack", UNREACHABLE), (offsets(&[0, MIN, 5 * MIN], 0), GiveUp::Exhausted));
    assert_eq!(exact("slack", SILENT), (offsets(&[0, MIN, 5 * MIN], 3), GiveUp::Exhausted));
}

#[test]
fn stripe_retries_for_three_days() {
    let delays = [5 * MIN, 30 * MIN, 2 * H, 5 * H, 10 * H, 14 * H, 20 * H, 20 * H + 25 * MIN];
    let (sent, why) = exact("stripe", &answering(302));
    assert_eq!((sent.last(), why), (Some(&(3 * DAY)), GiveUp::Exhausted));
    assert_eq!(sent, offsets(&delays, 0));
    // Seeing eight failures takes 80 s, so the last attempt would leave behind the three days.
    assert_eq!(exact("stripe", SILENT), (offsets(&delays[..7], 10), GiveUp::TooOld));
}

#[test]
fn shopify_retries_eight_times_in_four_hours() {
    let delays = [56, 112, 224, 448, 896, 1_792, 3_584, 7_168];
    let (sent, why) = exact("shopify", &answering(302));
    assert_eq!((&sent, why), (&offsets(&delays, 0), GiveUp::Exhausted));
    assert!(sent.last().is_some_and(|last| (3 * H + 50 * MIN..=4 * H).contains(last)));
    let (silent, _) = exact("shopify", SILENT);
    assert_eq!(silent, offsets(&delays, 5));
    assert!(silent.last().is_some_and(|last| *last <= 4 * H));
}

#[test]
fn discord_retries_for_ten_minutes_at_most() {
    let delays = [5, 10, 20, 40, 80, 160];
    assert_eq!(exact("discord", UNREACHABLE), (offsets(&delays, 0), GiveUp::Exhausted));
    let (silent, _) = exact("discord", SILENT);
    assert_eq!(silent, offsets(&delays, 3));
    assert!(silent.last().is_some_and(|last| *last <= 10 * MIN));
}

#[test]
fn datadog_retries_five_times_and_never_after_a_4xx() {
    let delays = [5, 10, 20, 40, 80];
    assert_eq!(exact("datadog", UNREACHABLE), (offsets(&delays, 0), GiveUp::Exhausted));
    assert_eq!(exact("datadog", &answering(503)), (offsets(&delays, 0), GiveUp::Exhausted));
    assert_eq!(exact("datadog", SILENT), (offsets(&delays, 15), GiveUp::Exhausted));
    for status in [400, 429, 302] {
        assert_eq!(exact("datadog", &answering(status)), (vec![0], GiveUp::NotRetried), "{status}");
    }
}

#[test]
fn standard_webhooks_is_the_example_of_its_specification() {
    let delays = [5, 5 * MIN, 30 * MIN, 2 * H, 5 * H, 10 * H, 14 * H, 20 * H, 24 * H];
    assert_eq!(offsets(&delays, 0).last(), Some(&(75 * H + 35 * MIN + 5)));
    assert_within("standard-webhooks", UNREACHABLE, &delays, (0.1, 0));
    assert_within("standard-webhooks", SILENT, &delays, (0.1, 15));
    assert_eq!(exact("standard-webhooks", &answering(410)), (vec![0], GiveUp::Gone));
}

#[test]
fn svix_sends_eight_times_and_waits_a_minute_at_least_after_a_timeout_or_429() {
    let delays = [5, 5 * MIN, 30 * MIN, 2 * H, 5 * H, 10 * H, 10 * H];
    assert_within("svix", UNREACHABLE, &delays, (0.2, 0));
    assert_within("svix", &answering(500), &delays, (0.2, 0));
    for (fault, detection) in [(SILENT, 15.0), (answering(429).as_str(), 0.0)] {
        let (sent, why) = attempts("svix", fault);
        assert_eq!((sent.len(), why), (8, GiveUp::Exhausted));
        assert_eq!(sent[1], 60.0 + detection, "instead of five seconds");
        assert!((sent[2] - sent[1] - detection - 300.0).abs() <= 60.0);
    }
    let (gone, _) = attempts("svix", &answering(410));
    assert_eq!(gone.len(), 8, "a 410 is a failure like any other");
}

#[test]
fn what_a_provider_does_not_publish_is_what_its_profile_assumes() {
    let doubling =
        |base: u64, cap: u64, retries: u32| -> Vec<u64> { (0..retries).map(|k| (base << k).min(cap)).collect() };
    let assumed = [
        ("square", doubling(MIN, 8 * H, 11)),
        ("hubspot", doubling(MIN, 8 * H, 10)),
        ("linear", vec![MIN, H, 6 * H]),
        ("paddle", doubling(MIN, 6 * H, 12)),
    ];
    for (profile, delays) in &assumed {
        assert_eq!(exact(profile, UNREACHABLE), (offsets(delays, 0), GiveUp::Exhausted), "{profile}");
    }
}

/// Whoever adds a profile says here when it sends again.
#[test]
fn every_profile_is_held_against_something() {
    let held = include_str!("schedules.rs");
    for profile in PROFILES {
        assert!(held.contains(&format!("\"{}\"", profile.name)), "{}", profile.name);
    }
}

/// The negative control: another schedule is not taken for this one.
#[test]
fn a_schedule_that_is_off_by_a_second_shows() {
    let (sent, _) = exact("slack", UNREACHABLE);
    assert_ne!(sent, offsets(&[0, MIN, 5 * MIN + 1], 0));
    assert_eq!(Span::from_secs(sent[3]), Span::from_secs(6 * MIN));
}
