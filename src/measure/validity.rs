//! Whether a run can be believed: the harness must have kept its own schedule.

use super::tally::Tally;
use crate::audit::Problems;

/// Never void a run for less than this.
const LAG_FLOOR_S: f64 = 0.010;

/// Nor for less than this share of the median age.
const LAG_SHARE: f64 = 0.05;

/// The lag above which the generator distorts the ages: against the freshest consumer's median.
pub(super) fn generator_bound_s(tallies: &[Tally]) -> f64 {
    let medians = tallies.iter().filter_map(|tally| tally.ages.quantile_s(0.5));
    medians.reduce(f64::min).map_or(LAG_FLOOR_S, bound_s)
}

/// Notes a lag above its bound.
pub(super) fn check_lag(problems: &mut Problems, who: &str, p99_s: Option<f64>, bound_s: f64) {
    if let Some(p99_s) = p99_s.filter(|p99_s| *p99_s > bound_s) {
        problems.add("the harness did not keep its schedule", || {
            format!("{who} lagged {:.1} ms at p99, bound {:.1} ms", p99_s * 1e3, bound_s * 1e3)
        });
    }
}

/// The bound of a poller's own lag, against its own median age.
pub(super) fn poller_bound_s(tally: &Tally) -> f64 {
    tally.ages.quantile_s(0.5).map_or(LAG_FLOOR_S, bound_s)
}

fn bound_s(median_s: f64) -> f64 {
    (median_s * LAG_SHARE).max(LAG_FLOOR_S)
}
