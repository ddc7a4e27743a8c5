//! The report for the terminal: the verdict in the first line, then what it rests on.

use std::fmt::Write as _;

use comfy_table::{CellAlignment, ContentArrangement, Table, presets::UTF8_FULL_CONDENSED};

use super::{
    ExportError, File,
    conclude::conclusion,
    format::{NOT_OBSERVED, count, digits, in_unit, mode, plural, seconds},
    one, rows, shown, wins,
};
use crate::{
    measure::{ConsumerResult, Example, Results, RunResult, Verdict, quantity},
    scenario::Plan,
};

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
    for run in shown(results) {
        out.run(run);
        if let Some(conclusion) = conclusion(results, run) {
            out.text.push('\n');
            out.paragraph(&conclusion);
        }
    }
    out.seeds(results);
    let _ = writeln!(out.text, "\nReproduce: {}", results.reproduce);
    out.text
}

/// The verdict in one line: what the exit code says, and why.
#[must_use]
pub fn verdict_line(results: &Results) -> String {
    let expectations: Vec<bool> = results.runs.iter().flat_map(|r| &r.expectations).map(|e| e.pass).collect();
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
        Verdict::ExpectationFailed if expectations.is_empty() => "FAIL".to_owned(),
        Verdict::ExpectationFailed => format!(
            "FAIL: {} of {} did not hold",
            expectations.len() - held,
            plural(expectations.len() as u64, "expectation")
        ),
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
        let line = self.paint(paint, &verdict_line(results));
        let _ = writeln!(self.text, "{line}");
        let title = self.paint(Paint::Head, &results.title);
        let _ = writeln!(self.text, "\n{title}");
        if !results.question.is_empty() {
            self.paragraph(&results.question.clone());
        }
    }

    fn run(&mut self, run: &RunResult) {
        self.banner(run);
        self.text.push('\n');
        self.paragraph(&ran(run));
        self.paragraph(&harness(run));
        self.table(run);
        let wins = wins::polling_wins(run);
        if !wins.is_empty() {
            let _ = writeln!(self.text, "\nWhere polling won");
            wins.iter().for_each(|win| self.item("-", win));
        }
        self.promises(run);
        self.expectations(run);
        self.model(run);
        for warning in &run.warnings {
            let line = self.paint(Paint::Warn, &format!("warning: {warning}"));
            self.paragraph(&line);
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
        let rows = rows::table(run);
        let goals = goal_rows(run, 0..run.consumers.len());
        let labels = rows.iter().map(|(row, _)| row.label).chain(goals.iter().map(|goal| goal[0].as_str()));
        let label = labels.map(|label| label.chars().count()).max().unwrap_or(0) + 4;
        let head = |c: &ConsumerResult| c.name.chars().count().max(rows::kind(c).chars().count());
        let widest = run.consumers.iter().map(head).max().unwrap_or(0) + 3;
        let per_table = (usize::from(self.options.width).saturating_sub(label) / widest).clamp(1, 8);
        for first in (0..run.consumers.len()).step_by(per_table) {
            let columns = first..(first + per_table).min(run.consumers.len());
            let mut table = Table::new();
            table.load_style(UTF8_FULL_CONDENSED).set_content_arrangement(ContentArrangement::Disabled);
            let heads = run.consumers[columns.clone()].iter().map(|c| format!("{}\n{}", c.name, rows::kind(c)));
            table.set_header(std::iter::once(String::new()).chain(heads));
            for (row, cells) in &rows {
                let marked =
                    cells[columns.clone()].iter().map(|c| format!("{}{}", if c.harm { "! " } else { "" }, c.text));
                table.add_row(std::iter::once(row.label.to_owned()).chain(marked));
            }
            for goal in goal_rows(run, columns.clone()) {
                table.add_row(goal);
            }
            table.column_iter_mut().skip(1).for_each(|column| column.set_cell_alignment(CellAlignment::Right));
            let _ = writeln!(self.text, "{}", table.trim_fmt());
        }
    }

    fn promises(&mut self, run: &RunResult) {
        let kept = run.promises.iter().filter(|promise| promise.count == Some(0)).count();
        let broken: Vec<_> = run.broken().collect();
        let _ = writeln!(self.text, "\nPromises: {kept} kept, {} broken", broken.len());
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

    fn expectations(&mut self, run: &RunResult) {
        if run.expectations.is_empty() {
            return;
        }
        let _ = writeln!(self.text, "\nExpectations");
        for expectation in &run.expectations {
            let mark =
                if expectation.pass { self.paint(Paint::Good, "ok    ") } else { self.paint(Paint::Bad, "FAILED") };
            let actual = actual(&expectation.key, expectation.actual);
            self.item(&mark, &format!("{} wanted {}, was {actual}", expectation.key, expectation.wanted));
        }
    }

    fn model(&mut self, run: &RunResult) {
        if run.model.is_empty() {
            return;
        }
        let _ = writeln!(self.text, "\nClosed forms beside what was measured");
        for row in &run.model {
            let difference = row.difference.map_or(String::new(), |share| format!(", {:+.2} %", share * 100.0));
            let errors = row.standard_errors.map_or(String::new(), |n| format!(", {n:+.1} standard errors"));
            let (predicted, measured) = (digits(row.predicted), digits(row.measured));
            let line =
                format!("{}: {}: {predicted}, measured {measured}{difference}{errors}", row.consumer, row.quantity);
            self.item(" ", &line);
        }
    }

    fn seeds(&mut self, results: &Results) {
        const SHOWN: [&str; 4] = ["age_s.p99", "requests", "duplicates_applied", "lost"];
        let rows = results.summary.iter().filter(|row| SHOWN.contains(&row.quantity.as_str()));
        for (i, row) in rows.enumerate() {
            if i == 0 {
                let _ = writeln!(self.text, "\nOver seeds: mean and 95 % interval");
            }
            let unit = quantity(&row.quantity).map_or(String::new(), |q| {
                format!("{} [{}, {}]", in_unit(row.mean, q.unit), in_unit(row.low, q.unit), in_unit(row.high, q.unit))
            });
            let _ =
                writeln!(self.text, "  {} {}.{}: {unit}, n = {}", mode(row.mode), row.consumer, row.quantity, row.n);
        }
    }

    fn paragraph(&mut self, text: &str) {
        self.wrapped("", text, 0);
    }

    fn item(&mut self, mark: &str, text: &str) {
        self.wrapped(&format!("  {mark} "), text, 4);
    }

    /// Breaks at spaces; ANSI sequences count as text, which only breaks a little early.
    fn wrapped(&mut self, first: &str, text: &str, indent: usize) {
        let width = usize::from(self.options.width).max(40);
        let mut line = first.to_owned();
        for word in text.split_whitespace() {
            let fresh = line.trim().is_empty() || line == first;
            if !fresh && line.chars().count() + 1 + word.chars().count() > width {
                let _ = writeln!(self.text, "{}", line.trim_end());
                line = " ".repeat(indent);
            }
            if !line.is_empty() && !line.ends_with(' ') {
                line.push(' ');
            }
            line.push_str(word);
        }
        let _ = writeln!(self.text, "{}", line.trim_end());
    }
}

/// What was run, in one line.
pub(super) fn ran(run: &RunResult) -> String {
    let lag = run.provider.lag_p99_s.map_or(NOT_OBSERVED.to_owned(), seconds);
    format!(
        "{} run, seed {}, run id {}: {} in {}; generator lag {lag} at p99 (bound {})",
        mode(run.mode),
        run.seed,
        run.run_id,
        plural(run.provider.emitted, "event"),
        seconds(run.duration_s),
        seconds(run.provider.lag_bound_s),
    )
}

/// What the tool itself took of the machine, in one line.
pub(super) fn harness(run: &RunResult) -> String {
    let parts = [("provider", run.provider.cpu_s), ("orchestrator", run.harness_cpu_s), ("judge", run.judge_cpu_s)];
    let told = parts.map(|(name, cpu_s)| format!("{name} {}", cpu_s.map_or(NOT_OBSERVED.to_owned(), seconds)));
    format!("harness: {} of processor time for {}", told.join(", "), plural(run.provider.emitted, "event"))
}

/// The goals as rows: met or not, for each consumer.
fn goal_rows(run: &RunResult, columns: std::ops::Range<usize>) -> Vec<Vec<String>> {
    let mut keys: Vec<(&str, &str)> =
        run.consumers.iter().flat_map(|c| &c.goals).map(|goal| (goal.key.as_str(), goal.wanted.as_str())).collect();
    keys.sort_unstable();
    keys.dedup();
    let row = |(key, wanted): &(&str, &str)| {
        let cells = run.consumers[columns.clone()].iter().map(|consumer| {
            let goal = consumer.goals.iter().find(|goal| goal.key == *key && goal.wanted == *wanted);
            goal.map_or("", |goal| if goal.met { "met" } else { "missed" }).to_owned()
        });
        std::iter::once(format!("goal {key} {wanted}")).chain(cells).collect()
    };
    keys.iter().map(row).collect()
}

/// What was measured, in the unit of the quantity that the key ends in.
pub(super) fn actual(key: &str, actual: Option<f64>) -> String {
    let Some(value) = actual else { return NOT_OBSERVED.to_owned() };
    let mut tail = key;
    loop {
        if let Some(quantity) = quantity(tail) {
            return in_unit(value, quantity.unit);
        }
        match tail.split_once('.') {
            Some((_, rest)) => tail = rest,
            None => return digits(value),
        }
    }
}

pub(super) fn story_line(example: &Example) -> String {
    let parts: Vec<String> = example.story.iter().map(|line| format!("{} {}", line.when, line.what)).collect();
    format!("event {} at client {}: {}", example.event, count(u64::from(example.client)), parts.join("; "))
}
