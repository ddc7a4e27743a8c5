//! What was asked of a receiver and what of it came in time, where it never got up again, beside cases where it did.

use plotters::prelude::*;

use super::{Case, Comparison, in_case, runs, window_s};
use crate::{
    measure::{Bucket, ConsumerResult, RunResult},
    report::{
        format::digits,
        plots::{
            canvas::{
                Area, Drawn, FOOT, Mark, TITLE_AT, caption, font, legend, panel_chart, panel_height, panels, rate_axes,
                round_up, shades, sheet, time_axis, window_names, windows,
            },
            palette::{BLUE, ORANGE, VERMILION},
        },
    },
};

const PANEL: u32 = 165;

pub(super) const FIGURE: Comparison = Comparison {
    name: "goodput",
    title: "Does it get up again?",
    how_to_read: "One panel per case: attempts per second (dashed), and those of them that were the first of their event to be \
                  acked in time (solid). Where the dashed line is far above the solid one, the receiver works for \
                  senders that no longer wait. Shaded: an outage, crash or stall, while it lasted.",
    sentence,
    draw: |cases| {
        let all = pushed(cases);
        sheet("goodput", 34 + panel_height(all.len(), PANEL) * all.len() as u32 + FOOT, |area| draw(&all, area))
    },
};

/// A case with its first consumer that is pushed to.
struct Panel<'a> {
    case: &'a str,
    run: &'a RunResult,
    no: usize,
    consumer: &'a ConsumerResult,
}

/// A panel for each case, where the receiver of one fell for good, though nothing was wrong any more, and that of
/// another is up at the end.
fn pushed<'a>(cases: &[Case<'a>]) -> Vec<Panel<'a>> {
    let of = |(case, run): (&'a str, &'a RunResult)| {
        let mut all = run.consumers.iter().enumerate();
        let (no, consumer) = all.find(|(_, one)| one.kind == "webhook" && one.load.fell.is_some())?;
        Some(Panel { case, run, no, consumer })
    };
    let mut all: Vec<Panel<'_>> = runs(cases).into_iter().filter_map(of).collect();
    if !(all.iter().any(fell) && all.iter().any(is_up)) {
        all.clear();
    }
    all
}

fn fell(panel: &Panel<'_>) -> bool {
    let end_s = window_s(panel.run);
    panel.consumer.load.fell == Some(true) && panel.run.disturbances.iter().all(|window| window.until_s < end_s)
}

fn is_up(panel: &Panel<'_>) -> bool {
    let load = &panel.consumer.load;
    load.late_goodput_per_s.zip(load.late_offered_per_s).is_some_and(|(good, offered)| 2.0 * good > offered)
}

/// Up to when the panels go: until the last window in which a receiver fell is over.
fn end_s(all: &[Panel<'_>]) -> f64 {
    all.iter().filter(|panel| fell(panel)).map(|panel| window_s(panel.run)).fold(1.0, f64::max)
}

fn draw(all: &[Panel<'_>], area: &Area<'_>) -> Drawn {
    let mut entries = vec![
        ("attempts".to_owned(), Mark::Line(VERMILION, 7, 4)),
        ("acked in time".to_owned(), Mark::Line(BLUE, 1, 0)),
    ];
    if all.iter().any(|panel| !panel.run.disturbances.is_empty()) {
        entries.push(("fault window".to_owned(), Mark::Box(ORANGE, 0.25)));
    }
    let used = legend(area, &entries)?;
    let (_, rest) = area.split_vertically(used);
    let end_s = end_s(all);
    let peak = |panel: &Panel<'_>| {
        rates(panel, end_s, |bucket| bucket.attempts).into_iter().map(|(_, n)| n).fold(0.0, f64::max)
    };
    let top = round_up(all.iter().map(peak).fold(0.0, f64::max));
    for (shown, (panel, area)) in all.iter().zip(panels(&rest, all.len())).enumerate() {
        draw_panel(&area, panel, end_s, top, shown + 1 == all.len())?;
    }
    Ok(())
}

/// Per second, bucket by bucket, while events arrive.
fn rates(panel: &Panel<'_>, end_s: f64, read: fn(&Bucket) -> u64) -> Vec<(f64, f64)> {
    let (series, end_s) = (&panel.consumer.series, end_s.min(window_s(panel.run)));
    let points = series.points().map(|(at, bucket)| (at, read(bucket) as f64 / series.bucket_s));
    // The last bucket may be in part behind the end, where nothing arrives.
    points.filter(|(at, _)| at + series.bucket_s / 2.0 < end_s).collect()
}

fn draw_panel(area: &Area<'_>, panel: &Panel<'_>, end_s: f64, top: f64, last: bool) -> Drawn {
    let (unit_s, unit) = time_axis(end_s);
    let mut chart = panel_chart(area, last).build_cartesian_2d(0.0..end_s / unit_s, 0.0..top)?;
    let shaded = windows(panel.run, Some(panel.no));
    chart.draw_series(shades(&shaded, unit_s, top))?;
    rate_axes(&mut chart, last.then_some(unit))?;
    let line = |read| rates(panel, end_s, read).into_iter().map(|(at, rate)| (at / unit_s, rate)).collect::<Vec<_>>();
    chart.draw_series(DashedLineSeries::new(line(|bucket| bucket.attempts), 7, 4, VERMILION.stroke_width(2)))?;
    chart.draw_series(LineSeries::new(line(|bucket| bucket.useful), BLUE.stroke_width(2)))?;
    let left = area.get_base_pixel().0;
    window_names(area, &shaded, |at| chart.backend_coord(&(at / unit_s, top)).0 - left)?;
    let words = told(panel).unwrap_or_else(|| panel.consumer.name.clone());
    caption(area, &in_case(panel.case, &words), TITLE_AT, font(16))
}

/// What is left at the end.
fn told(panel: &Panel<'_>) -> Option<String> {
    let load = &panel.consumer.load;
    let (good, offered) = (load.late_goodput_per_s?, load.late_offered_per_s?);
    Some(format!("at the end {} attempts a second, {} acked in time", digits(offered), digits(good)))
}

fn sentence(cases: &[Case<'_>]) -> Option<String> {
    let all = pushed(cases);
    let (down, up): (Vec<_>, Vec<_>) = all.iter().partition(|panel| fell(panel));
    let list = |panels: &[&Panel<'_>]| {
        let told = panels.iter().filter_map(|panel| Some(in_case(panel.case, &told(panel)?)));
        told.collect::<Vec<_>>().join("; ")
    };
    if down.is_empty() {
        return None;
    }
    Some(format!("It falls for good in {}. It does not in {}.", list(&down), list(&up)))
}
