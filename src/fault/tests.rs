use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::model::{Span, Time};

fn plan(index: u16, kind: serde_json::Value, selector: Selector) -> FaultPlan {
    FaultPlan { index, kind: serde_json::from_value(kind).unwrap(), consumers: vec![0], selector }
}

fn target(number: u32, attempt: u32) -> Target {
    Target { path: TargetPath::Webhook, consumer: 0, client: 0, number, attempt, copy: 0, at: Time::ZERO }
}

fn fate(faults: &[FaultPlan], target: &Target) -> Fate {
    decide(faults, target, Draws::new(42))
}

fn everything() -> Selector {
    Selector::default()
}

#[test]
fn names_are_unique_and_every_kind_says_what_it_does() {
    let mut names: Vec<&str> = FaultKind::TABLE.iter().map(|kind| kind.name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), FaultKind::TABLE.len());
    for Kind { name, summary, hits, why_not_pull, .. } in FaultKind::TABLE {
        assert_eq!(why_not_pull.is_empty(), hits.polls || hits.process, "{name}");
        assert!(summary.len() > 20 && !summary.ends_with('.'), "{name}");
        assert!(hits.webhooks || hits.polls || hits.process, "{name}");
    }
}

#[test]
fn a_fault_hits_its_own_consumers_and_paths_only() {
    let faults = [plan(3, json!({"kind": "duplicate"}), everything())];
    assert_eq!(fate(&faults, &target(1, 1)).hits, [3]);
    assert_eq!(fate(&faults, &Target { consumer: 1, ..target(1, 1) }), Fate::default());
    assert_eq!(fate(&faults, &Target { path: TargetPath::Poll, ..target(1, 1) }), Fate::default());
    let process = [plan(0, json!({"kind": "stall"}), everything())];
    assert_eq!(fate(&process, &target(1, 1)), Fate::default());
}

#[test]
fn the_first_fault_in_the_file_keeps_what_it_claims_and_delays_add_up() {
    let faults = [
        plan(0, json!({"kind": "respond", "status": 503, "retry_after_s": 2}), everything()),
        plan(1, json!({"kind": "drop-request"}), everything()),
        plan(2, json!({"kind": "drop-ack", "seen_as": "timeout"}), everything()),
        plan(3, json!({"kind": "drop-ack", "when": "before"}), everything()),
        plan(4, json!({"kind": "delay", "delay": "2ms"}), everything()),
        plan(5, json!({"kind": "delay", "delay": "3ms"}), everything()),
    ];
    let fate = fate(&faults, &target(1, 1));
    assert_eq!(fate.request, RequestFate::Answered { status: 503, retry_after_s: Some(2), stop: None });
    assert_eq!(fate.response, ResponseFate::LostAfterProcessing(LossSeen::Timeout));
    assert_eq!(fate.request_delay, Span::from_millis(5));
    assert_eq!(fate.hits, [0, 1, 2, 3, 4, 5]);
}

proptest! {
    #[test]
    fn odds_spare_exactly_those_that_their_probability_does_not_choose(
        p in prop_oneof![0.0f64..=1.0, Just(0.0), Just(1.0), Just(f64::EPSILON)],
        fault: u16, client: u32, number in 1u32..1_000, seed: u64,
    ) {
        let (selector, draws) = (Selector { probability: Some(p), ..everything() }, Draws::new(seed).purpose(Purpose::FaultHit));
        let target = Target { path: TargetPath::Poll, client, ..target(number, 1) };
        let odds = selector.odds(fault).unwrap();
        prop_assert_eq!(odds.spare(client, number, draws), !selector.hits(&target, fault, draws));
        // And where the draw lies on the very edge.
        let edge = Selector { probability: Some(draws.unit(u64::from(fault) << 32 | u64::from(client), u64::from(number) << 24 | 1 << 8)), ..everything() };
        prop_assert!(edge.odds(fault).unwrap().spare(client, number, draws) && !edge.hits(&target, fault, draws));
    }
}

#[test]
fn selectors_count_events_and_attempts_and_look_at_the_due_instant() {
    let hit = |selector: Selector, target: Target| {
        !fate(&[plan(0, json!({"kind": "reset"}), selector)], &target).hits.is_empty()
    };
    let hits = |selector: &Selector| (1..=10).filter(|&n| hit(selector.clone(), target(n, 1))).collect::<Vec<_>>();
    assert_eq!(hits(&Selector { every: Some(4), ..everything() }), [4, 8]);
    assert_eq!(hits(&Selector { first: Some(2), ..everything() }), [1, 2]);
    assert_eq!(hits(&Selector { event: Some(7), ..everything() }), [7]);
    assert_eq!(hits(&Selector { every: Some(2), first: Some(5), ..everything() }), [2, 4]);
    let client = |client| hit(Selector { clients: vec![3], ..everything() }, Target { client, ..target(1, 1) });
    assert!(client(3) && !client(0));
    let second = Selector { attempts: vec![2], ..everything() };
    assert!(hit(second.clone(), target(1, 2)) && !hit(second, target(1, 1)));
    let window = Selector { from: Some(Time(10)), until: Some(Time(20)), ..everything() };
    let at = |at| hit(window.clone(), Target { at: Time(at), ..target(1, 1) });
    assert_eq!([at(9), at(10), at(19), at(20)], [false, true, true, false]);
}

