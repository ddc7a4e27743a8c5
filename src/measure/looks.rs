//! Closed forms of looking at states: pure functions, in seconds and shares.

/// Looks at how things stand, every `t` seconds, for Poisson changes of each at `lambda` per second over
/// `window_s`, the first look at a random instant. Of the changes between two looks the last one is seen
/// (x / (1 - e^-x) of them per look that finds any, as of events in 2.2); the looks cut the window into
/// whole intervals, and a piece at either end.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Looks {
    /// Changes per second.
    pub lambda: f64,
    /// Seconds between two looks at the same thing.
    pub t: f64,
    /// The window in which it changes, at least as long.
    pub window_s: f64,
}

impl Looks {
    /// Changes per interval, x.
    #[must_use]
    pub fn x(self) -> f64 {
        self.lambda * self.t
    }

    /// The share of changes that a later one overtakes before anybody looks: 1 - (1 - e^-x) / x in the long
    /// run.
    #[must_use]
    pub fn superseded_share(self) -> f64 {
        1.0 - self.seen() / (self.lambda * self.window_s)
    }

    /// The standard error of that share over `things`, which are looked at in `groups`, each thing of a group
    /// at the same instants. Changes are seen once per interval that has any, `Var(O - r A)` of the ratio of
    /// both counts; and where the window's ends cut the intervals is one draw per group.
    #[must_use]
    pub fn superseded_error(self, things: f64, groups: f64) -> f64 {
        let (any, idle, intervals) = (1.0 - self.idle(), self.idle(), self.window_s / self.t);
        let counts = (any * (any / self.x() - idle)).max(0.0) / (things * intervals);
        let cuts = self.ends_variance() / (groups * intervals * intervals);
        (counts + cuts).sqrt() / self.x()
    }

    /// How much the states seen of a thing in the pieces at the window's ends vary with where the first look lies.
    fn ends_variance(self) -> f64 {
        const STEPS: u32 = 200;
        let seen = |piece: f64| 1.0 - libm::exp(-self.lambda * piece);
        let (mut sum, mut squares) = (0.0, 0.0);
        for step in 0..STEPS {
            let first = self.t * (f64::from(step) + 0.5) / f64::from(STEPS);
            let ends = seen(first) + seen((self.window_s - first) % self.t);
            // A last piece that wraps around has one whole interval more or less before it.
            let whole = ((self.window_s - first) / self.t).floor() * (1.0 - self.idle());
            sum += ends + whole;
            squares += (ends + whole) * (ends + whole);
        }
        let mean = sum / f64::from(STEPS);
        (squares / f64::from(STEPS) - mean * mean).max(0.0)
    }

    /// The mean age of a change that is seen, when it is: T (1/x - 1/(e^x - 1)) in the long run, less than half
    /// an interval because the last change before a look is the youngest.
    #[must_use]
    pub fn seen_age_s(self) -> f64 {
        let Looks { lambda, t, .. } = self;
        let (idle, mean) = (self.idle(), 1.0 / lambda);
        let whole = mean * (1.0 - idle) - t * idle;
        let piece = mean * (1.0 - self.piece_idle()) - (1.0 - idle * (1.0 + self.x())) * mean * mean / t;
        // The look that ends the last piece comes after the window.
        let beyond = t / 2.0 - mean + (1.0 - idle) * mean * mean / t;
        (self.whole_intervals() * whole + 2.0 * piece + beyond) / self.seen()
    }

    /// The share of looks within the window that find nothing new, where changes show `lag_s` late: e^-x, and
    /// more of the first ones, behind which there is less than an interval, or nothing yet.
    #[must_use]
    pub fn idle_share(self, lag_s: f64) -> f64 {
        let too_early = lag_s / self.t;
        let whole = self.whole_intervals() - too_early;
        (whole * self.idle() + self.piece_idle() + too_early) / (self.whole_intervals() + 1.0)
    }

    /// Changes seen in the window.
    fn seen(self) -> f64 {
        self.whole_intervals() * (1.0 - self.idle()) + 2.0 * (1.0 - self.piece_idle())
    }

    fn whole_intervals(self) -> f64 {
        self.window_s / self.t - 1.0
    }

