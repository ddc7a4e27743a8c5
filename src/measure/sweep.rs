//! A sweep: one scenario at many values of one key or two, over the same seeds, and where its consumers break
//! even.
//!
//! Its smallest part is a cell: one seed at one point. Cells are plain figures and histograms, which add: how they
//! were spread over processes leaves no trace in what they come to.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Age, AgeRecorder, QUANTITIES, RunResult, summary::interval};
use crate::scenario::{Axis, Mode};

/// What is swept: equal for every part of one sweep.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SweepPlan {
    /// The format of this structure and of what is made by it; 1.
    pub schema_version: u32,
    /// The scenario's name.
    pub scenario: String,
    /// Its title.
    pub title: String,
    /// Its text, after `--set`.
    pub source: String,
    /// Where paths in it start, as the command line names it.
    pub dir: String,
    /// Which driver.
    pub mode: Mode,
    /// The first seed.
    pub seed: u64,
    /// How many from there on, the same at each point.
    pub seeds: u32,
    /// What varies: one key or two.
    pub axes: Vec<Axis>,
    /// The command that runs all of it.
    pub reproduce: String,
}

impl SweepPlan {
    /// Cells in all.
    #[must_use]
    pub fn cells(&self) -> usize {
        self.axes.iter().map(|axis| axis.values.len()).product::<usize>() * self.seeds as usize
    }
}

/// The points of a grid, each as one place on each axis; the last axis varies fastest.
#[must_use]
pub fn grid(axes: &[Axis]) -> Vec<Vec<usize>> {
    axes.iter().fold(vec![Vec::new()], |points, axis| {
        let longer = |point: &Vec<usize>| {
            (0..axis.values.len()).map(|place| point.iter().copied().chain([place]).collect()).collect::<Vec<_>>()
        };
        points.iter().flat_map(longer).collect()
    })
}

/// One seed at one point.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Cell {
    /// Its number: point times seeds, and seed.
    pub no: usize,
    /// Whether its figures can be believed.
    pub valid: bool,
    /// Whether its expectations hold.
    pub passes: bool,
    /// Its consumers.
    pub consumers: Vec<CellConsumer>,
}

/// One consumer's figures in a cell.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CellConsumer {
    /// Its name.
    pub name: String,
    /// Its quantities, where they were observed.
    pub figures: BTreeMap<String, f64>,
    /// Its ages, with their histogram.
    pub ages: Option<Age>,
}

impl Cell {
    /// What a sweep keeps of a run.
    #[must_use]
    pub fn of(no: usize, run: &RunResult) -> Cell {
        let consumers = run.consumers.iter().map(|consumer| CellConsumer {
            name: consumer.name.clone(),
            figures: QUANTITIES.iter().filter_map(|q| Some((q.name.to_owned(), (q.read)(consumer)?))).collect(),
            ages: consumer.age_s.clone(),
        });
        Cell { no, valid: run.valid, passes: run.passes(), consumers: consumers.collect() }
    }
}

/// One value of each key, over all seeds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// The values, axis by axis.
    pub values: Vec<String>,
    /// Seeds whose figures cannot be believed.
    pub void: u32,
    /// Seeds whose expectations hold.
    pub passing: u32,
    /// The consumers.
    pub consumers: Vec<PointConsumer>,
}

/// A consumer at a point.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PointConsumer {
    /// Its name.
    pub name: String,
    /// Its quantities over the seeds.
    pub figures: BTreeMap<String, Estimate>,
    /// The ages of all seeds, put together: percentiles are theirs, not means of percentiles.
    pub ages: Option<Age>,
}

/// A mean over seeds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// Seeds in which it was observed.
    pub n: u32,
    /// The mean.
    pub mean: f64,
    /// Lower end of its 95 % interval (Student's t on the seeds); the mean where there is one seed.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// The cells of one point, in the order of their seeds, put together.
#[must_use]
pub fn point(values: Vec<String>, cells: &[Cell]) -> Point {
    let names = cells.first().map_or(&[][..], |cell| &cell.consumers);
    let consumers = names.iter().enumerate().map(|(no, first)| {
        let mine: Vec<&CellConsumer> = cells.iter().filter_map(|cell| cell.consumers.get(no)).collect();
        let figures = QUANTITIES.iter().filter_map(|quantity| {
            let seen: Vec<f64> = mine.iter().filter_map(|c| c.figures.get(quantity.name).copied()).collect();
            let (mean, half) = (!seen.is_empty()).then(|| interval(&seen))?;
            let estimate = Estimate { n: seen.len() as u32, mean, low: mean - half, high: mean + half };
            Some((quantity.name.to_owned(), estimate))
        });
        let mut ages = AgeRecorder::new();
        mine.iter().filter_map(|c| c.ages.as_ref()).for_each(|age| ages.add(age));
        let observed = mine.iter().any(|c| c.ages.is_some());
        PointConsumer { name: first.name.clone(), figures: figures.collect(), ages: observed.then(|| ages.summary()) }
    });
    Point {
        values,
        void: cells.iter().filter(|cell| !cell.valid).count() as u32,
        passing: cells.iter().filter(|cell| cell.passes).count() as u32,
        consumers: consumers.collect(),
    }
}

