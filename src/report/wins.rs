//! Where polling won: said in every report, because the folklore says it never does.

use super::format::in_unit;
use crate::measure::{ConsumerResult, RunResult, quantity};

/// Quantities of which less is better.
const COMPARED: [(&str, &str); 9] = [
    ("age_s.p50", "median age"),
    ("age_s.p99", "p99 of the age"),
    ("age_s.max", "largest age"),
    ("requests", "requests"),
    ("bytes_up", "bytes up"),
    ("bytes_down", "bytes down"),
    ("cpu_s", "processor time"),
    ("duplicates_applied", "duplicates applied"),
    ("lost", "events lost"),
];

/// One sentence per quantity in which the best poller beat every webhook. Empty where a run has not
/// both kinds.
pub(super) fn polling_wins(run: &RunResult) -> Vec<String> {
    COMPARED.iter().filter_map(|(name, words)| win(run, name, words)).collect()
}

fn win(run: &RunResult, name: &str, words: &str) -> Option<String> {
    let quantity = quantity(name)?;
    let best = |kind: &str| -> Option<(&ConsumerResult, f64)> {
        let of_kind = run.consumers.iter().filter(|consumer| consumer.kind == kind);
        let observed = of_kind.filter_map(|consumer| Some((consumer, (quantity.read)(consumer)?)));
        observed.min_by(|a, b| a.1.total_cmp(&b.1))
    };
    let ((poller, polled), (hook, pushed)) = (best("polling")?, best("webhook")?);
    (polled < pushed).then(|| {
        let (polled, pushed) = (in_unit(polled, quantity.unit), in_unit(pushed, quantity.unit));
        format!("{words}: {} {polled}, {} {pushed}", poller.name, hook.name)
    })
}
