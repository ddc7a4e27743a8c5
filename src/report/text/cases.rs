//! A scenario with cases, for the terminal: the verdict over all, their expectations, then each.

use std::fmt::Write as _;

use comfy_table::{ContentArrangement, Table, presets::UTF8_FULL_CONDENSED};

use super::{Options, Out, Paint, plural, shown, verdict_line, was};
use crate::{
    measure::{CaseResults, Cases, Verdict},
    report::plots,
};

/// The whole report as text.
#[must_use]
pub fn render_cases(cases: &Cases, options: Options) -> String {
    let mut out = Out { text: String::new(), options };
    let paint = if cases.verdict() == Verdict::Pass { Paint::Good } else { Paint::Bad };
    out.painted(paint, &cases_line(cases));
    out.text.push('\n');
    out.painted(Paint::Head, &cases.title);
    if !cases.question.is_empty() {
        out.paragraph(&cases.question);
    }
    for picture in plots::sentences(cases) {
        out.item("-", &picture);
    }
    out.text.push('\n');
    out.case_table(cases);
    for case in &cases.cases {
        out.case(case);
    }
    out.command("Reproduce: ", &cases.reproduce);
    out.text
}

/// The verdict over all cases in one line.
#[must_use]
pub fn cases_line(cases: &Cases) -> String {
    let n = cases.cases.len();
    let failed: Vec<&str> = cases
        .cases
        .iter()
        .filter(|case| case.results.verdict() != Verdict::Pass)
        .map(|case| case.name.as_str())
        .collect();
    let expectations = cases.cases.iter().flat_map(|case| case.results.expectations()).count() as u64;
    match cases.verdict() {
        Verdict::Pass => format!("PASS: all {n} cases, {}", plural(expectations, "expectation")),
        Verdict::Void => format!("VOID: {} of {n} cases: {}", failed.len(), failed.join(", ")),
        _ => format!("FAIL: {} of {n} cases: {}", failed.len(), failed.join(", ")),
    }
}

impl Out {
    fn case_table(&mut self, cases: &Cases) {
        let mut table = Table::new();
        table.load_style(UTF8_FULL_CONDENSED).set_content_arrangement(ContentArrangement::Dynamic);
        table.set_width(self.options.width.max(40)).set_header(["case", "expectation", "wanted", "was", ""]);
        for case in &cases.cases {
            let mut name = case.name.as_str();
            for expectation in case.results.expectations() {
                let verdict = if expectation.pass { "holds" } else { "FAILED" };
                table.add_row([name, &expectation.key, &expectation.wanted, &was(expectation), verdict]);
                name = "";
            }
            if case.results.expectations().next().is_none() {
                table.add_row([name, "", "", &verdict_line(&case.results), ""]);
            }
        }
        let _ = writeln!(self.text, "{}", table.trim_fmt());
    }

    fn case(&mut self, case: &CaseResults) {
        let title = if case.title.is_empty() { String::new() } else { format!(": {}", case.title) };
        self.heading(&format!("Case {}{title}", case.name));
        self.paragraph(&verdict_line(&case.results));
        self.falls(&case.results);
        for run in shown(&case.results) {
            self.banner(run);
            self.table(run);
            self.model(run);
        }
        self.paragraph(&format!("More: {}/report.html", case.name));
    }
}
