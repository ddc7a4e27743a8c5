//! Attempts and duplicates over time, with what was wrong on purpose shaded behind them.

use plotters::prelude::*;

use super::{
    Figure,
    canvas::{
        Area, Drawn, GRID, INK, Mark, SHADE, USEFUL, caption, faint, font, legend, round_up, sheet, time_axis, windows,
    },
};
use crate::{
    measure::{ConsumerResult, RunResult},
    report::format::{count, digits, maybe_count, plural},
};

const PANEL: u32 = 165;
const FOOT: u32 = 40;
const DUPLICATES: RGBColor = RGBColor(0xD5, 0x5E, 0x00);

pub(super) const FIGURE: Figure = Figure {
    name: "duplicates",
    title: "What do faults bring back?",
    how_to_read: "One panel per webhook consumer: attempts per second (solid) and duplicates that arrived (dashed). \
                  Shaded: an outage, crash or stall, while it lasted.",
    sentence,
    draw: |run| {
        let panels = webhooks(run).count() as u32;
        sheet("duplicates", 30 + PANEL * panels + FOOT, |area| draw(run, area))
    },
};

fn webhooks(run: &RunResult) -> impl Iterator<Item = (usize, &ConsumerResult)> {
    run.consumers.iter().enumerate().filter(|(_, consumer)| consumer.kind == "webhook")
}

fn draw(run: &RunResult, area: &Area<'_>) -> Drawn {
    let mut entries = vec![
        ("attempts".to_owned(), Mark::Line(USEFUL, 1, 0)),
        ("duplicates received".to_owned(), Mark::Line(DUPLICATES, 7, 4)),
    ];
    if !run.disturbances.is_empty() {
        entries.push(("fault window".to_owned(), Mark::Box(SHADE, 0.25)));
    }
    let used = legend(area, &entries)?;
    let (_, rest) = area.split_vertically(used);
    let rate = |c: &ConsumerResult| {
        let peak = c.series.buckets.iter().map(|b| b.attempts.max(b.duplicates_received)).max().unwrap_or(0);
        peak as f64 / c.series.bucket_s
    };
    let top = round_up(webhooks(run).map(|(_, consumer)| rate(consumer)).fold(0.0, f64::max));
    let n = webhooks(run).count();
    let (_, height) = rest.dim_in_pixel();
    let panel_height = (height - FOOT) / n.max(1) as u32;
    let mut below = rest;
    for (shown, (no, consumer)) in webhooks(run).enumerate() {
        let last = shown + 1 == n;
        let (panel, remaining) = below.split_vertically(panel_height + if last { FOOT } else { 0 });
        self::panel(&panel, run, no, consumer, top, last)?;
        below = remaining;
    }
    Ok(())
}

fn panel(area: &Area<'_>, run: &RunResult, no: usize, consumer: &ConsumerResult, top: f64, last: bool) -> Drawn {
    let (unit_s, unit) = time_axis(run.duration_s);
    let mut chart = ChartBuilder::on(area)
        .margin(6)
        .margin_right(28)
        .margin_top(24)
        .x_label_area_size(if last { FOOT } else { 0 })
        .y_label_area_size(70)
        .build_cartesian_2d(0.0..run.duration_s.max(1.0) / unit_s, 0.0..top)?;
    let shades = windows(run, no).map(|(from, until, _)| {
        Rectangle::new([(from / unit_s, 0.0), (until / unit_s, top)], SHADE.mix(0.25).filled())
    });
    chart.draw_series(shades)?;
    let mut mesh = chart.configure_mesh();
    mesh.disable_x_mesh().bold_line_style(GRID).light_line_style(TRANSPARENT).axis_style(INK);
    mesh.label_style(font(13)).axis_desc_style(font(14)).y_desc("per second").y_labels(4);
    mesh.y_label_formatter(&|rate| digits(*rate)).x_label_formatter(&|at| digits(*at));
    if last {
        mesh.x_desc(unit);
    }
    mesh.draw()?;
    let width = consumer.series.bucket_s;
    let attempts = consumer.series.points().map(|(at, bucket)| (at / unit_s, bucket.attempts as f64 / width));
    chart.draw_series(LineSeries::new(attempts, USEFUL.stroke_width(2)))?;
    let duplicates: Vec<(f64, f64)> =
        consumer.series.points().map(|(at, bucket)| (at / unit_s, bucket.duplicates_received as f64 / width)).collect();
    chart.draw_series(DashedLineSeries::new(duplicates, 7, 4, DUPLICATES.stroke_width(2)))?;
    for (from, until, what) in windows(run, no) {
        // A label that would leave the picture on the right is moved left of its window.
        let x = chart.backend_coord(&((from + until) / 2.0 / unit_s, top)).0 - area.get_base_pixel().0;
        let half = super::canvas::text_width(what, 12) / 2;
        let (width, _) = area.dim_in_pixel();
        caption(area, what, ((x - half).clamp(0, width as i32 - 2 * half), 32), faint(12))?;
    }
    let received = maybe_count(consumer.duplicates_received);
    let note = format!(
        "{}: {} attempts, duplicates received: {received}, applied: {}",
        consumer.name,
        count(consumer.attempts),
        maybe_count(consumer.duplicates_applied)
    );
    caption(area, &note, (78, 13), font(14))
}

fn sentence(run: &RunResult) -> Option<String> {
    webhooks(run).next()?;
    let told = webhooks(run).map(|(_, c)| match (c.duplicates_received, c.duplicates_applied) {
        (Some(0), _) => format!("{} received no duplicate", c.name),
        (Some(received), Some(0)) => {
            format!("{} received {} and applied none twice", c.name, plural(received, "duplicate"))
        }
        (Some(received), Some(applied)) => {
            format!("{} received {} and applied {}", c.name, plural(received, "duplicate"), count(applied))
        }
        _ => format!("what {} made of duplicates was not observed", c.name),
    });
    let told: Vec<String> = told.collect();
    Some(format!("{}.", told.join("; ")))
}
