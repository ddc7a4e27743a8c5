//! One consumer's result. `None` is what nobody observed: it prints "not observed" and fails any
//! expectation on it.

use serde::{Deserialize, Serialize};

use super::{Age, Behind, Load, Recovery, Series};
use crate::cost::{Bill, Usage};

/// What one consumer's strategy cost and brought.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ConsumerResult {
    /// Its name.
    pub name: String,
    /// "polling" or "webhook".
    pub kind: String,
    /// Polling clients or webhook endpoints.
    pub clients: u32,
    /// Page requests made, or webhooks sent, copies included.
    pub requests: u64,
    /// Requests that brought something new: pages with events, or the first ack of a delivery.
    pub useful_requests: u64,
    /// Requests that were answered and brought nothing: empty and 304 polls, acks of what was acked.
    pub wasted_requests: u64,
    /// Requests in the busiest whole second.
    pub peak_requests_per_s: u64,
    /// Requests without a good answer.
    pub failed_requests: u64,
    /// Polls that were due within the window of arrivals; `None` for one that is told only.
    #[serde(default)]
    pub window_polls: Option<u64>,
    /// Of these, such as brought something new.
    #[serde(default)]
    pub window_useful: Option<u64>,
    /// Of these, such as were answered and brought nothing.
    #[serde(default)]
    pub window_empty: Option<u64>,
    /// Polls that were due within the window, per client and second.
    #[serde(default)]
    pub polls_per_client_s: Option<f64>,
    /// Polls answered 200 with nothing new.
    pub empty_responses: u64,
    /// Polls answered 304.
    pub not_modified: u64,
    /// Webhook attempts, copies not included.
    pub attempts: u64,
    /// Deliveries acked, as the sender saw it.
    pub acked: u64,
    /// Deliveries given up, as the sender saw it.
    pub gave_up: u64,
    /// Deliveries sent again after they had ended: dead letters replayed.
    pub redelivered: u64,
    /// Page requests that the provider's rate limit turned away.
    pub rate_limited: u64,
    /// How often an endpoint was switched off, by a 410 or after failures in a row.
    pub endpoints_disabled: u64,
    /// Times that an event was durably accepted.
    pub receipts: Option<u64>,
    /// Of these, by a webhook.
    pub receipts_by_push: Option<u64>,
    /// Of these, by a poll.
    pub receipts_by_poll: Option<u64>,
    /// Receipts by a webhook that were not the first of their obligation.
    pub duplicates_by_push: Option<u64>,
    /// Receipts by a poll that were not the first of their obligation.
    pub duplicates_by_poll: Option<u64>,
    /// Receipts of genuine events beyond the first per obligation.
    pub duplicates_received: Option<u64>,
    /// Duplicates that a worker, or the queue before their ack, recognised and suppressed.
    pub duplicates_suppressed: Option<u64>,
    /// Effects beyond the first per obligation.
    pub duplicates_applied: Option<u64>,
    /// Obligations with more than one effect.
    #[serde(default)]
    pub applied_twice: Option<u64>,
    /// Obligations: events times the clients that follow them.
    pub due: u64,
    /// Obligations that took effect.
    pub applied: Option<u64>,
    /// Obligations overtaken by a newer version, before they were applied or before anybody looked.
    pub superseded: Option<u64>,
    /// Obligations in the dead-letter queue.
    pub dead_lettered: Option<u64>,
    /// Obligations acked, passed by the cursor or expired at the provider, and nowhere durable.
    pub lost: Option<u64>,
    /// Obligations still under way at the end.
    pub pending: Option<u64>,
    /// Obligations that the sender gave up.
    pub undelivered: Option<u64>,
    /// Obligations that took effect although the sender gave up.
    pub gave_up_but_applied: Option<u64>,
    /// Effects with which an older version overwrote a newer one.
    pub stale_overwrites: Option<u64>,
    /// Effects beyond the first of their subject, by other events, where it shall happen once.
    #[serde(default)]
    pub subject_repeated: Option<u64>,
    /// Forged events that were answered 2xx or took hold in a store.
    pub forged_accepted: Option<u64>,
    /// Calls to somebody else's system, as its own store tells; `None` where effects happen here.
    pub external_calls: Option<u64>,
    /// Effects over there beyond the first per obligation.
    pub external_repeated: Option<u64>,
    /// Calls answered 429 by somebody else's system.
    #[serde(default)]
    pub external_limited: Option<u64>,
    /// Rows left in the outbox at the end.
    pub outbox_pending: Option<u64>,
    /// From a call's return to its durable mark: a crash in between calls again.
    pub external_window_s: Option<Age>,
    /// How many effects a crash at a random instant repeats where no key is honoured: rate x window.
    pub external_repeats_per_crash: Option<f64>,
    /// Requests answered 2xx although they were changed on their way, signed with an unknown secret, or
    /// stamped beyond the tolerance.
    pub spoiled_accepted: Option<u64>,
    /// Requests that the receiver refused.
    pub rejected: Option<u64>,
    /// Bytes from the consumer, HTTP heads included, TCP and IP excluded.
    pub bytes_up: Option<u64>,
    /// Bytes to the consumer, likewise.
    pub bytes_down: Option<u64>,
    /// Bytes both ways within the window of arrivals; `None` in live runs, whose sockets do not tell when.
    #[serde(default)]
    pub window_bytes: Option<u64>,
    /// These as a rate, in units of 2^20 bits per second.
    #[serde(default)]
    pub window_mibit_per_s: Option<f64>,
    /// Processor time, user and system, over all its processes.
    pub cpu_s: Option<f64>,
    /// Peak resident memory of its largest process.
    pub peak_rss_bytes: Option<u64>,
    /// 99th percentile of a poll's own start behind its intended instant.
    pub lag_p99_s: Option<f64>,
    /// Age of events when they took effect, in seconds.
    pub age_s: Option<Age>,
    /// How far the distribution of ages lies from the uniform one over a poll interval, at most. `None` where no
    /// condition asks for it, the polls lie on no even grid, or something had no effect.
    #[serde(default)]
    pub age_ks_uniform: Option<f64>,
    /// What waited for its effect, as time went by.
    pub behind: Option<Behind>,
    /// What its requests were up against.
    #[serde(default)]
    pub load: Load,
    /// How it came back after an outage; `None` where it was not away.
    #[serde(default)]
    pub recovery: Option<Recovery>,
    /// What happened when.
    pub series: Series,
    /// Cost per month; `None` where there is no price list.
    pub cost: Option<Cost>,
    /// The scenario's goals for this consumer.
    pub goals: Vec<Goal>,
}

/// What a month of this would cost.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Cost {
    /// What the consumer's side pays.
    pub consumer: Bill,
    /// What the provider's side pays.
    pub provider: Bill,
    /// The currency.
    pub currency: String,
    /// The price list's name.
    pub prices: String,
    /// The price list's date.
    pub prices_dated: String,
    /// What both bills are made from.
    pub usage: Usage,
    /// What one more request of a poller costs the consumer and the provider, before any discount; `None`
    /// where it does not poll.
    pub per_poll: [Option<f64>; 2],
    /// The same of a webhook.
    pub per_webhook: [Option<f64>; 2],
}

/// Whether a consumer meets a goal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Goal {
    /// The key as written.
    pub key: String,
    /// The right-hand side as written.
    pub wanted: String,
    /// The right-hand side as a number; times are in seconds.
    pub bound: f64,
    /// What was measured; `None` where it was not observed.
    pub actual: Option<f64>,
    /// Whether it is met.
    pub met: bool,
}
