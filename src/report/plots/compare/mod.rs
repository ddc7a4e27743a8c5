//! The pictures that hold the cases of a scenario against each other, one per file; a scenario without cases is
//! one case without a name.
//!
//! Each decides whether it has something to tell: where the cases say the same, there is no picture.

mod back;
mod cheaper;
mod fresher;
mod goodput;
mod still_up;
mod twice;

use std::path::PathBuf;

use super::{
    super::{ExportError, File, shown},
    bars::{Bar, Group as BarGroup, bars as draw_bars},
};
use crate::measure::{Cases, ConsumerResult, Results, RunResult};

/// A case by its name, with what it came to.
pub type Case<'a> = (&'a str, &'a Results);

/// One kind of picture over cases.
pub struct Comparison {
    /// Its file's name, without ending.
    pub name: &'static str,
    /// Its title.
    pub title: &'static str,
    /// How to read it.
    pub how_to_read: &'static str,
    /// One sentence from the numbers; `None` where there is nothing to tell.
    pub sentence: fn(&[Case<'_>]) -> Option<String>,
    /// Draws it as SVG.
    pub draw: fn(&[Case<'_>]) -> Result<String, ExportError>,
}

/// Every one, in the page's order.
pub const COMPARISONS: &[Comparison] =
    &[goodput::FIGURE, still_up::FIGURE, fresher::FIGURE, back::FIGURE, twice::FIGURE, cheaper::FIGURE];

/// A picture of some cases, with what it says.
pub struct Compared {
    /// Which.
    pub kind: &'static Comparison,
    /// What it says, in a sentence.
    pub sentence: String,
    /// The picture.
    pub svg: String,
}

impl Compared {
    /// The picture as a file of `plots/`.
    #[must_use]
    pub fn file(&self) -> File {
        File { path: PathBuf::from("plots").join(format!("{}.svg", self.kind.name)), content: self.svg.clone() }
    }
}

/// The pictures that these cases have something for.
pub fn compared(cases: &[Case<'_>]) -> Result<Vec<Compared>, ExportError> {
    let told = COMPARISONS.iter().filter_map(|kind| Some((kind, (kind.sentence)(cases)?)));
    told.map(|(kind, sentence)| Ok(Compared { kind, sentence, svg: (kind.draw)(cases)? })).collect()
}

/// What pictures of these cases say.
pub fn sentences(cases: &Cases) -> Vec<String> {
    let cases = cases.by_name();
    COMPARISONS.iter().filter_map(|kind| (kind.sentence)(&cases)).collect()
}

/// The run of each case that is shown, where it can be believed.
fn runs<'a>(cases: &[Case<'a>]) -> Vec<(&'a str, &'a RunResult)> {
    cases.iter().filter_map(|(name, results)| Some((*name, shown(results).next().filter(|run| run.valid)?))).collect()
}

/// Until when events arrived, as far as the series tells.
fn window_s(run: &RunResult) -> f64 {
    let last = |one: &ConsumerResult| {
        let busy = one.series.buckets.iter().rposition(|bucket| bucket.due > 0);
        busy.map_or(0.0, |no| (no + 1) as f64 * one.series.bucket_s)
    };
    run.consumers.iter().map(last).fold(0.0, f64::max)
}

/// A sentence's beginning.
fn capital(said: &str) -> String {
    let mut letters = said.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// A figure of each consumer of a case, where it is known, with its place.
struct Group<'a> {
    case: &'a str,
    figures: Vec<(usize, &'a ConsumerResult, f64)>,
}

impl Group<'_> {
    /// Who has least, and how much.
    fn least(&self) -> Option<(&str, f64)> {
        self.figures.iter().min_by(|a, b| a.2.total_cmp(&b.2)).map(|(_, consumer, value)| (&*consumer.name, *value))
    }

    /// All, from the least on.
    fn sorted(&self) -> Vec<&(usize, &ConsumerResult, f64)> {
        let mut sorted: Vec<_> = self.figures.iter().collect();
        sorted.sort_by(|a, b| a.2.total_cmp(&b.2));
        sorted
    }

    /// Who has most, and how much.
    fn most(&self) -> Option<(&str, f64)> {
        self.figures.iter().max_by(|a, b| a.2.total_cmp(&b.2)).map(|(_, consumer, value)| (&*consumer.name, *value))
    }
}

/// The cases in which the figure of at least two consumers is known.
fn groups<'a>(cases: &[Case<'a>], read: fn(&ConsumerResult) -> Option<f64>) -> Vec<Group<'a>> {
    let of = |(case, run): (&'a str, &'a RunResult)| {
        let all = run.consumers.iter().enumerate();
        Group { case, figures: all.filter_map(|(i, one)| Some((i, one, read(one)?))).collect() }
    };
    runs(cases).into_iter().map(of).filter(|group| group.figures.len() > 1).collect()
}

/// The least figure of all cases, whose unit suits the others.
fn least_of(groups: &[Group<'_>]) -> f64 {
    groups.iter().filter_map(Group::least).map(|(_, value)| value).fold(f64::INFINITY, f64::min)
}

/// Bars of these figures, a group of them for each case.
fn bars(
    what: &str,
    groups: &[Group<'_>],
    heading: &str,
    told: impl Fn(&ConsumerResult, f64) -> String,
) -> Result<String, ExportError> {
    let mut drawn = Vec::new();
    for group in groups {
        let figures = group.figures.iter();
        let bar = figures.map(|(look, one, value)| Bar {
            look: *look,
            name: &one.name,
            value: *value,
            told: told(one, *value),
        });
        drawn.push(BarGroup { heading: in_case(group.case, heading), bars: bar.collect() });
    }
    draw_bars(what, &drawn)
}

/// Words about a case, which may have no name.
fn in_case(case: &str, words: &str) -> String {
    if case.is_empty() { words.to_owned() } else { format!("{case}: {words}") }
}

#[cfg(test)]
mod tests;
