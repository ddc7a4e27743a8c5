//! Which consumer meets which goal, and by how much the others miss.

use super::{
    format::{NOT_OBSERVED, digits, in_unit},
    text::{actual, quantity_of, unit_of},
};
use crate::measure::{ConsumerResult, Goal, RunResult, Unit};

/// One goal, held against every consumer that it is meant for.
pub(super) struct GoalRow {
    /// What is wanted, such as "99th percentile of the age < 60s".
    pub(super) wanted: String,
    /// Per consumer, in order; `None` where the goal is not meant for it.
    pub(super) cells: Vec<Option<GoalCell>>,
}

/// How one consumer does by a goal.
pub(super) struct GoalCell {
    pub(super) met: bool,
    /// "meets it: 20 ms", "misses it by 0.99 s: 1.99 s".
    pub(super) said: String,
}

/// The goals of a run, one row each.
pub(super) fn table(run: &RunResult) -> Vec<GoalRow> {
    let mut keys: Vec<(&str, &str)> = Vec::new();
    for goal in run.consumers.iter().flat_map(|consumer| &consumer.goals) {
        if !keys.contains(&(&goal.key, &goal.wanted)) {
            keys.push((&goal.key, &goal.wanted));
        }
    }
    let row = |(key, wanted): (&str, &str)| GoalRow {
        wanted: format!("{} {wanted}", words(key)),
        cells: run.consumers.iter().map(|consumer| cell(consumer, key, wanted)).collect(),
    };
    keys.into_iter().map(row).collect()
}

/// One sentence per goal: who meets it, who does not.
pub(super) fn sentences(run: &RunResult) -> Vec<String> {
    table(run).iter().map(|row| sentence(run, row)).collect()
}

fn sentence(run: &RunResult, row: &GoalRow) -> String {
    let of = |met: bool| {
        let held = run.consumers.iter().zip(&row.cells);
        let names = held.filter(|(_, cell)| cell.as_ref().is_some_and(|cell| cell.met == met));
        names.map(|(consumer, _)| consumer.name.as_str()).collect::<Vec<_>>()
    };
    let said = match (of(true), of(false)) {
        (met, missed) if missed.is_empty() => format!("met by {}", met.join(", ")),
        (met, missed) if met.is_empty() => format!("missed by {}", missed.join(", ")),
        (met, missed) => format!("met by {}, missed by {}", met.join(", "), missed.join(", ")),
    };
    format!("Goal {}: {said}.", row.wanted)
}

fn words(key: &str) -> String {
    quantity_of(key).map_or_else(|| key.to_owned(), |quantity| quantity.doc.to_owned())
}

fn cell(consumer: &ConsumerResult, key: &str, wanted: &str) -> Option<GoalCell> {
    let goal = consumer.goals.iter().find(|goal| goal.key == key && goal.wanted == wanted)?;
    Some(GoalCell { met: goal.met, said: said(consumer, goal) })
}

fn said(consumer: &ConsumerResult, goal: &Goal) -> String {
    let Some(value) = goal.actual else {
        let beyond = quantity_of(&goal.key).is_some_and(|quantity| quantity.name.starts_with("age_s."));
        let censored = consumer.age_s.as_ref().is_some_and(|age| age.censored > 0);
        return format!("misses it: {}", if beyond && censored { "beyond the run" } else { NOT_OBSERVED });
    };
    let shown = actual(&goal.key, Some(value));
    if goal.met {
        return format!("meets it: {shown}");
    }
    let off = (value - goal.bound).abs();
    let unit = unit_of(&goal.key).unwrap_or(Unit::Count);
    let times = if goal.bound > 0.0 && value > goal.bound {
        format!(", {} times the bound", digits(value / goal.bound))
    } else {
        String::new()
    };
    format!("misses it by {}: {shown}{times}", in_unit(off, unit))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::tests::synthetic;

    fn run_with_goals() -> RunResult {
        let (_, results) = synthetic();
        let mut run = results.runs[0].clone();
        for consumer in &mut run.consumers {
            let value = consumer.age_s.as_ref().and_then(|age| age.p99);
            let met = value.is_some_and(|value| value < 6.0);
            let (key, wanted) = ("age_s.p99".to_owned(), "< 6s".to_owned());
            consumer.goals = vec![Goal { key, wanted, bound: 6.0, actual: value, met }];
        }
        run
    }

    #[test]
    fn a_goal_says_who_meets_it_and_by_how_much_it_is_missed() {
        let run = run_with_goals();
        let rows = table(&run);
        assert_eq!((rows.len(), rows[0].wanted.as_str()), (1, "99th percentile of the age < 6s"));
        let said: Vec<&str> = rows[0].cells.iter().flatten().map(|cell| cell.said.as_str()).collect();
        assert_eq!(said[0], "meets it: 4.96 s");
        assert!(said[1].starts_with("misses it by 1.27 s: 7.27 s, 1.21 times the bound"), "{said:?}");
        assert!(
            sentences(&run)[0].starts_with("Goal 99th percentile of the age < 6s: met by poll-5s, missed by webhook")
        );
    }

    #[test]
    fn what_lies_beyond_the_run_is_a_miss_without_a_number() {
        let mut run = run_with_goals();
        let consumer = &mut run.consumers[0];
        consumer.goals[0].actual = None;
        consumer.goals[0].met = false;
        consumer.age_s.as_mut().unwrap().censored = 5;
        assert_eq!(table(&run)[0].cells[0].as_ref().unwrap().said, "misses it: beyond the run");
        run.consumers[0].age_s = None;
        assert_eq!(table(&run)[0].cells[0].as_ref().unwrap().said, "misses it: not observed");
    }
}
