//! Uneventful polls of one consumer, counted per second of their intended instant.
//!
//! Polls come in the order of their instants, so one second is open at a time.

use crate::{
    model::{Span, Time},
    record::Record,
    scenario::ConsumerNo,
};

/// The tallies of one consumer.
#[derive(Debug)]
pub(super) struct Tallies {
    consumer: ConsumerNo,
    window_end: Time,
    /// The second, whether the window of arrivals was over, and what is counted in it.
    open: (u32, bool),
    empty: u32,
    not_modified: u32,
    lag_max: Span,
}

impl Tallies {
    pub fn new(consumer: ConsumerNo, window_end: Time) -> Tallies {
        Tallies { consumer, window_end, open: (0, false), empty: 0, not_modified: 0, lag_max: Span::ZERO }
    }

    /// Counts a poll that found nothing.
    pub fn count(&mut self, intended: Time, sent: Time, not_modified: bool, each: &mut dyn FnMut(Record)) {
        let second = u32::try_from(intended.0 / 1_000_000_000).unwrap_or(u32::MAX);
        let place = (second, intended >= self.window_end);
        if place != self.open {
            self.close(each);
            self.open = place;
        }
        self.lag_max = self.lag_max.max(sent.since(intended));
        if not_modified {
            self.not_modified += 1;
        } else {
            self.empty += 1;
        }
    }

    /// Writes down what is counted and not yet written.
    pub fn close(&mut self, each: &mut dyn FnMut(Record)) {
        if self.empty + self.not_modified == 0 {
            return;
        }
        let (second, after_window) = self.open;
        let (consumer, empty, not_modified) = (self.consumer, self.empty, self.not_modified);
        each(Record::PollTally { consumer, second, after_window, empty, not_modified, lag_max: self.lag_max });
        (self.empty, self.not_modified, self.lag_max) = (0, 0, Span::ZERO);
    }
}
