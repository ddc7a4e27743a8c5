//! Expectations and goals, held against what was measured.

use super::{ConsumerResult, Expectation, Goal, OverSeeds, RunResult, Unit, quantity, summary::interval};
use crate::scenario::{Condition, ConsumerNo, Mode};

/// Evaluates `[expect]`. A condition that names no consumer is held against each.
pub(super) fn expectations(expects: &[Condition], consumers: &[ConsumerResult]) -> Vec<Expectation> {
    let mut held = Vec::new();
    for condition in expects {
        for consumer in meant(condition, consumers) {
            let actual = read(condition, consumer, consumers);
            let key = match condition.consumer {
                Some(_) => condition.key.clone(),
                None => format!("{}.{}", consumer.name, condition.key),
            };
            held.push(Expectation {
                key,
                wanted: condition.wanted.clone(),
                actual,
                difference: off(condition, actual),
                over: None,
                pass: holds(condition, actual),
            });
        }
    }
    held
}

/// Holds `[expect]` against the seeds of each mode, as each run found it: counts for each of them, everything
/// else, and what has a tolerance, for the mean. Empty where no mode has more than one.
pub(super) fn over_seeds(expects: &[Condition], runs: &[RunResult]) -> Vec<Expectation> {
    let of = |mode| runs.iter().filter(|run| run.mode == mode).collect::<Vec<_>>();
    let modes = [("live ", of(Mode::Live)), ("virtual ", of(Mode::Virtual))];
    if modes.iter().all(|(_, runs)| runs.len() < 2) {
        return Vec::new();
    }
    let both = modes.iter().all(|(_, runs)| !runs.is_empty());
    let mut held = Vec::new();
    for (name, runs) in modes {
        let Some(first) = runs.first() else { continue };
        // One expectation for each consumer that a condition means, as in each run.
        let conditions =
            expects.iter().flat_map(|condition| meant(condition, &first.consumers).iter().map(move |_| condition));
        for (no, (condition, expectation)) in conditions.zip(&first.expectations).enumerate() {
            let seen = runs.iter().map(|run| (run.seed, run.expectations.get(no).and_then(|found| found.actual)));
            let key = format!("{}{}", if both { name } else { "" }, expectation.key);
            held.push(held_over(condition, key, &seen.collect::<Vec<_>>()));
        }
    }
    held
}

fn held_over(condition: &Condition, key: String, seen: &[(u64, Option<f64>)]) -> Expectation {
    let wanted = condition.wanted.clone();
    let values: Option<Vec<f64>> = seen.iter().map(|(_, value)| *value).collect();
    let Some(values) = values.filter(|values| !values.is_empty()) else {
        return Expectation { key, wanted, actual: None, difference: None, over: None, pass: false };
    };
    let seeds = values.len() as u32;
    let (actual, over, pass) = if is_count(condition) {
        let failed = seen.iter().find(|(_, value)| !holds(condition, *value));
        let (low, high) = values.iter().fold((values[0], values[0]), |(low, high), v| (low.min(*v), high.max(*v)));
        let over = OverSeeds::Each { seeds, low, high, failed: failed.map(|(seed, _)| *seed) };
        (failed.map_or(Some(values[0]), |(_, value)| *value), over, failed.is_none())
    } else {
        let (mean, half) = interval(&values);
        let over = OverSeeds::Mean { seeds, low: mean - half, high: mean + half };
        (Some(mean), over, holds(condition, Some(mean)))
    };
    Expectation { key, wanted, actual, difference: off(condition, actual), over: Some(over), pass }
}

/// Whether it is about a count, which is exact: no share, no ratio, no tolerance.
fn is_count(condition: &Condition) -> bool {
    let counts = quantity::quantity(&condition.quantity).is_some_and(|quantity| quantity.unit == Unit::Count);
    counts && condition.over.is_none() && condition.comparison.tolerance().is_none()
}

/// How far off it is, where it may be.
fn off(condition: &Condition, actual: Option<f64>) -> Option<f64> {
    condition.comparison.tolerance().and(actual).map(|actual| actual - condition.bound)
}

/// Evaluates `[goal]` into the consumers.
pub(super) fn goals(wanted: &[Condition], consumers: &mut [ConsumerResult]) {
    for (no, consumer) in consumers.iter_mut().enumerate() {
        let mine = wanted.iter().filter(|goal| goal.consumer.is_none_or(|named| named == no as ConsumerNo));
        let met: Vec<Goal> = mine
            .map(|goal| {
                let actual = quantity::read(&goal.quantity, consumer);
                let (key, wanted) = (goal.key.clone(), goal.wanted.clone());
                Goal { key, wanted, bound: goal.bound, actual, met: holds(goal, actual) }
            })
            .collect();
        consumer.goals = met;
    }
}

fn meant<'a>(condition: &Condition, consumers: &'a [ConsumerResult]) -> &'a [ConsumerResult] {
    match condition.consumer.map(usize::from) {
        Some(no) => consumers.get(no..=no).unwrap_or(&[]),
        None => consumers,
    }
}

fn read(condition: &Condition, consumer: &ConsumerResult, all: &[ConsumerResult]) -> Option<f64> {
    let value = quantity::read(&condition.quantity, consumer)?;
    let Some((other, over)) = &condition.over else { return Some(value) };
    let over = quantity::read(over, all.get(usize::from(*other))?)?;
    (over != 0.0).then(|| value / over)
}

/// What was not observed satisfies nothing.
fn holds(condition: &Condition, actual: Option<f64>) -> bool {
    actual.is_some_and(|actual| condition.comparison.holds(actual, condition.bound))
}
