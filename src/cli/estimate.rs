//! How long a command's live runs may take, and the question whether that is meant.

use anyhow::bail;

use super::job::Job;
use crate::{
    model::Span,
    report::text,
    scenario::{Mode, Plan},
};

/// What nobody has to be asked about.
const UNASKED: Span = Span::from_secs(600);

/// Refuses live runs that may take longer than anybody starts by mistake, unless it is meant (`yes`).
pub(super) fn ask(jobs: &[Job], yes: bool) -> anyhow::Result<()> {
    let live: Vec<&Plan> = jobs.iter().flat_map(Job::plans).filter(|plan| plan.mode == Mode::Live).collect();
    let runs: u64 = live.iter().map(|plan| u64::from(plan.seeds)).sum();
    let all =
        Span(live.iter().map(|plan| longest(plan).0.saturating_mul(plan.seeds.into())).fold(0, u64::saturating_add));
    if yes || all <= UNASKED {
        return Ok(());
    }
    bail!(
        "{} of real time: up to {}, arrivals and drain together\n  fix: add --yes if that is meant, run it in virtual \
         time (--mode virtual), or shorten duration",
        text::plural(runs, "live run"),
        text::seconds(all.as_secs_f64())
    )
}

/// One run: the window of arrivals, and the drain where something never becomes quiet.
fn longest(plan: &Plan) -> Span {
    Span(plan.duration.0.saturating_add(plan.drain.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::testing;

    fn said(mode: Mode, seeds: u32, minutes: u64, yes: bool) -> Option<String> {
        let mut plan = testing::plan(testing::webhook_consumer(1));
        (plan.mode, plan.seeds) = (mode, seeds);
        (plan.duration, plan.drain) = (Span::from_secs(60 * minutes), Span::from_secs(30));
        ask(&[Job::of(vec![vec![plan]])], yes).err().map(|error| error.to_string())
    }

    #[test]
    fn a_long_live_run_has_to_be_meant() {
        assert_eq!(said(Mode::Live, 1, 9, false), None);
        let long = said(Mode::Live, 1, 10, false).expect("ten minutes and a drain are more than ten minutes");
        assert!(long.contains("1 live run of real time: up to 10.5 min"), "{long}");
        assert!(long.contains("--yes") && long.contains("--mode virtual"), "{long}");
        assert!(said(Mode::Live, 4, 4, false).expect("four times four and a half").contains("4 live runs"));
        assert_eq!(said(Mode::Live, 4, 4, true), None);
        assert_eq!(said(Mode::Virtual, 1_000, 100_000, false), None, "virtual time costs nothing");
    }
}
