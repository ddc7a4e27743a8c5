//! Whether the live and the virtual run of one plan say the same, as rows and as a sentence.

use super::format::{NOT_OBSERVED, in_unit, plural, seconds};
use crate::measure::{AgreementRow, Calibration, Finding, Measured, Results, quantity};

/// The columns.
pub(super) const HEAD: [&str; 5] = ["", "live", "virtual", "apart by at most", "says"];

/// What is said of a difference beyond its tolerance.
pub(super) const DIFFERS: &str = "differs";

/// One row per quantity that says anything: what is zero on both sides is left out.
pub(super) fn rows(results: &Results) -> impl Iterator<Item = [String; 5]> + '_ {
    let says_nothing = |row: &&AgreementRow| row.live == Some(0.0) && row.virtual_time == Some(0.0);
    results.agreement.iter().filter(move |row| !says_nothing(row)).map(|row| {
        let shown = |value: Option<f64>| match (value, quantity(&row.quantity)) {
            (Some(value), Some(quantity)) => in_unit(value, quantity.unit),
            _ => NOT_OBSERVED.to_owned(),
        };
        let says = match row.finding {
            Finding::Agrees => "agrees",
            Finding::Undecided => "undecided",
            Finding::Differs => DIFFERS,
            Finding::NotCompared => "not compared",
        };
        let name = format!("{}.{}", row.consumer, row.quantity);
        [name, shown(row.live), shown(row.virtual_time), shown(Some(row.tolerance)), says.to_owned()]
    })
}

/// Which service times of the live run the virtual one took, where it did.
pub(super) fn calibration(results: &Results) -> Option<String> {
    let Calibration { one_way_delay, commit_time } = results.calibration?;
    let told = |name: &str, measured: Option<Measured>| match measured {
        Some(Measured { median, p10, p90, n }) => {
            let [median, p10, p90] = [median, p10, p90].map(|span| seconds(span.as_secs_f64()));
            format!("{name} {median} (median of {n}; 10th and 90th percentile {p10} and {p90})")
        }
        None => format!("{name} not observed, so as usual"),
    };
    let (one_way, commit) = (told("one-way delay", one_way_delay), told("commit time", commit_time));
    Some(format!("The virtual run took its service times from the live one: {one_way}, {commit}."))
}

/// In how many figures the two agree, in a few words; empty where there was only one.
pub(super) fn in_short(results: &Results) -> String {
    if results.agreement.is_empty() {
        return String::new();
    }
    let count = |finding| results.agreement.iter().filter(|row| row.finding == finding).count();
    let undecided = match count(Finding::Undecided) {
        0 => String::new(),
        n => format!(", {n} undecided"),
    };
    format!("; live and virtual agree in {} of {} figures{undecided}", count(Finding::Agrees), results.agreement.len())
}

/// What the rows come to.
pub(super) fn sentence(results: &Results) -> String {
    let count = |finding| results.agreement.iter().filter(|row| row.finding == finding).count() as u64;
    let (agree, undecided) = (count(Finding::Agrees), count(Finding::Undecided));
    let mut said = match count(Finding::Differs) {
        0 => format!("They agree in all that was shown, {agree} of {} figures.", results.agreement.len()),
        1 => "They differ in one figure.".to_owned(),
        n => format!("They differ in {n} figures."),
    };
    if undecided > 0 {
        said += &format!(" Of {} too few events tell: a longer run would.", plural(undecided, "figure"));
    }
    said += " Counts that follow from keyed draws must be equal; quantiles of the age must be shown to lie within 10 % or \
             10 ms of each other (two one-sided tests at 5 %).";
    said
}
