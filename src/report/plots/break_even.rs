//! Where polling and webhooks cost the same: the price of an event by how many a poll brings.

use plotters::prelude::*;

use super::{
    Figure,
    canvas::{
        Area, Drawn, Mark, caption, font, legend, legend_height, log_marks, plain, sheet, text_width, whole_chart,
    },
    palette::{FAINT, INK, style},
};
use crate::{
    measure::{Cost, RunResult},
    report::format::{digits, money},
};

const HEIGHT: u32 = 330;
const SIZE: u32 = 15;
/// Decades that are shown on each side of the break-even and of what was found.
const ROOM: f64 = 10.0;

pub(super) const FIGURE: Figure = Figure {
    name: "break-even",
    title: "From how many events a poll on is polling cheaper?",
    how_to_read: "What a million events cost the consumer: a webhook costs the same for each, a poll is shared by all that it \
                  brings. Both scales are logarithmic; polling is cheaper to the right of where the lines meet. The \
                  dotted line is what this run's poller found.",
    sentence,
    draw: |run| match lines(run) {
        Some(lines) => {
            let entries = entries(&lines);
            sheet("break-even", HEIGHT + legend_height(&entries), |area| draw(&lines, &entries, area))
        }
        None => sheet("break-even", 10, |_| Ok(())),
    },
};

/// A poller and a webhook, priced.
struct Lines {
    poller: (usize, String),
    hook: (usize, String),
    currency: String,
    per_poll: f64,
    per_webhook: f64,
    /// Events per poll in this run.
    found: f64,
}

impl Lines {
    /// Events per poll at which both cost the same.
    fn even(&self) -> f64 {
        self.per_poll / self.per_webhook
    }
}

/// The first pure poller and the first that is pushed to; `None` where one is missing or costs nothing.
fn lines(run: &RunResult) -> Option<Lines> {
    let priced =
        || run.consumers.iter().enumerate().filter_map(|(i, consumer)| Some((i, consumer, consumer.cost.as_ref()?)));
    let (p, poller, cost) =
        priced().find(|(_, _, cost)| cost.per_webhook[0].is_none() && cost.per_poll[0].is_some())?;
    let (h, hook, other) = priced().find(|(_, _, cost)| cost.per_webhook[0].is_some())?;
    let price = |of: &Cost, which: fn(&Cost) -> [Option<f64>; 2]| which(of)[0].filter(|price| *price > 0.0);
    Some(Lines {
        poller: (p, poller.name.clone()),
        hook: (h, hook.name.clone()),
        currency: cost.currency.clone(),
        per_poll: price(cost, |cost| cost.per_poll)?,
        per_webhook: price(other, |cost| cost.per_webhook)?,
        found: (poller.due as f64 / poller.requests.max(1) as f64).max(1e-6),
    })
}

fn entries(lines: &Lines) -> Vec<(String, Mark)> {
    let entry = |(i, name): &(usize, String)| {
        let (colour, dash, gap) = style(*i);
        (name.clone(), Mark::Line(colour, dash, gap))
    };
    vec![entry(&lines.poller), entry(&lines.hook), ("found in this run".to_owned(), Mark::Line(FAINT, 2, 3))]
}

fn draw(lines: &Lines, entries: &[(String, Mark)], area: &Area<'_>) -> Drawn {
    let used = legend(area, entries)?;
    let (_, below) = area.split_vertically(used);
    let even = lines.even();
    let x = even.min(lines.found) / ROOM..even.max(lines.found) * ROOM;
    let million = 1e6;
    let polled = |events: f64| lines.per_poll / events * million;
    let pushed = lines.per_webhook * million;
    let y = polled(x.end).min(pushed) / 2.0..polled(x.start).max(pushed) * 2.0;
    let marks = (log_marks(&x), log_marks(&y));
    let mut chart = whole_chart(&below).build_cartesian_2d(
        x.clone().log_scale().with_key_points(marks.0),
        y.clone().log_scale().with_key_points(marks.1),
    )?;
    let mut mesh = chart.configure_mesh();
    plain(&mut mesh);
    mesh.x_desc("events per poll")
        .y_desc("a million events cost")
        .x_label_formatter(&|events| digits(*events))
        .y_label_formatter(&|cost| money(*cost, &lines.currency))
        .draw()?;
    let line = |(i, _): &(usize, String), points: [(f64, f64); 2]| {
        let (colour, dash, gap) = style(*i);
        DashedLineSeries::new(points, dash.max(1), gap, colour.stroke_width(3))
    };
    chart.draw_series(line(&lines.poller, [(x.start, polled(x.start)), (x.end, polled(x.end))]))?;
    chart.draw_series(line(&lines.hook, [(x.start, pushed), (x.end, pushed)]))?;
    chart.draw_series(DashedLineSeries::new(
        [(lines.found, y.start), (lines.found, y.end)],
        2,
        3,
        FAINT.stroke_width(2),
    ))?;
    chart.draw_series([Circle::new((even, pushed), 6, INK.filled())])?;
    let (left, top) = below.get_base_pixel();
    let (at_x, at_y) = chart.backend_coord(&(even, pushed));
    let name = format!("break-even at {} events per poll", digits(even));
    // On the side where there is no line above the point.
    let right = at_x - left + 14;
    let fits = right + text_width(&name, SIZE) < super::canvas::WIDTH as i32;
    let x = if fits { right } else { at_x - left - 14 - text_width(&name, SIZE) };
    caption(&below, &name, (x, at_y - top - 16), font(SIZE))
}

fn sentence(run: &RunResult) -> Option<String> {
    let lines = lines(run)?;
    let cheaper = if lines.found > lines.even() { &lines.poller.1 } else { &lines.hook.1 };
    Some(format!(
        "A poll costs the consumer as much as {} webhooks. {} found {} events per poll, so {cheaper} is the cheaper way here.",
        digits(lines.even()),
        lines.poller.1,
        digits(lines.found),
    ))
}
