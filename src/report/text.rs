//! The report for the terminal: the verdict in the first line, then what it rests on.

mod cases;
mod expectations;
mod seeds;

use std::fmt::Write as _;

use comfy_table::{CellAlignment, ContentArrangement, Table, presets::UTF8_FULL_CONDENSED};

use super::{
    ExportError, File, agreement, bills,
    conclude::conclusion,
    format::{MORE, NOT_OBSERVED, count, digits, digits_to, in_unit, in_unit_to, mode},
    goals, one,
    plots::FIGURES,
    profiles, rows, shown, wins,
};
use crate::{
    measure::{Example, Quantity, Results, RunResult, Unit, Verdict, quantity},
    scenario::{Mode, Plan, share_over},
};

pub use super::format::{plural, seconds};
pub use cases::{cases_line, render_cases};
pub use expectations::was;

/// How to render.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Columns of the terminal.
    pub width: u16,
    /// Whether to colour, with ANSI sequences.
    pub colour: bool,
}

impl Default for Options {
    fn default() -> Self {
        Options { width: 100, colour: false }
    }
}

pub(super) fn export(results: &Results, _plan: &Plan) -> Result<Vec<File>, ExportError> {
    Ok(one("report.txt", render(results, Options::default())))
}

/// The whole report as text.
#[must_use]
pub fn render(results: &Results, options: Options) -> String {
    let mut out = Out { text: String::new(), options };
    out.verdict(results);
    out.seeds(results);
    out.agreement(results);
    for run in shown(results) {
        out.run(results, run);
        if let Some(conclusion) = conclusion(results, run) {
            out.heading("What to conclude");
            out.paragraph(&conclusion);
        }
    }
    out.command("Reproduce: ", &results.reproduce);
    out.text
}

/// The verdict in one line: what the exit code says, and why.
#[must_use]
pub fn verdict_line(results: &Results) -> String {
    let expectations: Vec<bool> = results.expectations().map(|expectation| expectation.pass).collect();
    let held = expectations.iter().filter(|pass| **pass).count();
    let said = match results.verdict() {
        Verdict::Void => format!(
            "VOID: do not believe the figures of {}",
            plural(results.runs.iter().filter(|run| !run.valid).count() as u64, "run")
        ),
        Verdict::Pass if expectations.is_empty() => "PASS: every promise that was put to the test is kept".to_owned(),
        Verdict::Pass if held == 1 => "PASS: the one expectation holds".to_owned(),
        Verdict::Pass => format!("PASS: all {held} expectations hold"),
        Verdict::Interrupted => "INTERRUPTED: what happened until then is judged, and nothing is proved".to_owned(),
        Verdict::Disagreement => {
            format!("FAIL: live and virtual time differ in {}", plural(results.differing() as u64, "figure"))
        }
        Verdict::ExpectationFailed if expectations.is_empty() => "FAIL".to_owned(),
        Verdict::ExpectationFailed => format!(
            "FAIL: {} of {} did not hold",
            expectations.len() - held,
            plural(expectations.len() as u64, "expectation")
        ),
    };
    let said = match results.verdict() {
        Verdict::Pass => said + &agreement::in_short(results),
        _ => said,
    };
    let broken: usize = results.runs.iter().map(|run| run.broken().count()).sum();
    match broken {
        0 if said == "FAIL" => "FAIL: obligations are still pending".to_owned(),
        0 => said,
        n if said == "FAIL" => format!("FAIL: {} broken", plural(n as u64, "promise")),
        n => format!("{said}; {} broken", plural(n as u64, "promise")),
    }
}

struct Out {
    text: String,
    options: Options,
}

#[derive(Clone, Copy)]
enum Paint {
    Good,
    Bad,
    Warn,
    Head,
    Dim,
}

impl Out {
    fn paint(&self, paint: Paint, text: &str) -> String {
        if !self.options.colour {
            return text.to_owned();
        }
        let code = match paint {
            Paint::Good => "32;1",
            Paint::Bad => "31;1",
            Paint::Warn => "33",
            Paint::Head => "1",
            Paint::Dim => "2",
        };
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    }