#[test]
fn attacks_and_copies_come_once_beside_the_original() {
    let faults = [
        plan(0, json!({"kind": "forge"}), everything()),
        plan(1, json!({"kind": "replay", "age": "1h"}), everything()),
        plan(2, json!({"kind": "duplicate", "copies": 3}), everything()),
        plan(3, json!({"kind": "duplicate", "copies": 9}), everything()),
    ];
    let first = fate(&faults, &target(1, 1));
    let replay = Attack::Replay { age: Span::from_secs(3_600) };
    assert_eq!(first.attacks, [Attack::Forge(ForgeMethod::WrongSecret), replay]);
    assert_eq!(first.copies, Some(Copies { count: 3, lag: Span::ZERO }));
    assert_eq!(fate(&faults, &target(1, 2)).attacks, []);
    let copy = fate(&faults, &Target { copy: 1, ..target(1, 1) });
    assert_eq!((copy.attacks, copy.copies), (vec![], None));
}

#[test]
fn a_probability_is_kept_over_events_attempts_clients_and_copies() {
    let selector = Selector { probability: Some(0.2), ..everything() };
    let faults = [plan(0, json!({"kind": "drop-ack"}), selector)];
    let count = |target: &dyn Fn(u32) -> Target| {
        (1..=10_000).filter(|&i| !fate(&faults, &target(i)).hits.is_empty()).count() as f64
    };
    // The standard deviation of such a count is 40.
    for hits in [count(&|i| target(i, 1)), count(&|i| target(1, i)), count(&|i| Target { client: i, ..target(1, 1) })] {
        assert!((hits - 2_000.0).abs() < 200.0, "{hits}");
    }
}

#[test]
fn attributes_that_make_no_sense_are_refused_with_a_fix() {
    let refused = |kind: serde_json::Value, selector: Selector| {
        let kind: FaultKind = serde_json::from_value(kind).unwrap();
        kind.validate(&selector).err().map(|problem| {
            assert!(!problem.fix.is_empty() && !problem.problem.is_empty());
            problem.key
        })
    };
    assert_eq!(
        refused(json!({"kind": "drop-ack", "when": "before", "seen_as": "timeout"}), everything()),
        Some("seen_as")
    );
    assert_eq!(refused(json!({"kind": "respond", "status": 99}), everything()), Some("status"));
    assert_eq!(refused(json!({"kind": "duplicate", "copies": 0}), everything()), Some("copies"));
    assert_eq!(refused(json!({"kind": "duplicate", "copies": 256}), everything()), Some("copies"));
    assert_eq!(refused(json!({"kind": "outage"}), everything()), Some("from"));
    assert_eq!(refused(json!({"kind": "crash"}), everything()), Some("at"));
    assert_eq!(refused(json!({"kind": "crash", "point": "after-ack", "pass": 0}), everything()), Some("pass"));
    let window = Selector { from: Some(Time(1)), until: Some(Time(2)), ..everything() };
    assert_eq!(refused(json!({"kind": "outage"}), window.clone()), None);
    assert_eq!(refused(json!({"kind": "stall"}), window.clone()), None);
    assert_eq!(refused(json!({"kind": "stall"}), Selector { every: Some(2), ..window }), Some("from"));
}

#[test]
fn an_unknown_attribute_is_refused() {
    assert!(serde_json::from_value::<FaultKind>(json!({"kind": "reset", "probabilty": 0.1})).is_err());
}

proptest! {
    #[test]
    fn a_fate_is_a_function_of_its_key_and_blind_to_the_consumer(seed: u64, number in 1u32..9_999, attempt in 1u32..12, client in 0u32..99) {
        let selector = Selector { probability: Some(0.5), ..everything() };
        let mut fault = plan(1, json!({"kind": "delay", "delay": "1ms", "spread": "9ms"}), selector);
        fault.consumers.push(1);
        let target = Target { client, ..target(number, attempt) };
        let one = decide(std::slice::from_ref(&fault), &target, Draws::new(seed));
        let other = decide(std::slice::from_ref(&fault), &Target { consumer: 1, ..target }, Draws::new(seed));
        prop_assert_eq!(&one, &other);
        let within = one.hits.is_empty() || (1_000_000..10_000_000).contains(&one.request_delay.0);
        prop_assert!(within, "{:?}", one.request_delay);
    }
}
