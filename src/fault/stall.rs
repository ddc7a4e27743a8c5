//! A consumer's process, or a database of its, that stops for a while without dying.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Fault, FaultProblem, Hits, Selector};

/// Within the window [from, until) the consumer's process is stopped, as by a long garbage collection
/// or a frozen virtual machine; or a database of its is locked from outside, as by a backup or a
/// migration. Its sockets stay open.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Stall {
    /// "process", or the "queue" or "ledger" database: nothing can be written to it.
    #[serde(default)]
    pub what: StallTarget,
}

/// What stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum StallTarget {
    /// The process.
    #[default]
    Process,
    /// The queue's file.
    Queue,
    /// The file of ledger and effects.
    Ledger,
}

impl Fault for Stall {
    const SUMMARY: &'static str = "stops the consumer's process, or locks a database of its, for a while";
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
