//! `--vary key=values`: one key of a scenario, and the values that it takes in turn.
//!
//! Values are a list (`1s,5s,1min`), even steps between two ends (`1s..60s/5`, both included), or steps of an
//! even ratio (`1s..1h/7:log`).

use serde::{Deserialize, Serialize};

use super::units::{parse_span, span_to_text};
use crate::model::Span;

/// A key that varies.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Axis {
    /// The key, named as with `--set`.
    pub key: String,
    /// Its values as texts, in the order given.
    pub values: Vec<String>,
    /// The values as numbers, ascending, where they can be drawn to a scale: spans are in seconds.
    pub scale: Option<AxisScale>,
}

/// Where the values lie on a scale.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AxisScale {
    /// One number per value.
    pub numbers: Vec<f64>,
    /// What they count.
    pub unit: AxisUnit,
    /// Whether the steps are of an even ratio.
    pub log: bool,
}

/// What the numbers of an axis count, and how one of them is written in a scenario.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AxisUnit {
    /// Whole things: nothing lies between two neighbours.
    Whole,
    /// Plain numbers.
    Number,
    /// Durations, in seconds.
    Seconds,
    /// Rates, per this unit of time.
    Per(String),
}

/// A `--vary` that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{problem}\n  fix: {fix}")]
pub struct AxisError {
    problem: String,
    fix: String,
}

fn bad(problem: impl Into<String>, fix: impl Into<String>) -> AxisError {
    AxisError { problem: problem.into(), fix: fix.into() }
}

impl Axis {
    /// As many values as one axis may have.
    const VALUES_MAX: usize = 1_000;

    /// Reads `key=values`.
    pub fn parse(text: &str) -> Result<Axis, AxisError> {
        const FIX: &str = "write key=a,b,c, key=from..to/steps or key=from..to/steps:log";
        let (key, values) = text.split_once('=').ok_or_else(|| bad("no values", FIX))?;
        let (key, values) = (key.trim(), values.trim());
        if key.is_empty() || values.is_empty() {
            return Err(bad(if key.is_empty() { "no key" } else { "no values" }, FIX));
        }
        let axis = match values.split_once("..") {
            Some((from, rest)) => range(key, from.trim(), rest)?,
            None => list(key, values)?,
        };
        if let Some(twice) = axis.values.iter().enumerate().find(|(i, value)| axis.values[..*i].contains(value)) {
            return Err(bad(format!("{} is there twice", twice.1), "give each value once"));
        }
        Ok(axis)
    }

    /// A number that was found on this axis, to four digits: more would claim too much.
    #[must_use]
    pub fn told(&self, number: f64) -> String {
        self.written(four_digits(number))
    }

    /// The text of a number on this axis, as it stands in a scenario.
    #[must_use]
    pub fn written(&self, number: f64) -> String {
        self.scale.as_ref().map_or_else(|| number.to_string(), |scale| scale.unit.written(number))
    }
}

impl AxisUnit {
    /// A number as it stands in a scenario.
    #[must_use]
    pub fn written(&self, number: f64) -> String {
        match self {
            AxisUnit::Whole => format!("{number:.0}"),
            AxisUnit::Number => number.to_string(),
            // Whole microseconds: finer steps are noise.
            AxisUnit::Seconds => span_to_text(Span((number * 1e6).round() as u64 * 1_000)),
            AxisUnit::Per(unit) => format!("{number}/{unit}"),
        }
    }

    /// Reads a value; `None` where it is neither a number, a duration nor a rate.
    fn read(text: &str) -> Option<(f64, AxisUnit)> {
        if let Ok(whole) = text.parse::<i64>() {
            return Some((whole as f64, AxisUnit::Whole));
        }
        let number = |text: &str| text.trim().parse::<f64>().ok().filter(|number| number.is_finite());
        if let Some((count, unit)) = text.split_once('/') {
            return Some((number(count)?, AxisUnit::Per(unit.trim().to_owned())));
        }
        let span = || parse_span(text).ok().map(|span| (span.as_secs_f64(), AxisUnit::Seconds));
        number(text).map(|number| (number, AxisUnit::Number)).or_else(span)
    }

    /// The unit that both are of; whole numbers are numbers too.
    fn common(self, other: AxisUnit) -> Option<AxisUnit> {
        match (self, other) {
            (one, other) if one == other => Some(one),
            (AxisUnit::Whole, AxisUnit::Number) | (AxisUnit::Number, AxisUnit::Whole) => Some(AxisUnit::Number),
            _ => None,
        }
    }
}

fn list(key: &str, text: &str) -> Result<Axis, AxisError> {
    let values: Vec<String> = text.split(',').map(|value| value.trim().to_owned()).collect();
    if values.iter().any(String::is_empty) {
        return Err(bad(format!("{text} has an empty value"), "write each value once, with commas between them"));
    }
    let read: Option<Vec<(f64, AxisUnit)>> = values.iter().map(|value| AxisUnit::read(value)).collect();
    let scale = read.and_then(|read| {
        let unit = read.iter().map(|(_, unit)| unit.clone()).map(Some).reduce(|a, b| a?.common(b?))??;
        let numbers: Vec<f64> = read.into_iter().map(|(number, _)| number).collect();
        numbers.is_sorted().then_some(AxisScale { numbers, unit, log: false })
    });
    Ok(Axis { key: key.to_owned(), values, scale })
}

