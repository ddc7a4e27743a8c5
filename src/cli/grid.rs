//! The grid of a sweep: the plans at its points, its cells run, and the points put together.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use anyhow::Context;

use super::{
    many,
    shard::ShardArg,
    sweep::{SweepArgs, plan_of},
};
use crate::{
    measure::{self, BreakEven, Cell, Crossing, Point, Sweep, SweepPlan, crossings, difference, point},
    model::RunId,
    scenario::{Axis, AxisScale, AxisUnit, LoadOptions, Mode, Plan, load},
};

/// How often the interval around a break-even point is halved, beyond the grid's own steps.
const HALVINGS: u32 = 6;

/// A sweep that is ready to run.
pub(super) struct Grid {
    pub plan: SweepPlan,
    /// The plans, point by point.
    points: Vec<Plan>,
}

impl Grid {
    /// Reads and checks the plan of every point.
    pub fn read(args: &SweepArgs, axes: Vec<Axis>, mode: Mode) -> anyhow::Result<Grid> {
        let mut grid: Option<SweepPlan> = None;
        let mut plans = Vec::new();
        let at = |place: &[usize]| sets(&axes, place);
        for place in measure::grid(&axes) {
            let sets = at(&place);
            let plan = args.plan_at(mode, &sets).with_context(|| format!("--vary {}", sets.join(" --vary ")))?;
            grid.get_or_insert_with(|| plan_of(&plan, args, axes.clone()));
            plans.push(plan);
        }
        Ok(Grid { plan: grid.context("a sweep without points")?, points: plans })
    }

    /// The grid of shards that ran elsewhere.
    pub fn of(plan: SweepPlan) -> anyhow::Result<Grid> {
        let at = |place: Vec<usize>| plan_at(&plan, &sets(&plan.axes, &place));
        let points = measure::grid(&plan.axes).into_iter().map(at).collect::<anyhow::Result<_>>()?;
        Ok(Grid { plan, points })
    }

    pub fn first(&self) -> &Plan {
        &self.points[0]
    }

    pub fn plans(&self) -> impl Iterator<Item = &Plan> {
        self.points.iter()
    }

    /// Runs the cells that are a part's, in virtual time as many at a time as there are processors.
    pub fn cells(&self, part: ShardArg, dir: &Path) -> anyhow::Result<Vec<Cell>> {
        let mine: Vec<usize> = (0..self.plan.cells()).filter(|no| part.has(*no)).collect();
        let seeds = self.plan.seeds.max(1) as usize;
        let one = |no: usize| {
            let cell = mine[no];
            let plan = self.points[cell / seeds].by_seed().nth(cell % seeds).context("a seed past the last")?;
            Ok(Cell::of(cell, &many::in_scratch(&plan, &dir.join(format!(".cell-{cell}")))?))
        };
        match self.plan.mode {
            Mode::Live => (0..mine.len()).map(one).collect(),
            Mode::Virtual => many::on_all_processors(mine.len(), one),
        }
    }

    /// What all cells, in their order, come to; the break-even points narrowed down by further runs.
    pub fn put_together(&self, cells: &[Cell], dir: &Path) -> anyhow::Result<Sweep> {
        let seeds = self.plan.seeds.max(1) as usize;
        let places = measure::grid(&self.plan.axes);
        let points: Vec<Point> = places
            .iter()
            .zip(cells.chunks(seeds))
            .map(|(place, cells)| point(values(&self.plan.axes, place), cells))
            .collect();
        let mut between = Between { plan: &self.plan, dir: dir.to_owned(), known: BTreeMap::new() };
        let mut break_evens = Vec::new();
        // Along the first axis, for each value of the other.
        for other in places.iter().filter(|place| place[0] == 0).map(|place| place[1..].to_vec()) {
            let line: Vec<&Point> =
                places.iter().zip(&points).filter(|(place, _)| place[1..] == other).map(|(_, point)| point).collect();
            for crossing in crossings(&line) {
                break_evens.extend(between.solve(&line, &other, &crossing)?);
            }
        }
        let pushpull_version = env!("CARGO_PKG_VERSION").to_owned();
        Ok(Sweep { plan: self.plan.clone(), pushpull_version, points, break_evens })
    }
}

/// Runs between the grid's points.
struct Between<'a> {
    plan: &'a SweepPlan,
    dir: PathBuf,
    /// What was run already: two consumers often cross where two others do.
    known: BTreeMap<Vec<String>, Point>,
}

