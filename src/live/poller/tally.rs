//! Uneventful polls, counted per second of their intended instant.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use crate::{
    model::{Span, Time},
    record::{Record, RecordSink},
    scenario::ConsumerNo,
};

/// The tallies of one polling process.
pub(super) struct Tallies {
    consumer: ConsumerNo,
    window_end: Time,
    /// By second, and whether the window of arrivals was over.
    seconds: Mutex<BTreeMap<(u32, bool), Tally>>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Tally {
    empty: u32,
    not_modified: u32,
    lag_max: Span,
}

impl Tallies {
    pub fn new(consumer: ConsumerNo, window_end: Time) -> Tallies {
        Tallies { consumer, window_end, seconds: Mutex::new(BTreeMap::new()) }
    }

    /// Counts a poll that found nothing.
    pub fn count(&self, intended: Time, sent: Time, not_modified: bool) {
        let second = u32::try_from(intended.0 / 1_000_000_000).unwrap_or(u32::MAX);
        let mut seconds = self.seconds.lock().unwrap_or_else(PoisonError::into_inner);
        let tally = seconds.entry((second, intended >= self.window_end)).or_default();
        tally.lag_max = tally.lag_max.max(sent.since(intended));
        if not_modified {
            tally.not_modified += 1;
        } else {
            tally.empty += 1;
        }
    }

    /// Writes what is counted so far.
    pub fn flush(&self, records: &dyn RecordSink) {
        let all = std::mem::take(&mut *self.seconds.lock().unwrap_or_else(PoisonError::into_inner));
        self.write(all, records);
    }

    fn write(&self, seconds: BTreeMap<(u32, bool), Tally>, records: &dyn RecordSink) {
        for ((second, after_window), tally) in seconds {
            records.put(Record::PollTally {
                consumer: self.consumer,
                second,
                after_window,
                empty: tally.empty,
                not_modified: tally.not_modified,
                lag_max: tally.lag_max,
            });
        }
    }
}
