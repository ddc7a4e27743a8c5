//! A quantity of every consumer against a key that varies, and where two of them break even.

use std::ops::Range;

use plotters::{
    coord::ranged1d::{DefaultFormatting, KeyPointHint},
    prelude::*,
};

use super::{
    super::ExportError,
    canvas::{
        Area, Drawn, Mark, caption, faint, legend, legend_height, log_marks, plain, round_up, sheet, whole_chart,
    },
    palette::{FAINT, style},
};
use crate::{
    measure::{BreakEven, Estimate, Quantity},
    report::format::{digits, in_unit, seconds},
    scenario::{Axis, AxisScale, AxisUnit},
};

/// A consumer's name and its points: the value of the key, and what came of it.
pub(in crate::report) type Line<'a> = (&'a str, Vec<(f64, Estimate)>);

/// What is drawn: one line per consumer along one axis.
pub(in crate::report) struct Crossover<'a> {
    pub quantity: &'a Quantity,
    pub axis: &'a Axis,
    pub scale: &'a AxisScale,
    /// One per consumer.
    pub lines: Vec<Line<'a>>,
    pub break_evens: Vec<&'a BreakEven>,
}

const HEIGHT: u32 = 360;
/// From this ratio of the ends on a scale is logarithmic.
const WIDE: f64 = 30.0;

impl Crossover<'_> {
    /// The picture as SVG.
    pub fn draw(&self) -> Result<String, ExportError> {
        let entries = self.legend();
        sheet(self.quantity.name, HEIGHT + legend_height(&entries), |area| self.on(area, &entries))
    }

    fn legend(&self) -> Vec<(String, Mark)> {
        let entry = |(i, (name, _)): (usize, &Line<'_>)| {
            let (colour, dash, gap) = style(i);
            ((*name).to_owned(), Mark::Line(colour, dash, gap))
        };
        self.lines.iter().enumerate().map(entry).collect()
    }

    fn on(&self, area: &Area<'_>, entries: &[(String, Mark)]) -> Drawn {
        let used = legend(area, entries)?;
        let (_, plot) = area.split_vertically(used);
        let numbers = &self.scale.numbers;
        let ends = numbers[0]..numbers[numbers.len() - 1];
        let x = Scale { log: self.scale.log || is_wide(&ends), ends };
        let all = || self.lines.iter().flat_map(|(_, points)| points).map(|(_, estimate)| estimate.mean);
        let (low, high) = all().fold((f64::MAX, f64::MIN), |(low, high), mean| (low.min(mean), high.max(mean)));
        let y = match is_wide(&(low..high)) {
            true => Scale { ends: low * 0.7..high * 1.4, log: true },
            false => Scale { ends: 0.0..round_up(high), log: false },
        };
        let up = y.ends.clone();
        let mut chart = whole_chart(&plot).build_cartesian_2d(x, y)?;
        let x_desc = match &self.scale.unit {
            AxisUnit::Per(unit) => format!("{}, per {unit}", self.axis.key),
            _ => self.axis.key.clone(),
        };
        let x_label = |at: &f64| match self.scale.unit {
            AxisUnit::Seconds => seconds(*at),
            _ => digits(*at),
        };
        let y_label = |at: &f64| in_unit(*at, self.quantity.unit);
        let mut mesh = chart.configure_mesh();
        plain(&mut mesh);
        mesh.x_desc(x_desc).y_desc(self.quantity.name);
        mesh.x_label_formatter(&x_label).y_label_formatter(&y_label);
        mesh.draw()?;
        for (i, (_, points)) in self.lines.iter().enumerate() {
            let (colour, dash, gap) = style(i);
            let line = colour.stroke_width(2);
            let placed: Vec<(f64, f64)> = points.iter().map(|(at, found)| (*at, found.mean)).collect();
            if gap == 0 {
                chart.draw_series(LineSeries::new(placed.clone(), line))?;
            } else {
                chart.draw_series(DashedLineSeries::new(placed.clone(), dash, gap, line))?;
            }
            chart.draw_series(placed.into_iter().map(|at| Circle::new(at, 3, colour.filled())))?;
            let bars = points.iter().filter(|(_, found)| found.low < found.high);
            chart.draw_series(
                bars.map(|(at, found)| PathElement::new([(*at, found.low), (*at, found.high)], colour.stroke_width(1))),
            )?;
        }
        let (left, top) = plot.get_base_pixel();
        for (i, even) in self.break_evens.iter().enumerate() {
            let at = even.value;
            chart.draw_series([PathElement::new([(at, up.start), (at, up.end)], FAINT.stroke_width(1))])?;
            let (pixel, first) = chart.backend_coord(&(at, up.end));
            // Names of neighbours stand under each other.
            caption(&plot, &even.written, (pixel - left + 4, first - top + 10 + 16 * (i as i32 % 5)), faint(14))?;
        }
        Ok(())
    }
}

fn is_wide(ends: &Range<f64>) -> bool {
    ends.start > 0.0 && ends.end / ends.start >= WIDE
}

/// One axis, with a logarithm where it is wide.
#[derive(Clone)]
struct Scale {
    ends: Range<f64>,
    log: bool,
}

impl Scale {
    fn marks(&self) -> Vec<f64> {
        if self.log {
            return log_marks(&self.ends);
        }
        let span = self.ends.end - self.ends.start;
        let step = round_up(span / 8.0);
        let first = (self.ends.start / step).ceil();
        (0..).map(|i| (first + f64::from(i)) * step).take_while(|mark| *mark <= self.ends.end + span * 1e-9).collect()
    }

    fn share(&self, value: f64) -> f64 {
        let Range { start, end } = self.ends;
        let share = if self.log { (value / start).ln() / (end / start).ln() } else { (value - start) / (end - start) };
        // A low end of an interval may lie below everything that is drawn.
        if share.is_finite() { share.clamp(0.0, 1.0) } else { 0.0 }
    }
}

impl Ranged for Scale {
    type FormatOption = DefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, (from, to): (i32, i32)) -> i32 {
        from + (self.share(*value) * f64::from(to - from)).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, _hint: Hint) -> Vec<f64> {
        self.marks()
    }

    fn range(&self) -> Range<f64> {
        self.ends.clone()
    }
}
