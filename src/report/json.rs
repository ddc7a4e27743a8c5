//! `results.json`: the whole result.

use super::{ExportError, File, one};
use crate::{measure::Results, scenario::Plan};

pub(super) fn export(results: &Results, _plan: &Plan) -> Result<Vec<File>, ExportError> {
    let text = serde_json::to_string_pretty(results)
        .map_err(|error| ExportError { what: "results.json".to_owned(), why: error.to_string() })?;
    Ok(one("results.json", text + "\n"))
}