    fn verdict(&mut self, results: &Results) {
        let paint = if results.verdict() == Verdict::Pass { Paint::Good } else { Paint::Bad };
        self.painted(paint, &verdict_line(results));
        self.text.push('\n');
        self.painted(Paint::Head, &results.title);
        if !results.question.is_empty() {
            self.paragraph(&results.question);
        }
        if !results.published.is_empty() {
            self.paragraph(&format!("Published: {}", results.published));
        }
    }

    fn run(&mut self, results: &Results, run: &RunResult) {
        self.banner(run);
        self.text.push('\n');
        self.painted(Paint::Dim, &ran(run));
        profiles::lines(run).iter().for_each(|line| self.paragraph(line));
        let harness = harness(run);
        if !harness.is_empty() {
            self.painted(Paint::Dim, &harness);
        }
        self.heading("In short");
        goals::sentences(run).iter().for_each(|sentence| self.item("-", sentence));
        for figure in FIGURES {
            if let Some(sentence) = (figure.sentence)(run) {
                self.item("-", &sentence);
            }
        }
        self.goals(run);
        if !results.watch.is_empty() {
            self.heading("What to watch");
            self.paragraph(&results.watch);
        }
        self.text.push('\n');
        self.table(run);
        let bills = bills::lines(run);
        if !bills.is_empty() {
            self.heading(&bills::title(run));
            bills.iter().for_each(|line| self.item("-", line));
        }
        let wins = wins::polling_wins(run);
        if !wins.is_empty() {
            self.heading("Where polling won");
            wins.iter().for_each(|win| self.item("-", win));
        }
        self.promises(run);
        if results.over_seeds.is_empty() {
            self.expectations("Expectations", &run.expectations);
        }
        self.model(run);
        if !run.warnings.is_empty() {
            self.text.push('\n');
        }
        for warning in &run.warnings {
            self.painted(Paint::Warn, &format!("warning: {warning}"));
        }
    }

    fn goals(&mut self, run: &RunResult) {
        for row in goals::table(run) {
            self.heading(&format!("Goal: {}", row.wanted));
            for (consumer, cell) in run.consumers.iter().zip(&row.cells) {
                if let Some(cell) = cell {
                    let mark =
                        if cell.met { self.paint(Paint::Good, "ok    ") } else { self.paint(Paint::Bad, "MISSED") };
                    self.item(&mark, &format!("{} {}", consumer.name, cell.said));
                }
            }
        }
    }

    fn banner(&mut self, run: &RunResult) {
        if !run.valid {
            let head = self.paint(Paint::Bad, &format!("This {} run is VOID:", mode(run.mode)));
            let _ = writeln!(self.text, "\n{head}");
            run.why_void.iter().for_each(|why| self.item("-", why));
        }
        if run.interrupted {
            let line = self.paint(Paint::Warn, "This run was interrupted: what was open then is pending.");
            let _ = writeln!(self.text, "\n{line}");
        }
    }

    /// As many consumers side by side as fit.
    fn table(&mut self, run: &RunResult) {
        const NAME: usize = 20;
        let rows = rows::table(run);
        let label = rows.iter().map(|(row, _)| row.label.chars().count()).max().unwrap_or(0) + 4;
        let heads: Vec<Vec<String>> = run
            .consumers
            .iter()
            .map(|c| chunks(&c.name, NAME).into_iter().chain(chunks(&rows::kind(c), NAME)).collect())
            .collect();
        let widest = heads.iter().flatten().map(|line| line.chars().count()).max().unwrap_or(0);
        let cells = rows.iter().flat_map(|(_, cells)| cells).map(|cell| marked(cell).chars().count()).max();
        let column = widest.max(cells.unwrap_or(0)) + 3;
        let per_table = (self.width().saturating_sub(label) / column).clamp(1, 8);
        for first in (0..run.consumers.len()).step_by(per_table) {
            let columns = first..(first + per_table).min(run.consumers.len());
            let mut table = Table::new();
            table.load_style(UTF8_FULL_CONDENSED).set_content_arrangement(ContentArrangement::Disabled);
            let heads = heads[columns.clone()].iter().map(|lines| lines.join("\n"));
            table.set_header(std::iter::once(String::new()).chain(heads));
            for (row, cells) in &rows {
                let cells = cells[columns.clone()].iter().map(marked);
                table.add_row(std::iter::once(row.label.to_owned()).chain(cells));
            }
            table.column_iter_mut().skip(1).for_each(|column| column.set_cell_alignment(CellAlignment::Right));
            let _ = writeln!(self.text, "{}", table.trim_fmt());
        }
    }

