//! The harness's own lag: how far it was behind its intended instants through its own fault.

use crate::{
    measure::AgeRecorder,
    model::{ClientNo, Span, Time},
    record::Poll,
};

/// The lag of one consumer's polls.
///
/// A poller is a closed loop around its own answer: a poll whose predecessor was still under way
/// starts late through no fault of the harness, and so does one that falls into a crash or stall.
/// Only what is left after both counts.
#[derive(Debug)]
pub(super) struct PollLag {
    lag: AgeRecorder,
    busy_until: Vec<Time>,
    down: Vec<(Time, Time, bool)>,
}

impl PollLag {
    pub(super) fn new(clients: u32, down: Vec<(Time, Time, bool)>) -> PollLag {
        PollLag { lag: AgeRecorder::new(), busy_until: vec![Time::ZERO; clients as usize], down }
    }

    pub(super) fn poll(&mut self, poll: &Poll) {
        let busy_until = self.busy(poll.client);
        let free_since = poll.intended.max(busy_until);
        if !self.was_down(poll.intended, poll.sent) {
            self.lag.record(poll.sent.since(free_since));
        }
        if let Some(busy) = self.busy_until.get_mut(poll.client as usize) {
            *busy = poll.done;
        }
    }

    /// A tally tells the largest lag of its polls only: one poll had it, the others count as prompt.
    /// So the percentile is a lower bound, exact where a tally holds one poll.
    pub(super) fn tally(&mut self, second: u32, polls: u64, lag_max: Span) {
        let from = Time::ZERO + Span::from_secs(u64::from(second));
        if polls > 0 && !self.was_down(from, from + Span::from_secs(1) + lag_max) {
            self.lag.record(lag_max);
            self.lag.record_n(Span::ZERO, polls - 1);
        }
    }

    pub(super) fn p99_s(&self) -> Option<f64> {
        self.lag.quantile_s(0.99)
    }

    fn busy(&self, client: ClientNo) -> Time {
        self.busy_until.get(client as usize).copied().unwrap_or(Time::ZERO)
    }

    fn was_down(&self, intended: Time, sent: Time) -> bool {
        self.down.iter().any(|&(from, until, _)| intended <= until && sent >= from)
    }
}
