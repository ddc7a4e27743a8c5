//! The crossover charts of a sweep: for each compared quantity, and each value of the second key, one.

use crate::{
    measure::{COMPARED, Estimate, Point, Sweep, quantity},
    report::{
        ExportError,
        plots::{Crossover, Line},
    },
};

/// A chart.
pub(super) struct Picture {
    pub file: String,
    pub title: String,
    pub svg: String,
}

/// All of them; none where the key's values lie on no scale.
pub(super) fn all(sweep: &Sweep) -> Result<Vec<Picture>, ExportError> {
    let axis = &sweep.plan.axes[0];
    let Some(scale) = &axis.scale else { return Ok(Vec::new()) };
    let others: Vec<Option<String>> = match sweep.plan.axes.get(1) {
        None => vec![None],
        Some(second) => second.values.iter().cloned().map(Some).collect(),
    };
    let mut pictures = Vec::new();
    for found in COMPARED.iter().filter_map(|name| quantity(name)) {
        for other in &others {
            let line: Vec<&Point> = sweep.points.iter().filter(|point| point.values.get(1) == other.as_ref()).collect();
            let names = line.first().map_or(&[][..], |point| &point.consumers);
            let of = |no: usize| -> Vec<(f64, Estimate)> {
                let seen = scale.numbers.iter().zip(&line);
                seen.filter_map(|(at, point)| Some((*at, *point.consumers.get(no)?.figures.get(found.name)?))).collect()
            };
            let lines: Vec<Line<'_>> = names
                .iter()
                .enumerate()
                .map(|(no, c)| (c.name.as_str(), of(no)))
                .filter(|(_, p)| !p.is_empty())
                .collect();
            if lines.is_empty() {
                continue;
            }
            let here = |even: &&crate::measure::BreakEven| {
                even.quantity == found.name && even.at.as_ref().map(|(_, value)| value) == other.as_ref()
            };
            let break_evens = sweep.break_evens.iter().filter(here).collect();
            let svg = Crossover { quantity: found, axis, scale, lines, break_evens }.draw()?;
            let (suffix, at) = match (other, sweep.plan.axes.get(1)) {
                (Some(value), Some(second)) => (format!("-{}", plain(value)), format!(", {} = {value}", second.key)),
                _ => (String::new(), String::new()),
            };
            let file = format!("{}{suffix}.svg", plain(found.name));
            pictures.push(Picture { file, title: format!("{}{at}", found.doc), svg });
        }
    }
    Ok(pictures)
}

/// A text as part of a file's name.
fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_ascii_alphanumeric() || c == '.' { c } else { '-' }).collect()
}
