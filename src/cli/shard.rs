//! Parts of a sweep that run wherever there is a scheduler that starts processes, and come together again.

use std::{fmt, path::Path, str::FromStr};

use anyhow::{Context, bail};
use serde::{Deserialize, Serialize};

use crate::measure::{Cell, SweepPlan};

/// `I/N`: which part, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ShardArg {
    pub index: u32,
    pub count: u32,
}

impl ShardArg {
    /// All there is.
    pub const WHOLE: ShardArg = ShardArg { index: 1, count: 1 };

    /// Whether a cell is its own: cells are dealt out in turn, so that costly values are shared.
    pub fn has(self, cell: usize) -> bool {
        cell % self.count as usize == self.index as usize - 1
    }

    /// The name of its file.
    pub fn file_name(self) -> String {
        format!("shard-{}-of-{}.json", self.index, self.count)
    }
}

impl fmt::Display for ShardArg {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index, self.count)
    }
}

impl FromStr for ShardArg {
    type Err = String;

    fn from_str(text: &str) -> Result<ShardArg, String> {
        let read = text.split_once('/').and_then(|(i, n)| Some((i.trim().parse().ok()?, n.trim().parse().ok()?)));
        let (index, count) = read.ok_or_else(|| format!("\"{text}\" is no part: write I/N, such as 3/8"))?;
        if count == 0 || index == 0 || index > count {
            return Err(format!("there is no part {index} of {count}: parts are counted from 1 to N"));
        }
        Ok(ShardArg { index, count })
    }
}

/// What a part leaves behind.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Shard {
    schema_version: u32,
    plan: SweepPlan,
    part: ShardArg,
    cells: Vec<Cell>,
}

impl Shard {
    pub fn new(plan: SweepPlan, part: ShardArg, cells: Vec<Cell>) -> Shard {
        Shard { schema_version: 1, plan, part, cells }
    }

    pub fn write(&self, path: &Path) -> anyhow::Result<()> {
        std::fs::write(path, serde_json::to_vec(self)?).with_context(|| format!("cannot write {}", path.display()))
    }

    fn read(path: &Path) -> anyhow::Result<Shard> {
        let bytes = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        let not =
            || format!("{}: no shard of a sweep\n  fix: name what `pushpull sweep --shard` wrote", path.display());
        let value: serde_json::Value = serde_json::from_slice(&bytes).with_context(not)?;
        match value.get("schema_version").and_then(serde_json::Value::as_u64) {
            Some(1) => serde_json::from_value(value).with_context(not),
            Some(other) => bail!(
                "{}: schema version {other}, and this program reads version 1\n  fix: merge with the version that swept",
                path.display()
            ),
            None => bail!("{}", not()),
        }
    }
}

/// Reads all parts of one sweep: its plan, and its cells in their order. Anything but every part of one sweep,
/// once, is refused.
pub(super) fn read_all(paths: &[impl AsRef<Path>]) -> anyhow::Result<(SweepPlan, Vec<Cell>)> {
    let mut read: Vec<(&Path, Shard)> = Vec::new();
    for path in paths.iter().map(AsRef::as_ref) {
        let shard = Shard::read(path)?;
        if let Some((first, known)) = read.first() {
            let (one, other) = (first.display(), path.display());
            if let Some(what) = differs(&known.plan, &shard.plan) {
                bail!(
                    "{one} and {other} are of different sweeps: their {what} differ\n  fix: merge the parts of one sweep"
                );
            }
            if known.part.count != shard.part.count {
                let (n, m) = (known.part.count, shard.part.count);
                bail!("{one} is one of {n} parts, {other} one of {m}\n  fix: merge the parts of one sweep");
            }
        }
        if let Some((twin, _)) = read.iter().find(|(_, known)| known.part == shard.part) {
            let (part, twin, other) = (shard.part, twin.display(), path.display());
            bail!("part {part} is there twice: {twin} and {other}\n  fix: leave one of them out");
        }
        read.push((path, shard));
    }
    let (_, first) = read.first().context("nothing to merge")?;
    let (plan, count) = (first.plan.clone(), first.part.count);
    let missing = (1..=count).map(|index| ShardArg { index, count });
    let missing: Vec<String> =
        missing.filter(|part| read.iter().all(|(_, shard)| shard.part != *part)).map(|part| part.to_string()).collect();
    if !missing.is_empty() {
        bail!("parts are missing: {}\n  fix: run them, or name their files too", missing.join(", "));
    }
    let mut cells: Vec<Cell> = read.into_iter().flat_map(|(_, shard)| shard.cells).collect();
    cells.sort_by_key(|cell| cell.no);
    if !cells.iter().map(|cell| cell.no).eq(0..plan.cells()) {
        bail!("the parts do not hold each cell of the sweep once\n  fix: run them again");
    }
    Ok((plan, cells))
}

/// What two sweeps differ in; `None` where they are one.
fn differs(one: &SweepPlan, other: &SweepPlan) -> Option<&'static str> {
    let table = [
        ("schema versions", one.schema_version == other.schema_version),
        ("scenarios", one.scenario == other.scenario && one.source == other.source),
        ("modes", one.mode == other.mode),
        ("seeds", (one.seed, one.seeds) == (other.seed, other.seeds)),
        ("varied keys or values", one.axes == other.axes),
        ("commands", one == other),
    ];
    table.into_iter().find(|(_, same)| !same).map(|(what, _)| what)
}
