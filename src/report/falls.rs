//! Over how many seeds a receiver fell for good, and when: a matter of chance, of which a mean says little.

use super::format::{plural, seconds};
use crate::{
    measure::{Results, RunResult},
    scenario::Mode,
};

/// What became of one consumer's receiver over the seeds of a mode.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Falls<'a> {
    /// The mode.
    pub mode: Mode,
    /// The consumer.
    pub consumer: &'a str,
    /// Runs in which it could be told.
    pub runs: usize,
    /// When it fell, from the first to the last run that did.
    pub after_s: Vec<f64>,
}

/// Every consumer that fell for good in some of several runs.
pub(super) fn falls(results: &Results) -> Vec<Falls<'_>> {
    let mut found = Vec::new();
    for mode in [Mode::Live, Mode::Virtual] {
        let runs: Vec<&RunResult> = results.runs.iter().filter(|run| run.mode == mode && run.valid).collect();
        let Some(first) = runs.first().filter(|_| runs.len() > 1) else { continue };
        for (no, consumer) in first.consumers.iter().enumerate() {
            let loads: Vec<_> = runs.iter().filter_map(|run| Some(&run.consumers.get(no)?.load)).collect();
            let mut after_s: Vec<f64> = loads.iter().filter_map(|load| load.fell_after_s).collect();
            after_s.sort_by(f64::total_cmp);
            if !after_s.is_empty() {
                let runs = loads.iter().filter(|load| load.fell.is_some()).count();
                found.push(Falls { mode, consumer: &consumer.name, runs, after_s });
            }
        }
    }
    found
}

impl Falls<'_> {
    /// When half of all runs had fallen; `None` where half of them did not.
    pub(super) fn median_s(&self) -> Option<f64> {
        // Of an even number of runs both middle ones count.
        let (low, high) = ((self.runs - 1) / 2, self.runs / 2);
        Some((self.after_s.get(low)? + self.after_s.get(high)?) / 2.0)
    }

    /// All of it in a sentence.
    pub(super) fn sentence(&self) -> String {
        let when: Vec<String> = self.after_s.iter().map(|s| seconds(*s)).collect();
        let median = match self.median_s() {
            Some(s) => format!("; half of all runs had fallen after {}", seconds(s)),
            None => "; half of the runs or more held out to the end".to_owned(),
        };
        format!(
            "{} fell for good in {} of {}, after {}{median}",
            self.consumer,
            self.after_s.len(),
            plural(self.runs as u64, "run"),
            when.join(", "),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_counts_those_that_did_not_fall() {
        let of =
            |runs, after_s: &[f64]| Falls { mode: Mode::Virtual, consumer: "hook", runs, after_s: after_s.to_vec() };
        assert_eq!(of(3, &[60.0, 120.0]).median_s(), Some(120.0), "the third comes later, or never");
        assert_eq!(of(4, &[60.0, 120.0, 180.0]).median_s(), Some(150.0));
        assert_eq!(of(4, &[60.0, 120.0]).median_s(), None, "half held out");
        let told = of(4, &[60.0, 240.0]).sentence();
        assert_eq!(
            told,
            "hook fell for good in 2 of 4 runs, after 60 s, 4 min; half of the runs or more held out to the end"
        );
    }
}
