//! Expectations as text.

use super::{Out, Paint, actual, closely, plural};
use crate::measure::{Expectation, OverSeeds};

impl Out {
    pub(super) fn expectations(&mut self, heading: &str, expectations: &[Expectation]) {
        if expectations.is_empty() {
            return;
        }
        self.heading(heading);
        for expectation in expectations {
            let mark =
                if expectation.pass { self.paint(Paint::Good, "ok    ") } else { self.paint(Paint::Bad, "FAILED") };
            self.item(&mark, &format!("{} wanted {}, was {}", expectation.key, expectation.wanted, was(expectation)));
        }
    }
}

/// What an expectation found: how far that is off where it may be off, and over which seeds.
#[must_use]
pub fn was(expectation: &Expectation) -> String {
    let roughly = |value| actual(&expectation.key, Some(value));
    // Three digits do not tell 10.001 from 10.
    let close = expectation.difference.is_some() || expectation.wanted.starts_with('=');
    let shown = |value| if close { closely(&expectation.key, value) } else { roughly(value) };
    let mut said = expectation.actual.map_or_else(|| actual(&expectation.key, None), shown);
    if let Some((value, off)) = expectation.actual.zip(expectation.difference) {
        let (sign, wanted) = (if off < 0.0 { "-" } else { "+" }, value - off);
        said += &format!(", off by {sign}{}", roughly(off.abs()));
        if wanted != 0.0 {
            said += &format!(", {:+.2} %", off / wanted.abs() * 100.0);
        }
    }
    match expectation.over {
        None => said,
        Some(OverSeeds::Each { seeds, low, high, failed: None }) if low == high => {
            format!("{said} for each of {}", plural(seeds.into(), "seed"))
        }
        Some(OverSeeds::Each { seeds, low, high, failed }) => {
            let which = failed.map_or_else(String::new, |seed| format!("{said} for seed {seed}, "));
            format!("{which}{} to {} over {}", shown(low), shown(high), plural(seeds.into(), "seed"))
        }
        Some(OverSeeds::Mean { seeds, low, high }) => {
            format!("{said}; mean of {}, 95 % interval {} to {}", plural(seeds.into(), "seed"), shown(low), shown(high))
        }
    }
}
