//! Who is up to date first after an outage, case by case.

use super::{Comparison, Group, bars, groups, least_of};
use crate::report::format::{alike, seconds_beside};

pub(super) const FIGURE: Comparison = Comparison {
    name: "back",
    title: "Who is up to date first after the outage?",
    how_to_read: "From the outage's end to the effect of what came due in it, on average, in each case; shorter is better. \
                  All bars have one scale, from zero.",
    sentence,
    draw: |cases| {
        let lags = lags(cases);
        let unit = least_of(&lags);
        bars("back", &lags, "from the outage's end to the effect, on average", |_, lag| seconds_beside(lag, unit))
    },
};

/// Cases that the sentence tells of.
const TOLD: usize = 3;

fn lags<'a>(cases: &[super::Case<'a>]) -> Vec<Group<'a>> {
    groups(cases, |one| one.recovery.as_ref().and_then(|recovery| recovery.lag_mean_s))
}

fn sentence(cases: &[super::Case<'_>]) -> Option<String> {
    let lags = lags(cases);
    let unit = least_of(&lags);
    let differ =
        |group: &&Group<'_>| group.least().zip(group.most()).is_some_and(|((_, least), (_, most))| !alike(least, most));
    // One case alone has a picture of its own.
    let told: Vec<&Group<'_>> = lags.iter().filter(|group| !group.case.is_empty()).filter(differ).collect();
    let case = |group: &&Group<'_>| {
        let each =
            group.sorted().into_iter().map(|(_, one, lag)| format!("{} {}", one.name, seconds_beside(*lag, unit)));
        format!("{}: {}", group.case, each.collect::<Vec<_>>().join(", "))
    };
    let all: Vec<String> = told.iter().take(TOLD).map(case).collect();
    (told.len() > 1).then(|| format!("From the outage's end to the effect, on average, {}.", all.join("; ")))
}
