//! `pushpull run`: run, judge, print the verdict, write the report.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use anyhow::{Context, bail};
use clap::Args;
use tokio::sync::watch;

use super::{
    Exit, judge, load,
    load::{ModeArg, Overrides},
    progress::Progress,
    roles, runtime,
};
use crate::{
    live::orchestrator::{self, RunError, RunOptions},
    record::RecordLog,
    scenario::{ConsumerNo, Mode, Plan},
    virtual_time,
    wire::Secret,
};

/// Arguments of `pushpull run`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  pushpull run quickstart\n  pushpull run mine.toml --seed 7 --out results\n  \
    pushpull run dropped-ack --set fault.0.probability=0.05\n  \
    pushpull run herd --mode virtual      minutes in milliseconds\n  \
    pushpull run quickstart --mode both   do the two drivers agree?\n\nThe report is in the run's folder: open report.html.")]
pub(super) struct RunArgs {
    /// Scenario files or embedded names.
    #[arg(required = true, value_name = "SCENARIO")]
    scenarios: Vec<String>,
    #[command(flatten)]
    overrides: Overrides,
    /// The run's folder. Default: `pushpull-out/SCENARIO-RUN_ID`.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Keep queues and ledgers in this folder from run to run.
    #[arg(long, value_name = "DIR")]
    state: Option<PathBuf>,
    /// Print the results as JSON instead of the table.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &RunArgs) -> anyhow::Result<Exit> {
    // All scenarios are read before the first is run: a typo in the third must not cost two runs.
    let plans: Vec<Vec<Plan>> =
        args.scenarios.iter().map(|which| plans(which, &args.overrides)).collect::<anyhow::Result<_>>()?;
    if plans.len() > 1 && args.out.is_some() {
        bail!("--out: several scenarios cannot share a folder\n  fix: leave --out out, or run one scenario");
    }
    let mut worst = Exit::Good;
    for plans in plans {
        worst = worst.max(match <[Plan; 1]>::try_from(plans) {
            Ok([plan]) => run_one(plan, args)?,
            Err(both) => run_both(&both, args)?,
        });
    }
    Ok(worst)
}

/// What one scenario asks for: its plan, or one per driver.
fn plans(which: &str, overrides: &Overrides) -> anyhow::Result<Vec<Plan>> {
    if overrides.mode != Some(ModeArg::Both) {
        return Ok(vec![load::plan(which, overrides, &[])?]);
    }
    let in_mode = |mode| load::plan_in(Some(mode), which, overrides, &[]);
    Ok(vec![in_mode(Mode::Live)?, in_mode(Mode::Virtual)?])
}

/// Live, then in virtual time, each in a folder of its own, and one report over both.
fn run_both(plans: &[Plan], args: &RunArgs) -> anyhow::Result<Exit> {
    if args.state.is_some() {
        bail!("--state: a virtual run keeps no stores\n  fix: leave --state out, or run it live: --mode live");
    }
    let Some(first) = plans.first() else { return Ok(Exit::Good) };
    let dir = folder(first, args);
    let created = create_run_dir(&dir)?;
    let mut runs = Vec::new();
    for plan in plans {
        let own = dir.join(match plan.mode {
            Mode::Live => "live",
            Mode::Virtual => "virtual",
        });
        let outcome = std::fs::create_dir(&own)
            .with_context(|| format!("cannot create {}", own.display()))
            .and_then(|()| carry_out(plan, &own, None, external_secrets(plan)?));
        if let Err(error) = outcome {
            remove_what_was_written(&dir, created);
            return Err(error);
        }
        runs.push(judge::judge_records(plan, &own)?);
    }
    let results = judge::report(first, &dir, runs)?;
    judge::show(&results, &dir, args.json)
}

/// The run's folder.
fn folder(plan: &Plan, args: &RunArgs) -> PathBuf {
    args.out.clone().unwrap_or_else(|| Path::new("pushpull-out").join(format!("{}-{}", plan.name, plan.run_id)))
}

fn run_one(mut plan: Plan, args: &RunArgs) -> anyhow::Result<Exit> {
    let external_secrets = external_secrets(&plan)?;
    if args.state.is_some() && plan.mode == Mode::Virtual {
        bail!("--state: a virtual run keeps no stores\n  fix: leave --state out, or run it live: --mode live");
    }
    if let Some(state) = &args.state {
        std::fs::create_dir_all(state)
            .with_context(|| format!("--state {}: the folder cannot be made; name another", state.display()))?;
        if args.overrides.run_id.is_some() {
            plan.warnings.push(format!(
                "the stores in {} may know events of this run id from an earlier run, and would suppress them",
                state.display()
            ));
        }
    }
    let dir = folder(&plan, args);
    let created = create_run_dir(&dir)?;
    let outcome = carry_out(&plan, &dir, args.state.as_deref(), external_secrets);
    if let Err(error) = outcome {
        // Nothing that could be mistaken for a result is left behind.
        remove_what_was_written(&dir, created);
        return Err(error);
    }
    let results = judge::judge(&plan, &dir)?;
    judge::show(&results, &dir, args.json)
}

