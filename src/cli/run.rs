//! `pushpull run`: run, judge, print the verdict, write the report.

use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::Args;

use super::{
    Exit, estimate, folder,
    folder::Folder,
    job::{Job, Judged},
    load::{ModeArg, Overrides},
    many::How,
    several, summary,
};
use crate::scenario::Mode;

/// Arguments of `pushpull run`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  pushpull run quickstart\n  pushpull run mine.toml --seed 7 --out results\n  \
    pushpull run dropped-ack --set fault.0.probability=0.05\n  \
    pushpull run herd --mode virtual      minutes in milliseconds\n  \
    pushpull run herd --mode virtual --seeds 20   with intervals, on all processors\n  \
    pushpull run quickstart --mode both   do the two drivers agree?\n\nThe report is in the run's folder: open report.html.")]
pub(super) struct RunArgs {
    /// Scenario files or embedded names. Of several, a line each.
    #[arg(required = true, value_name = "SCENARIO")]
    scenarios: Vec<String>,
    #[command(flatten)]
    overrides: Overrides,
    /// How many seeds to run, from the scenario's on. Expectations on counts must hold for each of them,
    /// others for the mean.
    #[arg(long, value_name = "K", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    seeds: Option<u32>,
    /// The run's folder; of several scenarios, the folder of their folders. Default:
    /// `pushpull-out/SCENARIO-RUN_ID`.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Keep queues and ledgers in this folder from run to run.
    #[arg(long, value_name = "DIR")]
    state: Option<PathBuf>,
    /// With --mode both: measure the live run's service times, and give them to the virtual one.
    #[arg(long)]
    calibrate: bool,
    /// Start live runs that may take more than ten minutes.
    #[arg(long)]
    yes: bool,
    /// Write what was expected and what was measured into this file too, as a table in Markdown.
    #[arg(long, value_name = "FILE")]
    summary: Option<PathBuf>,
    /// Print the results as JSON instead of the table.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &RunArgs) -> anyhow::Result<Exit> {
    // All scenarios are read before the first is run: a typo in the third must not cost two runs.
    let read = |which: &String| Job::read(which, &args.overrides, args.seeds);
    let mut jobs: Vec<Job> = args.scenarios.iter().map(read).collect::<anyhow::Result<_>>()?;
    estimate::ask(&jobs, args.yes)?;
    if let Some(state) = &args.state {
        for job in &mut jobs {
            keep_stores(job, state, args)?;
        }
    }
    if args.calibrate && args.overrides.mode != Some(ModeArg::Both) {
        bail!("--calibrate: there is no live run to measure\n  fix: add --mode both");
    }
    let how = How { state: args.state.as_deref(), calibrate: args.calibrate };
    let [job] = jobs.as_slice() else {
        let (exit, judged) = several::run(&jobs, args.out.as_deref(), how, args.json)?;
        write_summary(args, &judged)?;
        return Ok(exit);
    };
    let dir = Folder::create(&args.out.clone().unwrap_or_else(|| folder::of_its_own(job.first())))?;
    let judged = job.run(&dir, how)?;
    judged.show(&dir.path, args.json)?;
    let exit = judged.exit();
    write_summary(args, &[judged])?;
    Ok(exit)
}

fn write_summary(args: &RunArgs, judged: &[Judged]) -> anyhow::Result<()> {
    args.summary.as_deref().map_or(Ok(()), |path| summary::write(path, &args.scenarios, judged))
}

/// Stores that outlive a run belong to one live run at a time.
fn keep_stores(job: &mut Job, state: &PathBuf, args: &RunArgs) -> anyhow::Result<()> {
    if args.overrides.mode == Some(ModeArg::Both) || job.plans().any(|plan| plan.mode == Mode::Virtual) {
        bail!("--state: a virtual run keeps no stores\n  fix: leave --state out, or run it live: --mode live");
    }
    let Some(plan) = job.only() else {
        bail!(
            "--state: several runs cannot share their stores\n  fix: leave --state out, or run one case with one seed"
        );
    };
    std::fs::create_dir_all(state)
        .with_context(|| format!("--state {}: the folder cannot be made; name another", state.display()))?;
    if args.overrides.run_id.is_some() {
        plan.warnings.push(format!(
            "the stores in {} may know events of this run id from an earlier run, and would suppress them",
            state.display()
        ));
    }
    Ok(())
}
