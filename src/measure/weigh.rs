//! What the messages of a virtual run weigh: nothing is really sent, so bytes follow from the records and
//! from what the plan takes a message for. A live run's sockets count for themselves.

use crate::{
    fault::TargetPath,
    model::{PollOutcome, Span, Time},
    record::{Poll, Record},
    scenario::{ConsumerNo, ConsumerPlan, MessageBytes, Mode, Plan},
};

/// The bytes of one consumer's messages.
#[derive(Debug)]
pub(super) struct Weigh {
    bytes: MessageBytes,
    conditional: bool,
    window_end: Time,
    pub(super) all: BothWays,
    /// Of messages that belong to the window of arrivals.
    pub(super) window: BothWays,
}

/// Bytes from the consumer and to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct BothWays {
    pub(super) up: u64,
    pub(super) down: u64,
}

impl BothWays {
    fn plus(self, other: BothWays) -> BothWays {
        BothWays { up: self.up.saturating_add(other.up), down: self.down.saturating_add(other.down) }
    }

    fn times(self, n: u64) -> BothWays {
        BothWays { up: self.up.saturating_mul(n), down: self.down.saturating_mul(n) }
    }
}

/// What messages weigh; a webhook as much as its provider's profile makes it, where one is named.
fn bytes(plan: &Plan, mine: &ConsumerPlan) -> MessageBytes {
    let profile = plan.providers[usize::from(mine.provider)].described.as_ref();
    let given = plan.virtual_time.bytes;
    MessageBytes { webhook: profile.map_or(given.webhook, |profile| profile.webhook_bytes), ..given }
}

impl Weigh {
    /// Scales for a consumer of a virtual run.
    pub(super) fn of(plan: &Plan, no: ConsumerNo) -> Option<Weigh> {
        let mine = plan.consumers.get(usize::from(no)).filter(|_| plan.mode == Mode::Virtual)?;
        Some(Weigh {
            bytes: bytes(plan, mine),
            conditional: mine.polling().is_some_and(|polling| polling.strategy.is_conditional()),
            window_end: Time::ZERO + plan.duration,
            all: BothWays::default(),
            window: BothWays::default(),
        })
    }

    /// Weighs what a record tells of.
    pub(super) fn see(&mut self, record: &Record) {
        let (weight, in_window) = match record {
            Record::Poll(poll) => (self.poll(poll), poll.intended < self.window_end),
            Record::PollTally { after_window, empty, not_modified, .. } => {
                let unchanged = self.page(self.bytes.not_modified).times(u64::from(*not_modified));
                (self.page(self.bytes.page_answer).times(u64::from(*empty)).plus(unchanged), !after_window)
            }
            // What is lost on its way there is not counted, as on a live run's sockets.
            Record::Receipt { by: TargetPath::Webhook, at, .. } | Record::Rejected { at, .. } => {
                (BothWays { up: self.bytes.ack, down: self.bytes.webhook }, *at < self.window_end)
            }
            _ => return,
        };
        self.all = self.all.plus(weight);
        if in_window {
            self.window = self.window.plus(weight);
        }
    }

    /// A request for a page, and an answer of `down` bytes.
    fn page(&self, down: u64) -> BothWays {
        let more = if self.conditional { self.bytes.if_none_match } else { 0 };
        BothWays { up: self.bytes.page_request.saturating_add(more), down }
    }

    fn poll(&self, poll: &Poll) -> BothWays {
        let last = match poll.outcome {
            PollOutcome::Events | PollOutcome::Empty => self.bytes.page_answer,
            PollOutcome::NotModified => self.bytes.not_modified,
            // An error has a head and no page.
            PollOutcome::Status(_) => self.bytes.not_modified,
            PollOutcome::Timeout | PollOutcome::Broken | PollOutcome::Refused => 0,
        };
        let pages = u64::from(poll.requests);
        let before = self.page(self.bytes.page_answer).times(pages.saturating_sub(1));
        let events = BothWays { up: 0, down: self.bytes.page_event }.times(u64::from(poll.events));
        self.page(last).times(pages.min(1)).plus(before).plus(events)
    }

    /// Bytes both ways within the window of arrivals.
    pub(super) fn in_window(&self) -> u64 {
        self.window.up.saturating_add(self.window.down)
    }

    /// These as a rate, in units of 2^20 bits per second.
    pub(super) fn mibit_per_s(&self, window: Span) -> f64 {
        self.in_window() as f64 * 8.0 / f64::from(1u32 << 20) / window.as_secs_f64()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::testing;

    const BYTES: MessageBytes = MessageBytes {
        page_request: 200,
        if_none_match: 30,
        page_answer: 180,
        page_event: 500,
        not_modified: 90,
        webhook: 800,
        ack: 70,
    };

    fn weigh() -> Weigh {
        let mut plan = testing::plan(testing::polling_consumer(1));
        plan.mode = Mode::Virtual;
        plan.virtual_time.bytes = BYTES;
        Weigh::of(&plan, 0).unwrap()
    }

    fn poll(intended_ms: u64, requests: u32, events: u32, outcome: PollOutcome) -> Record {
        let at = Time::ZERO + Span::from_millis(intended_ms);
        let poll =
            Poll { consumer: 0, client: 0, number: 1, intended: at, sent: at, done: at, requests, events, outcome };
        Record::Poll(poll)
    }

    #[test]
    fn polls_weigh_what_they_asked_and_were_told() {
        // The plan's poller is conditional; its window is 50 ms.
        let mut scales = weigh();
        scales.see(&poll(1, 1, 0, PollOutcome::NotModified));
        assert_eq!(scales.all, BothWays { up: 230, down: 90 });
        scales.see(&poll(2, 3, 250, PollOutcome::Events));
        assert_eq!(scales.all, BothWays { up: 4 * 230, down: 90 + 3 * 180 + 250 * 500 });
        let before = scales.all;
        scales.see(&poll(60, 1, 0, PollOutcome::Timeout));
        assert_eq!((scales.window, scales.all), (before, before.plus(BothWays { up: 230, down: 0 })));
        let mut scales = weigh();
        let lag_max = Span::ZERO;
        scales.see(&Record::PollTally {
            consumer: 0,
            second: 0,
            after_window: false,
            empty: 2,
            not_modified: 3,
            lag_max,
        });
        assert_eq!(scales.window, BothWays { up: 5 * 230, down: 2 * 180 + 3 * 90 });
        assert_eq!(scales.in_window(), 5 * 230 + 630);
        assert!((scales.mibit_per_s(Span::from_secs(1)) - 1780.0 * 8.0 / 1_048_576.0).abs() < 1e-12);
    }

    #[test]
    fn webhooks_weigh_where_they_arrive_and_live_runs_count_for_themselves() {
        let mut scales = weigh();
        let what = crate::record::Obligation { consumer: 0, client: 0, seq: 1 };
        let at = Time::ZERO;
        scales.see(&Record::Receipt { what, forged: false, by: TargetPath::Webhook, at });
        scales.see(&Record::Receipt { what, forged: false, by: TargetPath::Poll, at });
        assert_eq!(scales.all, BothWays { up: 70, down: 800 });
        assert!(Weigh::of(&testing::plan(testing::polling_consumer(1)), 0).is_none());
    }
}
