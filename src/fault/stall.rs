//! A consumer's process that stops for a while without dying.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Fault, FaultProblem, Hits, Selector};

/// The consumer's process is stopped within the window [from, until), as by a long garbage
/// collection or a frozen virtual machine; its sockets stay open.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Stall {}

impl Fault for Stall {
    const SUMMARY: &'static str = "stops the consumer's process for a while without killing it";
    const HITS: Hits = Hits::PROCESS;

    fn validate(&self, selector: &Selector) -> Result<(), FaultProblem> {
        let window_only =
            Selector { from: selector.from, until: selector.until, ..Selector::default() } == *selector;
        if window_only && selector.from.is_some() && selector.until.is_some() {
            return Ok(());
        }
        Err(FaultProblem {
            key: "from",
            problem: "a stall needs a window, and takes no other limit".to_owned(),
            fix: "write from = \"10s\" and until = \"11s\"".to_owned(),
        })
    }
}
