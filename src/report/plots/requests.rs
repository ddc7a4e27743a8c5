//! Requests over time, and how many of them brought anything.

use plotters::prelude::*;

use super::{
    Figure,
    canvas::{
        Area, Drawn, FOOT, Mark, TITLE_AT, caption, font, legend, panel_chart, panel_height, panels, rate_axes,
        round_up, sheet, time_axis,
    },
    palette::{BLUE, FAILED, ORANGE},
};
use crate::{
    measure::{ConsumerResult, RunResult},
    report::format::{alike, count, digits, percent, plural},
};

const PANEL: u32 = 150;

pub(super) const FIGURE: Figure = Figure {
    name: "requests",
    title: "What does asking cost?",
    how_to_read: "One panel per consumer, all on one scale: requests per second, from the bottom up useful (pages \
                  with events, first acks), wasted (answered with nothing new) and failed.",
    sentence,
    draw: |run| {
        let n = run.consumers.len();
        sheet("requests", 34 + panel_height(n, PANEL) * n as u32 + FOOT, |area| draw(run, area))
    },
};

fn draw(run: &RunResult, area: &Area<'_>) -> Drawn {
    let entries = [("useful", BLUE), ("wasted", ORANGE), ("failed", FAILED)];
    let entries = entries.map(|(name, colour)| (name.to_owned(), Mark::Box(colour, 0.9)));
    let used = legend(area, &entries)?;
    let (_, rest) = area.split_vertically(used);
    let top = round_up(run.consumers.iter().map(peak_per_s).fold(0.0, f64::max));
    let n = run.consumers.len();
    for (i, (consumer, area)) in run.consumers.iter().zip(panels(&rest, n)).enumerate() {
        panel(&area, run, consumer, top, i + 1 == n)?;
    }
    Ok(())
}

fn panel(area: &Area<'_>, run: &RunResult, consumer: &ConsumerResult, top: f64, last: bool) -> Drawn {
    let width = consumer.series.bucket_s;
    let (unit_s, unit) = time_axis(run.duration_s);
    let mut chart = panel_chart(area, last).build_cartesian_2d(0.0..run.duration_s.max(1.0) / unit_s, 0.0..top)?;
    rate_axes(&mut chart, last.then_some(unit))?;
    for (middle, bucket) in consumer.series.points() {
        let (left, right) = (middle - width / 2.0, (middle + width / 2.0).min(run.duration_s));
        let failed = bucket.requests.saturating_sub(bucket.useful + bucket.wasted);
        let mut base = 0.0;
        for (n, colour) in [(bucket.useful, BLUE), (bucket.wasted, ORANGE), (failed, FAILED)] {
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
    caption(area, &note, TITLE_AT, font(16))
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
    let differ = run.consumers.iter().any(|c| !alike(c.requests as f64, leanest.requests as f64));
    let fewest = match differ {
        true => format!(" {} needed the fewest requests, {}.", leanest.name, count(leanest.requests)),
        false => String::new(),
    };
    let wasted = match most {
        0.0 => "No request was answered with nothing new.".to_owned(),
        share => format!(
            "{} of {}'s {} were answered with nothing new.",
            percent(share),
            wasteful.name,
            plural(wasteful.requests, "request")
        ),
    };
    Some(format!("{wasted}{fewest}{}", busiest_second(run).unwrap_or_default()))
}

/// Said where somebody's load comes in a heap: the busiest second is far above the average one.
fn busiest_second(run: &RunResult) -> Option<String> {
    let average = |c: &ConsumerResult| c.requests as f64 / run.duration_s.max(1.0);
    let heap = |c: &ConsumerResult| c.peak_requests_per_s as f64 / average(c);
    let heaped = run.consumers.iter().filter(|c| c.peak_requests_per_s >= 10);
    let most = heaped.max_by(|a, b| heap(a).total_cmp(&heap(b))).filter(|c| heap(c) >= 4.0)?;
    Some(format!(
        " In its busiest second {} made {} requests, {} times its average.",
        most.name,
        count(most.peak_requests_per_s),
        digits(heap(most))
    ))
}
