//! The pictures: one figure per file, drawn as SVG.
//!
//! Colour is never the only difference: dashes, order or a name say the same. A picture brings its own
//! ground and fits light and dark screens and paper (`palette`).

mod after_outage;
mod ages;
mod bars;
mod behind;
mod bill;
mod break_even;
mod canvas;
mod compare;
mod cost;
mod crossover;
mod duplicates;
mod palette;
mod requests;
mod tradeoff;

use std::path::PathBuf;

pub(super) use compare::{Compared, compared, sentences};
pub(super) use crossover::{Crossover, Line};
pub(super) use palette::dark_rules;

use super::{ExportError, File, format::mode, shown};
use crate::{
    measure::{Results, RunResult},
    scenario::Plan,
};

/// One kind of picture.
pub struct Figure {
    /// Its file's name, without ending.
    pub name: &'static str,
    /// Its title.
    pub title: &'static str,
    /// How to read it.
    pub how_to_read: &'static str,
    /// One sentence from the numbers; `None` where the run has nothing for this picture.
    pub sentence: fn(&RunResult) -> Option<String>,
    /// Draws it as SVG.
    pub draw: fn(&RunResult) -> Result<String, ExportError>,
}

/// Every picture, in the report's order.
pub const FIGURES: &[Figure] = &[
    tradeoff::FIGURE,
    ages::FIGURE,
    behind::FIGURE,
    after_outage::FIGURE,
    requests::FIGURE,
    duplicates::FIGURE,
    cost::FIGURE,
    bill::FIGURE,
    break_even::FIGURE,
];

pub(super) fn export(results: &Results, _plan: &Plan) -> Result<Vec<File>, ExportError> {
    let mut files = Vec::new();
    for run in shown(results) {
        for figure in FIGURES.iter().filter(|figure| (figure.sentence)(run).is_some()) {
            let path = PathBuf::from("plots").join(format!("{}-{}.svg", figure.name, mode(run.mode)));
            files.push(File { path, content: (figure.draw)(run)? });
        }
    }
    Ok(files)
}
