//! `[goal]` and `[expect]`: keys, comparisons and bounds.

use std::collections::BTreeMap;

use super::{
    Comparison, Condition, ConsumerPlan,
    error::{At, Problem},
    names::suggest,
    raw::RawBound,
    units::parse_span,
};

/// A quantity of a consumer's result that a condition can name.
#[derive(Debug, Clone, Copy)]
pub struct Quantity {
    /// Its path in the result.
    pub name: &'static str,
    /// Its unit; "" for counts.
    pub unit: &'static str,
    /// What it is, in a line.
    pub summary: &'static str,
}

/// Every quantity that a goal or an expectation can name.
pub const QUANTITIES: &[Quantity] = &[
    q("requests", "", "webhook attempts and copies, or page requests"),
    q("empty_responses", "", "polls answered 200 without an event"),
    q("not_modified", "", "polls answered 304"),
    q("attempts", "", "webhook attempts"),
    q("receipts", "", "durable acceptances"),
    q("duplicates_received", "", "receipts beyond the first of an obligation"),
    q("duplicates_suppressed", "", "duplicates that the ledger caught"),
    q("duplicates_applied", "", "effects beyond the first of an obligation"),
    q("due", "", "obligations: events times the clients they are due to"),
    q("applied", "", "obligations with an effect"),
    q("superseded", "", "obligations that a newer version overtook"),
    q("dead_lettered", "", "obligations in the dead-letter queue"),
    q("lost", "", "obligations acked, or passed by the cursor, and nowhere durable"),
    q("pending", "", "obligations still on their way at the end"),
    q("undelivered", "", "obligations given up"),
    q("gave_up_but_applied", "", "obligations given up by the sender although they took effect"),
    q("stale_overwrites", "", "effects of an older version after a newer one"),
    q("forged_accepted", "", "forged events accepted"),
    q("bytes_up", "B", "bytes from the consumer"),
    q("bytes_down", "B", "bytes to the consumer"),
    q("cpu_s", "s", "CPU time of the consumer's processes"),
    q("peak_rss_bytes", "B", "peak memory of the consumer's processes"),
    q("age_s.mean", "s", "mean age"),
    q("age_s.p50", "s", "median age"),
    q("age_s.p90", "s", "90th percentile of the age"),
    q("age_s.p99", "s", "99th percentile of the age"),
    q("age_s.p999", "s", "99.9th percentile of the age"),
    q("age_s.max", "s", "largest age"),
];

const fn q(name: &'static str, unit: &'static str, summary: &'static str) -> Quantity {
    Quantity { name, unit, summary }
}

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
    let known: Vec<&str> = QUANTITIES.iter().map(|q| q.name).collect();
    if !known.contains(&quantity.as_str()) {
        return Err(at.problem(format!("\"{quantity}\" is no quantity of a result"), suggest(&quantity, &known)));
    }
    let (comparison, bound, wanted) = read_bound(at, bound)?;
    Ok(Condition { key: key.to_owned(), consumer, quantity, comparison, bound, wanted })
}

fn read_bound(at: &At, bound: &RawBound) -> Result<(Comparison, f64, String), Problem> {
    match bound {
        RawBound::Integer(number) => Ok((Comparison::Equal, *number as f64, format!("= {number}"))),
        RawBound::Float(number) => Ok((Comparison::Equal, *number, format!("= {number}"))),
        RawBound::Text(text) => {
            let (comparison, rest) = split_comparison(text.trim());
            let rest = rest.trim();
            let number = rest.parse::<f64>().ok().filter(|n| n.is_finite());
            let value = number.or_else(|| parse_span(rest).ok().map(|span| span.as_secs_f64()));
            let value = value.ok_or_else(|| {
                at.problem(
                    format!("\"{text}\" is no condition"),
                    "write a number, or a comparison with a number or a duration: 0, \"< 60s\", \">= 100\"",
                )
            })?;
            Ok((comparison, value, text.trim().to_owned()))
        }
    }
}

fn split_comparison(text: &str) -> (Comparison, &str) {
    // The longer signs first: "<=" starts with "<".
    const SIGNS: [(&str, Comparison); 7] = [
        ("<=", Comparison::AtMost),
        (">=", Comparison::AtLeast),
        ("!=", Comparison::NotEqual),
        ("==", Comparison::Equal),
        ("<", Comparison::Less),
        (">", Comparison::Greater),
        ("=", Comparison::Equal),
    ];
    SIGNS
        .iter()
        .find_map(|(sign, comparison)| text.strip_prefix(sign).map(|rest| (*comparison, rest)))
        .unwrap_or((Comparison::Equal, text))
}
