//! What all pictures share: the sheet, legends, panels and axis ends.

use std::ops::Range;

use plotters::{
    chart::MeshStyle,
    coord::{
        Shift,
        ranged1d::{Ranged, ValueFormatter},
        types::RangedCoordf64,
    },
    prelude::*,
    style::text_anchor,
};

use super::{
    super::ExportError,
    palette::{FAINT, GRID, GROUND, INK, ORANGE, Style, dark_rules, style},
};
use crate::{
    measure::{ConsumerResult, RunResult},
    report::format::digits,
};

/// A part of a sheet.
pub(super) type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// What drawing returns.
pub(super) type Drawn = Result<(), Box<dyn std::error::Error>>;

pub(super) const WIDTH: u32 = 860;
/// Room for the labels of a time axis.
pub(super) const FOOT: u32 = 44;
/// Room for the labels of a value axis.
pub(super) const SIDE: u32 = 78;
/// Marks that an axis has room for.
const MOST_MARKS: f64 = 9.0;
/// Where a panel's own title begins.
pub(super) const TITLE_AT: (i32, i32) = (86, 13);

/// Draws a sheet of this height and returns its SVG.
pub(super) fn sheet(what: &str, height: u32, draw: impl FnOnce(&Area<'_>) -> Drawn) -> Result<String, ExportError> {
    let mut svg = String::new();
    let drawn = {
        let root = SVGBackend::with_string(&mut svg, (WIDTH, height)).into_drawing_area();
        root.fill(&GROUND)
            .map_err(Into::into)
            .and_then(|()| draw(&root))
            .and_then(|()| root.present().map_err(Into::into))
    };
    drawn.map_err(|error| ExportError { what: format!("the picture {what}"), why: error.to_string() })?;
    let head = svg.find('>').map_or(0, |end| end + 1);
    svg.insert_str(head, &format!("\n<style>{}</style>", dark_rules()));
    Ok(svg)
}

pub(super) fn font(size: u32) -> TextStyle<'static> {
    ("sans-serif", size).into_font().color(&INK)
}

pub(super) fn faint(size: u32) -> TextStyle<'static> {
    ("sans-serif", size).into_font().color(&FAINT)
}

/// What the axes of all charts look like.
pub(super) fn plain<X, Y, DB>(mesh: &mut MeshStyle<'_, '_, X, Y, DB>)
where
    X: Ranged + ValueFormatter<X::ValueType>,
    Y: Ranged + ValueFormatter<Y::ValueType>,
    DB: DrawingBackend,
{
    mesh.bold_line_style(GRID).light_line_style(TRANSPARENT).axis_style(INK);
    mesh.label_style(font(15)).axis_desc_style(font(15));
}

/// A text's width in pixels, generously: SVG fonts are only known to the viewer.
pub(super) fn text_width(text: &str, size: u32) -> i32 {
    (text.chars().count() as f64 * f64::from(size) * 0.54) as i32
}

/// The mark beside a legend's text.
#[derive(Clone, Copy)]
pub(super) enum Mark {
    /// A line with dash and gap in pixels.
    Line(RGBColor, u32, u32),
    /// A filled box with this opacity.
    Box(RGBColor, f64),
}

const LEGEND_ROW: i32 = 24;
const LEGEND_LEFT: i32 = 14;
const LEGEND_FONT: u32 = 16;

/// Where the entries of a legend go: left edge and middle of each, and the height of all.
fn legend_places(entries: &[(String, Mark)]) -> (Vec<(i32, i32)>, u32) {
    let (mut x, mut y) = (LEGEND_LEFT, 16);
    let mut places = Vec::new();
    for (text, _) in entries {
        let needed = 34 + text_width(text, LEGEND_FONT) + 22;
        if x > LEGEND_LEFT && x + needed > WIDTH as i32 {
            (x, y) = (LEGEND_LEFT, y + LEGEND_ROW);
        }
        places.push((x, y));
        x += needed;
    }
    (places, (y + LEGEND_ROW - 6) as u32)
}

/// The height that a legend will take.
pub(super) fn legend_height(entries: &[(String, Mark)]) -> u32 {
    legend_places(entries).1
}

/// A legend in rows from the area's top left; returns its height in pixels.
pub(super) fn legend(area: &Area<'_>, entries: &[(String, Mark)]) -> Result<u32, Box<dyn std::error::Error>> {
    let (places, height) = legend_places(entries);
    for ((text, mark), (x, y)) in entries.iter().zip(places) {
        match *mark {
            Mark::Line(colour, dash, gap) => stroke(area, (x, x + 28), y, (colour, dash, gap))?,
            Mark::Box(colour, opacity) => {
                area.draw(&Rectangle::new([(x + 8, y - 6), (x + 24, y + 6)], colour.mix(opacity).filled()))?;
            }
        }
        caption(area, text, (x + 34, y), font(LEGEND_FONT))?;
    }
    Ok(height)
}

fn stroke(area: &Area<'_>, (from, to): (i32, i32), y: i32, (colour, dash, gap): Style) -> Drawn {
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

/// The height of each of `n` panels: fewer are taller.
pub(super) fn panel_height(n: usize, most: u32) -> u32 {
    (900 / n.max(1) as u32).clamp(90, most)
}

/// Cuts an area into `n` panels under each other; the last has room for a time axis below it.
pub(super) fn panels<'a>(area: &Area<'a>, n: usize) -> Vec<Area<'a>> {
    let (_, height) = area.dim_in_pixel();
    let each = height.saturating_sub(FOOT) / n.max(1) as u32;
    let mut below = area.clone();
    let mut cut = Vec::new();
    for i in 0..n {
        let (panel, rest) = below.split_vertically(each + if i + 1 == n { FOOT } else { 0 });
        cut.push(panel);
        below = rest;
    }
    cut
}

