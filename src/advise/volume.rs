//! What each strategy comes to in a month, by closed forms: for parts of a day that were not run, and for
//! finding where the answer flips.

use super::{Question, size::HOLD_S};
use crate::{
    cost::{MONTH_S, Usage},
    measure::model,
};

/// Events per page.
pub(super) const PAGE: u32 = 100;
/// A message there and one back, as virtual time has them.
const ROUND_TRIP_S: f64 = 100e-6;
/// A poll that reconciles is no more frequent than this.
const SAFETY_S: f64 = 900.0;

/// The strategies that are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Strategy {
    Poll,
    LongPoll,
    Webhook,
    Hybrid,
}

impl Strategy {
    /// Every strategy, by the name of its consumer.
    pub(super) const TABLE: [(&'static str, Strategy); 4] = [
        ("poll", Strategy::Poll),
        ("long-poll", Strategy::LongPoll),
        ("webhook", Strategy::Webhook),
        ("hybrid", Strategy::Hybrid),
    ];

    /// Whether it needs no address that a provider can reach.
    pub(super) fn only_asks(self) -> bool {
        matches!(self, Strategy::Poll | Strategy::LongPoll)
    }
}

/// Seconds between two polls of a hybrid's client.
pub(super) fn safety_s(question: &Question) -> f64 {
    question.poll_every_s(question.fresh.as_secs_f64().max(SAFETY_S))
}

/// What a month of `rate` events per second comes to, at one poll in `every_s` of each client.
pub(super) fn usage(question: &Question, strategy: Strategy, rate: f64, every_s: f64) -> Usage {
    let clients = f64::from(question.clients);
    let polls = |every_s: f64| clients * MONTH_S / every_s * model::pages_per_poll(rate / clients * every_s, PAGE);
    let events = rate * MONTH_S;
    // The ledger remembers for ever: a month's events, on average of its first months.
    let of_all = Usage { remembered: events, ..Usage::default() };
    let pushed = Usage { webhooks_sent: events, webhooks_arrived: events, ..of_all };
    match strategy {
        Strategy::Poll => Usage { polls: polls(every_s), ..of_all },
        Strategy::LongPoll => {
            let polls = clients * MONTH_S / model::long_poll_cycle_s(rate / clients, HOLD_S, ROUND_TRIP_S);
            Usage { polls, held_s: clients * MONTH_S / polls, ..of_all }
        }
        Strategy::Webhook => pushed,
        Strategy::Hybrid => Usage { polls: polls(safety_s(question)), ..pushed },
    }
}
