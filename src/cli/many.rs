//! One case of a scenario: its plan in each mode, over all its seeds, to one result.
//!
//! Virtual seeds run on all processors, live ones in turn. They are put together in the order of their seeds,
//! so that the result does not depend on how many processors there are. Of several seeds the first one's
//! records are kept; any other can be run again.

use std::{
    path::Path,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use anyhow::Context;

use super::{
    carry_out::{carry_out, external_secrets},
    judge,
};
use crate::{
    live::orchestrator::records_dir,
    measure::{Calibration, Results, RunResult, calibrate},
    record::read_dir,
    scenario::{Mode, Plan},
};

/// How a scenario is run, beyond what its plans say.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct How<'a> {
    /// Where stores are kept from run to run.
    pub state: Option<&'a Path>,
    /// Whether the virtual run takes its service times from the live run before it.
    pub calibrate: bool,
}

/// Runs a case, one plan per mode, into `dir`, and writes its report there.
pub(super) fn run(plans: &[Plan], dir: &Path, how: How<'_>) -> anyhow::Result<Results> {
    let first = plans.first().context("a case without a plan")?;
    if let ([plan], 1) = (plans, first.seeds) {
        carry_out(plan, dir, how.state, external_secrets(plan)?)?;
        return judge::judge(plan, dir);
    }
    let mut runs = Vec::new();
    let mut calibration = None;
    for plan in plans {
        let mut plan = plan.clone();
        if plan.mode == Mode::Virtual && how.calibrate {
            let found = service_times(first, dir)?;
            plan.virtual_time = found.applied_to(plan.virtual_time);
            calibration = Some(found);
        }
        let own = if plans.len() == 1 { dir.to_owned() } else { dir.join(mode_name(plan.mode)) };
        create(&own)?;
        runs.extend(seeds(&plan, &own)?);
    }
    judge::report(first, dir, runs, calibration)
}

/// The service times of a live run that has just ended, of its first seed where there are several.
fn service_times(live: &Plan, dir: &Path) -> anyhow::Result<Calibration> {
    let own = dir.join(mode_name(live.mode));
    let own = if live.seeds > 1 { own.join(format!("seed-{}", live.seed)) } else { own };
    let records = records_dir(&own);
    calibrate(live, &|each| read_dir(&records, each)).context("the live run's records cannot be read again")
}

fn mode_name(mode: Mode) -> &'static str {
    match mode {
        Mode::Live => "live",
        Mode::Virtual => "virtual",
    }
}

/// One mode's runs, in the order of their seeds.
fn seeds(plan: &Plan, dir: &Path) -> anyhow::Result<Vec<RunResult>> {
    let plans: Vec<Plan> = plan.by_seed().collect();
    if let [plan] = plans.as_slice() {
        carry_out(plan, dir, None, external_secrets(plan)?)?;
        return Ok(vec![judge::judge_records(plan, dir)?]);
    }
    let one = |no: usize| one_of_many(&plans[no], dir, no == 0);
    match plan.mode {
        Mode::Live => (0..plans.len()).map(one).collect(),
        Mode::Virtual => on_all_processors(plans.len(), one),
    }
}

/// One seed's run; without its records unless they are to be kept.
fn one_of_many(plan: &Plan, dir: &Path, keep: bool) -> anyhow::Result<RunResult> {
    if keep {
        return in_folder(plan, &dir.join(format!("seed-{}", plan.seed)));
    }
    let mut run = in_scratch(plan, &dir.join(format!(".seed-{}", plan.seed)))?;
    run.keep_figures();
    Ok(run)
}

fn in_folder(plan: &Plan, own: &Path) -> anyhow::Result<RunResult> {
    create(own)?;
    carry_out(plan, own, None, external_secrets(plan)?)?;
    let mut run = judge::judge_records(plan, own)?;
    // The clock of processor time is that of the whole process, in which other seeds are judged meanwhile.
    run.judge_cpu_s = None;
    Ok(run)
}

/// Runs a plan in a folder of its own, of which nothing is left.
pub(super) fn in_scratch(plan: &Plan, own: &Path) -> anyhow::Result<RunResult> {
    let run = in_folder(plan, own)?;
    std::fs::remove_dir_all(own).with_context(|| format!("cannot remove {}", own.display()))?;
    Ok(run)
}

/// Does `n` pieces of work, as many at a time as there are processors; the results come in the order of their
/// numbers, or the failure of the first that failed.
pub(super) fn on_all_processors<T: Send>(
    n: usize,
    work: impl Fn(usize) -> anyhow::Result<T> + Sync,
) -> anyhow::Result<Vec<T>> {
    let next = AtomicUsize::new(0);
    let done: Vec<Mutex<Option<anyhow::Result<T>>>> = (0..n).map(|_| Mutex::new(None)).collect();
    let processors = std::thread::available_parallelism().map_or(1, |cpus| cpus.get()).min(n);
    std::thread::scope(|scope| {
        for _ in 0..processors {
            scope.spawn(|| {
                loop {
                    let no = next.fetch_add(1, Ordering::Relaxed);
                    let Some(place) = done.get(no) else { break };
                    let result = work(no);
                    if result.is_err() {
                        // Nobody begins anything more.
                        next.store(n, Ordering::Relaxed);
                    }
                    *place.lock().unwrap_or_else(PoisonError::into_inner) = Some(result);
                }
            });
        }
    });
    let results = done.into_iter().map(|place| place.into_inner().unwrap_or_else(PoisonError::into_inner));
    results.flatten().collect()
}

fn create(dir: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(dir).with_context(|| format!("cannot create {}", dir.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_order_and_a_failure_is_told() {
        let squares = on_all_processors(100, |n| Ok(n * n)).unwrap();
        assert_eq!(squares, (0..100).map(|n| n * n).collect::<Vec<_>>());
        let failed = on_all_processors(100, |n| if n == 7 { anyhow::bail!("seven") } else { Ok(n) });
        assert_eq!(failed.unwrap_err().to_string(), "seven");
        assert!(on_all_processors(0, Ok).unwrap().is_empty());
    }
}
