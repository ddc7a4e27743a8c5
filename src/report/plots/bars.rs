//! Horizontal bars in groups, all on one scale from zero, each with its figure at its end.

use plotters::prelude::*;

use super::{
    super::ExportError,
    canvas::{Area, Drawn, WIDTH, caption, font, sheet, text_width},
    palette::{FAINT, style},
};

const BAR: i32 = 20;
const GAP: i32 = 8;
const HEAD: i32 = 34;
const FONT: u32 = 15;

/// A bar.
pub(super) struct Bar<'a> {
    /// Whose colour it has: a consumer's place.
    pub look: usize,
    /// What stands before it.
    pub name: &'a str,
    /// Its length.
    pub value: f64,
    /// What stands behind it: the value in its unit.
    pub told: String,
}

/// Bars under one heading.
pub(super) struct Group<'a> {
    pub heading: String,
    pub bars: Vec<Bar<'a>>,
}

/// Draws the picture `what`.
pub(super) fn bars(what: &str, groups: &[Group<'_>]) -> Result<String, ExportError> {
    let height = groups.iter().map(height).sum::<i32>() + 10;
    sheet(what, height as u32, |area| draw(groups, area))
}

fn height(group: &Group<'_>) -> i32 {
    HEAD + group.bars.len() as i32 * (BAR + GAP)
}

fn draw(groups: &[Group<'_>], area: &Area<'_>) -> Drawn {
    let all = || groups.iter().flat_map(|group| &group.bars);
    let left = all().map(|bar| text_width(bar.name, FONT)).max().unwrap_or(0) + 26;
    let left = left.clamp(80, WIDTH as i32 / 2);
    let right = all().map(|bar| text_width(&bar.told, FONT)).max().unwrap_or(0) + 24;
    let longest = f64::from((WIDTH as i32 - left - right).max(40));
    let most = all().map(|bar| bar.value).fold(f64::MIN_POSITIVE, f64::max);
    let mut top = 0;
    for group in groups {
        caption(area, &group.heading, (14, top + 18), font(16))?;
        for (row, bar) in group.bars.iter().enumerate() {
            let y = top + HEAD + row as i32 * (BAR + GAP);
            caption(area, bar.name, (26, y + BAR / 2), font(FONT))?;
            let length = (bar.value / most * longest) as i32;
            // Nothing has no bar, and the least that there is has one that is seen.
            if bar.value > 0.0 {
                let ends = [(left, y), (left + length.max(1), y + BAR)];
                area.draw(&Rectangle::new(ends, style(bar.look).0.filled()))?;
            }
            caption(area, &bar.told, (left + length + 8, y + BAR / 2), font(FONT))?;
        }
        let end = top + height(group);
        area.draw(&PathElement::new([(left, top + HEAD - 4), (left, end - GAP + 4)], FAINT.stroke_width(1)))?;
        top = end;
    }
    Ok(())
}
