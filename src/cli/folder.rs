//! A run's folder: made before anything is started, taken back when nothing came of it.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

use crate::scenario::Plan;

/// A folder that a run may write into.
#[derive(Debug)]
pub(super) struct Folder {
    pub path: PathBuf,
    /// It was not there before.
    new: bool,
}

impl Folder {
    /// Creates it, so that a bad path fails early. One that is there has to be empty.
    pub fn create(path: &Path) -> anyhow::Result<Folder> {
        let made = |new| Folder { path: path.to_owned(), new };
        if let Ok(mut entries) = std::fs::read_dir(path) {
            if entries.next().is_some() {
                bail!("--out {}: the folder is not empty\n  fix: name a new one, or remove it first", path.display());
            }
            probe_writable(path)?;
            return Ok(made(false));
        }
        std::fs::create_dir_all(path).with_context(|| {
            format!("--out {}: the run's folder cannot be made; name another with --out", path.display())
        })?;
        Ok(made(true))
    }

    /// Takes back what was written, so that nothing is left that could be mistaken for a result.
    pub fn take_back(&self) {
        if self.new {
            let _ = std::fs::remove_dir_all(&self.path);
            return;
        }
        // The folder was there, and empty.
        for entry in std::fs::read_dir(&self.path).into_iter().flatten().flatten() {
            let path = entry.path();
            let _ = if path.is_dir() { std::fs::remove_dir_all(&path) } else { std::fs::remove_file(&path) };
        }
    }
}

/// Where a scenario's run goes that nobody named a folder for: one that is not there yet, because in virtual
/// time the run id follows from the seed and comes again.
pub(super) fn of_its_own(plan: &Plan) -> PathBuf {
    let first = Path::new("pushpull-out").join(format!("{}-{}", plan.name, plan.run_id));
    let numbered = (2..).map(|n: u32| first.with_file_name(format!("{}-{}-{n}", plan.name, plan.run_id)));
    std::iter::once(first.clone()).chain(numbered).find(|path| !path.exists()).unwrap_or(first)
}

fn probe_writable(dir: &Path) -> anyhow::Result<()> {
    let probe = dir.join(".probe");
    std::fs::write(&probe, b"")
        .and_then(|()| std::fs::remove_file(&probe))
        .with_context(|| format!("--out {}: the folder cannot be written to; name another with --out", dir.display()))
}
