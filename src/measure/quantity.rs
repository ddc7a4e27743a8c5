//! What an expectation or a goal can ask about: the table of quantities.

use super::{Age, ConsumerResult, Recovery};
use crate::scenario::share_over;

/// One quantity of a consumer's result.
pub struct Quantity {
    /// Its path within the consumer's result.
    pub name: &'static str,
    /// Its unit.
    pub unit: Unit,
    /// One line for the reference.
    pub doc: &'static str,
    /// Reads it; `None` where it was not observed.
    pub read: fn(&ConsumerResult) -> Option<f64>,
}

/// Units of quantities.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// A number of things.
    Count,
    /// Seconds.
    Seconds,
    /// Bytes.
    Bytes,
    /// A share from 0 to 1.
    Share,
    /// Things per second.
    Rate,
    /// In the price list's currency.
    Money,
}

macro_rules! quantities {
    ($($name:literal, $unit:ident, $doc:literal, $read:expr;)+) => {
        /// Everything that can be asked about.
        pub const QUANTITIES: &[Quantity] =
            &[$(Quantity { name: $name, unit: Unit::$unit, doc: $doc, read: $read }),+];
    };
}

quantities! {
    "requests", Count, "page requests made, or webhooks sent with copies", |c| count(c.requests);
    "useful_requests", Count, "requests that brought something new", |c| count(c.useful_requests);
    "wasted_requests", Count, "requests answered without anything new", |c| count(c.wasted_requests);
    "failed_requests", Count, "requests without a good answer", |c| count(c.failed_requests);
    "wasted_share", Share, "wasted requests over all requests", wasted_share;
    "peak_requests_per_s", Count, "requests in the busiest whole second", |c| count(c.peak_requests_per_s);
    "window_polls", Count, "polls due within the window of arrivals", |c| maybe(c.window_polls);
    "window_useful", Count, "of these, such as brought something new", |c| maybe(c.window_useful);
    "window_empty", Count, "of these, such as were answered and brought nothing", |c| maybe(c.window_empty);
    "polls_per_client_s", Rate, "polls due within the window, per client and second", |c| c.polls_per_client_s;
    "empty_responses", Count, "polls answered 200 with nothing new", |c| count(c.empty_responses);
    "not_modified", Count, "polls answered 304", |c| count(c.not_modified);
    "attempts", Count, "webhook attempts, copies not included", |c| count(c.attempts);
    "acked", Count, "deliveries acked", |c| count(c.acked);
    "gave_up", Count, "deliveries given up by the sender", |c| count(c.gave_up);
    "redelivered", Count, "ended deliveries that were sent again", |c| count(c.redelivered);
    "rate_limited", Count, "page requests answered 429 by the provider's limit", |c| count(c.rate_limited);
    "endpoints_disabled", Count, "how often an endpoint was switched off", |c| count(c.endpoints_disabled);
    "receipts", Count, "times that an event was durably accepted", |c| maybe(c.receipts);
    "receipts_by_push", Count, "receipts by a webhook", |c| maybe(c.receipts_by_push);
    "receipts_by_poll", Count, "receipts by a poll", |c| maybe(c.receipts_by_poll);
    "duplicates_by_push", Count, "receipts by a webhook beyond the first of their obligation", |c| maybe(c.duplicates_by_push);
    "duplicates_by_poll", Count, "receipts by a poll beyond the first of their obligation", |c| maybe(c.duplicates_by_poll);
    "duplicates_received", Count, "receipts beyond the first per obligation", |c| maybe(c.duplicates_received);
    "duplicates_suppressed", Count, "duplicates recognised by a worker, or before their ack", |c| maybe(c.duplicates_suppressed);
    "duplicates_applied", Count, "effects beyond the first per obligation", |c| maybe(c.duplicates_applied);
    "applied_twice", Count, "obligations with more than one effect", |c| maybe(c.applied_twice);
    "due", Count, "obligations: events times the clients that follow them", |c| count(c.due);
    "applied", Count, "obligations that took effect", |c| maybe(c.applied);
    "superseded", Count, "obligations overtaken by a newer version", |c| maybe(c.superseded);
    "dead_lettered", Count, "obligations in the dead-letter queue", |c| maybe(c.dead_lettered);
    "lost", Count, "acked, passed by the cursor or expired at the provider, and nowhere durable", |c| maybe(c.lost);
    "pending", Count, "obligations still under way at the end", |c| maybe(c.pending);
    "undelivered", Count, "obligations that the sender gave up", |c| maybe(c.undelivered);
    "gave_up_but_applied", Count, "given up by the sender, yet in effect", |c| maybe(c.gave_up_but_applied);
    "stale_overwrites", Count, "older versions that overwrote newer ones", |c| maybe(c.stale_overwrites);
    "subject_repeated", Count, "effects beyond the first of their subject, where it shall happen once", |c| maybe(c.subject_repeated);
    "forged_accepted", Count, "forged events answered 2xx or stored", |c| maybe(c.forged_accepted);
    "external_calls", Count, "calls to somebody else's system, as its own store tells", |c| maybe(c.external_calls);
    "external_repeated", Count, "effects over there beyond the first per obligation", |c| maybe(c.external_repeated);
    "external_limited", Count, "calls that somebody else's system answered 429", |c| maybe(c.external_limited);
    "outbox_pending", Count, "rows left in the outbox at the end", |c| maybe(c.outbox_pending);
    "external_window_s.mean", Seconds, "mean time from a call's return to its durable mark", |c| window(c, |a| a.mean);
    "external_window_s.p99", Seconds, "99th percentile of that time", |c| window(c, |a| a.p99);
    "external_repeats_per_crash", Count, "effects that a crash repeats where no key is honoured: rate x window", |c| c.external_repeats_per_crash;
    "spoiled_accepted", Count, "requests answered 2xx although a fault had spoiled them", |c| maybe(c.spoiled_accepted);
    "rejected", Count, "requests that the receiver refused", |c| maybe(c.rejected);
    "bytes_up", Bytes, "bytes from the consumer, HTTP heads included", |c| maybe(c.bytes_up);
    "bytes_down", Bytes, "bytes to the consumer, HTTP heads included", |c| maybe(c.bytes_down);
    "window_bytes", Bytes, "bytes both ways within the window of arrivals, in virtual time", |c| maybe(c.window_bytes);
    "window_mibit_per_s", Rate, "these as a rate, in units of 2^20 bits per second", |c| c.window_mibit_per_s;
    "cpu_s", Seconds, "processor time over all its processes", |c| c.cpu_s;
    "peak_rss_bytes", Bytes, "peak resident memory of its largest process", |c| maybe(c.peak_rss_bytes);
    "timeouts", Count, "attempts, copies included, that ran into the ack timeout", |c| count(c.load.timeouts);
    "late_offered_per_s", Count, "attempts per second in the last tenth of the window of arrivals", |c| c.load.late_offered_per_s;
    "late_goodput_per_s", Count, "deliveries first acked per second in that tenth", |c| c.load.late_goodput_per_s;
    "fell", Share, "1 where more than half of every minute's attempts timed out from one minute on, else 0", fell;
    "fell_after_s", Seconds, "the beginning of the first of these minutes", |c| c.load.fell_after_s;
    "waited", Count, "first attempts that left later than they were due", |c| count(c.load.waited);
    "wait_s.mean", Seconds, "how long these waited, on average", |c| c.load.wait_mean_s;
    "poll_s.mean", Seconds, "from a poll's due instant to its last answer; null where polls are only counted", |c| c.load.poll_mean_s;
    "poll_s.max", Seconds, "the longest of these", |c| c.load.poll_max_s;
    "backlog_peak", Count, "the most that waited for its effect, at 240 instants of the run", backlog_peak;
    "due_in_outage", Count, "obligations that came due in an outage or stall", |c| recovery(c, |r| Some(r.due as f64));
    "outage_lag_s.mean", Seconds, "from an outage's end to the effect of what came due in it", |c| recovery(c, |r| r.lag_mean_s);
    "outage_lag_s.max", Seconds, "the longest of these", |c| recovery(c, |r| r.lag_max_s);
    "drain_s", Seconds, "from the last outage's end until nothing waited", |c| recovery(c, |r| r.drain_s);
    "back_after_s", Seconds, "from the last outage's end until most attempts came through for good", |c| recovery(c, |r| r.back_after_s);
    "cost_per_month.consumer", Money, "what a month costs the consumer", |c| c.cost.as_ref().map(|cost| cost.consumer.per_month);
    "cost_per_month.provider", Money, "what a month costs the provider", |c| c.cost.as_ref().map(|cost| cost.provider.per_month);
    "age_s.mean", Seconds, "mean age at the effect, over what was due", |c| age(c, |a| a.mean);
    "age_s.p50", Seconds, "median age", |c| age(c, |a| a.p50);
    "age_s.p90", Seconds, "90th percentile of the age", |c| age(c, |a| a.p90);
    "age_s.p95", Seconds, "95th percentile of the age", |c| age(c, |a| a.p95);
    "age_s.p99", Seconds, "99th percentile of the age", |c| age(c, |a| a.p99);
    "age_s.p999", Seconds, "99.9th percentile of the age", |c| age(c, |a| a.p999);
    "age_s.max", Seconds, "largest age", |c| age(c, |a| a.max);
    "age_ks_uniform", Share, "largest distance (Kolmogorov-Smirnov) of the ages' distribution to the uniform one over a poll interval; only where a condition asks", |c| c.age_ks_uniform;
}