/// Takes back what a run that could not be carried out has written.
fn remove_what_was_written(dir: &Path, created: bool) {
    if created {
        let _ = std::fs::remove_dir_all(dir);
        return;
    }
    // The folder was there, and empty.
    for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
        let path = entry.path();
        let _ = if path.is_dir() { std::fs::remove_dir_all(&path) } else { std::fs::remove_file(&path) };
    }
}

/// Creates the run's folder before anything is started, so that a bad path fails early. True where
/// it is new.
fn create_run_dir(dir: &Path) -> anyhow::Result<bool> {
    if let Ok(mut entries) = std::fs::read_dir(dir) {
        if entries.next().is_some() {
            bail!("--out {}: the folder is not empty\n  fix: name a new one, or remove it first", dir.display());
        }
        probe_writable(dir)?;
        return Ok(false);
    }
    std::fs::create_dir_all(dir).with_context(|| {
        format!("--out {}: the run's folder cannot be made; name another with --out", dir.display())
    })?;
    Ok(true)
}

fn probe_writable(dir: &Path) -> anyhow::Result<()> {
    let probe = dir.join(".probe");
    std::fs::write(&probe, b"")
        .and_then(|()| std::fs::remove_file(&probe))
        .with_context(|| format!("--out {}: the folder cannot be written to; name another with --out", dir.display()))
}

/// Runs a plan and leaves plan and records in `dir`.
pub(super) fn carry_out(
    plan: &Plan,
    dir: &Path,
    state: Option<&Path>,
    external_secrets: BTreeMap<ConsumerNo, Secret>,
) -> anyhow::Result<()> {
    let plan_path = dir.join("plan.json");
    std::fs::write(&plan_path, serde_json::to_vec_pretty(plan)?)
        .with_context(|| format!("cannot write {}", plan_path.display()))?;
    match plan.mode {
        Mode::Live => carry_out_live(plan, dir, state, external_secrets),
        Mode::Virtual => carry_out_virtually(plan, dir),
    }
}

/// In virtual time nothing can go wrong but writing the records.
fn carry_out_virtually(plan: &Plan, dir: &Path) -> anyhow::Result<()> {
    let folder = orchestrator::records_dir(dir);
    let path = folder.join("run.records");
    let cannot = || format!("cannot write {}", path.display());
    std::fs::create_dir_all(&folder).with_context(cannot)?;
    let records = RecordLog::create(&path).with_context(cannot)?;
    virtual_time::run(plan, &records);
    records.finish().with_context(cannot)
}

fn carry_out_live(
    plan: &Plan,
    dir: &Path,
    state: Option<&Path>,
    external_secrets: BTreeMap<ConsumerNo, Secret>,
) -> anyhow::Result<()> {
    let progress = Progress::new(plan);
    let outcome = runtime()?.block_on(async {
        let options = RunOptions {
            program: std::env::current_exe().context("cannot find this program's own file")?,
            dir: dir.to_owned(),
            state: state.map(Path::to_owned),
            interrupts: count_interrupts(),
            external_secrets,
            on_progress: Box::new({
                let progress = progress.clone();
                move |snapshot| progress.show(snapshot)
            }),
        };
        let outcome = orchestrator::run(plan, options).await;
        if matches!(outcome, Err(RunError::Aborted)) {
            progress.finish();
        }
        Ok::<_, anyhow::Error>(outcome?)
    });
    progress.finish();
    let outcome = outcome?;
    for failure in &outcome.failures {
        eprintln!("pushpull: {failure}");
    }
    if outcome.interrupted {
        eprintln!("pushpull: interrupted; what has happened so far is judged");
    }
    Ok(())
}

fn external_secrets(plan: &Plan) -> anyhow::Result<BTreeMap<ConsumerNo, Secret>> {
    let mut secrets = BTreeMap::new();
    for (index, consumer) in plan.consumers.iter().enumerate() {
        let Some(webhook) = consumer.webhook() else { continue };
        if let Some(variable) = webhook.external.as_ref().and_then(|external| external.secret_env.as_ref()) {
            secrets.insert(index as ConsumerNo, roles::secret(variable)?);
        }
    }
    Ok(secrets)
}

/// Counts Ctrl-C: the first ends the run and judges it, the second ends it at once.
fn count_interrupts() -> watch::Receiver<u32> {
    let (tx, rx) = watch::channel(0);
    tokio::spawn(async move {
        while tokio::signal::ctrl_c().await.is_ok() {
            tx.send_modify(|count| *count += 1);
        }
    });
    rx
}
