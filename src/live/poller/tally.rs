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
    seconds: Mutex<BTreeMap<u32, Tally>>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Tally {
    empty: u32,
    not_modified: u32,
    lag_max: Span,
}

impl Tallies {
    pub fn new(consumer: ConsumerNo) -> Tallies {
        Tallies { consumer, seconds: Mutex::new(BTreeMap::new()) }
    }

    /// Counts a poll that found nothing.
    pub fn count(&self, intended: Time, sent: Time, not_modified: bool) {
        let second = u32::try_from(intended.0 / 1_000_000_000).unwrap_or(u32::MAX);
        let mut seconds = self.seconds.lock().unwrap_or_else(PoisonError::into_inner);
        let tally = seconds.entry(second).or_default();
        tally.lag_max = tally.lag_max.max(sent.since(intended));
        if not_modified {
            tally.not_modified += 1;
        } else {
            tally.empty += 1;
        }
    }

    /// Writes the seconds that no poll can still fall into: two seconds back. A late poll opens its
    /// second anew; tallies of one second add up.
    pub fn flush_before(&self, now: Time, records: &dyn RecordSink) {
        let current = u32::try_from(now.0 / 1_000_000_000).unwrap_or(u32::MAX);
        let mut seconds = self.seconds.lock().unwrap_or_else(PoisonError::into_inner);
        let later = seconds.split_off(&current.saturating_sub(1));
        let over = std::mem::replace(&mut *seconds, later);
        drop(seconds);
        self.write(over, records);
    }

    /// Writes everything.
    pub fn flush_all(&self, records: &dyn RecordSink) {
        let all = std::mem::take(&mut *self.seconds.lock().unwrap_or_else(PoisonError::into_inner));
        self.write(all, records);
    }

    fn write(&self, seconds: BTreeMap<u32, Tally>, records: &dyn RecordSink) {
        for (second, tally) in seconds {
            records.put(Record::PollTally {
                consumer: self.consumer,
                second,
                empty: tally.empty,
                not_modified: tally.not_modified,
                lag_max: tally.lag_max,
            });
        }
    }
}