impl Between<'_> {
    /// Where the difference is nothing. `None` where the axis has no scale.
    fn solve(&mut self, line: &[&Point], other: &[usize], crossing: &Crossing) -> anyhow::Result<Option<BreakEven>> {
        let axis = &self.plan.axes[0];
        let Some(scale) = &axis.scale else { return Ok(None) };
        let between = (scale.numbers[crossing.between.0], scale.numbers[crossing.between.1]);
        let mut at =
            Bracket { low: between.0, high: between.1, below: crossing.differences.0, above: crossing.differences.1 };
        let mut runs = 0;
        while self.plan.mode == Mode::Virtual && runs < HALVINGS {
            let Some(middle) = at.middle(scale) else { break };
            let mut values = vec![axis.written(middle)];
            values.extend(other.iter().zip(&self.plan.axes[1..]).map(|(place, axis)| axis.values[*place].clone()));
            let found = difference(self.at(&values)?, crossing.quantity, crossing.pair);
            runs += 1;
            let Some(apart) = found else { break };
            at.narrow(middle, apart);
        }
        let value = at.zero(scale);
        let name = |no: usize| line[0].consumers[no].name.clone();
        let (one, two) = crossing.pair;
        let (below, above) = if crossing.differences.0 < 0.0 { (one, two) } else { (two, one) };
        let at = self.plan.axes.get(1).zip(other.first());
        Ok(Some(BreakEven {
            quantity: crossing.quantity.to_owned(),
            below: name(below),
            above: name(above),
            key: axis.key.clone(),
            at: at.map(|(axis, place)| (axis.key.clone(), axis.values[*place].clone())),
            between,
            value,
            written: if scale.unit == AxisUnit::Whole { axis.written(value) } else { axis.told(value) },
            runs: runs * self.plan.seeds.max(1),
        }))
    }

    fn at(&mut self, values: &[String]) -> anyhow::Result<&Point> {
        if !self.known.contains_key(values) {
            let sets: Vec<String> =
                self.plan.axes.iter().zip(values).map(|(axis, v)| format!("{}={v}", axis.key)).collect();
            let plans: Vec<Plan> = plan_at(self.plan, &sets)?.by_seed().collect();
            let one =
                |no: usize| Ok(Cell::of(no, &many::in_scratch(&plans[no], &self.dir.join(format!(".between-{no}")))?));
            let cells = many::on_all_processors(plans.len(), one)?;
            self.known.insert(values.to_vec(), point(values.to_vec(), &cells));
        }
        self.known.get(values).context("a point that was just run")
    }
}

/// Two places between which a difference changes its sign.
struct Bracket {
    low: f64,
    high: f64,
    below: f64,
    above: f64,
}

impl Bracket {
    /// The middle, on the axis's own scale; `None` where nothing lies between.
    fn middle(&self, scale: &AxisScale) -> Option<f64> {
        let middle = if scale.log { (self.low * self.high).sqrt() } else { f64::midpoint(self.low, self.high) };
        let middle = if scale.unit == AxisUnit::Whole { middle.floor() } else { middle };
        (middle > self.low && middle < self.high).then_some(middle)
    }

    fn narrow(&mut self, middle: f64, apart: f64) {
        if (apart < 0.0) == (self.below < 0.0) && apart != 0.0 {
            (self.low, self.below) = (middle, apart);
        } else {
            (self.high, self.above) = (middle, apart);
        }
    }

    /// Where the straight line between the two is nothing; of whole things, the first beyond the change.
    fn zero(&self, scale: &AxisScale) -> f64 {
        if scale.unit == AxisUnit::Whole {
            return self.high;
        }
        self.low + (self.high - self.low) * self.below / (self.below - self.above)
    }
}

fn values(axes: &[Axis], place: &[usize]) -> Vec<String> {
    axes.iter().zip(place).map(|(axis, place)| axis.values[*place].clone()).collect()
}

/// The values at a place as changes to the scenario.
fn sets(axes: &[Axis], place: &[usize]) -> Vec<String> {
    axes.iter().zip(values(axes, place)).map(|(axis, value)| format!("{}={value}", axis.key)).collect()
}

/// The plan of a sweep with these changes, from the text that the sweep carries along.
fn plan_at(plan: &SweepPlan, sets: &[String]) -> anyhow::Result<Plan> {
    let options = LoadOptions {
        dir: PathBuf::from(&plan.dir),
        mode: Some(plan.mode),
        seed: Some(plan.seed),
        seeds: Some(plan.seeds),
        sets: sets.to_vec(),
        ..LoadOptions::new(&plan.scenario, RunId::from_bits(plan.seed))
    };
    Ok(load(&plan.source, &options)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn solved(scale: &AxisScale, f: impl Fn(f64) -> f64) -> f64 {
        let (low, high) = (scale.numbers[0], scale.numbers[1]);
        let mut at = Bracket { low, high, below: f(low), above: f(high) };
        for _ in 0..HALVINGS {
            let Some(middle) = at.middle(scale) else { break };
            at.narrow(middle, f(middle));
        }
        at.zero(scale)
    }

    #[test]
    fn the_zero_of_a_curve_is_found_between_two_points() {
        let scale = |numbers: [f64; 2], unit, log| AxisScale { numbers: numbers.to_vec(), unit, log };
        let found = solved(&scale([1.0, 100.0], AxisUnit::Number, false), |x| 1.0 / x - 0.1);
        assert!((found - 10.0).abs() < 0.1, "{found}");
        let found = solved(&scale([1.0, 100.0], AxisUnit::Seconds, true), |x| x - 31.0);
        assert!((found - 31.0).abs() < 1e-6, "{found}");
        assert_eq!(solved(&scale([1.0, 50.0], AxisUnit::Whole, false), |x| 7.5 - x), 8.0);
        assert_eq!(solved(&scale([1.0, 2.0], AxisUnit::Whole, false), |x| x - 1.5), 2.0);
    }
}
