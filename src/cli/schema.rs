//! `pushpull schema`.

use super::{Exit, print};
use crate::scenario::raw::RawScenario;

pub(super) fn run() -> anyhow::Result<Exit> {
    let schema = schemars::schema_for!(RawScenario);
    print(&format!("{}\n", serde_json::to_string_pretty(&schema)?))?;
    Ok(Exit::Good)
}
