//! The table of a report: its rows are quantities, its columns consumers. Shared by all formats, so
//! that they cannot disagree.

use super::format::{NOT_OBSERVED, bytes, count, maybe_count, money, seconds};
use crate::{
    cost::Bill,
    measure::{Age, ConsumerResult, Cost, Recovery, RunResult},
    scenario::Mode,
};

/// A row of the table.
pub(super) struct Row {
    /// Its label.
    pub(super) label: &'static str,
    /// The group that it belongs to.
    pub(super) group: &'static str,
    cell: fn(&ConsumerResult) -> Cell,
    /// Shown also where every consumer has zero.
    always: bool,
}

/// One cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cell {
    pub(super) text: String,
    /// Whether there is anything to see.
    zero: bool,
    /// Whether the value is a harm: above zero, something went wrong.
    pub(super) harm: bool,
}

macro_rules! rows {
    ($($group:literal { $($label:literal, $always:literal, $cell:expr;)+ })+) => {
        const ROWS: &[Row] = &[$($(Row { label: $label, group: $group, cell: $cell, always: $always },)+)+];
    };
}

rows! {
    "Freshness" {
        "age, median", true, |c| age(c, |a| a.p50);
        "age, p99", true, |c| age(c, |a| a.p99);
        "age, max", true, |c| age(c, |a| a.max);
    }
    "Recovery" {
        "due in the outage", false, |c| here(c.recovery.as_ref().map(|r| r.due), false);
        "lag after it, mean", false, |c| after(c, |r| r.lag_mean_s);
        "lag after it, max", false, |c| after(c, |r| r.lag_max_s);
        "nothing waits after", false, |c| after(c, |r| r.drain_s);
    }
    "Traffic" {
        "requests", true, |c| n(Some(c.requests));
        "useful requests", true, |c| n(Some(c.useful_requests));
        "in the busiest second", true, |c| n(Some(c.peak_requests_per_s));
        "wasted requests", true, |c| n(Some(c.wasted_requests));
        "failed requests", false, |c| n(Some(c.failed_requests));
        "dead letters sent again", false, |c| n(Some(c.redelivered));
        "turned away by the rate limit", false, |c| n(Some(c.rate_limited));
        "endpoints switched off", false, |c| n(Some(c.endpoints_disabled));
        "timed out", false, |c| n(Some(c.load.timeouts));
        "left late", false, |c| n(Some(c.load.waited));
        "bytes, both ways", true, |c| text(both_ways(c).map(bytes));
        "processor time", true, |c| text(c.cpu_s.map(seconds));
        "peak memory", true, |c| text(c.peak_rss_bytes.map(bytes));
    }
    "Cost a month" {
        "the consumer pays", false, |c| paid(c, |cost| &cost.consumer);
        "the provider pays", false, |c| paid(c, |cost| &cost.provider);
    }
    "Copies" {
        "receipts", true, |c| n(c.receipts);
        "first seen by a poll", false, |c| n(first_by_poll(c));
        "duplicates received", true, |c| n(c.duplicates_received);
        "duplicates suppressed", false, |c| n(c.duplicates_suppressed);
        "duplicates applied", true, |c| harm(c.duplicates_applied);
        "stale overwrites", false, |c| harm(c.stale_overwrites);
        "repeated for a subject", false, |c| harm(c.subject_repeated);
        "forged accepted", false, |c| harm(c.forged_accepted);
        "external calls", false, |c| here(c.external_calls, false);
        "external effects repeated", false, |c| here(c.external_repeated, true);
        "calls answered 429", false, |c| here(c.external_limited, false);
        "left in the outbox", false, |c| here(c.outbox_pending, false);
        "call to mark, mean", false, |c| window(c, |a| a.mean);
        "call to mark, p99", false, |c| window(c, |a| a.p99);
        "spoiled, yet accepted", false, |c| harm(c.spoiled_accepted);
        "refused by the receiver", false, |c| n(c.rejected);
    }
    "Books" {
        "due", true, |c| n(Some(c.due));
        "= applied", true, |c| n(c.applied);
        "+ superseded", false, |c| n(c.superseded);
        "+ dead-lettered", false, |c| n(c.dead_lettered);
        "+ lost", true, |c| harm(c.lost);
        "+ pending", true, |c| n(c.pending);
        "+ undelivered", true, |c| harm(c.undelivered);
        "given up, yet applied", false, |c| n(c.gave_up_but_applied);
    }
}

