//! Where polling won: said in every report, because the folklore says it never does.

use super::format::in_unit;
use crate::measure::{ConsumerResult, Quantity, RunResult, quantity};

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

/// An age that lies among what never took effect is longer than any that was measured.
fn read(consumer: &ConsumerResult, quantity: &Quantity) -> Option<f64> {
    let censored = || consumer.age_s.as_ref().is_some_and(|age| age.censored > 0);
    let beyond = || (quantity.name.starts_with("age_s.") && censored()).then_some(f64::INFINITY);
    (quantity.read)(consumer).or_else(beyond)
}

fn win(run: &RunResult, name: &str, words: &str) -> Option<String> {
    let quantity = quantity(name)?;
    let best = |kind: &str| -> Option<(&ConsumerResult, f64)> {
        let of_kind = run.consumers.iter().filter(|consumer| consumer.kind == kind);
        let observed = of_kind.filter_map(|consumer| Some((consumer, read(consumer, quantity)?)));
        observed.min_by(|a, b| a.1.total_cmp(&b.1))
    };
    let ((poller, polled), (hook, pushed)) = (best("polling")?, best("webhook")?);
    (polled < pushed).then(|| {
        let shown = |value: f64| match value.is_finite() {
            true => in_unit(value, quantity.unit),
            false => "beyond the run".to_owned(),
        };
        let (polled, pushed) = (shown(polled), shown(pushed));
        format!("{words}: {} {polled}, {} {pushed}", poller.name, hook.name)
    })
}
