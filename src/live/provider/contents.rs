//! What the events say: made up from their number, captured once, or made by hand.

use std::{
    path::Path,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicU32, Ordering},
    },
};

use sha2::{Digest, Sha256};

use super::context::Context;
use crate::{
    live::RoleError,
    model::{Event, EventId, Seq},
    wire::{self, HandMade},
    workload::{Arrivals, Replay},
};

/// Where the content of events comes from.
#[derive(Debug, Default)]
pub(super) struct Contents {
    scheduled: Scheduled,
    by_hand: ByHand,
}

/// Where the content of the plan's events comes from.
#[derive(Debug, Default)]
enum Scheduled {
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

/// What the events say that were made by hand, between those of the plan.
#[derive(Debug)]
struct ByHand {
    /// The first of them; nobody looks further for an event before it, and mostly there is none.
    first: AtomicU32,
    /// In the order of their sequences.
    made: RwLock<Vec<(Seq, Arc<HandMade>)>>,
}

/// What an event is.
enum Origin {
    ByHand(Arc<HandMade>),
    /// The plan's, with its place in the schedule, from 1.
    Scheduled(Seq),
}

impl Contents {
    /// What the plan's events say. `capture` is where the captured file lies, where there is one; it
    /// must be the one that the plan was made from.
    pub fn open(arrivals: &Arrivals, capture: Option<&Path>) -> Result<Contents, RoleError> {
        let Arrivals::Replay(replay) = arrivals else { return Ok(Contents::default()) };
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
        Some(Contents { scheduled: Scheduled::Captured { text, lines }, ..Contents::default() })
    }

    /// Says what a hand-made event says, before anybody hears of it. Sequences come in order.
    pub fn add(&self, seq: Seq, made: HandMade) {
        self.by_hand.add(seq, made);
    }

    /// The captured line of an event with this place in the schedule.
    fn line(&self, place: Seq) -> Option<&str> {
        let Scheduled::Captured { text, lines } = &self.scheduled else { return None };
        let (start, length) = *lines.get((place as usize).checked_sub(1)?)?;
        text.get(start as usize..)?.get(..length as usize)
    }
}

impl Default for ByHand {
    fn default() -> ByHand {
        ByHand { first: AtomicU32::new(Seq::MAX), made: RwLock::default() }
    }
}

impl ByHand {
    fn add(&self, seq: Seq, made: HandMade) {
        // Nothing in here panics half way, so a poisoned list is still whole.
        self.made.write().unwrap_or_else(PoisonError::into_inner).push((seq, Arc::new(made)));
        self.first.fetch_min(seq, Ordering::Release);
    }

    fn origin(&self, seq: Seq) -> Origin {
        if seq < self.first.load(Ordering::Acquire) {
            return Origin::Scheduled(seq);
        }
        let made = self.made.read().unwrap_or_else(PoisonError::into_inner);
        match made.binary_search_by_key(&seq, |(seq, _)| *seq) {
            Ok(at) => Origin::ByHand(Arc::clone(&made[at].1)),
            Err(before) => Origin::Scheduled(seq - before as Seq),
        }
    }
}

impl Context {
    /// The event's type; `None` where a capture says it, in whatever way.
    pub fn event_type(&self, event: &Event) -> Option<String> {
        match (self.contents.by_hand.origin(event.seq), &self.contents.scheduled) {
            (Origin::ByHand(made), _) => Some(made.event_type.clone()),
            (Origin::Scheduled(_), Scheduled::Made) => Some(self.plan.workload.payload.event_type.clone()),
            (Origin::Scheduled(_), Scheduled::Captured { .. }) => None,
        }
    }

    /// Appends the JSON of an event: the same bytes whenever it is asked for.
    pub fn render_event(&self, out: &mut Vec<u8>, event: &Event) {
        let id = EventId::genuine(self.plan.run_id, event.seq);
        let (workload, wall) = (&self.plan.workload, self.clock.wall());
        let place = match self.contents.by_hand.origin(event.seq) {
            Origin::ByHand(made) => return wire::render_hand_made(out, &made, id, event, wall),
            Origin::Scheduled(place) => place,
        };
        match (self.contents.line(place), &workload.arrivals) {
            (Some(line), Arrivals::Replay(replay)) => {
                wire::render_captured(out, line, &replay.keys, id, event, wall)
                    .expect("the line was read when the scenario was, and the file has not changed since");
            }
            _ => wire::render_event(out, &workload.payload, id, event, wall, self.draws),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::value::RawValue;

    use super::*;

    #[test]
    fn the_plans_events_keep_their_places_around_those_made_by_hand() {
        let by_hand = ByHand::default();
        let made = |name: &str| HandMade { event_type: name.to_owned(), data: RawValue::NULL.to_owned() };
        let told = |by_hand: &ByHand| -> Vec<String> {
            let tell = |seq| match by_hand.origin(seq) {
                Origin::ByHand(made) => made.event_type.clone(),
                Origin::Scheduled(place) => place.to_string(),
            };
            (1..=6).map(tell).collect()
        };
        assert_eq!(told(&by_hand), ["1", "2", "3", "4", "5", "6"]);
        by_hand.add(3, made("a"));
        by_hand.add(4, made("b"));
        by_hand.add(6, made("c"));
        assert_eq!(told(&by_hand), ["1", "2", "a", "b", "3", "c"]);
    }
}