    fn idle(self) -> f64 {
        libm::exp(-self.x())
    }

    /// No change in a piece of random length.
    fn piece_idle(self) -> f64 {
        (1.0 - self.idle()) / self.x()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::rng::{Draws, Purpose};

    #[test]
    fn looks_see_the_last_change_as_often_and_as_fresh_as_in_a_simulation() {
        for (lambda, t, window_s, lag_s) in [(0.5, 2.0, 15.0, 0.3), (3.0, 1.0, 9.5, 0.0), (0.05, 2.0, 20.0, 3.1)] {
            let looks = Looks { lambda, t, window_s };
            let (mut changes, mut seen, mut age_s, mut idle, mut made) = (0u64, 0u64, 0.0, 0u64, 0u64);
            let things = 40_000;
            for thing in 0..things {
                let draws = Draws::new(thing);
                let phase = t * draws.unit(Purpose::Phase, 0, 0);
                // The last change by the number of the look that finds it.
                let mut found: BTreeMap<u64, f64> = BTreeMap::new();
                let mut at = 0.0;
                for n in 0.. {
                    at += draws.exponential(Purpose::Subject, 1, n) / lambda;
                    if at >= window_s {
                        break;
                    }
                    changes += 1;
                    found.insert(((at + lag_s - phase) / t).ceil().max(0.0) as u64, at);
                }
                seen += found.len() as u64;
                age_s += found.iter().map(|(look, at)| phase + *look as f64 * t - at).sum::<f64>();
                let within = ((window_s - phase) / t).ceil() as u64;
                made += within;
                idle += (0..within).filter(|look| !found.contains_key(look)).count() as u64;
            }
            let superseded = 1.0 - seen as f64 / changes as f64;
            let error = looks.superseded_error(things as f64, things as f64);
            assert!((superseded - looks.superseded_share()).abs() < 4.0 * error, "{looks:?}: {superseded}");
            let age_s = age_s / seen as f64 - lag_s;
            assert!((age_s / looks.seen_age_s() - 1.0).abs() < 0.01, "{looks:?}: {age_s} {}", looks.seen_age_s());
            let idle = idle as f64 / made as f64;
            let predicted = looks.idle_share(lag_s);
            assert!((idle / predicted - 1.0).abs() < 0.01, "{looks:?}: {idle} {predicted}");
        }
        let long = Looks { lambda: 1.0, t: 1.0, window_s: 1e9 };
        assert!((long.superseded_share() - 0.367_879).abs() < 1e-6);
        assert!((long.seen_age_s() - 0.418_023).abs() < 1e-6);
    }

    #[test]
    fn the_error_of_the_share_is_as_wide_as_it_spreads_also_where_all_are_looked_at_at_once() {
        let looks = Looks { lambda: 0.5, t: 2.0, window_s: 15.0 };
        for at_once in [true, false] {
            let (things, runs) = (100u64, 300);
            let mut squares = 0.0;
            for run in 0..runs {
                let draws = Draws::new(run);
                let (mut changes, mut seen) = (0u64, 0u64);
                for thing in 0..things {
                    let phase = looks.t * draws.unit(Purpose::Phase, 1, if at_once { 0 } else { thing });
                    let (mut at, mut last) = (0.0, None);
                    for n in 0.. {
                        at += draws.exponential(Purpose::Subject, thing, n) / looks.lambda;
                        if at >= looks.window_s {
                            break;
                        }
                        changes += 1;
                        let look = ((at - phase) / looks.t).ceil().max(0.0) as u64;
                        seen += u64::from(last.replace(look) != Some(look));
                    }
                }
                let groups = if at_once { 1.0 } else { things as f64 };
                let error = looks.superseded_error(things as f64, groups);
                let share = 1.0 - seen as f64 / changes as f64;
                squares += ((share - looks.superseded_share()) / error).powi(2);
            }
            // Chi-squared with 300 degrees of freedom: 223 to 390 holds 99.9 %, and the ends are only nearly normal.
            assert!((223.0..390.0).contains(&squares), "at once: {at_once}, {squares}");
        }
    }
}