/// A chart that fills its sheet.
pub(super) fn whole_chart<'a, 'b>(area: &'a Area<'b>) -> ChartBuilder<'a, 'b, SVGBackend<'b>> {
    let mut chart = ChartBuilder::on(area);
    chart.margin(12).margin_right(28).x_label_area_size(48).y_label_area_size(SIDE);
    chart
}

/// The axes of a panel: a rate over time, which is named below the last one.
pub(super) fn rate_axes(
    chart: &mut ChartContext<'_, SVGBackend<'_>, Cartesian2d<RangedCoordf64, RangedCoordf64>>,
    time_unit: Option<&str>,
) -> Drawn {
    let mut mesh = chart.configure_mesh();
    plain(&mut mesh);
    mesh.disable_x_mesh().y_desc("per second").y_labels(4);
    mesh.y_label_formatter(&|rate| digits(*rate)).x_label_formatter(&|at| digits(*at));
    if let Some(unit) = time_unit {
        mesh.x_desc(unit);
    }
    mesh.draw()?;
    Ok(())
}

/// A chart in one of several panels; the last has the time axis of all.
pub(super) fn panel_chart<'a, 'b>(area: &'a Area<'b>, last: bool) -> ChartBuilder<'a, 'b, SVGBackend<'b>> {
    let mut chart = ChartBuilder::on(area);
    chart.margin(6).margin_right(28).margin_top(26).y_label_area_size(SIDE);
    chart.x_label_area_size(if last { FOOT } else { 0 });
    chart
}

/// The times in which something was wrong on purpose, as tall as the axis.
pub(super) fn shades(
    windows: &[(f64, f64, String)],
    unit_s: f64,
    top: f64,
) -> impl Iterator<Item = Rectangle<(f64, f64)>> {
    windows.iter().map(move |(from, until, _)| {
        Rectangle::new([(from / unit_s, 0.0), (until / unit_s, top)], ORANGE.mix(0.25).filled())
    })
}

/// The next number of the form 1, 2 or 5 times a power of ten: a calm end for an axis.
pub(super) fn round_up(value: f64) -> f64 {
    if value <= 0.0 || !value.is_finite() {
        return 1.0;
    }
    let power = 10f64.powf(value.log10().floor());
    [1.0, 2.0, 5.0, 10.0].into_iter().map(|step| step * power).find(|end| *end >= value * 0.999).unwrap_or(value)
}

/// Where a logarithmic axis has its marks: at 1, 2 and 5 times the powers of ten, and where more than
/// three decades would crowd them, at the powers alone.
pub(super) fn log_marks(ends: &Range<f64>) -> Vec<f64> {
    let (low, high) = (ends.start.log10(), ends.end.log10());
    if !(low.is_finite() && high.is_finite()) {
        return Vec::new();
    }
    let steps: &[f64] = if high - low > 3.0 { &[1.0] } else { &[1.0, 2.0, 5.0] };
    let apart = (((high - low) / MOST_MARKS).ceil() as usize).max(1);
    let powers = (low.floor() as i32..=high.ceil() as i32).step_by(apart);
    let marks = powers.flat_map(|power| steps.iter().map(move |step| step * 10f64.powi(power)));
    // An end that is itself a mark may differ from it in the last bit.
    marks.filter(|mark| *mark >= ends.start * 0.999 && *mark <= ends.end * 1.001).collect()
}

/// The times in which something was wrong on purpose: for one consumer, or for any.
pub(super) fn windows(run: &RunResult, consumer: Option<usize>) -> Vec<(f64, f64, String)> {
    let mine = run.disturbances.iter().filter(|disturbance| {
        consumer.is_none_or(|consumer| disturbance.consumers.iter().any(|no| usize::from(*no) == consumer))
    });
    let mut found: Vec<(f64, f64, String)> = Vec::new();
    for window in mine.map(|d| (d.from_s, d.until_s, d.what.clone())) {
        // Two consumers under one fault are one shade.
        if !found.contains(&window) {
            found.push(window);
        }
    }
    found
}

/// Names the windows above a panel, without writing over each other or over the edge. `x_of` gives
/// the pixel of an instant.
pub(super) fn window_names(area: &Area<'_>, windows: &[(f64, f64, String)], x_of: impl Fn(f64) -> i32) -> Drawn {
    const SIZE: u32 = 14;
    let (width, _) = area.dim_in_pixel();
    let mut free_from = 0;
    for (from, until, what) in windows {
        let needed = text_width(what, SIZE);
        let x = (x_of((from + until) / 2.0) - needed / 2).clamp(0, (width as i32 - needed).max(0));
        if x >= free_from {
            caption(area, what, (x, 34), faint(SIZE))?;
            free_from = x + needed + 6;
        }
    }
    Ok(())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_logarithmic_axis_has_marks_between_the_powers_of_ten() {
        let shown = |ends: Range<f64>| log_marks(&ends).iter().map(|mark| format!("{mark:.2}")).collect::<Vec<_>>();
        assert_eq!(shown(0.04..1.0), ["0.05", "0.10", "0.20", "0.50", "1.00"]);
        assert_eq!(shown(0.5..6.0), ["0.50", "1.00", "2.00", "5.00"]);
        assert_eq!(shown(0.04..100.0), ["0.10", "1.00", "10.00", "100.00"]);
        assert!(log_marks(&(1e-12..1e12)).len() <= 10, "a long axis is not crowded");
        assert!(log_marks(&(0.0..1.0)).is_empty(), "no power of ten reaches down to nothing");
    }
}
