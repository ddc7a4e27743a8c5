//! `pushpull gallery`: runs the embedded scenarios and writes what they show, for a repository or a
//! web server.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use anyhow::{Context, bail};
use clap::Args;

use super::{Exit, judge, load, load::Overrides, run};
use crate::{
    measure::Results,
    model::RunId,
    report::{File, gallery},
    scenario::{EMBEDDED, Embedded},
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
        let results = make_entry(scenario, &args.dir)?;
        worst = worst.max(judge::exit_of(&results));
        eprintln!("{}: {}", scenario.name, crate::report::text::verdict_line(&results));
    }
    write(&args.dir, gallery::indexes(&read_all(&args.dir)?, args.date.as_deref()))?;
    Ok(worst)
}

/// Runs one scenario in a scratch folder beside the gallery and keeps its pages and pictures.
fn make_entry(scenario: &Embedded, dir: &Path) -> anyhow::Result<Results> {
    // The run id is the place in the list: a gallery made anew differs in its figures only.
    let place = EMBEDDED.iter().position(|known| known.name == scenario.name).unwrap_or(0);
    let overrides = Overrides { run_id: Some(RunId::from_bits(place as u64 + 1)), ..Overrides::default() };
    let plan = load::plan(scenario.name, &overrides, &[])?;
    let scratch = dir.join(".scratch");
    let _ = std::fs::remove_dir_all(&scratch);
    std::fs::create_dir_all(&scratch)
        .with_context(|| format!("{}: the gallery's folder cannot be made; name another", dir.display()))?;
    let outcome = run::carry_out(&plan, &scratch, None, BTreeMap::new()).and_then(|()| judge::judge(&plan, &scratch));
    let _ = std::fs::remove_dir_all(&scratch);
    let results = outcome?;
    let own = dir.join(scenario.name);
    let _ = std::fs::remove_dir_all(&own);
    write(&own, gallery::entry(&results, &plan)?)?;
    Ok(results)
}

/// The results of all scenarios that the gallery has, in reading order.
fn read_all(dir: &Path) -> anyhow::Result<Vec<Results>> {
    let mut all = Vec::new();
    for scenario in EMBEDDED {
        let path = dir.join(scenario.name).join("results.json");
        if let Ok(bytes) = std::fs::read(&path) {
            let again = || format!("{} is of another version: make it anew", path.display());
            all.push(serde_json::from_slice(&bytes).with_context(again)?);
        }
    }
    Ok(all)
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
