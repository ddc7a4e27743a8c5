//! Attempts and duplicates over time, with what was wrong on purpose shaded behind them.

use plotters::prelude::*;

use super::{
    Figure,
    canvas::{
        Area, Drawn, FOOT, Mark, TITLE_AT, caption, font, legend, panel_chart, panel_height, panels, rate_axes,
        round_up, shades, sheet, time_axis, window_names, windows,
    },
    palette::{BLUE, ORANGE, VERMILION},
};
use crate::{
    measure::{ConsumerResult, RunResult},
    report::format::{count, maybe_count, plural},
};

const PANEL: u32 = 165;

pub(super) const FIGURE: Figure = Figure {
    name: "duplicates",
    title: "What do faults bring back?",
    how_to_read: "One panel per webhook consumer: attempts per second (solid) and duplicates that arrived (dashed). \
                  Shaded: an outage, crash or stall, while it lasted.",
    sentence,
    draw: |run| {
        let n = webhooks(run).count();
        sheet("duplicates", 34 + panel_height(n, PANEL) * n as u32 + FOOT, |area| draw(run, area))
    },
};

fn webhooks(run: &RunResult) -> impl Iterator<Item = (usize, &ConsumerResult)> {
    run.consumers.iter().enumerate().filter(|(_, consumer)| consumer.kind != "polling")
}

fn draw(run: &RunResult, area: &Area<'_>) -> Drawn {
    let mut entries = vec![
        ("attempts".to_owned(), Mark::Line(BLUE, 1, 0)),
        ("duplicates received".to_owned(), Mark::Line(VERMILION, 7, 4)),
    ];
    if !run.disturbances.is_empty() {
        entries.push(("fault window".to_owned(), Mark::Box(ORANGE, 0.25)));
    }
    let used = legend(area, &entries)?;
    let (_, rest) = area.split_vertically(used);
    let rate = |c: &ConsumerResult| {
        let peak = c.series.buckets.iter().map(|b| b.attempts.max(b.duplicates_received)).max().unwrap_or(0);
        peak as f64 / c.series.bucket_s
    };
    let top = round_up(webhooks(run).map(|(_, consumer)| rate(consumer)).fold(0.0, f64::max));
    let n = webhooks(run).count();
    for (shown, ((no, consumer), area)) in webhooks(run).zip(panels(&rest, n)).enumerate() {
        panel(&area, run, no, consumer, top, shown + 1 == n)?;
    }
    Ok(())
}

fn panel(area: &Area<'_>, run: &RunResult, no: usize, consumer: &ConsumerResult, top: f64, last: bool) -> Drawn {
    let (unit_s, unit) = time_axis(run.duration_s);
    let mut chart = panel_chart(area, last).build_cartesian_2d(0.0..run.duration_s.max(1.0) / unit_s, 0.0..top)?;
    let shaded = windows(run, Some(no));
    chart.draw_series(shades(&shaded, unit_s, top))?;
    rate_axes(&mut chart, last.then_some(unit))?;
    let width = consumer.series.bucket_s;
    let attempts = consumer.series.points().map(|(at, bucket)| (at / unit_s, bucket.attempts as f64 / width));
    chart.draw_series(LineSeries::new(attempts, BLUE.stroke_width(2)))?;
    let duplicates: Vec<(f64, f64)> =
        consumer.series.points().map(|(at, bucket)| (at / unit_s, bucket.duplicates_received as f64 / width)).collect();
    chart.draw_series(DashedLineSeries::new(duplicates, 7, 4, VERMILION.stroke_width(2)))?;
    let left = area.get_base_pixel().0;
    window_names(area, &shaded, |at| chart.backend_coord(&(at / unit_s, top)).0 - left)?;
    let received = maybe_count(consumer.duplicates_received);
    let note = format!(
        "{}: {} attempts, duplicates received: {received}, applied: {}",
        consumer.name,
        count(consumer.attempts),
        maybe_count(consumer.duplicates_applied)
    );
    caption(area, &note, TITLE_AT, font(16))
}

fn sentence(run: &RunResult) -> Option<String> {
    const TOLD: usize = 4;
    webhooks(run).next()?;
    let troubled = |(_, c): (usize, &ConsumerResult)| c.failed_requests > 0 || c.duplicates_received != Some(0);
    if !webhooks(run).any(troubled) && run.disturbances.is_empty() {
        return None;
    }
    let mut hooks: Vec<&ConsumerResult> = webhooks(run).map(|(_, consumer)| consumer).collect();
    if hooks.iter().all(|consumer| consumer.duplicates_received == Some(0)) {
        let failed: u64 = hooks.iter().map(|consumer| consumer.failed_requests).sum();
        return Some(format!("Nobody received a duplicate; {} failed.", plural(failed, "request")));
    }
    hooks.sort_by_key(|consumer| std::cmp::Reverse(consumer.duplicates_received));
    let told = hooks.iter().take(TOLD).map(|c| match (c.duplicates_received, c.duplicates_applied) {
        (Some(0), _) => format!("{} received no duplicate", c.name),
        (Some(received), Some(0)) => {
            format!("{} received {} and applied none twice", c.name, plural(received, "duplicate"))
        }
        (Some(received), Some(applied)) => {
            format!("{} received {} and applied {} twice", c.name, plural(received, "duplicate"), count(applied))
        }
        _ => format!("what {} made of duplicates was not observed", c.name),
    });
    let mut told: Vec<String> = told.collect();
    if hooks.len() > TOLD {
        told.push(format!("the other {} received no more", hooks.len() - TOLD));
    }
    (!told.is_empty()).then(|| format!("{}.", told.join("; ")))
}
