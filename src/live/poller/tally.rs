//! The tallies of one polling process, which its clients share.

use std::sync::{Mutex, PoisonError};

use crate::{
    model::Time,
    record::{PollTallies, RecordSink},
    scenario::ConsumerNo,
};

/// Counts of polls that found nothing, under a lock.
pub(super) struct Tallies(Mutex<PollTallies>);

impl Tallies {
    pub fn new(consumer: ConsumerNo, window_end: Time) -> Tallies {
        Tallies(Mutex::new(PollTallies::new(consumer, window_end)))
    }

    /// Counts a poll that found nothing.
    pub fn count(&self, intended: Time, sent: Time, not_modified: bool) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).count(intended, sent, not_modified);
    }

    /// Writes what is counted so far.
    pub fn flush(&self, records: &dyn RecordSink) {
        let mut tallies = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        tallies.drain(&mut |record| records.put(record));
    }
}
