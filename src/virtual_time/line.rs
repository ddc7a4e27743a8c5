//! The line in front of a pull API that takes its time: one page request after the other, in the order
//! in which they came.
//!
//! A request is worked on whether or not its client still waits for it, so when it will be done is
//! certain from the moment it comes.

use crate::model::{Span, Time};

/// One provider's line.
#[derive(Debug)]
pub(super) struct Line {
    service: Span,
    /// When everything that has come is done.
    free_at: Time,
}

impl Line {
    /// Nobody stands in line.
    pub fn new(service: Span) -> Line {
        Line { service, free_at: Time::ZERO }
    }

    /// A request has come at `now`; tells when it is worked off.
    pub fn join(&mut self, now: Time) -> Time {
        self.free_at = self.free_at.max(now) + self.service;
        self.free_at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_comes_later_waits_for_those_before_and_an_empty_line_costs_the_service_only() {
        let mut line = Line::new(Span(10));
        assert_eq!([line.join(Time(5)), line.join(Time(5)), line.join(Time(16))], [Time(15), Time(25), Time(35)]);
        assert_eq!(line.join(Time(100)), Time(110));
    }
}
