//! Tables for spreadsheets. What was not observed is an empty cell.

use super::{ExportError, File, format::mode, one};
use crate::{
    measure::{QUANTITIES, Results},
    scenario::Plan,
};

/// One row per run and consumer, one column per quantity.
pub(super) fn consumers(results: &Results, _plan: &Plan) -> Result<Vec<File>, ExportError> {
    let names = QUANTITIES.iter().map(|quantity| quantity.name);
    let mut text = line(["mode", "seed", "valid", "consumer", "kind", "clients"].into_iter().chain(names));
    for run in &results.runs {
        for consumer in &run.consumers {
            let head = [
                mode(run.mode).to_owned(),
                run.seed.to_string(),
                run.valid.to_string(),
                consumer.name.clone(),
                consumer.kind.clone(),
                consumer.clients.to_string(),
            ];
            let cells = QUANTITIES.iter().map(|q| (q.read)(consumer).map_or(String::new(), |v| v.to_string()));
            text += &line(head.into_iter().chain(cells));
        }
    }
    Ok(one("consumers.csv", text))
}

/// One row per bucket of each consumer's age histogram.
pub(super) fn ages(results: &Results, _plan: &Plan) -> Result<Vec<File>, ExportError> {
    let mut text = line(["mode", "seed", "consumer", "age_us", "count"]);
    for run in &results.runs {
        for consumer in &run.consumers {
            for (age_us, count) in consumer.age_s.iter().flat_map(|age| &age.histogram_us) {
                let (seed, age_us, count) = (run.seed.to_string(), age_us.to_string(), count.to_string());
                text += &line([mode(run.mode), &seed, &consumer.name, &age_us, &count]);
            }
        }
    }
    Ok(one("ages.csv", text))
}

pub(super) fn line(cells: impl IntoIterator<Item = impl AsRef<str>>) -> String {
    let quoted: Vec<String> = cells.into_iter().map(|cell| quote(cell.as_ref())).collect();
    quoted.join(",") + "\n"
}

/// RFC 4180: quoted where it must be.
fn quote(cell: &str) -> String {
    if cell.contains([',', '"', '\n', '\r']) { format!("\"{}\"", cell.replace('"', "\"\"")) } else { cell.to_owned() }
}