    fn promises(&mut self, run: &RunResult) {
        let kept = run.promises.iter().filter(|promise| promise.count == Some(0)).count();
        let broken: Vec<_> = run.broken().collect();
        self.heading(&format!("Promises: {kept} kept, {} broken", broken.len()));
        for promise in broken {
            let times = plural(promise.count.unwrap_or(0), "time");
            let head = self.paint(Paint::Bad, "BROKEN");
            self.item(&head, &format!("{}: {}, {times}", promise.consumer, promise.promise));
            if let Some(example) = &promise.example {
                let story = self.paint(Paint::Dim, &story_line(example));
                self.item("  such as", &story);
            }
        }
    }

    fn model(&mut self, run: &RunResult) {
        if run.model.is_empty() {
            return;
        }
        self.heading("Closed forms beside what was measured");
        for row in &run.model {
            let difference = row.difference.map_or(String::new(), |share| format!(", {:+.2} %", share * 100.0));
            let errors = row.standard_errors.map_or(String::new(), |n| format!(", {n:+.1} standard errors"));
            let (predicted, measured) = (digits(row.predicted), digits(row.measured));
            let line =
                format!("{}: {}: {predicted}, measured {measured}{difference}{errors}", row.consumer, row.quantity);
            self.item(" ", &line);
        }
    }

