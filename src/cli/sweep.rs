//! `pushpull sweep`: one scenario at many values of a key or two.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::Args;

use super::{
    Exit, estimate,
    folder::{self, Folder},
    grid::Grid,
    job::Job,
    load::{self, ModeArg, Overrides},
    print,
    shard::{Shard, ShardArg},
};
use crate::{
    measure::{Sweep, SweepPlan},
    report,
    scenario::{Axis, Mode, Plan},
};

/// Arguments of `pushpull sweep`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    pushpull sweep quickstart --vary workload.arrivals.rate=1/s..20/s/5\n  \
    pushpull sweep mine.toml --vary consumer.poll.strategy.interval=1s..1h/7:log --seeds 10\n  \
    pushpull sweep mine.toml --vary consumer.poll.clients=1,10,100 --vary fault.0.probability=0,0.05,0.2\n  \
    pushpull sweep mine.toml --vary consumer.poll.clients=1..100/12 --seeds 50 --shard 3/8 --out part-3\n  \
    pushpull merge part-*               what the shards come to\n\n\
    Where two consumers change places in requests, age or cost, the point is narrowed down by further runs.")]
pub(super) struct SweepArgs {
    /// A scenario file or an embedded name.
    scenario: String,
    /// A key and its values: a list (key=a,b,c), even steps (key=from..to/steps) or steps of an even ratio
    /// (key=from..to/steps:log). Twice: each with each.
    #[arg(long, value_name = "KEY=VALUES", required = true)]
    vary: Vec<String>,
    #[command(flatten)]
    overrides: Overrides,
    /// How many seeds at each point, the same at all. Default: the scenario's.
    #[arg(long, value_name = "K", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    seeds: Option<u32>,
    /// Run the I-th of N equal parts only, counted from 1, and leave its figures for `pushpull merge`.
    #[arg(long, value_name = "I/N")]
    shard: Option<ShardArg>,
    /// The sweep's folder. Default: `pushpull-out/SCENARIO-sweep-RUN_ID`.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Start live runs that may take more than ten minutes.
    #[arg(long)]
    yes: bool,
    /// Print the figures as JSON instead of the table.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &SweepArgs) -> anyhow::Result<Exit> {
    let axes = axes(&args.vary)?;
    let mode = match args.overrides.mode {
        None | Some(ModeArg::Virtual) => Mode::Virtual,
        Some(ModeArg::Live) => Mode::Live,
        Some(ModeArg::Both) => bail!("--mode both: a sweep takes one mode\n  fix: write --mode live or --mode virtual"),
    };
    // All points are read before the first is run.
    let grid = Grid::read(args, axes, mode)?;
    if args.shard.is_none() && mode == Mode::Live {
        estimate::ask(&[Job::of(grid.plans().map(|plan| vec![plan.clone()]).collect())], args.yes)?;
    }
    let named = Plan { name: format!("{}-sweep", grid.first().name), ..grid.first().clone() };
    let dir = Folder::create(&args.out.clone().unwrap_or_else(|| folder::of_its_own(&named)))?;
    carry_out(&grid, &dir.path, args).inspect_err(|_| dir.take_back())
}

fn carry_out(grid: &Grid, dir: &Path, args: &SweepArgs) -> anyhow::Result<Exit> {
    let part = args.shard.unwrap_or(ShardArg::WHOLE);
    let cells = grid.cells(part, dir)?;
    if args.shard.is_none() {
        let sweep = grid.put_together(&cells, dir)?;
        return show(&sweep, dir, args.json);
    }
    let path = dir.join(part.file_name());
    Shard::new(grid.plan.clone(), part, cells).write(&path)?;
    print(&format!(
        "Shard {part} of {}: {}\nWhen all are there: pushpull merge FILES\n",
        grid.plan.scenario,
        path.display()
    ))?;
    Ok(Exit::Good)
}

/// Writes and prints what a sweep came to.
pub(super) fn show(sweep: &Sweep, dir: &Path, json: bool) -> anyhow::Result<Exit> {
    report::sweep::write(dir, sweep).with_context(|| format!("cannot write the report into {}", dir.display()))?;
    if json {
        print(&format!("{}\n", serde_json::to_string_pretty(sweep)?))?;
    } else {
        print(&report::sweep::text(sweep))?;
        print(&format!("\nReport: {}\n", dir.join("sweep.html").display()))?;
    }
    Ok(if sweep.valid() { Exit::Good } else { Exit::Void })
}

fn axes(vary: &[String]) -> anyhow::Result<Vec<Axis>> {
    if vary.len() > 2 {
        bail!("--vary {}: two keys at most\n  fix: sweep the others in commands of their own", vary[2]);
    }
    let read = |text: &String| Axis::parse(text).with_context(|| format!("--vary {text}"));
    let axes: Vec<Axis> = vary.iter().map(read).collect::<anyhow::Result<_>>()?;
    if let Some(axis) = axes.iter().find(|axis| axis.key == "seed" || axis.key == "seeds") {
        bail!("--vary {}: every point has the same seeds\n  fix: write --seed and --seeds", axis.key);
    }
    if let [one, other] = axes.as_slice()
        && one.key == other.key
    {
        bail!("--vary {}: it varies already\n  fix: name another key", other.key);
    }
    Ok(axes)
}

/// What a sweep is, told by its first point and the command line.
pub(super) fn plan_of(first: &Plan, args: &SweepArgs, axes: Vec<Axis>) -> SweepPlan {
    let mut words = vec!["pushpull".to_owned(), "sweep".to_owned(), load::quoted(&args.scenario)];
    for vary in &args.vary {
        words.extend(["--vary".to_owned(), load::quoted(vary)]);
    }
    words.extend(load::override_words(&args.overrides));
    if let Some(seeds) = args.seeds {
        words.push(format!("--seeds {seeds}"));
    }
    words.push(format!("--seed {}", first.seed));
    SweepPlan {
        schema_version: 1,
        scenario: first.name.clone(),
        title: first.title.clone(),
        source: first.source.clone(),
        dir: Path::new(&args.scenario).parent().map(|dir| dir.display().to_string()).unwrap_or_default(),
        mode: first.mode,
        seed: first.seed,
        seeds: first.seeds,
        axes,
        reproduce: words.join(" "),
    }
}

impl SweepArgs {
    /// The plan at one point of the grid: these values of the axes' keys.
    pub fn plan_at(&self, mode: Mode, sets: &[String]) -> anyhow::Result<Plan> {
        load::plan_with_seeds(mode, &self.scenario, &self.overrides, (self.seeds, sets))
    }
}
