//! What several seeds come to, as text.

use super::{Out, in_unit, mode, quantity};
use crate::{
    measure::{PairedRow, Results},
    report::falls::falls,
};

impl Out {
    pub(super) fn seeds(&mut self, results: &Results) {
        const SHOWN: [&str; 5] = ["age_s.mean", "age_s.p99", "requests", "duplicates_applied", "lost"];
        self.expectations("Expectations over all seeds", &results.over_seeds);
        let rows = results.summary.iter().filter(|row| SHOWN.contains(&row.quantity.as_str()));
        for (i, row) in rows.enumerate() {
            if i == 0 {
                self.heading("Over all seeds: mean and 95 % interval");
            }
            let name = format!("{} {}.{}", mode(row.mode), row.consumer, row.quantity);
            self.item(" ", &format!("{name}: {}, n = {}", estimate(&row.quantity, row.mean, row.low, row.high), row.n));
        }
        for (i, row) in results.paired.iter().enumerate() {
            if i == 0 {
                self.heading("Paired differences, seed by seed: mean and 95 % interval");
            }
            self.item(" ", &paired(row));
        }
        self.falls(results);
    }

    /// When receivers fell for good, over the seeds.
    pub(super) fn falls(&mut self, results: &Results) {
        for (i, fall) in falls(results).iter().enumerate() {
            if i == 0 {
                self.heading("How long until it fell, over the seeds");
            }
            self.item(" ", &format!("{} {}", mode(fall.mode), fall.sentence()));
        }
    }
}

fn paired(row: &PairedRow) -> String {
    let verdict = match (row.low > 0.0, row.high < 0.0) {
        (true, _) => "more",
        (_, true) => "less",
        _ => "not told apart",
    };
    let figures = estimate(&row.quantity, row.mean, row.low, row.high);
    let names = format!("{} less {}", row.consumer, row.less);
    format!("{} {names}: {}: {figures}: {verdict}, n = {}", mode(row.mode), row.quantity, row.n)
}

/// A mean and its interval in the quantity's unit.
fn estimate(name: &str, mean: f64, low: f64, high: f64) -> String {
    quantity(name).map_or_else(String::new, |q| {
        format!("{} [{}, {}]", in_unit(mean, q.unit), in_unit(low, q.unit), in_unit(high, q.unit))
    })
}
