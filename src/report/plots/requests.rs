//! Requests over time, and how many of them brought anything.

use plotters::prelude::*;

use super::{
    Figure,
    canvas::{Area, Drawn, FAILED, GRID, INK, Mark, USEFUL, WASTED, caption, font, legend, round_up, sheet, time_axis},
};
use crate::{
    measure::{ConsumerResult, RunResult},
    report::format::{count, digits, percent},
};

const PANEL: u32 = 150;
const FOOT: u32 = 40;

pub(super) const FIGURE: Figure = Figure {
    name: "requests",
    title: "What does asking cost?",
    how_to_read: "One panel per consumer, all on one scale: requests per second, from the bottom up useful (pages \
                  with events, first acks), wasted (answered with nothing new) and failed.",
    sentence,
    draw: |run| {
        let panels = run.consumers.len() as u32;
        sheet("requests", 30 + PANEL * panels + FOOT, |area| draw(run, area))
    },
};

fn draw(run: &RunResult, area: &Area<'_>) -> Drawn {
    let entries = [("useful", USEFUL), ("wasted", WASTED), ("failed", FAILED)];
    let entries = entries.map(|(name, colour)| (name.to_owned(), Mark::Box(colour, 0.9)));
    let used = legend(area, &entries)?;
    let (_, rest) = area.split_vertically(used);
    let peak = run.consumers.iter().map(peak_per_s).fold(0.0, f64::max);
    let top = round_up(peak);
    let n = run.consumers.len();
    let (_, height) = rest.dim_in_pixel();
    let panel_height = (height - FOOT) / n.max(1) as u32;
    let mut below = rest;
    for (i, consumer) in run.consumers.iter().enumerate() {
        let last = i + 1 == n;
        let (panel, remaining) = below.split_vertically(panel_height + if last { FOOT } else { 0 });
        self::panel(&panel, run, consumer, top, last)?;
        below = remaining;
    }
    Ok(())
}

fn panel(area: &Area<'_>, run: &RunResult, consumer: &ConsumerResult, top: f64, last: bool) -> Drawn {
    let width = consumer.series.bucket_s;
    let (unit_s, unit) = time_axis(run.duration_s);
    let mut chart = ChartBuilder::on(area)
        .margin(6)
        .margin_right(28)
        .margin_top(24)
        .x_label_area_size(if last { FOOT } else { 0 })
        .y_label_area_size(70)
        .build_cartesian_2d(0.0..run.duration_s.max(1.0) / unit_s, 0.0..top)?;
    let mut mesh = chart.configure_mesh();
    mesh.disable_x_mesh().bold_line_style(GRID).light_line_style(TRANSPARENT).axis_style(INK);
    mesh.label_style(font(13)).axis_desc_style(font(14)).y_desc("per second").y_labels(4);
    mesh.y_label_formatter(&|rate| digits(*rate)).x_label_formatter(&|at| digits(*at));
    if last {
        mesh.x_desc(unit);
    }
    mesh.draw()?;
    for (middle, bucket) in consumer.series.points() {
        let (left, right) = (middle - width / 2.0, (middle + width / 2.0).min(run.duration_s));
        let failed = bucket.requests.saturating_sub(bucket.useful + bucket.wasted);
        let mut base = 0.0;
        for (n, colour) in [(bucket.useful, USEFUL), (bucket.wasted, WASTED), (failed, FAILED)] {
            let up = base + n as f64 / width;
            if n > 0 && right > left {
                chart.draw_series([Rectangle::new(
                    [(left / unit_s, base), (right / unit_s, up)],
                    colour.mix(0.9).filled(),
                )])?;
            }
            base = up;
        }
    }
    let note = format!("{}: {} requests", consumer.name, count(consumer.requests));
    caption(area, &note, (78, 13), font(14))
}

fn peak_per_s(consumer: &ConsumerResult) -> f64 {
    let peak = consumer.series.buckets.iter().map(|bucket| bucket.requests).max().unwrap_or(0);
    peak as f64 / consumer.series.bucket_s
}

fn sentence(run: &RunResult) -> Option<String> {
    let share = |c: &ConsumerResult| (c.requests > 0).then(|| c.wasted_requests as f64 / c.requests as f64);
    let (wasteful, most) =
        run.consumers.iter().filter_map(|c| Some((c, share(c)?))).max_by(|a, b| a.1.total_cmp(&b.1))?;
    let leanest = run.consumers.iter().filter(|c| c.requests > 0).min_by_key(|c| c.requests)?;
    let fewest = if run.consumers.len() > 1 {
        format!(" {} needed the fewest requests, {}.", leanest.name, count(leanest.requests))
    } else {
        String::new()
    };
    Some(format!(
        "{} of {}'s {} requests were answered with nothing new.{fewest}",
        percent(most),
        wasteful.name,
        count(wasteful.requests)
    ))
}
