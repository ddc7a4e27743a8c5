//! How many seeds' receivers were still up as time went by, case by case.

use plotters::prelude::*;

use super::{Case, Comparison};
use crate::report::{
    falls::{Falls, falls},
    format::{digits, percent, seconds},
    plots::{
        canvas::{Area, Drawn, Mark, legend, legend_height, plain, sheet, time_axis, whole_chart},
        palette::style,
    },
};

const HEIGHT: u32 = 320;

pub(super) const FIGURE: Comparison = Comparison {
    name: "still-up",
    title: "How long until it falls?",
    how_to_read: "The share of runs, each with a seed of its own, whose receiver had not fallen for good by then: from some \
                  minute to the end more than half of its attempts timed out. A line that stays up did not fall.",
    sentence,
    draw: |cases| {
        let lines = lines(cases);
        let entries = entries(&lines);
        sheet("still-up", HEIGHT + legend_height(&entries), |area| draw(&lines, &entries, area))
    },
};

/// The falls of a case, and how long its arrivals went on.
struct Line<'a> {
    case: &'a str,
    falls: Falls<'a>,
    window_s: f64,
}

fn lines<'a>(cases: &[Case<'a>]) -> Vec<Line<'a>> {
    let of = |(case, results): &Case<'a>| {
        let window_s = results.runs.first().map_or(0.0, super::window_s);
        let line = move |falls| Line { case, falls, window_s };
        falls(results).into_iter().map(line).collect::<Vec<_>>()
    };
    cases.iter().flat_map(of).collect()
}

fn entries(lines: &[Line<'_>]) -> Vec<(String, Mark)> {
    let entry = |(i, line): (usize, &Line<'_>)| {
        let (colour, dash, gap) = style(i);
        let told = format!("{} of {} fell", line.falls.after_s.len(), line.falls.runs);
        (super::in_case(line.case, &told), Mark::Line(colour, dash, gap))
    };
    lines.iter().enumerate().map(entry).collect()
}

/// The corners of the line: down a step at each fall.
fn steps(line: &Line<'_>) -> Vec<(f64, f64)> {
    let mut corners = vec![(0.0, 1.0)];
    for (no, at) in line.falls.after_s.iter().enumerate() {
        let up = |fallen: usize| 1.0 - fallen as f64 / line.falls.runs as f64;
        corners.extend([(*at, up(no)), (*at, up(no + 1))]);
    }
    let last = corners[corners.len() - 1].1;
    corners.push((line.window_s, last));
    corners
}

fn draw(lines: &[Line<'_>], entries: &[(String, Mark)], area: &Area<'_>) -> Drawn {
    let used = legend(area, entries)?;
    let (_, below) = area.split_vertically(used);
    let longest = lines.iter().map(|line| line.window_s).fold(1.0, f64::max);
    let (unit_s, unit) = time_axis(longest);
    let mut chart = whole_chart(&below).build_cartesian_2d(0.0..longest / unit_s, 0.0..1.02)?;
    let mut mesh = chart.configure_mesh();
    plain(&mut mesh);
    mesh.x_desc(unit)
        .y_desc("runs still up")
        .y_labels(6)
        .x_label_formatter(&|at| digits(*at))
        .y_label_formatter(&|share| percent(*share))
        .draw()?;
    for (i, line) in lines.iter().enumerate() {
        let (colour, dash, gap) = style(i);
        let points: Vec<(f64, f64)> = steps(line).into_iter().map(|(at, up)| (at / unit_s, up)).collect();
        if gap == 0 {
            chart.draw_series(LineSeries::new(points, colour.stroke_width(3)))?;
        } else {
            chart.draw_series(DashedLineSeries::new(points, dash, gap, colour.stroke_width(3)))?;
        }
    }
    Ok(())
}

fn sentence(cases: &[Case<'_>]) -> Option<String> {
    let lines = lines(cases);
    let told = lines.iter().map(|line| {
        let median = line.falls.median_s().map_or(String::new(), |s| format!(", half of them within {}", seconds(s)));
        let words =
            format!("{} fell in {} of {} runs{median}", line.falls.consumer, line.falls.after_s.len(), line.falls.runs);
        super::in_case(line.case, &words)
    });
    (!lines.is_empty()).then(|| format!("{}.", told.collect::<Vec<_>>().join("; ")))
}
