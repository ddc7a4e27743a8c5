//! What to conclude, with the figures of a run in the places that the scenario left for them.

use super::format::{NOT_OBSERVED, digits, in_unit, seconds};
use crate::{
    measure::{Quantity, Results, RunResult, Unit, quantity},
    scenario::{Piece, pieces},
};

/// The scenario's conclusion, filled in from one run; `None` where it has none.
pub(super) fn conclusion(results: &Results, run: &RunResult) -> Option<String> {
    let text = results.conclude.as_str();
    let told = |piece: Piece<'_>| match piece {
        Piece::Text(words) => words.to_owned(),
        Piece::Figure(figure) => one(run, figure),
        Piece::Ratio(above, below) => ratio(run, above, below),
    };
    // A text that cannot be taken apart was refused by the scenario; a saved one is shown as it is.
    let filled = pieces(text).map_or_else(|_| text.to_owned(), |parts| parts.into_iter().map(told).collect());
    (!filled.is_empty()).then_some(filled)
}

fn read(run: &RunResult, figure: &str) -> Option<(f64, &'static Quantity)> {
    let (name, quantity_name) = figure.split_once('.')?;
    let consumer = run.consumers.iter().find(|consumer| consumer.name == name)?;
    let quantity = quantity(quantity_name)?;
    Some(((quantity.read)(consumer)?, quantity))
}

fn one(run: &RunResult, figure: &str) -> String {
    match read(run, figure) {
        Some((value, quantity)) if quantity.unit == Unit::Seconds => in_both_times(run, value),
        Some((value, quantity)) => in_unit(value, quantity.unit),
        None if beyond(run, figure) => "longer than the run".to_owned(),
        None => NOT_OBSERVED.to_owned(),
    }
}

/// Whether a figure is an age that lies among obligations without an effect.
fn beyond(run: &RunResult, figure: &str) -> bool {
    let Some((name, quantity)) = figure.split_once('.') else { return false };
    let consumer = run.consumers.iter().find(|consumer| consumer.name == name);
    let age = consumer.and_then(|consumer| consumer.age_s.as_ref());
    quantity.starts_with("age_s.") && age.is_some_and(|age| age.censored > 0)
}

/// A time on this machine's clock, and in the scenario's time where that passes faster. Below a tenth
/// of a second it is network and service, which keep their length.
pub(super) fn in_both_times(run: &RunResult, value: f64) -> String {
    if run.time_scale == 1.0 || value < 0.1 {
        return seconds(value);
    }
    format!("{} ({} in the scenario)", seconds(value), seconds(value * run.time_scale))
}

fn ratio(run: &RunResult, above: &str, below: &str) -> String {
    match (read(run, above), read(run, below)) {
        (Some((above, _)), Some((below, _))) if below != 0.0 => digits(above / below),
        (Some(_), Some(_)) => "countless".to_owned(),
        _ => NOT_OBSERVED.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::tests::synthetic;

    fn said(text: &str) -> String {
        let (_, mut results) = synthetic();
        results.conclude = text.to_owned();
        let run = results.runs[0].clone();
        conclusion(&results, &run).unwrap()
    }

    #[test]
    fn figures_and_ratios_are_those_of_the_run() {
        let (_, results) = synthetic();
        let of = |name: &str| results.runs[0].consumers.iter().find(|c| c.name == name).unwrap();
        let applied = of("no-ledger").duplicates_applied.unwrap();
        assert!(applied > 0);
        assert_eq!(said("{no-ledger.duplicates_applied} twice"), format!("{applied} twice"));
        let times = of("poll-5s").requests as f64 / of("webhook").requests as f64;
        assert_eq!(said("{poll-5s.requests / webhook.requests} times"), format!("{} times", digits(times)));
        assert_eq!(said("{poll-5s.requests / poll-5s.lost}; {nobody.lost}"), "countless; not observed");
    }
}
