//! How old events were when they took effect: the share that was older than each age.

use plotters::prelude::*;

use super::{
    Figure,
    canvas::{Drawn, consumers_legend, legend, legend_height, log_marks, plain, sheet, whole_chart},
    palette::style,
};
use crate::{
    measure::{Age, RunResult},
    report::{
        conclude::in_both_times,
        format::{alike, digits, percent, seconds},
    },
};

pub(super) const FIGURE: Figure = Figure {
    name: "ages",
    title: "How stale is it?",
    how_to_read: "Each line tells which share of what was due was still older than the age below it: lower and \
                  further left is fresher. A line that ends flat above the bottom never brought the rest.",
    sentence,
    draw: |run| sheet("ages", 380 + legend_height(&consumers_legend(run)), |area| draw(run, area)),
};

/// Points of the line: age in seconds and the share of everything due that was older.
fn points(age: &Age) -> Vec<(f64, f64)> {
    let due = age.count as f64;
    let mut seen = 0;
    let mut points = vec![];
    for (us, count) in &age.histogram_us {
        let at = (*us as f64 / 1e6).max(1e-6);
        points.push((at, 1.0 - seen as f64 / due));
        seen += count;
        points.push((at, 1.0 - seen as f64 / due));
    }
    points.retain(|(_, share)| *share > 0.5 / due);
    thin(points)
}

/// Keeps the points that can be seen: a picture has a few hundred pixels.
fn thin(points: Vec<(f64, f64)>) -> Vec<(f64, f64)> {
    let last = points.len().saturating_sub(1);
    let mut kept: Vec<(f64, f64)> = Vec::new();
    for (i, (x, y)) in points.into_iter().enumerate() {
        let far = kept.last().is_none_or(|(px, py)| (x / px).ln().abs() > 0.01 || (y / py).ln().abs() > 0.01);
        if far || i == last {
            kept.push((x, y));
        }
    }
    kept
}

fn draw(run: &RunResult, area: &super::canvas::Area<'_>) -> Drawn {
    let lines: Vec<(usize, Vec<(f64, f64)>)> = run
        .consumers
        .iter()
        .enumerate()
        .filter_map(|(i, consumer)| Some((i, points(consumer.age_s.as_ref()?))))
        .filter(|(_, points)| !points.is_empty())
        .collect();
    let all = || lines.iter().flat_map(|(_, points)| points);
    let (low, high) = all().fold((f64::MAX, 1e-6f64), |(low, high), (x, _)| (low.min(*x), high.max(*x)));
    let floor = all().fold(1.0f64, |floor, (_, y)| floor.min(*y));
    // Little room around the lines, but a power of ten at least, so that an axis has a label.
    let (low, high) = ((low * 0.8).min(high / 12.0), high * 1.3);
    let floor = (floor * 0.7).min(0.09);
    let marks = (log_marks(&(low..high)), log_marks(&(floor..1.0)));
    let used = legend(area, &consumers_legend(run))?;
    let (_, plot) = area.split_vertically(used);
    let mut chart = whole_chart(&plot).build_cartesian_2d(
        (low..high).log_scale().with_key_points(marks.0),
        (floor..1.0).log_scale().with_key_points(marks.1),
    )?;
    let mut mesh = chart.configure_mesh();
    plain(&mut mesh);
    mesh.x_desc("age at the effect (log scale)")
        .y_desc("share that was older")
        .x_label_formatter(&|age| seconds(*age))
        .y_label_formatter(&|share| percent(*share))
        .draw()?;
    let (wide, narrow): (Vec<_>, Vec<_>) = lines.into_iter().partition(|(i, _)| i % 2 == 1);
    for (i, points) in wide.into_iter().chain(narrow) {
        let (colour, dash, gap) = style(i);
        // Lines that coincide stay visible: thin ones are drawn over wide ones.
        let line = colour.stroke_width(if i % 2 == 0 { 2 } else { 4 });
        if gap == 0 {
            chart.draw_series(LineSeries::new(points, line))?;
        } else {
            chart.draw_series(DashedLineSeries::new(points, dash, gap, line))?;
        }
    }
    Ok(())
}

fn sentence(run: &RunResult) -> Option<String> {
    let mut medians: Vec<(&str, f64)> =
        run.consumers.iter().filter_map(|c| Some((c.name.as_str(), c.age_s.as_ref()?.p50?))).collect();
    medians.sort_by(|a, b| a.1.total_cmp(&b.1));
    let (best, fresh) = *medians.first()?;
    let (worst, stale) = *medians.last()?;
    let tail = run.consumers.iter().find(|c| c.name == best).and_then(|c| c.age_s.as_ref());
    let p99 = tail.map_or(String::new(), |age| match age.p99 {
        Some(p99) => format!(", with 1 % older than {}", in_both_times(run, p99)),
        None => ", but more than 1 % had no effect by the end".to_owned(),
    });
    let fresh_said = in_both_times(run, fresh);
    Some(if best != worst && alike(fresh, stale) {
        format!("At the median all are equally fresh: {fresh_said}; {best}{p99}.", p99 = p99.trim_start_matches(','))
    } else if best == worst {
        format!("Half of {best}'s events took effect within {fresh_said}{p99}.")
    } else {
        let times = if fresh > 0.0 { format!(", {} times as long", digits(stale / fresh)) } else { String::new() };
        let stale_said = in_both_times(run, stale);
        format!("At the median {best} is freshest: {fresh_said}{p99}. {worst} takes {stale_said}{times}.")
    })
}
