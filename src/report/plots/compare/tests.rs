use super::*;
use crate::{
    measure::{Bucket, Disturbance, Recovery},
    report::tests::synthetic,
};

/// A case with two consumers, changed.
fn case(change: impl Fn(&mut RunResult)) -> Results {
    let (_, mut results) = synthetic();
    let run = &mut results.runs[0];
    run.disturbances.clear();
    for consumer in &mut run.consumers {
        consumer.series.buckets = vec![Bucket { due: 10, attempts: 10, useful: 10, ..Bucket::default() }; 60];
        consumer.duplicates_applied = Some(0);
        consumer.cost = None;
        (consumer.load.fell, consumer.load.fell_after_s) = (Some(false), None);
        (consumer.load.late_offered_per_s, consumer.load.late_goodput_per_s) = (Some(10.0), Some(10.0));
    }
    change(run);
    results
}

fn names(cases: &[Case<'_>]) -> Vec<&'static str> {
    compared(cases).unwrap().iter().map(|one| one.kind.name).collect()
}

fn said(cases: &[Case<'_>], name: &str) -> String {
    let all = compared(cases).unwrap();
    let one = all.iter().find(|one| one.kind.name == name).unwrap();
    assert!(one.svg.starts_with("<svg") && one.svg.contains("prefers-color-scheme"), "{}", one.svg);
    one.sentence.clone()
}

fn fallen(run: &mut RunResult) {
    for consumer in &mut run.consumers {
        consumer.load.fell = Some(true);
        (consumer.load.late_offered_per_s, consumer.load.late_goodput_per_s) = (Some(20.0), Some(0.0));
    }
}

#[test]
fn cases_that_say_the_same_have_no_picture() {
    let same = case(|_| {});
    assert!(names(&[("a", &same), ("b", &same)]).is_empty());
    assert!(names(&[]).is_empty());
    let void = case(|run| run.valid = false);
    assert!(names(&[("a", &void)]).is_empty());
}

#[test]
fn a_receiver_that_falls_is_shown_beside_one_that_does_not() {
    let (up, down) = (case(|_| {}), case(fallen));
    assert_eq!(
        said(&[("calm", &up), ("busy", &down)], "goodput"),
        "It falls for good in busy: at the end 20 attempts a second, 0 acked in time. It does not in calm: at the end 10 \
         attempts a second, 10 acked in time."
    );
    assert!(names(&[("busy", &down), ("busier", &down)]).is_empty(), "nothing to hold it against");
    let away = case(|run| {
        fallen(run);
        run.disturbances =
            vec![Disturbance { from_s: 0.0, until_s: 1e9, what: "outage".to_owned(), consumers: vec![0] }];
    });
    assert!(!names(&[("calm", &up), ("away", &away)]).contains(&"goodput"), "it was away, and did not fall");
}

#[test]
fn runs_that_fell_are_counted_over_seeds() {
    let mut seeds = case(fallen);
    seeds.runs[0].consumers.iter_mut().for_each(|one| one.load.fell_after_s = Some(60.0));
    seeds.runs.push(case(|_| {}).runs.remove(0));
    let told = said(&[("busy", &seeds)], "still-up");
    assert!(told.contains("fell in 1 of 2 runs"), "{told}");
    assert!(!told.contains("half of them within"), "one of two held out: {told}");
}

#[test]
fn who_is_fresher_is_shown_where_it_turns() {
    let with = |ages: [f64; 2]| {
        case(move |run| {
            run.consumers.truncate(2);
            for (consumer, mean) in run.consumers.iter_mut().zip(ages) {
                consumer.requests = 100;
                consumer.age_s.iter_mut().for_each(|age| age.mean = Some(mean));
            }
        })
    };
    let (a, b) = (with([200.0, 100.0]), with([50.0, 100.0]));
    let told = said(&[("even", &a), ("bursts", &b)], "fresher");
    assert!(told.contains("200 s, 2 times as old with as many requests"), "{told}");
    assert!(names(&[("a", &a), ("b", &a)]).is_empty(), "the same one is fresher in both");
    let alike = with([100.0, 101.0]);
    assert!(names(&[("a", &a), ("b", &alike)]).is_empty(), "hardly fresher is not fresher");
}

#[test]
fn lags_are_held_against_each_other_over_several_outages() {
    let with = |lags: [f64; 2]| {
        case(move |run| {
            run.consumers.truncate(2);
            for (consumer, lag) in run.consumers.iter_mut().zip(lags) {
                consumer.recovery = Some(Recovery { lag_mean_s: Some(lag), ..Recovery::default() });
            }
        })
    };
    let (short, long) = (with([250.0, 90.0]), with([3_000.0, 90.0]));
    let told = said(&[("short", &short), ("long", &long)], "back");
    assert!(told.contains("90 s,") && told.contains("3,000 s"), "{told}");
    assert!(names(&[("", &short)]).is_empty(), "a run alone has a picture of its own");
}

#[test]
fn effects_made_again_are_shown_beside_none() {
    let one = case(|run| run.consumers[1].duplicates_applied = Some(7));
    let told = said(&[("", &one)], "twice");
    assert!(told.contains("made 7 effects again"), "{told}");
    let all = case(|run| run.consumers.iter_mut().for_each(|one| one.duplicates_applied = Some(7)));
    assert!(names(&[("", &all)]).is_empty(), "nobody does it right");
}

#[test]
fn the_cheaper_way_is_shown_where_it_turns() {
    let with = |factor: f64| {
        let (_, priced) = synthetic();
        let costs: Vec<_> = priced.runs[0].consumers.iter().map(|one| one.cost.clone()).collect();
        case(move |run| {
            for (consumer, cost) in run.consumers.iter_mut().zip(&costs) {
                consumer.cost.clone_from(cost);
                if let Some(cost) = &mut consumer.cost {
                    cost.consumer.per_month = if consumer.kind == "polling" { factor } else { 1.0 };
                }
            }
        })
    };
    let (dear, cheap) = (with(1.5), with(0.5));
    let told = said(&[("rare", &dear), ("often", &cheap)], "cheaper");
    assert!(told.contains("1.5 times as much in rare") && told.contains("0.5 times as much in often"), "{told}");
    assert!(!names(&[("a", &cheap), ("b", &cheap)]).contains(&"cheaper"), "one side only");
}
