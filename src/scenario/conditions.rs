//! `[goal]` and `[expect]`: which quantity of which consumer is meant. What is wanted of it is read in
//! [`bounds`].

use std::collections::BTreeMap;

use super::{
    Condition, ConsumerPlan, bounds,
    error::{At, Problem},
    names::suggest,
    raw::RawBound,
};

/// Every quantity of a consumer's result that a goal or an expectation can name. What each is, and how
/// it is read from a result, stands in `measure`, whose tests hold the two lists together.
pub const QUANTITY_NAMES: &[&str] = &[
    "requests",
    "useful_requests",
    "wasted_requests",
    "failed_requests",
    "wasted_share",
    "peak_requests_per_s",
    "empty_responses",
    "not_modified",
    "attempts",
    "acked",
    "gave_up",
    "redelivered",
    "rate_limited",
    "endpoints_disabled",
    "receipts",
    "receipts_by_push",
    "receipts_by_poll",
    "duplicates_by_push",
    "duplicates_by_poll",
    "duplicates_received",
    "duplicates_suppressed",
    "duplicates_applied",
    "due",
    "applied",
    "superseded",
    "dead_lettered",
    "lost",
    "pending",
    "undelivered",
    "gave_up_but_applied",
    "stale_overwrites",
    "forged_accepted",
    "external_calls",
    "external_repeated",
    "outbox_pending",
    "external_window_s.mean",
    "external_window_s.p99",
    "external_repeats_per_crash",
    "spoiled_accepted",
    "rejected",
    "bytes_up",
    "bytes_down",
    "cpu_s",
    "peak_rss_bytes",
    "age_s.mean",
    "age_s.p50",
    "age_s.p90",
    "age_s.p99",
    "age_s.p999",
    "age_s.max",
];

/// Reads a table of conditions. In `[expect]` a key starts with a consumer's name; in `[goal]` it
/// may.
pub(super) fn read(
    at: &At,
    table: &BTreeMap<String, RawBound>,
    consumers: &[ConsumerPlan],
    needs_consumer: bool,
) -> Result<Vec<Condition>, Problem> {
    table.iter().map(|(key, bound)| read_one(&at.key(key), key, bound, consumers, needs_consumer)).collect()
}

fn read_one(
    at: &At,
    key: &str,
    bound: &RawBound,
    consumers: &[ConsumerPlan],
    needs_consumer: bool,
) -> Result<Condition, Problem> {
    let named = key.split_once('.').and_then(|(name, rest)| {
        consumers.iter().position(|consumer| consumer.name == name).map(|index| (index as u16, rest))
    });
    let (consumer, quantity) = match named {
        Some((index, rest)) => (Some(index), rest),
        None if needs_consumer => {
            let names: Vec<&str> = consumers.iter().map(|consumer| consumer.name.as_str()).collect();
            let name = key.split('.').next().unwrap_or_default();
            return Err(at.problem(
                format!("\"{name}\" is no consumer of this scenario"),
                format!("{}; a key is \"<consumer>.<quantity>\"", suggest(name, &names)),
            ));
        }
        None => (None, key),
    };
    let quantity = match quantity.strip_prefix("age.") {
        Some(rest) => format!("age_s.{rest}"),
        None => quantity.to_owned(),
    };
    if !QUANTITY_NAMES.contains(&quantity.as_str()) {
        return Err(
            at.problem(format!("\"{quantity}\" is no quantity of a result"), suggest(&quantity, QUANTITY_NAMES))
        );
    }
    let (comparison, bound, wanted) = bounds::read(at, bound)?;
    if !needs_consumer && comparison.tolerance().is_some() {
        return Err(at.problem("a goal is met or missed at a bound", "write a comparison, such as \"< 60s\""));
    }
    Ok(Condition { key: key.to_owned(), consumer, quantity, comparison, bound, wanted })
}
