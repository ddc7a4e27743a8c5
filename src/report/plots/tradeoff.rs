//! Fresh or cheap: each consumer as a point, by what it asks and how late it is.

use std::ops::Range;

use plotters::prelude::*;

use super::{
    Figure,
    canvas::{Area, Drawn, SIDE, WIDTH, caption, font, log_marks, plain, sheet, text_width, whole_chart},
    palette::style,
};
use crate::{
    measure::{ConsumerResult, RunResult},
    report::format::{alike, digits, seconds},
};

const HEIGHT: u32 = 360;
const SIZE: u32 = 16;

pub(super) const FIGURE: Figure = Figure {
    name: "tradeoff",
    title: "Fresh or cheap?",
    how_to_read: "One point per consumer: further left asks less per event, further down is fresher. Both scales are \
                  logarithmic.",
    sentence,
    draw: |run| sheet("tradeoff", HEIGHT, |area| draw(run, area)),
};

/// A consumer as a point: requests per obligation, and the age that 99 % stay below.
struct Point<'a> {
    no: usize,
    name: &'a str,
    requests: f64,
    age_s: f64,
}

fn points(run: &RunResult) -> Vec<Point<'_>> {
    let point = |(no, consumer): (usize, &'_ ConsumerResult)| {
        let requests = consumer.requests as f64 / consumer.due as f64;
        let age_s = consumer.age_s.as_ref()?.p99?.max(1e-6);
        (consumer.due > 0 && requests > 0.0).then_some((no, requests, age_s))
    };
    let found = run.consumers.iter().enumerate().filter_map(point);
    found.map(|(no, requests, age_s)| Point { no, name: &run.consumers[no].name, requests, age_s }).collect()
}

/// The ends of a logarithmic axis: a decade at least, with room on both sides.
fn ends(values: impl Iterator<Item = f64>) -> Range<f64> {
    let (low, high) = values.fold((f64::MAX, f64::MIN_POSITIVE), |(low, high), v| (low.min(v), high.max(v)));
    let room = (3.2 / (high / low).sqrt()).max(1.8);
    low / room..high * room
}

fn draw(run: &RunResult, area: &Area<'_>) -> Drawn {
    let points = points(run);
    let requests = ends(points.iter().map(|point| point.requests));
    let ages = ends(points.iter().map(|point| point.age_s));
    let marks = (log_marks(&requests), log_marks(&ages));
    let mut chart = whole_chart(area)
        .build_cartesian_2d(requests.log_scale().with_key_points(marks.0), ages.log_scale().with_key_points(marks.1))?;
    let mut mesh = chart.configure_mesh();
    plain(&mut mesh);
    mesh.x_desc("requests per event that is due")
        .y_desc("99 % are younger than")
        .x_label_formatter(&|n| digits(*n))
        .y_label_formatter(&|age| seconds(*age))
        .draw()?;
    let (left, top) = area.get_base_pixel();
    let mut taken: Vec<(i32, i32, i32)> = Vec::new();
    for point in &points {
        let (colour, _, _) = style(point.no);
        chart.draw_series([Circle::new((point.requests, point.age_s), 6, colour.filled())])?;
        let (x, y) = chart.backend_coord(&(point.requests, point.age_s));
        let at = free_place((x - left, y - top), text_width(point.name, SIZE), &taken);
        taken.push((at.0, at.0 + text_width(point.name, SIZE), at.1));
        caption(area, point.name, at, font(SIZE))?;
    }
    Ok(())
}

/// Where a name beside its point covers no other name: right or left of it, or a line up or down.
fn free_place((x, y): (i32, i32), width: i32, taken: &[(i32, i32, i32)]) -> (i32, i32) {
    const LINE: i32 = 18;
    let right = x + 12;
    let fits = right + width <= WIDTH as i32 - 8;
    let sides = if fits { [right, x - 12 - width] } else { [x - 12 - width, right.min(WIDTH as i32 - 8 - width)] };
    let free = |(left, at): (i32, i32)| {
        let clear = |&(from, until, other): &(i32, i32, i32)| {
            left > until + 4 || left + width + 4 < from || (at - other).abs() >= LINE
        };
        left >= SIDE as i32 && taken.iter().all(clear)
    };
    let lines = [0, -1, 1, -2, 2, -3, 3, -4, 4];
    let places = lines.into_iter().flat_map(|line| sides.map(|side| (side, (y + line * LINE).clamp(14, 290))));
    places.clone().find(|place| free(*place)).unwrap_or((sides[0], y))
}

fn sentence(run: &RunResult) -> Option<String> {
    let points = points(run);
    if points.len() < 2 {
        return None;
    }
    let fresh = points.iter().min_by(|a, b| a.age_s.total_cmp(&b.age_s))?;
    let cheap = points.iter().min_by(|a, b| a.requests.total_cmp(&b.requests))?;
    let told = |point: &Point<'_>| {
        let s = if digits(point.requests) == "1" { "" } else { "s" };
        let (requests, age) = (digits(point.requests), seconds(point.age_s));
        format!("{requests} request{s} per event, 99 % of the events in effect within {age}")
    };
    let stale = points.iter().max_by(|a, b| a.age_s.total_cmp(&b.age_s))?;
    let same_price = points.iter().all(|point| alike(point.requests, cheap.requests));
    let said = if same_price && alike(fresh.age_s, stale.age_s) {
        format!("All are equally fresh and ask equally often: {}.", told(fresh))
    } else if same_price {
        let (least, most) = (seconds(fresh.age_s), seconds(stale.age_s));
        format!(
            "All ask about as often; 99 % of {}'s events are in effect within {least}, of {}'s within {most}.",
            fresh.name, stale.name
        )
    } else if fresh.no == cheap.no {
        format!("{} is both the freshest and asks least: {}.", fresh.name, told(fresh))
    } else {
        format!("{} is freshest: {}. {} asks least: {}.", fresh.name, told(fresh), cheap.name, told(cheap))
    };
    Some(said + &without_a_point(run))
}

/// Who has no point because more than one event in a hundred never took effect.
fn without_a_point(run: &RunResult) -> String {
    let beyond = |c: &&ConsumerResult| c.age_s.as_ref().is_some_and(|age| age.censored > 0 && age.p99.is_none());
    let names: Vec<&str> = run.consumers.iter().filter(beyond).map(|c| c.name.as_str()).collect();
    match names.as_slice() {
        [] => String::new(),
        names => format!(" No point for {}: more than 1 % had no effect by the end.", names.join(", ")),
    }
}
