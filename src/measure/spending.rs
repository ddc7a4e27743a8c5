//! What a run's requests come to in a month: how many there are, and how long each holds a function.

use super::{consumer::Cost, tally::Tally};
use crate::{
    cost::{MONTH_S, Side, Usage, bill, per_poll, per_webhook},
    model::{Span, Time},
    record::Record,
    scenario::{ConsumerPlan, CostPlan, LedgerKind, Mode, Plan},
};

/// Counts of one consumer's requests, those of the window of arrivals where they are polls.
#[derive(Debug, Clone, Copy)]
pub(super) struct Spending {
    window_end: Time,
    /// Page requests due within the window.
    polls: u64,
    /// Page requests of polls that found something or failed, and how long these took.
    timed_polls: u64,
    polled: Span,
    /// Attempts, copies included, and those that were acked, and how long these took.
    sent: u64,
    acked: u64,
    pushed: Span,
}

/// A month in seconds of driver time per second of the window: what a count is multiplied by.
fn months(plan: &Plan, end: Time) -> f64 {
    let window = plan.duration.0.min(end.0).max(1);
    MONTH_S / (window as f64 / 1e9 * plan.time_scale)
}

impl Spending {
    pub(super) fn new(window: Span) -> Spending {
        let (window_end, none) = (Time::ZERO + window, Span::ZERO);
        Spending { window_end, polls: 0, timed_polls: 0, polled: none, sent: 0, acked: 0, pushed: none }
    }

    pub(super) fn see(&mut self, record: &Record) {
        match record {
            Record::Attempt(attempt) => {
                self.sent += 1;
                if attempt.outcome.is_ack() {
                    self.acked += 1;
                    self.pushed = self.pushed + attempt.done.since(attempt.sent);
                }
            }
            Record::Poll(poll) => {
                self.timed_polls += u64::from(poll.requests);
                self.polled = self.polled + poll.done.since(poll.sent);
                if poll.intended < self.window_end {
                    self.polls += u64::from(poll.requests);
                }
            }
            Record::PollTally { after_window: false, empty, not_modified, .. } => {
                self.polls += u64::from(*empty) + u64::from(*not_modified);
            }
            _ => {}
        }
    }

    /// What a month of this comes to.
    fn usage(&self, plan: &Plan, mine: &ConsumerPlan, tally: &Tally, end: Time) -> Usage {
        let (months, live) = (months(plan, end), plan.mode == Mode::Live);
        let mean = |sum: Span, n: u64| (live && n > 0).then(|| sum.as_secs_f64() / n as f64);
        let polls = self.polls as f64 * months;
        // A long poll is held as long as its client has no other: together all of the time.
        let held_s = match mine.polling().and_then(|polling| polling.strategy.hold()) {
            Some(_) if self.polls > 0 => f64::from(mine.clients) * MONTH_S / polls,
            _ => 0.0,
        };
        // What reached a receiver of ours it has said; of another's, the sender only.
        let arrived = if mine.is_external() { self.sent } else { tally.by_push.receipts + tally.rejected };
        let remembered_for_s = match (mine.ledger, mine.ledger_ttl) {
            (LedgerKind::None, _) => 0.0,
            (_, None) => MONTH_S,
            (_, Some(ttl)) => ttl.as_secs_f64() * plan.time_scale,
        };
        let requests = (tally.useful + tally.wasted + tally.failed).max(1) as f64;
        let bytes = |of: fn((u64, u64)) -> u64| tally.bytes.map(|bytes| of(bytes) as f64 / requests);
        Usage {
            polls,
            webhooks_sent: self.sent as f64 * months,
            webhooks_arrived: arrived.min(self.sent) as f64 * months,
            remembered: tally.due as f64 * months * remembered_for_s / MONTH_S,
            poll_s: if held_s > 0.0 { None } else { mean(self.polled, self.timed_polls) },
            held_s,
            webhook_s: mean(self.pushed, self.acked),
            bytes_up: bytes(|(up, _)| up),
            bytes_down: bytes(|(_, down)| down),
        }
    }
}

/// The bills of both sides for a month of what this consumer did.
pub(super) fn cost(plan: &Plan, mine: &ConsumerPlan, tally: &Tally, end: Time) -> Option<Cost> {
    let CostPlan { prices, free_tier } = plan.cost.as_ref()?;
    let usage = tally.spending.usage(plan, mine, tally, end);
    let of = |side| bill(prices, side, &usage, *free_tier);
    let one =
        |of: fn(&crate::cost::PriceList, Side, &Usage) -> f64, here: bool, side| here.then(|| of(prices, side, &usage));
    Some(Cost {
        consumer: of(Side::Consumer),
        provider: of(Side::Provider),
        usage,
        currency: prices.currency.clone(),
        prices: prices.name.clone(),
        prices_dated: prices.dated.clone(),
        per_poll: [Side::Consumer, Side::Provider].map(|side| one(per_poll, mine.polls(), side)),
        per_webhook: [Side::Consumer, Side::Provider].map(|side| one(per_webhook, mine.is_pushed(), side)),
    })
}

/// What all bills take for granted.
pub(super) fn assumptions(plan: &Plan) -> Vec<String> {
    let Some(CostPlan { prices, free_tier }) = &plan.cost else { return Vec::new() };
    let free = if *free_tier { "free tiers are counted" } else { "no free tier" };
    let durations = match plan.mode {
        Mode::Live => {
            "functions run as long as requests took here, over loopback: real ones have a network, TLS and cold starts \
             to wait for"
        }
        Mode::Virtual => {
            "functions run as long as the price list says, because virtual time measures none; what a long poll is held \
             comes on top"
        }
    };
    vec![
        format!(
            "costs: {}, {}, in {}; a month is 30 days that go like this run's window of arrivals; {free}",
            prices.name, prices.dated, prices.currency
        ),
        format!("costs: {durations}"),
    ]
}
