//! `pushpull gallery`: runs the embedded scenarios and writes what they show, for a repository or a
//! web server.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use anyhow::{Context, bail};
use clap::Args;

use super::{Exit, carry_out::carry_out, judge, load, load::Overrides};
use crate::{
    measure::Results,
    model::RunId,
    report::{File, gallery},
    scenario::{EMBEDDED, Embedded, Plan},
};

/// Arguments of `pushpull gallery`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  pushpull gallery reports\n  pushpull gallery reports order poison    those two anew\n\n\
    Takes about half a minute per scenario, on a machine that does nothing else."
)]
pub(super) struct GalleryArgs {
    /// The gallery's folder.
    dir: PathBuf,
    /// Scenarios to run; the others keep what they showed. Default: all.
    #[arg(value_name = "SCENARIO")]
    scenarios: Vec<String>,
    /// Run nothing: draw the pages anew from the figures that the gallery has.
    #[arg(long)]
    redraw: bool,
    /// The date to print in the index. Default: none.
    #[arg(long)]
    date: Option<String>,
}

pub(super) fn run(args: &GalleryArgs) -> anyhow::Result<Exit> {
    if let Some(unknown) = args.scenarios.iter().find(|name| EMBEDDED.iter().all(|known| known.name != **name)) {
        bail!("{}", load::unknown_name(unknown));
    }
    let wanted =
        |scenario: &&Embedded| args.scenarios.is_empty() || args.scenarios.iter().any(|name| name == scenario.name);
    let mut worst = Exit::Good;
    for scenario in EMBEDDED.iter().filter(wanted) {
        let plan = plan(scenario)?;
        let results = if args.redraw { read(scenario, &args.dir)? } else { Some(run_for(&plan, &args.dir)?) };
        let Some(results) = results else { continue };
        let own = args.dir.join(scenario.name);
        let _ = std::fs::remove_dir_all(&own);
        write(&own, gallery::entry(&results, &plan)?)?;
        worst = worst.max(judge::exit_of(results.verdict()));
        eprintln!("{}: {}", scenario.name, crate::report::text::verdict_line(&results));
    }
    write(&args.dir, gallery::indexes(&read_all(&args.dir)?, args.date.as_deref()))?;
    Ok(worst)
}

/// The run id is the place in the list: a gallery made anew differs in its figures only.
fn plan(scenario: &Embedded) -> anyhow::Result<Plan> {
    let place = EMBEDDED.iter().position(|known| known.name == scenario.name).unwrap_or(0);
    let overrides = Overrides { run_id: Some(RunId::from_bits(place as u64 + 1)), ..Overrides::default() };
    load::plan(scenario.name, &overrides, &[])
}

/// Runs one scenario in a scratch folder within the gallery, of which nothing is left.
fn run_for(plan: &Plan, dir: &Path) -> anyhow::Result<Results> {
    let scratch = dir.join(".scratch");
    let _ = std::fs::remove_dir_all(&scratch);
    std::fs::create_dir_all(&scratch)
        .with_context(|| format!("{}: the gallery's folder cannot be made; name another", dir.display()))?;
    let outcome = carry_out(plan, &scratch, None, BTreeMap::new()).and_then(|()| judge::judge(plan, &scratch));
    let _ = std::fs::remove_dir_all(&scratch);
    outcome
}

/// The results of all scenarios that the gallery has, in reading order.
fn read_all(dir: &Path) -> anyhow::Result<Vec<Results>> {
    let found: Vec<Option<Results>> = EMBEDDED.iter().map(|known| read(known, dir)).collect::<anyhow::Result<_>>()?;
    Ok(found.into_iter().flatten().collect())
}

/// What a scenario showed, where the gallery has it. The words are the scenario's own of today.
fn read(scenario: &Embedded, dir: &Path) -> anyhow::Result<Option<Results>> {
    let path = dir.join(scenario.name).join("results.json");
    let Ok(bytes) = std::fs::read(&path) else { return Ok(None) };
    let again = || format!("{} is of another version: make it anew", path.display());
    let mut results: Results = serde_json::from_slice(&bytes).with_context(again)?;
    let plan = plan(scenario)?;
    (results.title, results.question) = (plan.title, plan.question);
    (results.watch, results.conclude, results.published) = (plan.watch, plan.conclude, plan.published);
    Ok(Some(results))
}

fn write(dir: &Path, files: Vec<File>) -> anyhow::Result<()> {
    for file in files {
        let path = dir.join(&file.path);
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent)?;
        }
        std::fs::write(&path, file.content).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}
