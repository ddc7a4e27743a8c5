//! On which side of the break-even each case lies: what polling costs as a share of webhooks, by what a poll finds.

use plotters::prelude::*;

use super::{Case, Comparison, runs};
use crate::report::{
    format::digits,
    plots::{
        canvas::{
            Area, Drawn, Mark, caption, faint, font, legend, legend_height, plain, sheet, text_width, whole_chart,
        },
        palette::{BLUE, FAINT, INK, VERMILION},
    },
};

const HEIGHT: u32 = 330;
const SIZE: u32 = 15;
/// What is shown on each side of what was measured, as a factor.
const ROOM: f64 = 1.5;

pub(super) const FIGURE: Comparison = Comparison {
    name: "cheaper",
    title: "Polling or webhooks: which is cheaper?",
    how_to_read: "The consumer's bill for polling as a share of that for webhooks, by how many events a poll finds. Points are \
                  cases as measured; the line is the closed form, price of a poll over price of a webhook over events per \
                  poll. Below one, polling is cheaper.",
    sentence,
    draw: |cases| {
        let height = HEIGHT + points(cases).map_or(0, |_| legend_height(&entries()));
        sheet("cheaper", height, |area| points(cases).map_or(Ok(()), |found| draw(&found, area)))
    },
};

/// What the cases measured.
struct Points<'a> {
    poller: &'a str,
    hook: &'a str,
    /// Events per poll at which both cost the same, by their prices.
    even: f64,
    /// Each case, its events per poll, and what polling cost as a share of webhooks.
    all: Vec<(&'a str, f64, f64)>,
}

/// A poller and a webhook in several cases, on both sides of the break-even.
fn points<'a>(cases: &[Case<'a>]) -> Option<Points<'a>> {
    let (mut all, mut who) = (Vec::new(), None);
    for (case, run) in runs(cases) {
        if !run.disturbances.is_empty() {
            // What an outage does to a bill is no matter of prices.
            return None;
        }
        let priced = || run.consumers.iter().filter_map(|one| Some((one, one.cost.as_ref()?)));
        let (poller, polled) = priced().find(|(one, _)| one.kind == "polling")?;
        let (hook, pushed) = priced().find(|(one, _)| one.kind == "webhook")?;
        let (a, b) = (polled.per_poll[0]?, pushed.per_webhook[0].filter(|price| *price > 0.0)?);
        let ratio = polled.consumer.per_month / pushed.consumer.per_month;
        who.get_or_insert((&*poller.name, &*hook.name, a / b));
        all.push((case, poller.due as f64 / poller.requests.max(1) as f64, ratio));
    }
    let (poller, hook, even) = who?;
    let both_sides = all.iter().any(|(_, _, ratio)| *ratio > 1.0) && all.iter().any(|(_, _, ratio)| *ratio < 1.0);
    let sound = all.iter().all(|(_, found, ratio)| *found > 0.0 && ratio.is_finite());
    (both_sides && sound).then_some(Points { poller, hook, even, all })
}

fn entries() -> Vec<(String, Mark)> {
    vec![
        ("closed form".to_owned(), Mark::Line(BLUE, 1, 0)),
        ("measured, case by case".to_owned(), Mark::Box(VERMILION, 1.0)),
    ]
}

fn draw(points: &Points<'_>, area: &Area<'_>) -> Drawn {
    let used = legend(area, &entries())?;
    let (_, below) = area.split_vertically(used);
    let found = || points.all.iter().map(|(_, found, _)| *found);
    let x = found().fold(points.even, f64::min) / ROOM..found().fold(points.even, f64::max) * ROOM;
    let line = |found: f64| points.even / found;
    let mut chart = whole_chart(&below).build_cartesian_2d(x.clone(), 0.0..line(x.start) * 1.05)?;
    let mut mesh = chart.configure_mesh();
    plain(&mut mesh);
    mesh.x_desc("events per poll")
        .y_desc("polling / webhooks")
        .x_label_formatter(&|found| digits(*found))
        .y_label_formatter(&|ratio| digits(*ratio))
        .draw()?;
    let steps = (0..=100).map(|i| x.start + (x.end - x.start) * f64::from(i) / 100.0);
    chart.draw_series(LineSeries::new(steps.map(|found| (found, line(found))), BLUE.stroke_width(2)))?;
    chart.draw_series(DashedLineSeries::new([(x.start, 1.0), (x.end, 1.0)], 4, 4, FAINT.stroke_width(2)))?;
    chart
        .draw_series(points.all.iter().map(|(_, found, ratio)| Circle::new((*found, *ratio), 5, VERMILION.filled())))?;
    chart.draw_series([Circle::new((points.even, 1.0), 8, INK.stroke_width(2))])?;
    let (left, top) = below.get_base_pixel();
    let (at_x, at_y) = chart.backend_coord(&(points.even, 1.0));
    let name = format!("the same at {} events per poll", digits(points.even));
    caption(&below, &name, (at_x - left + 14, at_y - top - 18), font(SIZE))?;
    let (from, until) = (chart.backend_coord(&(x.start, 1.0)).0 - left, chart.backend_coord(&(x.end, 1.0)).0 - left);
    caption(&below, "webhooks are cheaper", (from + 10, at_y - top - 14), faint(SIZE))?;
    let right = "polling is cheaper";
    caption(&below, right, (until - text_width(right, SIZE) - 10, at_y - top + 14), faint(SIZE))
}

fn sentence(cases: &[Case<'_>]) -> Option<String> {
    let points = points(cases)?;
    let told = points.all.iter().map(|(case, found, ratio)| {
        format!("{} times as much in {case} ({} events per poll)", digits(*ratio), digits(*found))
    });
    Some(format!(
        "{} costs the consumer as much as {} at {} events per poll; measured: {}.",
        super::capital(points.poller),
        points.hook,
        digits(points.even),
        told.collect::<Vec<_>>().join(", ")
    ))
}
