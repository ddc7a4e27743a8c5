//! Who is fresher, where that depends on the case.

use super::{Comparison, Group, bars, groups, least_of};
use crate::report::format::{alike, count, digits, plural, seconds_beside};

pub(super) const FIGURE: Comparison = Comparison {
    name: "fresher",
    title: "Who is fresher depends on the case",
    how_to_read: "The mean age of an event when it took effect, in each case, and how many requests that took; shorter is \
                  better. All bars have one scale, from zero.",
    sentence,
    draw: |cases| {
        let ages = ages(cases);
        let unit = least_of(&ages);
        bars("fresher", &ages, "mean age of an event", |one, age| {
            format!("{}, {}", seconds_beside(age, unit), plural(one.requests, "request"))
        })
    },
};

fn ages<'a>(cases: &[super::Case<'a>]) -> Vec<Group<'a>> {
    groups(cases, |one| one.age_s.as_ref().and_then(|age| age.mean))
}

fn sentence(cases: &[super::Case<'_>]) -> Option<String> {
    let ages = ages(cases);
    // A case in which all are alike says nothing about who is fresher.
    let is_clear =
        |group: &&Group<'_>| group.least().zip(group.most()).is_some_and(|((_, least), (_, most))| !alike(least, most));
    let clear: Vec<&Group<'_>> = ages.iter().filter(is_clear).collect();
    let (winner, _) = clear.first()?.least()?;
    let turned = clear.iter().find(|group| group.least().is_some_and(|(name, _)| name != winner))?;
    let unit = least_of(&ages);
    Some(format!("Mean age in {}; in {}.", told(clear[0], unit)?, told(turned, unit)?))
}

fn told(group: &Group<'_>, unit: f64) -> Option<String> {
    let sorted = group.sorted();
    let ((_, first, least), (_, last, most)) = (sorted.first()?, sorted.last()?);
    let volume = match (first.requests, last.requests) {
        (a, b) if alike(a as f64, b as f64) => "as many requests".to_owned(),
        (a, b) => format!("{} requests against {}", count(b), count(a)),
    };
    let times = digits(most / least.max(1e-9));
    let (least, most) = (seconds_beside(*least, unit), seconds_beside(*most, unit));
    Some(format!("{}: {} {least}, {} {most}, {times} times as old with {volume}", group.case, first.name, last.name))
}
