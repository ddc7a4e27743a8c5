//! How far behind each consumer was, as time went by: a queue, a poll's rhythm or an outage shows here.

use plotters::prelude::*;

use super::{
    Figure,
    canvas::{
        Area, Drawn, FOOT, Mark, TITLE_AT, caption, consumers_legend, font, legend, legend_height, panel_chart, panels,
        plain, round_up, shades, sheet, time_axis, window_names, windows,
    },
    palette::{ORANGE, style},
};
use crate::{
    measure::{Behind, ConsumerResult, RunResult},
    report::{
        conclude::in_both_times,
        format::{count, digits, seconds},
    },
};

const PANEL: u32 = 190;

pub(super) const FIGURE: Figure = Figure {
    name: "behind",
    title: "How far behind, and when?",
    how_to_read: "Above: the age of the oldest event that still waits for its effect. Below: how many wait. A saw is a \
                  poll's rhythm, a ramp is an outage or a queue that grows. Shaded: an outage, crash or stall. What \
                  never took effect is left out.",
    sentence,
    draw: |run| sheet("behind", legend_height(&entries(run)) + 2 * PANEL + FOOT, |area| draw(run, area)),
};

fn entries(run: &RunResult) -> Vec<(String, Mark)> {
    let mut entries = consumers_legend(run);
    if !run.disturbances.is_empty() {
        entries.push(("fault window".to_owned(), Mark::Box(ORANGE, 0.25)));
    }
    entries
}

fn observed(run: &RunResult) -> impl Iterator<Item = (usize, &ConsumerResult, &Behind)> {
    run.consumers.iter().enumerate().filter_map(|(i, consumer)| Some((i, consumer, consumer.behind.as_ref()?)))
}

fn draw(run: &RunResult, area: &Area<'_>) -> Drawn {
    let used = legend(area, &entries(run))?;
    let (_, rest) = area.split_vertically(used);
    let both = panels(&rest, 2);
    let oldest = |behind: &Behind| behind.oldest_s.clone();
    let waiting = |behind: &Behind| behind.waiting.iter().map(|n| *n as f64).collect();
    panel(&both[0], run, "the oldest event that waits", oldest, seconds, false)?;
    panel(&both[1], run, "events that wait", waiting, |n| count(n as u64), true)
}

fn panel(
    area: &Area<'_>,
    run: &RunResult,
    title: &str,
    read: impl Fn(&Behind) -> Vec<f64>,
    show: fn(f64) -> String,
    last: bool,
) -> Drawn {
    let lines: Vec<(usize, f64, Vec<f64>)> = observed(run).map(|(i, _, b)| (i, b.step_s, read(b))).collect();
    let top = round_up(lines.iter().flat_map(|(_, _, values)| values).copied().fold(0.0, f64::max));
    let (unit_s, unit) = time_axis(run.duration_s);
    let mut chart = panel_chart(area, last).build_cartesian_2d(0.0..run.duration_s.max(1e-3) / unit_s, 0.0..top)?;
    let shaded = windows(run, None);
    chart.draw_series(shades(&shaded, unit_s, top))?;
    let mut mesh = chart.configure_mesh();
    plain(&mut mesh);
    mesh.disable_x_mesh().y_labels(5);
    let label = |value: &f64| show(*value);
    mesh.y_label_formatter(&label).x_label_formatter(&|at| digits(*at));
    if last {
        mesh.x_desc(unit);
    }
    mesh.draw()?;
    let (wide, narrow): (Vec<_>, Vec<_>) = lines.into_iter().partition(|(i, ..)| i % 2 == 1);
    for (i, step, values) in wide.into_iter().chain(narrow) {
        let points = values.into_iter().enumerate().map(|(k, value)| ((k as f64 + 0.5) * step / unit_s, value));
        let points = points.filter(|(at, _)| *at <= run.duration_s / unit_s);
        let (colour, dash, gap) = style(i);
        let line = colour.stroke_width(2);
        if gap == 0 {
            chart.draw_series(LineSeries::new(points, line))?;
        } else {
            let points: Vec<(f64, f64)> = points.collect();
            chart.draw_series(DashedLineSeries::new(points, dash, gap, line))?;
        }
    }
    if !last {
        let left = area.get_base_pixel().0;
        window_names(area, &shaded, |at| chart.backend_coord(&(at / unit_s, top)).0 - left)?;
    }
    caption(area, title, TITLE_AT, font(16))
}

fn sentence(run: &RunResult) -> Option<String> {
    let mut worst: Vec<(&str, f64)> = observed(run)
        .map(|(_, consumer, behind)| (consumer.name.as_str(), behind.oldest_s.iter().copied().fold(0.0, f64::max)))
        .collect();
    worst.sort_by(|a, b| a.1.total_cmp(&b.1));
    let (best, least) = *worst.first()?;
    let (last, most) = *worst.last()?;
    let mut said = format!("{best} was never more than {} behind", in_both_times(run, least));
    if best != last {
        said.push_str(&format!(", {last} up to {}", in_both_times(run, most)));
    }
    said.push('.');
    said.push_str(&never(run));
    said.push_str(&caught_up(run).unwrap_or_default());
    Some(said)
}

/// What the picture leaves out, in words.
fn never(run: &RunResult) -> String {
    let left_out = |c: &ConsumerResult| {
        let shown = c.applied? + c.superseded.unwrap_or(0) + c.pending.unwrap_or(0);
        Some((c.name.clone(), c.due.saturating_sub(shown))).filter(|(_, n)| *n > 0)
    };
    let told = run.consumers.iter().filter_map(left_out).map(|(name, n)| format!("{} of {name}", count(n)));
    let told: Vec<String> = told.collect();
    if told.is_empty() { String::new() } else { format!(" Left out, for it never took effect: {}.", told.join(", ")) }
}

/// How long after the last window everybody needed for what was due before its end.
fn caught_up(run: &RunResult) -> Option<String> {
    let over = run.disturbances.iter().map(|window| window.until_s).reduce(f64::max)?;
    let what = &run.disturbances.iter().find(|window| window.until_s == over)?.what;
    if over >= run.duration_s {
        return None;
    }
    let mut needed: Vec<(&str, f64)> = observed(run).map(|(_, c, b)| (c.name.as_str(), after(b, over))).collect();
    needed.sort_by(|a, b| a.1.total_cmp(&b.1));
    let told = needed.iter().take(4).map(|(name, s)| format!("{name} {}", in_both_times(run, *s)));
    Some(format!(
        " From the end of the {what} until all that was due before is in effect: {}.",
        told.collect::<Vec<_>>().join(", ")
    ))
}

/// From `over` to the end of the last step in which something older than `over` waited.
fn after(behind: &Behind, over: f64) -> f64 {
    let end = |step: usize| (step as f64 + 1.0) * behind.step_s;
    let late = (0..behind.oldest_s.len()).rev().find(|step| {
        let age = behind.oldest_s[*step];
        age > 0.0 && end(*step) > over && end(*step) - age < over
    });
    late.map_or(0.0, |step| end(step) - over)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn catching_up_ends_with_the_last_old_event() {
        let behind = Behind { step_s: 1.0, waiting: vec![0; 6], oldest_s: vec![0.1, 1.1, 2.1, 2.5, 0.1, 0.1] };
        assert_eq!(after(&behind, 2.0), 2.0);
        assert_eq!(after(&behind, 5.0), 0.0);
    }
}