/// What a hybrid's polls brought before its webhooks did; for others the question does not arise.
fn first_by_poll(consumer: &ConsumerResult) -> Option<u64> {
    let polled = consumer.receipts_by_poll?.saturating_sub(consumer.duplicates_by_poll?);
    Some(if consumer.kind == "hybrid" { polled } else { 0 })
}

/// What one side pays a month; nothing to see without a price list.
fn paid(consumer: &ConsumerResult, side: fn(&Cost) -> &Bill) -> Cell {
    let paid = consumer.cost.as_ref().map(|cost| money(side(cost).per_month, &cost.currency));
    Cell { zero: paid.is_none(), text: paid.unwrap_or_else(|| "-".to_owned()), harm: false }
}

fn n(value: Option<u64>) -> Cell {
    Cell { text: maybe_count(value), zero: value == Some(0), harm: false }
}

fn harm(value: Option<u64>) -> Cell {
    Cell { harm: value.is_some_and(|value| value > 0), ..n(value) }
}

/// A count that not every consumer can have: nothing to see where it has none.
fn here(value: Option<u64>, harms: bool) -> Cell {
    let text = value.map_or_else(|| "-".to_owned(), |_| maybe_count(value));
    let above = value.is_some_and(|value| value > 0);
    Cell { text, zero: value.is_none(), harm: harms && above }
}

/// A time between a call and its mark, where there are calls.
fn window(consumer: &ConsumerResult, read: fn(&Age) -> Option<f64>) -> Cell {
    let value = consumer.external_window_s.as_ref().and_then(read);
    Cell { text: value.map_or_else(|| "-".to_owned(), seconds), zero: value.is_none(), harm: false }
}

/// A time after an outage, where there was one.
fn after(consumer: &ConsumerResult, read: fn(&Recovery) -> Option<f64>) -> Cell {
    let away = consumer.recovery.as_ref().filter(|recovery| recovery.due > 0);
    let told = |recovery| read(recovery).map_or_else(|| "> run".to_owned(), seconds);
    Cell { text: away.map_or_else(|| "-".to_owned(), told), zero: away.is_none(), harm: false }
}

fn text(value: Option<String>) -> Cell {
    Cell { text: value.unwrap_or_else(|| NOT_OBSERVED.to_owned()), zero: false, harm: false }
}

fn age(consumer: &ConsumerResult, read: fn(&Age) -> Option<f64>) -> Cell {
    text(consumer.age_s.as_ref().map(|age| match read(age) {
        Some(value) => seconds(value),
        None if age.count == 0 => "nothing due".to_owned(),
        None => "> run".to_owned(),
    }))
}

/// Bytes up and down, where both are known.
pub(super) fn both_ways(consumer: &ConsumerResult) -> Option<u64> {
    Some(consumer.bytes_up?.saturating_add(consumer.bytes_down?))
}

/// The rows worth showing, each with its cells in consumer order.
pub(super) fn table(run: &RunResult) -> Vec<(&'static Row, Vec<Cell>)> {
    let filled = ROWS.iter().map(|row| (row, run.consumers.iter().map(row.cell).collect::<Vec<_>>()));
    // Virtual time has no processors and no memory to look at.
    let moot = |cells: &[Cell]| run.mode == Mode::Virtual && cells.iter().all(|cell| cell.text == NOT_OBSERVED);
    filled.filter(|(row, cells)| (row.always || cells.iter().any(|cell| !cell.zero)) && !moot(cells)).collect()
}

/// What a consumer is, for the head of its column.
pub(super) fn kind(consumer: &ConsumerResult) -> String {
    let noun = if consumer.kind == "polling" { "client" } else { "endpoint" };
    let s = if consumer.clients == 1 { "" } else { "s" };
    format!("{}, {} {noun}{s}", consumer.kind, count(u64::from(consumer.clients)))
}
