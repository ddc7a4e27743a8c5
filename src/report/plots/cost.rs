//! What each consumer cost: requests, bytes and processor time side by side.

use plotters::prelude::*;

use super::{
    Figure,
    canvas::{Area, Drawn, WIDTH, caption, faint, font, sheet, text_width},
    palette::{FAINT, style},
};
use crate::{
    measure::{ConsumerResult, RunResult},
    report::{
        format::{NOT_OBSERVED, alike, bytes, count, digits, plural, seconds},
        rows::both_ways,
    },
};

const BAR: i32 = 20;
const GAP: i32 = 8;
const HEAD: i32 = 34;

/// A measure of cost: its title, its value and its text.
type Measure = (&'static str, fn(&ConsumerResult) -> Option<f64>, fn(f64) -> String);

const MEASURES: [Measure; 4] = [
    ("Requests", |c| Some(c.requests as f64), |n| count(n as u64)),
    ("Requests in the busiest second", |c| Some(c.peak_requests_per_s as f64), |n| count(n as u64)),
    ("Bytes, both ways", |c| both_ways(c).map(|n| n as f64), |n| bytes(n as u64)),
    ("Processor time of the consumer", |c| c.cpu_s, seconds),
];

pub(super) const FIGURE: Figure = Figure {
    name: "cost",
    title: "What does it cost?",
    how_to_read: "Four measures, each with its own scale from zero; shorter is cheaper.",
    sentence,
    draw: |run| sheet("cost", (block(run) * MEASURES.len() as i32 + 10) as u32, |area| draw(run, area)),
};

fn block(run: &RunResult) -> i32 {
    HEAD + run.consumers.len() as i32 * (BAR + GAP)
}

fn draw(run: &RunResult, area: &Area<'_>) -> Drawn {
    let names = run.consumers.iter().map(|c| text_width(&c.name, 15)).max().unwrap_or(0);
    let left = (names + 26).clamp(80, WIDTH as i32 / 2);
    let longest = WIDTH as i32 - left - 130;
    for (m, (title, read, show)) in MEASURES.iter().enumerate() {
        let top = m as i32 * block(run);
        caption(area, title, (14, top + 18), font(16))?;
        let most = run.consumers.iter().filter_map(read).fold(0.0, f64::max);
        for (i, consumer) in run.consumers.iter().enumerate() {
            let y = top + HEAD + i as i32 * (BAR + GAP);
            caption(area, &consumer.name, (26, y + BAR / 2), font(15))?;
            match read(consumer) {
                Some(value) => {
                    let length = if most > 0.0 { (value / most * f64::from(longest)) as i32 } else { 0 };
                    let (colour, _, _) = style(i);
                    area.draw(&Rectangle::new([(left, y), (left + length.max(1), y + BAR)], colour.filled()))?;
                    caption(area, &show(value), (left + length.max(1) + 8, y + BAR / 2), font(15))?;
                }
                None => caption(area, NOT_OBSERVED, (left + 8, y + BAR / 2), faint(15))?,
            }
        }
        let axis = top + HEAD + run.consumers.len() as i32 * (BAR + GAP) - GAP;
        area.draw(&PathElement::new([(left, top + HEAD - 4), (left, axis + 4)], FAINT.stroke_width(1)))?;
    }
    Ok(())
}

fn sentence(run: &RunResult) -> Option<String> {
    let cheapest = run.consumers.iter().min_by_key(|c| c.requests)?;
    let dearest = run.consumers.iter().max_by_key(|c| c.requests)?;
    let requests = if cheapest.name == dearest.name || cheapest.requests == 0 {
        format!("{} made {}", dearest.name, plural(dearest.requests, "request"))
    } else if alike(cheapest.requests as f64, dearest.requests as f64) {
        format!("All made about as many requests, {}", count(dearest.requests))
    } else {
        let times = digits(dearest.requests as f64 / cheapest.requests as f64);
        format!("{} made {times} times the requests of {}", dearest.name, cheapest.name)
    };
    let per_event = cheapest.requests as f64 / run.provider.emitted.max(1) as f64;
    let heaviest = run.consumers.iter().filter_map(|c| Some((c, c.cpu_s?))).max_by(|a, b| a.1.total_cmp(&b.1));
    let cpu = heaviest
        .map_or(String::new(), |(c, cpu)| format!("; {} used the most processor time, {}", c.name, seconds(cpu)));
    Some(format!("{requests}{cpu}. Requests per event, at the least: {}.", digits(per_event)))
}
