//! `[goal]` and `[expect]`: which quantity of which consumer is meant. What is wanted of it is read in
//! [`bounds`].

use std::collections::BTreeMap;

use super::{
    Condition, ConsumerNo, ConsumerPlan, bounds,
    error::{At, Problem},
    names::suggest,
    raw::RawBound,
    units::parse_span,
};
use crate::model::Span;

/// Every quantity of a consumer's result that a goal or an expectation can name. What each is, and how
/// it is read from a result, stands in `measure`, whose tests hold the two lists together.
pub const QUANTITY_NAMES: &[&str] = &[
    "requests",
    "useful_requests",
    "wasted_requests",
    "failed_requests",
    "wasted_share",
    "peak_requests_per_s",
    "window_polls",
    "window_useful",
    "window_empty",
    "polls_per_client_s",
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
    "applied_twice",
    "due",
    "applied",
    "superseded",
    "dead_lettered",
    "lost",
    "pending",
    "undelivered",
    "gave_up_but_applied",
    "stale_overwrites",
    "subject_repeated",
    "forged_accepted",
    "external_calls",
    "external_repeated",
    "external_limited",
    "outbox_pending",
    "external_window_s.mean",
    "external_window_s.p99",
    "external_repeats_per_crash",
    "spoiled_accepted",
    "rejected",
    "bytes_up",
    "bytes_down",
    "window_bytes",
    "window_mibit_per_s",
    "cpu_s",
    "peak_rss_bytes",
    "timeouts",
    "late_offered_per_s",
    "late_goodput_per_s",
    "fell",
    "fell_after_s",
    "waited",
    "wait_s.mean",
    "poll_s.mean",
    "poll_s.max",
    "backlog_peak",
    "due_in_outage",
    "outage_lag_s.mean",
    "outage_lag_s.max",
    "drain_s",
    "back_after_s",
    "cost_per_month.consumer",
    "cost_per_month.provider",
    "age_s.mean",
    "age_s.p50",
    "age_s.p90",
    "age_s.p95",
    "age_s.p99",
    "age_s.p999",
    "age_s.max",
    "age_ks_uniform",
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
    let (first, second) = match key.split_once(" / ") {
        Some((first, second)) if needs_consumer => (first.trim(), Some(second.trim())),
        Some(_) => return Err(at.problem("a goal is about one quantity", "write a ratio in [expect]")),
        None => (key, None),
    };
    let (consumer, quantity) = read_figure(at, first, consumers, needs_consumer)?;
    let over = match second {
        Some(second) => {
            let (consumer, quantity) = read_figure(at, second, consumers, true)?;
            consumer.map(|consumer| (consumer, quantity))
        }
        None => None,
    };
    let (comparison, bound, wanted) = bounds::read(at, bound)?;
    if !needs_consumer && comparison.tolerance().is_some() {
        return Err(at.problem("a goal is met or missed at a bound", "write a comparison, such as \"< 60s\""));
    }
    Ok(Condition { key: key.to_owned(), consumer, quantity, over, comparison, bound, wanted })
}

/// `consumer.quantity`, or a quantity alone where that is enough.
fn read_figure(
    at: &At,
    figure: &str,
    consumers: &[ConsumerPlan],
    needs_consumer: bool,
) -> Result<(Option<ConsumerNo>, String), Problem> {
    let named = figure.split_once('.').and_then(|(name, rest)| {
        consumers.iter().position(|consumer| consumer.name == name).map(|index| (index as ConsumerNo, rest))
    });
    let (consumer, quantity) = match named {
        Some((index, rest)) => (Some(index), rest),
        None if needs_consumer => {
            let names: Vec<&str> = consumers.iter().map(|consumer| consumer.name.as_str()).collect();
            let name = figure.split('.').next().unwrap_or_default();
            return Err(at.problem(
                format!("\"{name}\" is no consumer of this scenario"),
                format!(
                    "{}; a key is \"<consumer>.<quantity>\", or a ratio of two: \"<...> / <...>\"",
                    suggest(name, &names)
                ),
            ));
        }
        None => (None, figure),
    };
    let quantity = match quantity.strip_prefix("age.") {
        Some(rest) => format!("age_s.{rest}"),
        None => quantity.to_owned(),
    };
    if !is_quantity(&quantity) {
        return Err(
            at.problem(format!("\"{quantity}\" is no quantity of a result"), suggest(&quantity, QUANTITY_NAMES))
        );
    }
    Ok((consumer, quantity))
}

/// Whether a result has it.
pub(super) fn is_quantity(name: &str) -> bool {
    QUANTITY_NAMES.contains(&name) || share_over(name).is_some()
}

/// The age in `age_s.over_60s`: the share of what was due that was older.
#[must_use]
pub fn share_over(quantity: &str) -> Option<Span> {
    quantity.strip_prefix("age_s.over_").and_then(|age| parse_span(age).ok())
}
