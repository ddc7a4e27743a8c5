//! Which combinations of fault, path and mode exist, and why the others do not.
//!
//! The table in `docs/faults.md` is written from here, and a scenario that asks for another
//! combination is refused with the reason.

use super::{FaultKind, Hits, Kind};
use crate::scenario::Mode;

/// What a fault acts on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// Webhook attempts, at the sender's end.
    Push,
    /// Polls, at the pull API's end.
    Pull,
    /// The consumer's process and stores, from outside.
    Process,
}

impl Way {
    /// Every way with its name.
    pub const TABLE: [(Way, &'static str); 3] = [(Way::Push, "push"), (Way::Pull, "pull"), (Way::Process, "process")];
}

const NOT_A_REQUEST: &str = "it acts on a process, and requests only feel what follows";
const NOT_A_PROCESS: &str = "it acts on requests at pushpull's own end of a connection, never inside a process";

fn reach(hits: Hits, why_not: (&'static str, &'static str), way: Way, mode: Mode) -> Result<(), &'static str> {
    let (why_not_pull, why_not_virtual) = why_not;
    if mode == Mode::Virtual && !why_not_virtual.is_empty() {
        return Err(why_not_virtual);
    }
    match way {
        Way::Push if hits.webhooks => Ok(()),
        Way::Pull if hits.polls => Ok(()),
        Way::Process if hits.process => Ok(()),
        Way::Process => Err(NOT_A_PROCESS),
        Way::Push | Way::Pull if hits.process => Err(NOT_A_REQUEST),
        Way::Push => Err("it acts on polls only"),
        Way::Pull => Err(why_not_pull),
    }
}

impl Kind {
    /// Whether faults of this kind can act so, with the attributes that allow most; if not, why not.
    pub fn reaches(&self, way: Way, mode: Mode) -> Result<(), &'static str> {
        reach(self.hits, (self.why_not_pull, self.why_not_virtual), way, mode)
    }
}

impl FaultKind {
    /// Whether this fault can act so, with its attributes; if not, why not.
    pub fn reaches(&self, way: Way, mode: Mode) -> Result<(), &'static str> {
        reach(self.can_hit(), (self.why_not_pull(), self.why_not_virtual()), way, mode)
    }
}