/// What consumers break even in.
pub const COMPARED: [&str; 4] = ["requests", "age_s.mean", "cost_per_month.consumer", "cost_per_month.provider"];

/// Where two consumers come to the same.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BreakEven {
    /// In what.
    pub quantity: String,
    /// The one that is less below the point.
    pub below: String,
    /// The one that is less above it.
    pub above: String,
    /// The key that varies.
    pub key: String,
    /// The other key and its value, where two vary.
    pub at: Option<(String, String)>,
    /// Between which values of the key.
    pub between: (f64, f64),
    /// Where it is.
    pub value: f64,
    /// The same as it stands in a scenario.
    pub written: String,
    /// Runs that narrowed it down, besides the grid's; 0: it lies on the straight line between the two values.
    pub runs: u32,
}

/// A change of sign between two neighbours on the first axis.
#[derive(Debug, Clone, PartialEq)]
pub struct Crossing {
    /// The quantity.
    pub quantity: &'static str,
    /// The two consumers, by number.
    pub pair: (usize, usize),
    /// The places on the axis of the two neighbours.
    pub between: (usize, usize),
    /// The difference of the one to the other, at both.
    pub differences: (f64, f64),
}

/// How much more of a quantity the one consumer has than the other at a point.
#[must_use]
pub fn difference(point: &Point, quantity: &str, (one, other): (usize, usize)) -> Option<f64> {
    let mean = |no: usize| point.consumers.get(no)?.figures.get(quantity).map(|estimate| estimate.mean);
    Some(mean(one)? - mean(other)?)
}

/// Where any two consumers change places along these points, which differ in one key only. A difference of
/// nothing is passed over: consumers that do the same have no point of their own.
#[must_use]
pub fn crossings(points: &[&Point]) -> Vec<Crossing> {
    let consumers = points.first().map_or(0, |point| point.consumers.len());
    let mut found = Vec::new();
    for quantity in COMPARED {
        for pair in (0..consumers).flat_map(|one| (one + 1..consumers).map(move |other| (one, other))) {
            let told =
                points.iter().enumerate().filter_map(|(no, point)| Some((no, difference(point, quantity, pair)?)));
            let told: Vec<(usize, f64)> = told.filter(|(_, apart)| *apart != 0.0).collect();
            for two in told.windows(2) {
                let ((from, below), (to, above)) = (two[0], two[1]);
                if (below < 0.0) != (above < 0.0) {
                    found.push(Crossing { quantity, pair, between: (from, to), differences: (below, above) });
                }
            }
        }
    }
    found
}

/// A sweep, put together. Schema version 1.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sweep {
    /// What was swept.
    pub plan: SweepPlan,
    /// The version of the program.
    pub pushpull_version: String,
    /// The points, in the order of the grid.
    pub points: Vec<Point>,
    /// Where consumers break even.
    pub break_evens: Vec<BreakEven>,
}

impl Sweep {
    /// Whether every run can be believed.
    #[must_use]
    pub fn valid(&self) -> bool {
        self.points.iter().all(|point| point.void == 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Span;

    fn cell(no: usize, requests: &[f64]) -> Cell {
        let mut ages = AgeRecorder::new();
        (1..=100).for_each(|ms| ages.record(Span::from_millis(ms * (no as u64 + 1))));
        let consumer = |(i, n): (usize, &f64)| CellConsumer {
            name: format!("c{i}"),
            figures: BTreeMap::from([("requests".to_owned(), *n)]),
            ages: Some(ages.summary()),
        };
        Cell { no, valid: true, passes: true, consumers: requests.iter().enumerate().map(consumer).collect() }
    }

    #[test]
    fn a_point_pools_its_ages_and_averages_its_counts() {
        let point = point(vec!["1s".to_owned()], &[cell(0, &[10.0]), cell(1, &[14.0])]);
        let requests = point.consumers[0].figures["requests"];
        assert_eq!((requests.n, requests.mean), (2, 12.0));
        assert!(requests.low < 12.0 && requests.high > 12.0);
        let ages = point.consumers[0].ages.as_ref().unwrap();
        // The larger half of 1 to 100 and 2 to 200 ms: the mean of the two p90s would be 135 ms.
        assert!((ages.p90.unwrap() - 0.160).abs() < 0.002, "{ages:?}");
        assert!((ages.mean.unwrap() - 0.07575).abs() < 1e-6, "{ages:?}");
        assert_eq!((ages.count, ages.max), (200, Some(0.2)));
    }

    #[test]
    fn consumers_that_change_places_cross_and_equal_ones_do_not() {
        let at = |requests: &[f64]| point(Vec::new(), &[cell(0, requests)]);
        let points = [at(&[1.0, 5.0, 5.0]), at(&[5.0, 5.0, 5.0]), at(&[9.0, 5.0, 5.0])];
        let found = crossings(&points.iter().collect::<Vec<_>>());
        assert_eq!(found.len(), 2, "{found:?}");
        assert_eq!((found[0].pair, found[0].between, found[0].differences), ((0, 1), (0, 2), (-4.0, 4.0)));
        assert!(crossings(&[]).is_empty());
    }
}
