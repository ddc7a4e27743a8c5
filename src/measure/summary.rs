//! Means and 95 % intervals over seeds, and paired differences between consumers.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{QUANTITIES, RunResult, quantity};
use crate::scenario::Mode;

/// One quantity of one consumer over runs of one mode.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SummaryRow {
    /// The mode; modes are never mixed.
    pub mode: Mode,
    /// The consumer's name.
    pub consumer: String,
    /// The quantity's name.
    pub quantity: String,
    /// Runs in which it was observed.
    pub n: u32,
    /// Mean over these.
    pub mean: f64,
    /// Lower end of the 95 % interval (Student's t on the runs).
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// Summarises valid runs; quantities observed in fewer than two are left out.
#[must_use]
pub fn summarise(runs: &[RunResult]) -> Vec<SummaryRow> {
    let mut samples: BTreeMap<(bool, usize, usize), Vec<f64>> = BTreeMap::new();
    for run in runs.iter().filter(|run| run.valid) {
        for (no, consumer) in run.consumers.iter().enumerate() {
            for (q, quantity) in QUANTITIES.iter().enumerate() {
                if let Some(value) = (quantity.read)(consumer) {
                    samples.entry((run.mode == Mode::Virtual, no, q)).or_default().push(value);
                }
            }
        }
    }
    let name = |no: usize| runs.iter().find_map(|run| run.consumers.get(no)).map_or("", |c| &c.name);
    let kept = samples.into_iter().filter(|(_, values)| values.len() > 1);
    kept.map(|((is_virtual, no, q), values)| {
        let (mean, half) = interval(&values);
        SummaryRow {
            mode: if is_virtual { Mode::Virtual } else { Mode::Live },
            consumer: name(no).to_owned(),
            quantity: QUANTITIES[q].name.to_owned(),
            n: values.len() as u32,
            mean,
            low: mean - half,
            high: mean + half,
        }
    })
    .collect()
}

/// The difference of two consumers in one quantity, seed by seed. They saw the same events and met the same
/// faults, so that what is left is the strategies' own, and its interval is narrow.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PairedRow {
    /// The mode; modes are never mixed.
    pub mode: Mode,
    /// The one consumer.
    pub consumer: String,
    /// The other, whose figure is taken away.
    pub less: String,
    /// The quantity's name.
    pub quantity: String,
    /// Runs in which both were observed.
    pub n: u32,
    /// Mean difference.
    pub mean: f64,
    /// Lower end of its 95 % interval (Student's t on the runs).
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// What consumers are held against each other for.
const PAIRED: [&str; 3] = ["age_s.mean", "age_s.p99", "requests"];

/// The paired differences of all consumers over valid runs; none where a mode has fewer than two.
#[must_use]
pub fn pair(runs: &[RunResult]) -> Vec<PairedRow> {
    let mut rows = Vec::new();
    for mode in [Mode::Live, Mode::Virtual] {
        let runs: Vec<&RunResult> = runs.iter().filter(|run| run.valid && run.mode == mode).collect();
        let Some(first) = runs.first() else { continue };
        let names: Vec<&str> = first.consumers.iter().map(|consumer| consumer.name.as_str()).collect();
        for (no, less) in names.iter().enumerate() {
            for (other, consumer) in names.iter().enumerate().skip(no + 1) {
                let found = PAIRED.iter().filter_map(|name| quantity(name));
                rows.extend(found.filter_map(|quantity| {
                    let read = |run: &RunResult, no: usize| run.consumers.get(no).and_then(|c| (quantity.read)(c));
                    let apart = runs.iter().filter_map(|run| Some(read(run, other)? - read(run, no)?));
                    let apart: Vec<f64> = apart.collect();
                    let (mean, half) = (apart.len() > 1).then(|| interval(&apart))?;
                    Some(PairedRow {
                        mode,
                        consumer: (*consumer).to_owned(),
                        less: (*less).to_owned(),
                        quantity: quantity.name.to_owned(),
                        n: apart.len() as u32,
                        mean,
                        low: mean - half,
                        high: mean + half,
                    })
                }));
            }
        }
    }
    rows
}

/// Mean and half-width of the 95 % interval; of a single value the interval is unknown, and shown as a point.
pub(super) fn interval(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    if values.len() < 2 {
        return (values.iter().sum::<f64>(), 0.0);
    }
    let mean = values.iter().sum::<f64>() / n;
    let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (n - 1.0);
    (mean, t_975(values.len() - 1) * (variance / n).sqrt())
}

/// The 97.5 % point of Student's t. Table to 10 degrees of freedom, beyond it Cornish and Fisher's
/// expansion, right to 0.1 %.
fn t_975(degrees: usize) -> f64 {
    const TABLE: [f64; 10] = [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228];
    let z = 1.959_964_f64;
    let v = degrees as f64;
    TABLE.get(degrees.wrapping_sub(1)).copied().unwrap_or_else(|| {
        let g1 = (z.powi(3) + z) / 4.0;
        let g2 = (5.0 * z.powi(5) + 16.0 * z.powi(3) + 3.0 * z) / 96.0;
        let g3 = (3.0 * z.powi(7) + 19.0 * z.powi(5) + 17.0 * z.powi(3) - 15.0 * z) / 384.0;
        z + g1 / v + g2 / v.powi(2) + g3 / v.powi(3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t_agrees_with_the_printed_tables() {
        for (degrees, printed) in [(1, 12.706), (9, 2.262), (11, 2.201), (19, 2.093), (29, 2.045), (120, 1.980)] {
            assert!((t_975(degrees) - printed).abs() < 0.002, "{degrees}: {}", t_975(degrees));
        }
    }

    #[test]
    fn the_interval_of_equal_values_is_a_point() {
        assert_eq!(interval(&[3.0, 3.0, 3.0]), (3.0, 0.0));
    }
}
