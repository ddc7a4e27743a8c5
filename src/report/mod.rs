//! Reports: one judged result, told in several formats.
//!
//! Everything here is made from [`Results`] alone, so a saved `results.json` gives the same report
//! again. Adding a format is one file and one line in [`EXPORTERS`]; adding a picture one file and
//! one line in [`plots::FIGURES`].

pub mod advice;
mod agreement;
mod bills;
mod conclude;
mod csv;
mod explain;
mod falls;
mod format;
pub mod gallery;
mod glossary;
mod goals;
mod html;
mod json;
pub mod overview;
pub mod plots;
mod profiles;
mod rows;
pub mod sweep;
pub mod text;
mod wins;

use std::{
    io,
    path::{Path, PathBuf},
};

pub use explain::explain;

use crate::{
    measure::{Cases, Results},
    scenario::Plan,
};

/// One format of the report.
pub struct Exporter {
    /// Its name, and that of its file where it writes one.
    pub name: &'static str,
    /// One line for the reference.
    pub doc: &'static str,
    /// Makes the files: relative path and content.
    pub export: fn(&Results, &Plan) -> Result<Vec<File>, ExportError>,
}

/// A file of a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Relative to the report's folder.
    pub path: PathBuf,
    /// Its text.
    pub content: String,
}

/// A format that could not be made.
#[derive(Debug, thiserror::Error)]
#[error("cannot make {what}: {why}")]
pub struct ExportError {
    /// Which part.
    pub what: String,
    /// Why.
    pub why: String,
}

/// Every format.
pub const EXPORTERS: &[Exporter] = &[
    Exporter { name: "results.json", doc: "everything, schema version 1", export: json::export },
    Exporter { name: "consumers.csv", doc: "one row per run and consumer", export: csv::consumers },
    Exporter { name: "ages.csv", doc: "the age histograms, bucket by bucket", export: csv::ages },
    Exporter { name: "report.txt", doc: "what the terminal showed", export: text::export },
    Exporter { name: "plots", doc: "the pictures as SVG files", export: plots::export },
    Exporter { name: "report.html", doc: "one self-contained page with pictures", export: html::export },
];

/// Writes every format into `dir`, which is created where it is missing. Returns the paths.
pub fn write_all(dir: &Path, results: &Results, plan: &Plan) -> io::Result<Vec<PathBuf>> {
    let mut written = Vec::new();
    for exporter in EXPORTERS {
        let files = (exporter.export)(results, plan).map_err(io::Error::other)?;
        written.extend(write_files(dir, files)?);
    }
    Ok(written)
}

/// Writes the page of a scenario with cases into `dir`, as text, HTML and JSON, and the pictures that compare
/// them; each case's own report lies in the folder of its name.
pub fn write_cases(dir: &Path, cases: &Cases) -> io::Result<()> {
    let pictures = plots::compared(&cases.by_name()).map_err(io::Error::other)?;
    let figures = serde_json::to_string_pretty(cases).map_err(io::Error::other)? + "\n";
    let mut files = one("results.json", figures);
    files.extend(one("report.txt", text::render_cases(cases, text::Options::default())));
    files.extend(one("report.html", html::cases_page(cases, &pictures).into_string()));
    files.extend(pictures.iter().map(plots::Compared::file));
    write_files(dir, files).map(|_| ())
}

/// Writes files below `dir`, with the folders that they need. Returns their paths.
pub fn write_files(dir: &Path, files: Vec<File>) -> io::Result<Vec<PathBuf>> {
    let mut written = Vec::new();
    for file in files {
        let path = dir.join(&file.path);
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent)?;
        }
        std::fs::write(&path, file.content)?;
        written.push(path);
    }
    Ok(written)
}

fn one(path: &str, content: String) -> Vec<File> {
    vec![File { path: PathBuf::from(path), content }]
}

/// The runs that are shown in full: the first of each mode.
fn shown(results: &Results) -> impl Iterator<Item = &crate::measure::RunResult> {
    let first_of_mode = |i: &usize| results.runs[..*i].iter().all(|earlier| earlier.mode != results.runs[*i].mode);
    (0..results.runs.len()).filter(first_of_mode).map(|i| &results.runs[i])
}

#[cfg(test)]
mod tests;
