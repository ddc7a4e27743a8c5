//! After an outage: how long it took until what had come due in it was in effect.

use plotters::prelude::*;

use super::{
    Figure,
    canvas::{Area, Drawn, WIDTH, caption, font, sheet, text_width},
    palette::{FAINT, style},
};
use crate::{
    measure::{Recovery, RunResult},
    report::format::{alike, digits, seconds},
};

const BAR: i32 = 20;
const GAP: i32 = 8;
const HEAD: i32 = 34;

/// What is read of a recovery, and its title.
type Measure = (&'static str, fn(&Recovery) -> Option<f64>);
const MEASURES: [Measure; 2] = [
    ("From the outage's end to the effect, on average", |recovery| recovery.lag_mean_s),
    ("The longest of these", |recovery| recovery.lag_max_s),
];

pub(super) const FIGURE: Figure = Figure {
    name: "after-outage",
    title: "Back from an outage: who is up to date first?",
    how_to_read: "One bar per consumer, in time since the outage ended, over everything that came due in it; shorter is \
                  better. Both measures have one scale, from zero.",
    sentence,
    draw: |run| sheet("after-outage", (block(run) * MEASURES.len() as i32 + 10) as u32, |area| draw(run, area)),
};

/// The consumers that came back with everything: their place, name and recovery.
fn back(run: &RunResult) -> Vec<(usize, &str, &Recovery)> {
    let all = run.consumers.iter().enumerate();
    let found = all.filter_map(|(i, consumer)| Some((i, consumer.name.as_str(), consumer.recovery.as_ref()?)));
    found.filter(|(_, _, recovery)| recovery.lag_mean_s.is_some()).collect()
}

fn block(run: &RunResult) -> i32 {
    HEAD + back(run).len() as i32 * (BAR + GAP)
}

fn draw(run: &RunResult, area: &Area<'_>) -> Drawn {
    let back = back(run);
    let names = back.iter().map(|(_, name, _)| text_width(name, 15)).max().unwrap_or(0);
    let left = (names + 26).clamp(80, WIDTH as i32 / 2);
    let longest = f64::from(WIDTH as i32 - left - 110);
    let values = back.iter().flat_map(|(_, _, recovery)| MEASURES.map(|(_, read)| read(recovery)));
    let most = values.flatten().fold(f64::MIN_POSITIVE, f64::max);
    for (m, (title, read)) in MEASURES.iter().enumerate() {
        let top = m as i32 * block(run);
        caption(area, title, (14, top + 18), font(16))?;
        for (row, (i, name, recovery)) in back.iter().enumerate() {
            let y = top + HEAD + row as i32 * (BAR + GAP);
            caption(area, name, (26, y + BAR / 2), font(15))?;
            let Some(value) = read(recovery) else { continue };
            let length = ((value / most * longest) as i32).max(1);
            area.draw(&Rectangle::new([(left, y), (left + length, y + BAR)], style(*i).0.filled()))?;
            caption(area, &seconds(value), (left + length + 8, y + BAR / 2), font(15))?;
        }
        let axis = top + HEAD + back.len() as i32 * (BAR + GAP) - GAP;
        area.draw(&PathElement::new([(left, top + HEAD - 4), (left, axis + 4)], FAINT.stroke_width(1)))?;
    }
    Ok(())
}

fn sentence(run: &RunResult) -> Option<String> {
    let mean = |recovery: &Recovery| recovery.lag_mean_s.unwrap_or(f64::INFINITY);
    let back = back(run);
    let (_, first, soonest) = back.iter().min_by(|a, b| mean(a.2).total_cmp(&mean(b.2)))?;
    let (_, last, latest) = back.iter().max_by(|a, b| mean(a.2).total_cmp(&mean(b.2)))?;
    let told = |name: &str, recovery: &Recovery| {
        let longest = recovery.lag_max_s.map_or(String::new(), |max| format!(", {} at most", seconds(max)));
        format!("{name} {} after its end on average{longest}", seconds(mean(recovery)))
    };
    if alike(mean(soonest), mean(latest)) {
        return Some(format!("What came due in the outage was in effect with {}.", told(first, soonest)));
    }
    Some(format!(
        "What came due in the outage was in effect with {}; with {}: {} times as long.",
        told(first, soonest),
        told(last, latest),
        digits(mean(latest) / mean(soonest).max(1e-9)),
    ))
}