    fn agreement(&mut self, results: &Results) {
        if results.agreement.is_empty() {
            return;
        }
        self.heading("Live and virtual, side by side");
        self.paragraph(&agreement::sentence(results));
        if let Some(told) = agreement::calibration(results) {
            self.paragraph(&told);
        }
        let mut table = Table::new();
        table.load_style(UTF8_FULL_CONDENSED).set_content_arrangement(ContentArrangement::Disabled);
        table.set_header(agreement::HEAD);
        for row in agreement::rows(results) {
            table.add_row(row);
        }
        for column in 1..=3 {
            if let Some(column) = table.column_mut(column) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        let _ = writeln!(self.text, "{table}");
    }

    fn width(&self) -> usize {
        usize::from(self.options.width).max(40)
    }

    fn heading(&mut self, text: &str) {
        self.text.push('\n');
        self.painted(Paint::Head, text);
    }

    /// A paragraph in one colour.
    fn painted(&mut self, paint: Paint, text: &str) {
        for line in wrap(text, self.width(), 0, 0) {
            let line = self.paint(paint, &line);
            let _ = writeln!(self.text, "{line}");
        }
    }

    fn paragraph(&mut self, text: &str) {
        for line in wrap(text, self.width(), 0, 0) {
            let _ = writeln!(self.text, "{line}");
        }
    }

    /// A paragraph behind a mark, which may be coloured.
    fn item(&mut self, mark: &str, text: &str) {
        const INDENT: usize = 4;
        let used = 3 + visible(mark);
        for (i, line) in wrap(text, self.width(), used, INDENT).into_iter().enumerate() {
            let head = if i == 0 { format!("  {mark} ") } else { " ".repeat(INDENT) };
            let _ = writeln!(self.text, "{}", format!("{head}{line}").trim_end());
        }
    }

    /// A command that stays one where it is too long for a line.
    fn command(&mut self, head: &str, command: &str) {
        let lines = wrap(command, self.width() - 2, visible(head), 4);
        let _ = writeln!(self.text, "\n{head}{}", lines.join(" \\\n    "));
    }
}

/// A cell's text, with a mark where it is a harm.
fn marked(cell: &rows::Cell) -> String {
    format!("{}{}", if cell.harm { "! " } else { "" }, cell.text)
}

/// Characters that take room: ANSI sequences do not.
fn visible(text: &str) -> usize {
    let mut escaped = false;
    let shown = text.chars().filter(|c| {
        let was = escaped;
        escaped = if escaped { *c != 'm' } else { *c == '\u{1b}' };
        !was && !escaped
    });
    shown.count()
}

/// Breaks at spaces, and within a word that no line could hold. The first line has `used` columns
/// less, the others `indent` less.
pub(super) fn wrap(text: &str, width: usize, used: usize, indent: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut room = width.saturating_sub(used).max(1);
    for word in text.split_whitespace() {
        for part in chunks(word, width.saturating_sub(used.max(indent)).max(8)) {
            let line = lines.last_mut().expect("there is always a line");
            let length = line.chars().count();
            if length > 0 && length + 1 + part.chars().count() > room {
                lines.push(part);
                room = width.saturating_sub(indent).max(1);
            } else {
                line.extend((length > 0).then_some(' '));
                line.push_str(&part);
            }
        }
    }
    lines
}

/// A text in pieces of at most `most` characters, cut at a space or a hyphen where there is one.
fn chunks(text: &str, most: usize) -> Vec<String> {
    let mut rest: Vec<char> = text.chars().collect();
    let mut cut = Vec::new();
    while rest.len() > most {
        let good = rest[..most].iter().rposition(|c| [' ', '-', '_', '/'].contains(c)).filter(|at| *at > 0);
        let tail = rest.split_off(good.map_or(most, |at| at + 1));
        cut.push(rest.iter().collect::<String>().trim_end().to_owned());
        rest = tail;
    }
    cut.push(rest.into_iter().collect());
    cut
}

/// What was run, in one line.
pub(super) fn ran(run: &RunResult) -> String {
    let lag = match run.mode {
        // Its events are on time by definition.
        Mode::Virtual => String::new(),
        Mode::Live => format!(
            "; generator lag {} at p99 (bound {})",
            run.provider.lag_p99_s.map_or(NOT_OBSERVED.to_owned(), seconds),
            seconds(run.provider.lag_bound_s),
        ),
    };
    let speed = match run.time_scale {
        1.0 => String::new(),
        scale => format!("; a second here is {} of the scenario", seconds(scale)),
    };
    format!(
        "{} run, seed {}, run id {}: {} in {}{speed}{lag}",
        mode(run.mode),
        run.seed,
        run.run_id,
        plural(run.provider.emitted, "event"),
        seconds(run.duration_s),
    )
}

/// What the tool itself took of the machine, in one line; nothing where that was not measured.
pub(super) fn harness(run: &RunResult) -> String {
    let parts = [("provider", run.provider.cpu_s), ("orchestrator", run.harness_cpu_s), ("judge", run.judge_cpu_s)];
    // A virtual run has no processes of its own, and one of many seeds no judge of its own.
    let there = parts.into_iter().filter(|(_, cpu_s)| run.mode == Mode::Live || cpu_s.is_some());
    let told: Vec<String> =
        there.map(|(name, cpu_s)| format!("{name} {}", cpu_s.map_or(NOT_OBSERVED.to_owned(), seconds))).collect();
    if told.is_empty() {
        return String::new();
    }
    format!("harness: {} of processor time for {}", told.join(", "), plural(run.provider.emitted, "event"))
}

/// What was measured, in the unit of the quantity that the key ends in.
pub(super) fn actual(key: &str, actual: Option<f64>) -> String {
    let Some(value) = actual else { return NOT_OBSERVED.to_owned() };
    unit_of(key).map_or_else(|| digits(value), |unit| in_unit(value, unit))
}

/// The same with more digits, for what is compared closely.
fn closely(key: &str, value: f64) -> String {
    unit_of(key).map_or_else(|| digits_to(MORE, value), |unit| in_unit_to(MORE, value, unit))
}

/// The unit of what a condition's key names; a ratio has none.
pub(super) fn unit_of(key: &str) -> Option<Unit> {
    let (_, figure) = key.split_once('.').unwrap_or(("", key));
    let is_share = share_over(figure).is_some() || share_over(key).is_some();
    let of_one = if is_share { Some(Unit::Share) } else { quantity_of(key).map(|quantity| quantity.unit) };
    of_one.filter(|_| !key.contains(" / "))
}

/// The quantity that a condition's key ends in.
pub(super) fn quantity_of(key: &str) -> Option<&'static Quantity> {
    let mut tail = key;
    loop {
        if let Some(found) = quantity(tail) {
            return Some(found);
        }
        tail = tail.split_once('.')?.1;
    }
}

pub(super) fn story_line(example: &Example) -> String {
    let parts: Vec<String> = example.story.iter().map(|line| format!("{} {}", line.when, line.what)).collect();
    format!("event {} at client {}: {}", example.event, count(u64::from(example.client)), parts.join("; "))
}
