//! From arrivals to events: sequences and versions, counted up.

use super::Arrival;
use crate::model::{Event, Seq, Version};

/// Numbers the arrivals of a schedule.
#[derive(Debug, Default)]
pub struct Source {
    /// By subject; as long as the highest that has come.
    versions: Vec<Version>,
    last: Seq,
}

impl Source {
    /// The event of the next arrival.
    pub fn next(&mut self, Arrival { at: occurred_at, subject }: Arrival) -> Event {
        self.last += 1;
        let index = subject as usize;
        if index >= self.versions.len() {
            self.versions.resize(index + 1, 0);
        }
        let version = &mut self.versions[index];
        *version += 1;
        Event { seq: self.last, subject, version: *version, occurred_at }
    }
}
