//! `pushpull run --summary`: what was expected and what was measured, as a table in a file, with pictures beside it.

use std::path::Path;

use anyhow::Context;

use super::job::Judged;
use crate::report::{
    self,
    overview::{self, Entry},
};

/// Writes the table of these scenarios, and their pictures into a folder of its name.
pub(super) fn write(path: &Path, scenarios: &[String], judged: &[Judged]) -> anyhow::Result<()> {
    let entry = |judged| Entry { verdict: Judged::line(judged), runs: Judged::runs(judged) };
    let entries: Vec<Entry<'_>> = judged.iter().map(entry).collect();
    let command = format!("pushpull run {} --summary {}", named(scenarios), path.display());
    let page = path.file_name().map(Path::new).unwrap_or(path);
    let files = overview::markdown(&entries, &command, page)?;
    report::write_files(path.parent().unwrap_or(Path::new("")), files)
        .map(|_| ())
        .with_context(|| format!("--summary {}: the file cannot be written; name another", path.display()))
}

/// The scenarios as a person would name them: all files of a folder by a pattern.
fn named(scenarios: &[String]) -> String {
    let folder = scenarios.first().and_then(|first| Path::new(first).parent()).unwrap_or(Path::new(""));
    let is_file = |path: &Path| path.extension().is_some_and(|ending| ending == "toml");
    let inside = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let all = inside.filter(|entry| is_file(&entry.path())).count();
    let from_here = |one: &String| Path::new(one).parent() == Some(folder) && is_file(Path::new(one));
    match scenarios.len() {
        several @ 2.. if several == all && scenarios.iter().all(from_here) => format!("{}/*.toml", folder.display()),
        _ => scenarios.join(" "),
    }
}
