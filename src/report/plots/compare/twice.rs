//! Whose ledger let effects through again, beside one under the same faults that did not.

use super::{Comparison, Group, bars, groups};
use crate::report::format::{count, percent};

pub(super) const FIGURE: Comparison = Comparison {
    name: "twice",
    title: "Who applies events again?",
    how_to_read: "Effects beyond the first, for each consumer under the same faults; none is right. All bars have one scale, \
                  from zero.",
    sentence,
    draw: |cases| {
        bars("twice", &again(cases), "effects beyond the first", |one, again| {
            format!("{} ({} of the events)", count(again as u64), percent(again / one.due.max(1) as f64))
        })
    },
};

/// The cases in which one consumer applied events again and another did not.
fn again<'a>(cases: &[super::Case<'a>]) -> Vec<Group<'a>> {
    let mut found = groups(cases, |one| one.duplicates_applied.map(|n| n as f64));
    found.retain(|group| group.least().is_some_and(|(_, n)| n == 0.0) && group.most().is_some_and(|(_, n)| n > 0.0));
    found
}

fn sentence(cases: &[super::Case<'_>]) -> Option<String> {
    let again = again(cases);
    let group = again.first()?;
    let (most, n) = group.most()?;
    let (none, _) = group.least()?;
    let due = group.figures.iter().find(|(_, one, _)| one.name == most).map_or(1, |(_, one, _)| one.due.max(1));
    let share = percent(n / due as f64);
    let place = if group.case.is_empty() { String::new() } else { format!("in {}, ", group.case) };
    let said = format!("{place}{most} made {} effects again, {share} of its events; {none} none", count(n as u64));
    Some(format!("{}.", super::capital(&said)))
}
