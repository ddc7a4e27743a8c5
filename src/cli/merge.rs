//! `pushpull merge`: what the shards of a sweep come to, as if one process had run them all.

use std::path::PathBuf;

use anyhow::Context;
use clap::Args;

use super::{
    Exit,
    folder::{self, Folder},
    grid::Grid,
    shard, sweep,
};
use crate::scenario::Plan;

/// Arguments of `pushpull merge`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  pushpull merge part-*               folders of shards\n  \
    pushpull merge shard-*.json --out all\n\nThe result is byte for byte that of the sweep without --shard.")]
pub(super) struct MergeArgs {
    /// Shards, or folders that they lie in: every part of one sweep.
    #[arg(required = true, value_name = "SHARD")]
    shards: Vec<PathBuf>,
    /// The sweep's folder. Default: `pushpull-out/SCENARIO-sweep-RUN_ID`.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Print the figures as JSON instead of the table.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &MergeArgs) -> anyhow::Result<Exit> {
    let mut files = Vec::new();
    for path in &args.shards {
        files.extend(if path.is_dir() { within(path)? } else { vec![path.clone()] });
    }
    let (plan, cells) = shard::read_all(&files)?;
    let grid = Grid::of(plan)?;
    let named = Plan { name: format!("{}-sweep", grid.first().name), ..grid.first().clone() };
    let dir = Folder::create(&args.out.clone().unwrap_or_else(|| folder::of_its_own(&named)))?;
    let sweep = grid.put_together(&cells, &dir.path).inspect_err(|_| dir.take_back())?;
    sweep::show(&sweep, &dir.path, args.json)
}

/// The shards in a folder, in the order of their names.
fn within(folder: &PathBuf) -> anyhow::Result<Vec<PathBuf>> {
    let cannot = || format!("cannot read {}", folder.display());
    let entries = std::fs::read_dir(folder).with_context(cannot)?;
    let is_shard = |path: &PathBuf| {
        path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("shard-")) && path.extension().is_some()
    };
    let mut found: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).filter(is_shard).collect();
    found.sort();
    if found.is_empty() {
        anyhow::bail!("{}: no shard lies in it\n  fix: name what `pushpull sweep --shard` wrote", folder.display());
    }
    Ok(found)
}
