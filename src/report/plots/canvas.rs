//! What all pictures share: the sheet, the palette, legends and tick labels.

use plotters::{coord::Shift, prelude::*, style::text_anchor};

use super::super::ExportError;
use crate::measure::{ConsumerResult, RunResult};

/// A part of a sheet.
pub(super) type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// What drawing returns.
pub(super) type Drawn = Result<(), Box<dyn std::error::Error>>;

pub(super) const WIDTH: u32 = 860;
pub(super) const INK: RGBColor = RGBColor(34, 34, 34);
pub(super) const FAINT: RGBColor = RGBColor(110, 110, 110);
pub(super) const GRID: RGBColor = RGBColor(225, 225, 225);
pub(super) const SHADE: RGBColor = RGBColor(0xE6, 0x9F, 0x00);

pub(super) const USEFUL: RGBColor = RGBColor(0x00, 0x72, 0xB2);
pub(super) const WASTED: RGBColor = RGBColor(0xE6, 0x9F, 0x00);
pub(super) const FAILED: RGBColor = RGBColor(0x55, 0x55, 0x55);

/// Consumers' colours and dashes (length and gap in pixels; gap 0 is solid).
const STYLES: [(RGBColor, u32, u32); 6] = [
    (RGBColor(0x00, 0x72, 0xB2), 1, 0),
    (RGBColor(0xD5, 0x5E, 0x00), 9, 4),
    (RGBColor(0x00, 0x9E, 0x73), 3, 3),
    (RGBColor(0xCC, 0x79, 0xA7), 14, 5),
    (RGBColor(0x56, 0xB4, 0xE9), 6, 2),
    (RGBColor(0x00, 0x00, 0x00), 2, 5),
];

/// The look of consumer number `i`.
pub(super) fn style(i: usize) -> (RGBColor, u32, u32) {
    STYLES[i % STYLES.len()]
}

/// Draws a sheet of this height and returns its SVG.
pub(super) fn sheet(what: &str, height: u32, draw: impl FnOnce(&Area<'_>) -> Drawn) -> Result<String, ExportError> {
    let mut svg = String::new();
    let drawn = {
        let root = SVGBackend::with_string(&mut svg, (WIDTH, height)).into_drawing_area();
        root.fill(&WHITE)
            .map_err(Into::into)
            .and_then(|()| draw(&root))
            .and_then(|()| root.present().map_err(Into::into))
    };
    drawn.map_err(|error| ExportError { what: format!("the picture {what}"), why: error.to_string() })?;
    Ok(svg)
}

pub(super) fn font(size: u32) -> TextStyle<'static> {
    ("sans-serif", size).into_font().color(&INK)
}

pub(super) fn faint(size: u32) -> TextStyle<'static> {
    ("sans-serif", size).into_font().color(&FAINT)
}

/// A text's width in pixels, generously: SVG fonts are only known to the viewer.
pub(super) fn text_width(text: &str, size: u32) -> i32 {
    (text.chars().count() as f64 * f64::from(size) * 0.56) as i32
}

/// The mark beside a legend's text.
#[derive(Clone, Copy)]
pub(super) enum Mark {
    /// A line with dash and gap in pixels.
    Line(RGBColor, u32, u32),
    /// A filled box with this opacity.
    Box(RGBColor, f64),
}

/// A legend in rows from the area's top left; returns its height in pixels.
pub(super) fn legend(area: &Area<'_>, entries: &[(String, Mark)]) -> Result<u32, Box<dyn std::error::Error>> {
    const ROW: i32 = 22;
    let (width, _) = area.dim_in_pixel();
    let (mut x, mut y) = (14, 14);
    for (text, mark) in entries {
        let needed = 34 + text_width(text, 14) + 22;
        if x > 14 && x + needed > width as i32 {
            (x, y) = (14, y + ROW);
        }
        match *mark {
            Mark::Line(colour, dash, gap) => stroke(area, (x, x + 28), y, colour, dash, gap)?,
            Mark::Box(colour, opacity) => {
                area.draw(&Rectangle::new([(x + 8, y - 6), (x + 24, y + 6)], colour.mix(opacity).filled()))?;
            }
        }
        area.draw(&Text::new(text.clone(), (x + 34, y - 7), font(14)))?;
        x += needed;
    }
    Ok((y + ROW - 4) as u32)
}

fn stroke(area: &Area<'_>, (from, to): (i32, i32), y: i32, colour: RGBColor, dash: u32, gap: u32) -> Drawn {
    let line = colour.stroke_width(2);
    if gap == 0 {
        return Ok(area.draw(&PathElement::new([(from, y), (to, y)], line))?);
    }
    for x in (from..to).step_by((dash + gap) as usize) {
        area.draw(&PathElement::new([(x, y), ((x + dash as i32).min(to), y)], line))?;
    }
    Ok(())
}

/// Legend entries for all consumers.
pub(super) fn consumers_legend(run: &RunResult) -> Vec<(String, Mark)> {
    let entry = |(i, consumer): (usize, &ConsumerResult)| {
        let (colour, dash, gap) = style(i);
        (consumer.name.clone(), Mark::Line(colour, dash, gap))
    };
    run.consumers.iter().enumerate().map(entry).collect()
}

/// A caption at a point, anchored left and centred in height.
pub(super) fn caption(area: &Area<'_>, text: &str, at: (i32, i32), style: TextStyle<'_>) -> Drawn {
    let anchored = style.pos(text_anchor::Pos::new(text_anchor::HPos::Left, text_anchor::VPos::Center));
    Ok(area.draw(&Text::new(text.to_owned(), at, anchored))?)
}

/// The next number of the form 1, 2 or 5 times a power of ten: a calm end for an axis.
pub(super) fn round_up(value: f64) -> f64 {
    if value <= 0.0 || !value.is_finite() {
        return 1.0;
    }
    let power = 10f64.powf(value.log10().floor());
    [1.0, 2.0, 5.0, 10.0].into_iter().map(|step| step * power).find(|end| *end >= value * 0.999).unwrap_or(value)
}

/// Shades the times in which something was wrong on purpose, for one consumer.
pub(super) fn windows(run: &RunResult, consumer: usize) -> impl Iterator<Item = (f64, f64, &str)> {
    let mine = run.disturbances.iter().filter(move |d| d.consumers.iter().any(|no| usize::from(*no) == consumer));
    mine.map(|d| (d.from_s, d.until_s, d.what.as_str()))
}

/// Seconds per unit and the description of a time axis of this length.
pub(super) fn time_axis(length_s: f64) -> (f64, &'static str) {
    match length_s {
        s if s < 600.0 => (1.0, "seconds since the start"),
        s if s < 18_000.0 => (60.0, "minutes since the start"),
        s if s < 432_000.0 => (3_600.0, "hours since the start"),
        _ => (86_400.0, "days since the start"),
    }
}