fn range(key: &str, from: &str, rest: &str) -> Result<Axis, AxisError> {
    const FIX: &str = "write from..to/steps with 2 steps or more, such as 1s..60s/5, or 1s..1h/7:log";
    let (rest, log) = rest.strip_suffix(":log").map_or((rest, false), |rest| (rest, true));
    // A rate has a stroke of its own: the last one is before the steps.
    let (to, steps) = rest.rsplit_once('/').ok_or_else(|| bad("a range without steps", FIX))?;
    let steps: usize = steps.trim().parse().map_err(|_| bad(format!("\"{steps}\" is no number of steps"), FIX))?;
    if !(2..=Axis::VALUES_MAX).contains(&steps) {
        return Err(bad(format!("{steps} steps make no range"), format!("write 2 to {} steps", Axis::VALUES_MAX)));
    }
    let end = |text: &str| {
        AxisUnit::read(text.trim()).ok_or_else(|| bad(format!("\"{text}\" is no number, duration or rate"), FIX))
    };
    let ((low, unit), (high, other)) = (end(from)?, end(to)?);
    let unit = unit.common(other).ok_or_else(|| bad(format!("{from} and {to} are not of one kind"), FIX))?;
    if low >= high {
        return Err(bad(format!("{from}..{to} is an empty range"), "begin with the smaller end"));
    }
    if log && low <= 0.0 {
        return Err(bad(format!("{from} has no ratio to anything"), "begin a range of even ratios above 0"));
    }
    let at = |i: usize| {
        let share = i as f64 / (steps - 1) as f64;
        let exact = if log { low * libm::pow(high / low, share) } else { low + (high - low) * share };
        if log { four_digits(exact) } else { exact }
    };
    let exact: Vec<f64> = (0..steps).map(at).collect();
    // Between whole ends there are whole values, unless the steps are finer.
    let unit = match unit {
        AxisUnit::Whole
            if log || exact.iter().any(|number| number.fract() != 0.0) && high - low < (steps - 1) as f64 =>
        {
            AxisUnit::Number
        }
        unit => unit,
    };
    let mut numbers: Vec<f64> =
        exact.into_iter().map(|n| if unit == AxisUnit::Whole { n.round() } else { n }).collect();
    numbers.dedup();
    let values = numbers.iter().map(|number| unit.written(*number)).collect();
    Ok(Axis { key: key.to_owned(), values, scale: Some(AxisScale { numbers, unit, log }) })
}

/// Even ratios are never round: four digits are plenty, and read better.
fn four_digits(number: f64) -> f64 {
    format!("{number:.3e}").parse().unwrap_or(number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn values(text: &str) -> String {
        Axis::parse(text).map_or_else(|error| error.problem, |axis| axis.values.join(" "))
    }

    #[test]
    fn lists_and_ranges_are_read_as_people_write_them() {
        assert_eq!(values("k=1s, 5s,1min"), "1s 5s 1min");
        assert_eq!(values("k=1s..10s/4"), "1s 4s 7s 10s");
        assert_eq!(values("k=1..10/4"), "1 4 7 10");
        assert_eq!(values("k=1..4/3"), "1 3 4", "whole ends make whole values");
        assert_eq!(values("k=0..1/5"), "0 0.25 0.5 0.75 1");
        assert_eq!(values("k=1/s..3/s/3"), "1/s 2/s 3/s");
        assert_eq!(values("k=1s..100s/3:log"), "1s 10s 100s");
        assert_eq!(values("k=none,sqlite"), "none sqlite");
        let unit = |text| Axis::parse(text).ok().and_then(|axis| axis.scale).map(|scale| scale.unit);
        assert_eq!(unit("k=1,2.5"), Some(AxisUnit::Number));
        assert_eq!(unit("k=1/s,2/s"), Some(AxisUnit::Per("s".to_owned())));
        assert_eq!((unit("k=none,sqlite"), unit("k=1s,2"), unit("k=5s,1s")), (None, None, None));
    }

    #[test]
    fn what_is_no_range_is_refused() {
        for bad in
            ["k", "=1,2", "k=", "k=1,,2", "k=5..1/3", "k=1..1/3", "k=1..5", "k=1..5/1", "k=1..5/x", "k=0..1/3:log"]
        {
            assert!(Axis::parse(bad).is_err(), "{bad}");
        }
        assert_eq!(values("k=5..1/3"), "5..1 is an empty range");
        assert_eq!(values("k=1s..5/3"), "1s and 5 are not of one kind");
        assert_eq!(values("k=2,2"), "2 is there twice");
    }

    proptest! {
        #[test]
        fn no_text_makes_the_parser_panic(text in "\\PC{0,24}") {
            let _ = Axis::parse(&text);
        }

        #[test]
        fn a_range_begins_and_ends_where_it_says(low in 1u32..1_000, more in 1u32..1_000_000, steps in 2usize..50, log: bool) {
            let (high, log) = (low + more, if log { ":log" } else { "" });
            let axis = Axis::parse(&format!("k={low}s..{high}s/{steps}{log}")).unwrap();
            let numbers = axis.scale.unwrap().numbers;
            prop_assert!(numbers.is_sorted() && numbers[0] == f64::from(low));
            prop_assert!((numbers[numbers.len() - 1] / f64::from(high) - 1.0).abs() < 1e-3);
        }
    }
}
