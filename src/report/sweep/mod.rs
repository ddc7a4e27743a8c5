//! A sweep, reported: a table, the break-even points, crossover charts; as text, CSV, JSON and one page.

mod page;
mod pictures;
mod text;

use std::{io, path::Path};

pub use text::text;

use super::csv::line;
use crate::measure::{BreakEven, QUANTITIES, Sweep, quantity};

/// Writes every format into `dir`.
pub fn write(dir: &Path, sweep: &Sweep) -> io::Result<()> {
    let pictures = pictures::all(sweep).map_err(io::Error::other)?;
    let json = serde_json::to_string_pretty(sweep).map_err(io::Error::other)? + "\n";
    let files = [
        ("sweep.json", json),
        ("sweep.csv", csv(sweep)),
        ("sweep.txt", text(sweep)),
        ("sweep.html", page::page(sweep, &pictures).into_string()),
    ];
    files.into_iter().try_for_each(|(name, content)| std::fs::write(dir.join(name), content))?;
    if !pictures.is_empty() {
        std::fs::create_dir_all(dir.join("plots"))?;
    }
    pictures.iter().try_for_each(|picture| std::fs::write(dir.join("plots").join(&picture.file), &picture.svg))
}

/// One row per point, consumer and quantity.
fn csv(sweep: &Sweep) -> String {
    let keys = sweep.plan.axes.iter().map(|axis| axis.key.as_str());
    let mut out = line(keys.chain(["consumer", "quantity", "n", "mean", "low", "high"]));
    for point in &sweep.points {
        for consumer in &point.consumers {
            for (name, found) in QUANTITIES.iter().filter_map(|q| Some((q.name, consumer.figures.get(q.name)?))) {
                let figures =
                    [found.n.to_string(), found.mean.to_string(), found.low.to_string(), found.high.to_string()];
                let head = point.values.iter().cloned().chain([consumer.name.clone(), name.to_owned()]);
                out += &line(head.chain(figures));
            }
        }
    }
    out
}

/// A break-even point in a sentence.
fn sentence(even: &BreakEven) -> String {
    let doc = quantity(&even.quantity).map_or("", |q| q.doc);
    let at = even.at.as_ref().map_or_else(String::new, |(key, value)| format!(" (with {key} = {value})"));
    let how = match even.runs {
        0 => "interpolated".to_owned(),
        n => format!("narrowed down by {}", super::format::plural(n.into(), "further run")),
    };
    format!(
        "{}: {} has less below {} = {}, {} above{at}; {how} [{doc}]",
        even.quantity, even.below, even.key, even.written, even.above
    )
}
