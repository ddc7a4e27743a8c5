//! `pushpull judge`, and the judging at a run's end: from a run's folder to its results.

use std::{
    io::IsTerminal,
    path::{Path, PathBuf},
};

use anyhow::{Context, anyhow};
use clap::Args;

use super::{Exit, print};
use crate::{
    live::{orchestrator::records_dir, usage},
    measure::{Calibration, Host, Results, RunResult, Verdict, judge_dir},
    record::{read_dir, sha256_of},
    report,
    scenario::{Mode, Plan},
};

/// Arguments of `pushpull judge`.
#[derive(Debug, Args)]
pub(super) struct JudgeArgs {
    /// A run's folder.
    dir: PathBuf,
    /// Print the results as JSON instead of the table.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &JudgeArgs) -> anyhow::Result<Exit> {
    let plan = read_plan(&args.dir)?;
    let results = judge(&plan, &args.dir)?;
    show(&results, &args.dir, args.json)?;
    Ok(exit_of(results.verdict()))
}

/// The plan that a run's folder was made by.
pub(super) fn read_plan(dir: &Path) -> anyhow::Result<Plan> {
    let path = dir.join("plan.json");
    let bytes = std::fs::read(&path).map_err(|error| {
        let fix =
            runs_within(dir).map(|run| format!("\n  fix: name one of its runs, such as {run}")).unwrap_or_default();
        anyhow!("{}: not a run's folder: cannot read {}: {error}{fix}", dir.display(), path.display())
    })?;
    serde_json::from_slice(&bytes)
        .with_context(|| format!("{} is no plan of this version; run the scenario again", path.display()))
}

/// A run in a folder of several: of cases, seeds or modes.
fn runs_within(dir: &Path) -> Option<String> {
    let folders = std::fs::read_dir(dir).ok()?.flatten().map(|entry| entry.path());
    let run = folders.filter(|folder| folder.join("plan.json").is_file()).min()?;
    Some(run.display().to_string())
}

/// Judges the records in a run's folder and writes its report there.
pub(super) fn judge(plan: &Plan, dir: &Path) -> anyhow::Result<Results> {
    let results = report(plan, dir, vec![judge_records(plan, dir)?], None)?;
    export_small(dir)?;
    Ok(results)
}

/// The only record file of a virtual run.
pub(super) fn virtual_records(dir: &Path) -> PathBuf {
    records_dir(dir).join("run.records")
}

/// Judges the records in a run's folder.
pub(super) fn judge_records(plan: &Plan, dir: &Path) -> anyhow::Result<RunResult> {
    let (records, before) = (records_dir(dir), usage::of_this_process().0);
    let (judged, hash) = std::thread::scope(|scope| {
        let one_file = (plan.mode == Mode::Virtual).then(|| virtual_records(dir));
        let hash = one_file.map(|path| scope.spawn(move || sha256_of(&path)));
        (judge_dir(plan, &records), hash.map(|hash| hash.join()))
    });
    let mut run = judged?;
    run.records_sha256 = match hash {
        Some(Ok(hash)) => Some(hash.context("the records can be judged, but not be hashed")?),
        // A thread that panics ends the process.
        Some(Err(_)) | None => None,
    };
    run.judge_cpu_s = usage::of_this_process().0.zip(before).map(|(after, before)| (after - before) as f64 / 1e9);
    Ok(run)
}

/// Writes the report of these runs of one plan into `dir`.
pub(super) fn report(
    plan: &Plan,
    dir: &Path,
    runs: Vec<RunResult>,
    calibration: Option<Calibration>,
) -> anyhow::Result<Results> {
    let host = Host {
        os: std::env::consts::OS.to_owned(),
        arch: std::env::consts::ARCH.to_owned(),
        cpus: std::thread::available_parallelism().map_or(1, |cpus| cpus.get() as u32),
    };
    let mut results = Results { calibration, ..Results::new(plan, host, runs) };
    if results.calibration.is_some() {
        results.reproduce += " --calibrate";
    }
    report::write_all(dir, &results, plan)
        .with_context(|| format!("cannot write the report into {}", dir.display()))?;
    Ok(results)
}

/// Up to this size of a run's record files, its records are also written as JSON lines.
const EXPORT_BYTES_MAX: u64 = 4 << 20;

/// Writes the records of a small run as `records.jsonl`, for other tools.
fn export_small(dir: &Path) -> anyhow::Result<()> {
    let records = records_dir(dir);
    let sizes = std::fs::read_dir(&records)?.flatten().filter_map(|entry| entry.metadata().ok());
    if sizes.map(|meta| meta.len()).sum::<u64>() > EXPORT_BYTES_MAX {
        return Ok(());
    }
    let path = dir.join("records.jsonl");
    let mut text = String::new();
    let mut failure = None;
    read_dir(&records, |record| match serde_json::to_string(&record) {
        Ok(line) => text.extend([line.as_str(), "\n"]),
        Err(error) => failure = Some(error),
    })?;
    failure.map_or(Ok(()), Err)?;
    std::fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))
}

/// Prints the report, as text or as JSON.
pub(super) fn show(results: &Results, dir: &Path, json: bool) -> anyhow::Result<()> {
    if json {
        return print(&format!("{}\n", serde_json::to_string_pretty(results)?));
    }
    print(&report::text::render(results, options()))?;
    print(&format!("\nReport: {}\n", dir.join("report.html").display()))
}

/// How text is rendered for whoever reads stdout.
pub(super) fn options() -> report::text::Options {
    report::text::Options { colour: wants_colour(), width: width() }
}

/// What a verdict comes to.
pub(super) fn exit_of(verdict: Verdict) -> Exit {
    match verdict {
        Verdict::Pass => Exit::Good,
        Verdict::ExpectationFailed | Verdict::Interrupted | Verdict::Disagreement => Exit::ExpectationFailed,
        Verdict::Void => Exit::Void,
    }
}

/// Colours for people who did not say no (no-color.org).
#[allow(clippy::disallowed_methods, reason = "the command line is where the environment is read")]
fn wants_colour() -> bool {
    std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// The width that COLUMNS asks for, or the terminal's, or a page's.
#[allow(clippy::disallowed_methods, reason = "the command line is where the environment is read")]
fn width() -> u16 {
    let asked = std::env::var("COLUMNS").ok().and_then(|text| text.parse().ok());
    let terminal = || console::Term::stdout().size_checked().map(|(_, columns)| columns);
    asked.or_else(terminal).filter(|width| *width >= 40).unwrap_or(100).min(160)
}
