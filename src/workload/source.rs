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
    /// Reads what the events of these arrivals will be made from, all at once: of a million subjects each lies in
    /// far memory, and to wait for many together takes as long as for one.
    pub fn look_at<'a>(&self, arrivals: impl Iterator<Item = &'a Arrival>) {
        let versions = arrivals.filter_map(|arrival| self.versions.get(arrival.subject as usize));
        std::hint::black_box(versions.fold(0, |seen, version| seen ^ version));
    }

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
