//! Finding a scenario by file or name and reading it.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::{Args, ValueEnum};

use crate::{
    live::fresh_run_id,
    model::RunId,
    scenario::{EMBEDDED, LoadOptions, Mode, Plan, embedded, load, load_cases},
};

/// What the command line changes in a scenario.
#[derive(Debug, Clone, Default, Args)]
pub(super) struct Overrides {
    /// Which driver: real sockets, a clock that jumps, or one after the other and compared. Default: the
    /// scenario's first.
    #[arg(long)]
    pub mode: Option<ModeArg>,
    /// Seed of every draw.
    #[arg(long)]
    pub seed: Option<u64>,
    /// Names the run in event ids: 12 lowercase hex digits. Default: fresh, or in virtual time from the
    /// seed.
    #[arg(long)]
    pub run_id: Option<RunId>,
    /// The case that is meant, of a scenario with cases. Default: all of them.
    #[arg(long, value_name = "NAME")]
    pub case: Option<String>,
    /// Change a key of the scenario, such as workload.arrivals.rate=5/s or consumer.webhook.ledger=none.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub sets: Vec<String>,
    /// A price file that replaces the scenario's for the bills: `pushpull prices` prints one to start
    /// from.
    #[arg(long, value_name = "FILE")]
    pub prices: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum ModeArg {
    Live,
    Virtual,
    Both,
}

/// Reads the scenario at a path, or the embedded one of that name. `extra` are further `--set`s that
/// do not appear in the reproduction command.
pub(super) fn plan(which: &str, overrides: &Overrides, extra: &[String]) -> anyhow::Result<Plan> {
    let mode = match overrides.mode {
        None => None,
        Some(ModeArg::Live) => Some(Mode::Live),
        Some(ModeArg::Virtual) => Some(Mode::Virtual),
        Some(ModeArg::Both) => bail!("--mode both: this takes one mode\n  fix: write --mode live or --mode virtual"),
    };
    plan_in(mode, which, overrides, extra)
}

/// The same in a mode of the caller's choice; `None`: the scenario's first.
pub(super) fn plan_in(
    mode: Option<Mode>,
    which: &str,
    overrides: &Overrides,
    extra: &[String],
) -> anyhow::Result<Plan> {
    let (text, options) = options(mode, which, overrides, extra)?;
    Ok(load(&text, &options)?)
}

/// The plan in this mode, with as many seeds and these further `--set`s.
pub(super) fn plan_with_seeds(
    mode: Mode,
    which: &str,
    overrides: &Overrides,
    (seeds, extra): (Option<u32>, &[String]),
) -> anyhow::Result<Plan> {
    let (text, options) = options(Some(mode), which, overrides, extra)?;
    Ok(load(&text, &LoadOptions { seeds, ..options })?)
}

/// The plans of all cases, or of the one that is meant; `seeds` overrides how many seeds each wants.
pub(super) fn plans_in(
    mode: Option<Mode>,
    which: &str,
    overrides: &Overrides,
    seeds: Option<u32>,
) -> anyhow::Result<Vec<Plan>> {
    let (text, options) = options(mode, which, overrides, &[])?;
    Ok(load_cases(&text, &LoadOptions { seeds, ..options })?)
}

fn options(
    mode: Option<Mode>,
    which: &str,
    overrides: &Overrides,
    extra: &[String],
) -> anyhow::Result<(String, LoadOptions)> {
    let (name, text, dir) = read(which)?;
    let mut sets = overrides.sets.clone();
    sets.extend_from_slice(extra);
    let options = LoadOptions {
        name,
        file: which.to_owned(),
        dir,
        mode,
        seed: overrides.seed,
        seeds: None,
        case: overrides.case.clone(),
        run_id: overrides.run_id,
        fresh_run_id: fresh_run_id(),
        prices: overrides.prices.clone(),
        sets,
        command: command(which, overrides),
    };
    Ok((text, options))
}

/// Its name, its text, and the folder where its paths start.
fn read(which: &str) -> anyhow::Result<(String, String, PathBuf)> {
    if let Some(scenario) = embedded(which) {
        return Ok((scenario.name.to_owned(), scenario.text.to_owned(), PathBuf::new()));
    }
    let path = Path::new(which);
    let is_path = path.extension().is_some() || which.contains(std::path::is_separator);
    if !path.exists() && !is_path {
        bail!("{}", unknown_name(which));
    }
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("cannot read the scenario {which}; `pushpull scenarios` lists those in the binary"))?;
    let name = path.file_stem().map_or_else(|| which.to_owned(), |stem| stem.to_string_lossy().into_owned());
    Ok((name, text, path.parent().map(Path::to_owned).unwrap_or_default()))
}

/// What to say of a name that is no scenario.
pub(super) fn unknown_name(name: &str) -> String {
    let nearest = EMBEDDED.iter().map(|s| (strsim::damerau_levenshtein(name, s.name), s.name)).min();
    let fix = match nearest {
        Some((distance, nearest)) if distance <= 3 => format!("did you mean \"{nearest}\"?"),
        _ => "`pushpull scenarios` lists the names; a file needs its ending, such as mine.toml".to_owned(),
    };
    format!("\"{name}\" is no scenario\n  fix: {fix}")
}

/// The command that runs this again, seed and run id apart.
fn command(which: &str, overrides: &Overrides) -> String {
    let mut words = vec!["pushpull".to_owned(), "run".to_owned(), quoted(which)];
    words.extend(override_words(overrides));
    words.join(" ")
}

/// What the overrides look like on a command line, without those of which every command has its own.
pub(super) fn override_words(overrides: &Overrides) -> Vec<String> {
    let mut words = Vec::new();
    if let Some(mode) = overrides.mode.and_then(|mode| mode.to_possible_value()) {
        words.extend(["--mode".to_owned(), mode.get_name().to_owned()]);
    }
    for set in &overrides.sets {
        words.push("--set".to_owned());
        words.push(quoted(set));
    }
    if let Some(prices) = &overrides.prices {
        words.extend(["--prices".to_owned(), quoted(&prices.to_string_lossy())]);
    }
    words
}

/// Quoted for a POSIX shell where it has to be.
pub(super) fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}
