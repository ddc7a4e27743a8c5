//! First attempts that wait for later events to overtake them, out of everybody's way.

use crate::{fault::Hold, model::Time};

/// What a reorder fault holds back. When an item is free follows from the instants at which the
/// endpoint's events are due, never from how they fare.
#[derive(Debug)]
pub(super) struct Siding<T> {
    held: Vec<Held<T>>,
}

#[derive(Debug)]
struct Held<T> {
    free_at: Time,
    /// How many events shall still leave before it; `None`: however many.
    overtaken_by: Option<u32>,
    item: T,
}

impl<T> Siding<T> {
    pub fn new() -> Siding<T> {
        Siding { held: Vec::new() }
    }

    /// Holds an item that was due at `due`.
    pub fn hold(&mut self, item: T, due: Time, hold: Hold) {
        self.held.push(Held { free_at: due + hold.at_most, overtaken_by: hold.overtaken_by, item });
    }

    /// Another event is due at `at`: whoever has been overtaken often enough leaves just before it.
    pub fn overtake(&mut self, at: Time) {
        for held in &mut self.held {
            match &mut held.overtaken_by {
                Some(0) => held.free_at = held.free_at.min(at),
                Some(left) => *left -= 1,
                None => {}
            }
        }
    }

    /// Takes out one that is free by `now`, in the order in which they came, with the instant since which
    /// it is.
    pub fn take_free(&mut self, now: Time) -> Option<(Time, T)> {
        let at = self.held.iter().position(|held| held.free_at <= now)?;
        let held = self.held.remove(at);
        Some((held.free_at, held.item))
    }

    /// When the next item is free without another event.
    pub fn next_at(&self) -> Option<Time> {
        self.held.iter().map(|held| held.free_at).min()
    }

    /// Everything held, in no particular order.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.held.iter().map(|held| &held.item)
    }

    /// Takes out everything.
    pub fn empty(&mut self) -> Vec<T> {
        self.held.drain(..).map(|held| held.item).collect()
    }
}
