//! After an outage: how long it took until what had come due in it was in effect.

use super::{
    super::ExportError,
    Figure,
    bars::{Bar, Group, bars},
};
use crate::{
    measure::{Recovery, RunResult},
    report::format::{alike, digits, seconds},
};

/// What is read of a recovery, and its title.
type Measure = (&'static str, fn(&Recovery) -> Option<f64>);
const MEASURES: [Measure; 2] = [
    ("From the outage's end to the effect, on average", |recovery| recovery.lag_mean_s),
    ("The longest of these", |recovery| recovery.lag_max_s),
];

pub(super) const FIGURE: Figure = Figure {
    name: "after-outage",
    title: "Back from an outage: who is up to date first?",
    how_to_read: "One bar per consumer, in time since the outage ended, over everything that came due in it; shorter is \
                  better. Both measures have one scale, from zero.",
    sentence,
    draw,
};

/// The consumers that came back with everything: their place, name and recovery.
fn back(run: &RunResult) -> Vec<(usize, &str, &Recovery)> {
    let all = run.consumers.iter().enumerate();
    let found = all.filter_map(|(i, consumer)| Some((i, consumer.name.as_str(), consumer.recovery.as_ref()?)));
    found.filter(|(_, _, recovery)| recovery.lag_mean_s.is_some()).collect()
}

fn draw(run: &RunResult) -> Result<String, ExportError> {
    let back = back(run);
    let group = |(heading, read): &Measure| Group {
        heading: (*heading).to_owned(),
        bars: back
            .iter()
            .filter_map(|(look, name, recovery)| {
                let value = read(recovery)?;
                Some(Bar { look: *look, name, value, told: seconds(value) })
            })
            .collect(),
    };
    bars("after-outage", &MEASURES.iter().map(group).collect::<Vec<_>>())
}

fn sentence(run: &RunResult) -> Option<String> {
    let mean = |recovery: &Recovery| recovery.lag_mean_s.unwrap_or(f64::INFINITY);
    let back = back(run);
    let (_, first, soonest) = back.iter().min_by(|a, b| mean(a.2).total_cmp(&mean(b.2)))?;
    let (_, last, latest) = back.iter().max_by(|a, b| mean(a.2).total_cmp(&mean(b.2)))?;
    let told = |name: &str, recovery: &Recovery| {
        let longest = recovery.lag_max_s.map_or(String::new(), |max| format!(", {} at most", seconds(max)));
        format!("{name} {} after its end on average{longest}", seconds(mean(recovery)))
    };
    if alike(mean(soonest), mean(latest)) {
        return Some(format!("What came due in the outage was in effect with {}.", told(first, soonest)));
    }
    Some(format!(
        "What came due in the outage was in effect with {}; with {}: {} times as long.",
        told(first, soonest),
        told(last, latest),
        digits(mean(latest) / mean(soonest).max(1e-9)),
    ))
}
