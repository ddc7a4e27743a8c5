//! What must hold of every arrival process, and what sets each apart.

use super::*;
use crate::{model::Span, scenario::Distribution};

fn replay() -> Replay {
    let mut table = Table::default();
    for i in 0..500u32 {
        table.push(Row { at: Time(u64::from(i) * 7_000_000), subject: i % 7, start: i * 100, length: 99 });
    }
    let keys = crate::wire::CaptureKeys::default();
    let length = Span::from_millis(7 * 499);
    Replay { file: "a.jsonl".to_owned(), sha256: String::new(), keys, subjects: Some(7), length, table }
}

/// One of each kind, at a few hundred events per second.
fn one_of_each() -> Vec<Arrivals> {
    let per = Span::from_secs(1);
    let (poisson, ms) = (Poisson { count: 300, per }, Span::from_millis);
    let bursty = Bursty { within: poisson, burst: ms(500), gap: ms(2_000), distribution: Distribution::Exponential };
    let diurnal =
        Diurnal { per_day: 3_000, day: ms(10_000), starts_at: ms(2_000), peak_at: ms(5_000), peak_to_mean: 2.5 };
    vec![
        Constant { count: 300, per }.into(),
        poisson.into(),
        bursty.into(),
        OnOff { within: poisson, burst: ms(500), gap: ms(2_000), distribution: Distribution::Exponential, sources: 7 }
            .into(),
        diurnal.into(),
        Pairs { pairs: poisson, gap: ms(300) }.into(),
        replay().into(),
    ]
}

fn workload(arrivals: Arrivals) -> Workload {
    Workload { arrivals, subjects: 7, payload: Payload { event_type: "t".to_owned(), bytes: 200 } }
}

fn counts(arrivals: &Arrivals, seeds: u64, end: Time) -> (f64, f64) {
    let workload = workload(arrivals.clone());
    let counts: Vec<f64> = (0..seeds).map(|seed| workload.schedule(Draws::new(seed), end).count() as f64).collect();
    let n = counts.len() as f64;
    let mean = counts.iter().sum::<f64>() / n;
    (mean, counts.iter().map(|count| (count - mean).powi(2)).sum::<f64>() / (n - 1.0))
}

#[test]
fn the_table_has_every_kind_once_with_a_line_about_it() {
    let names: std::collections::BTreeSet<&str> = Arrivals::TABLE.iter().map(|(name, _)| *name).collect();
    assert_eq!(names.len(), Arrivals::TABLE.len());
    let here: std::collections::BTreeSet<&str> = one_of_each().iter().map(Arrivals::name).collect();
    assert_eq!(names, here, "a kind is not tested below");
    assert!(Arrivals::TABLE.iter().all(|(_, summary)| !summary.is_empty()));
}

#[test]
fn every_schedule_is_ordered_keeps_to_its_subjects_and_repeats() {
    for arrivals in one_of_each() {
        let workload = workload(arrivals);
        let end = Time(20_000_000_000);
        let schedule = |seed| workload.schedule(Draws::new(seed), end).collect::<Vec<Arrival>>();
        let name = workload.arrivals.name();
        let arrivals = schedule(1);
        assert!(arrivals.len() > 100, "{name}");
        assert!(arrivals.is_sorted_by_key(|arrival| arrival.at), "{name}");
        assert!(arrivals.iter().all(|arrival| arrival.at < end && arrival.subject < 7), "{name}");
        assert_eq!(arrivals, schedule(1), "{name}");
        let saved = serde_json::to_string(&workload).unwrap();
        let restored: Workload = serde_json::from_str(&saved).unwrap();
        assert_eq!(arrivals, restored.schedule(Draws::new(1), end).collect::<Vec<_>>(), "{name}");
    }
}

#[test]
fn poisson_arrivals_have_the_mean_and_the_spread_of_their_rate() {
    let arrivals = Poisson { count: 1_000, per: Span::from_secs(1) }.into();
    let (mean, variance) = counts(&arrivals, 200, Time(1_000_000_000));
    // sd of the mean is sqrt(1000/200) = 2.2; the variance of a Poisson count is its mean.
    assert!((mean - 1_000.0).abs() < 9.0, "{mean}");
    assert!((variance / 1_000.0 - 1.0).abs() < 0.4, "{variance}");
}
