//! Expectations and goals, held against what was measured.

use super::{ConsumerResult, Expectation, Goal, quantity};
use crate::scenario::{Condition, ConsumerNo};

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
                difference: condition.comparison.tolerance().and(actual).map(|actual| actual - condition.bound),
                pass: holds(condition, actual),
            });
        }
    }
    held
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