fn count(value: u64) -> Option<f64> {
    Some(value as f64)
}

fn maybe(value: Option<u64>) -> Option<f64> {
    value.map(|value| value as f64)
}

fn age(consumer: &ConsumerResult, read: fn(&Age) -> Option<f64>) -> Option<f64> {
    consumer.age_s.as_ref().and_then(read)
}

fn window(consumer: &ConsumerResult, read: fn(&Age) -> Option<f64>) -> Option<f64> {
    consumer.external_window_s.as_ref().and_then(read)
}

fn fell(consumer: &ConsumerResult) -> Option<f64> {
    consumer.load.fell.map(|fell| if fell { 1.0 } else { 0.0 })
}

fn backlog_peak(consumer: &ConsumerResult) -> Option<f64> {
    consumer.behind.as_ref().and_then(|behind| behind.waiting.iter().max()).map(|most| *most as f64)
}

fn recovery(consumer: &ConsumerResult, read: fn(&Recovery) -> Option<f64>) -> Option<f64> {
    consumer.recovery.as_ref().and_then(read)
}

fn wasted_share(consumer: &ConsumerResult) -> Option<f64> {
    (consumer.requests > 0).then(|| consumer.wasted_requests as f64 / consumer.requests as f64)
}

/// The quantity of this name; `age.p99` is another spelling of `age_s.p99`.
#[must_use]
pub fn quantity(name: &str) -> Option<&'static Quantity> {
    let same = |quantity: &&Quantity| match name.strip_prefix("age.") {
        Some(rest) => quantity.name.strip_prefix("age_s.") == Some(rest),
        None => quantity.name == name,
    };
    QUANTITIES.iter().find(same)
}

/// What a consumer's result says of a quantity; `age_s.over_60s` is the share of what was due that was
/// older than a minute, or had no effect. `None` where it was not observed.
#[must_use]
pub fn read(name: &str, consumer: &ConsumerResult) -> Option<f64> {
    match share_over(name) {
        Some(bound) => consumer.age_s.as_ref().and_then(|age| age.share_over(bound)),
        None => quantity(name).and_then(|quantity| (quantity.read)(consumer)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_documented_and_found() {
        for (i, q) in QUANTITIES.iter().enumerate() {
            assert!(QUANTITIES[..i].iter().all(|other| other.name != q.name), "{}", q.name);
            assert!(!q.doc.is_empty());
            assert_eq!(quantity(q.name).map(|found| found.name), Some(q.name));
        }
        assert_eq!(quantity("age.p99").map(|q| q.name), Some("age_s.p99"));
        assert!(quantity("age.p42").is_none() && quantity("losses").is_none());
    }

    #[test]
    fn a_scenario_can_name_exactly_what_a_result_has() {
        let names: Vec<&str> = QUANTITIES.iter().map(|q| q.name).collect();
        assert_eq!(names, crate::scenario::QUANTITY_NAMES);
    }
}
