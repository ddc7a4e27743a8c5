//! What the events say: made up from their number, or captured once.

use std::path::Path;

use sha2::{Digest, Sha256};

use super::context::Context;
use crate::{
    live::RoleError,
    model::{Event, EventId},
    wire,
    workload::{Arrivals, Replay},
};

/// Where the content of events comes from.
#[derive(Debug, Default)]
pub(super) enum Contents {
    /// A function of (seed, sequence).
    #[default]
    Made,
    /// The lines of a captured file, in the order of the schedule.
    Captured {
        /// The file.
        text: String,
        /// Where each event's line lies in it: start and length.
        lines: Vec<(u32, u32)>,
    },
}

impl Contents {
    /// What the plan's events say. `capture` is where the captured file lies, where there is one; it
    /// must be the one that the plan was made from.
    pub fn open(arrivals: &Arrivals, capture: Option<&Path>) -> Result<Contents, RoleError> {
        let Arrivals::Replay(replay) = arrivals else { return Ok(Contents::Made) };
        let path = capture.ok_or_else(|| RoleError::Assignment("the captured events are missing".to_owned()))?;
        let cannot = format!("cannot read the captured events in {}", path.display());
        let bytes = std::fs::read(path).map_err(RoleError::io(cannot))?;
        let changed = || {
            let shown = path.display();
            RoleError::Assignment(format!("{shown} has changed since the scenario was read; run the scenario again"))
        };
        Self::captured(replay, bytes).ok_or_else(changed)
    }

    fn captured(replay: &Replay, bytes: Vec<u8>) -> Option<Contents> {
        let digest: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        let text = String::from_utf8(bytes).ok().filter(|_| digest == replay.sha256)?;
        let lines = replay.table.rows().map(|row| (row.start, row.length)).collect();
        Some(Contents::Captured { text, lines })
    }

    fn line(&self, event: &Event) -> Option<&str> {
        let Contents::Captured { text, lines } = self else { return None };
        let (start, length) = *lines.get((event.seq as usize).checked_sub(1)?)?;
        text.get(start as usize..)?.get(..length as usize)
    }
}

impl Context {
    /// Appends the JSON of an event: the same bytes whenever it is asked for.
    pub fn render_event(&self, out: &mut Vec<u8>, event: &Event) {
        let id = EventId::genuine(self.plan.run_id, event.seq);
        let workload = &self.plan.workload;
        match (self.contents.line(event), &workload.arrivals) {
            (Some(line), Arrivals::Replay(replay)) => {
                wire::render_captured(out, line, &replay.keys, id, event, self.clock.wall())
                    .expect("the line was read when the scenario was, and the file has not changed since");
            }
            _ => wire::render_event(out, &workload.payload, id, event, self.clock.wall(), self.draws),
        }
    }
}
