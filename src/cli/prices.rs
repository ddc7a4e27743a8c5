//! `pushpull prices`.

use super::{Exit, print};
use crate::scenario::EMBEDDED_PRICES;

pub(super) fn run() -> anyhow::Result<Exit> {
    print(EMBEDDED_PRICES.1)?;
    Ok(Exit::Good)
}
