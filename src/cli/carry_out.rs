//! Carrying out one plan: by its driver, until plan and records lie in a folder.

use std::{collections::BTreeMap, path::Path};

use anyhow::Context;
use tokio::sync::watch;

use super::{
    judge,
    progress::Progress,
    roles::{self, Side},
    runtime,
};
use crate::{
    live::orchestrator::{self, RunError, RunOptions},
    record::WriteBehind,
    scenario::{ConsumerNo, Mode, Plan},
    virtual_time,
};

/// Runs a plan and leaves plan and records in `dir`.
pub(super) fn carry_out(
    plan: &Plan,
    dir: &Path,
    state: Option<&Path>,
    external_secrets: BTreeMap<ConsumerNo, String>,
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
    let (folder, path) = (orchestrator::records_dir(dir), judge::virtual_records(dir));
    let cannot = || format!("cannot write {}", path.display());
    std::fs::create_dir_all(&folder).with_context(cannot)?;
    let records = WriteBehind::create(&path).with_context(cannot)?;
    virtual_time::run(plan, &records);
    records.finish().with_context(cannot)
}

fn carry_out_live(
    plan: &Plan,
    dir: &Path,
    state: Option<&Path>,
    external_secrets: BTreeMap<ConsumerNo, String>,
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

/// The secrets of receivers that are somebody else's, from the environment.
pub(super) fn external_secrets(plan: &Plan) -> anyhow::Result<BTreeMap<ConsumerNo, String>> {
    let mut secrets = BTreeMap::new();
    for (index, consumer) in plan.consumers.iter().enumerate() {
        let Some(webhook) = consumer.webhook() else { continue };
        if let Some(variable) = webhook.external.as_ref().and_then(|external| external.secret_env.as_ref()) {
            secrets.insert(index as ConsumerNo, roles::secret(plan, consumer.provider, Side::Signs, variable)?);
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
