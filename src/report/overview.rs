//! What several scenarios expected and found, in one table: for a repository, or a review.

use super::{
    format::plural,
    text::{cases_line, verdict_line, was},
};
use crate::measure::{Cases, Expectation, Results};

/// A scenario that has been run.
#[derive(Debug, Clone, Copy)]
pub enum Entry<'a> {
    /// One without cases.
    One(&'a Results),
    /// One with them.
    Cases(&'a Cases),
}

impl<'a> Entry<'a> {
    /// Its runs, each with the name of its case.
    fn runs(self) -> Vec<(&'a str, &'a Results)> {
        match self {
            Entry::One(results) => vec![("", results)],
            Entry::Cases(cases) => cases.cases.iter().map(|case| (case.name.as_str(), &case.results)).collect(),
        }
    }

    fn verdict_line(self) -> String {
        match self {
            Entry::One(results) => verdict_line(results),
            Entry::Cases(cases) => cases_line(cases),
        }
    }
}

/// A page in Markdown: who expected what, by which source, what was measured, and whether it is inside. The
/// command made it.
#[must_use]
pub fn markdown(entries: &[Entry<'_>], command: &str) -> String {
    let expectations =
        |entry: &Entry<'_>| entry.runs().iter().map(|(_, run)| run.expectations().count()).sum::<usize>();
    let all: usize = entries.iter().map(expectations).sum();
    let held = |entry: &Entry<'_>| {
        entry.runs().iter().map(|(_, run)| run.expectations().filter(|e| e.pass).count()).sum::<usize>()
    };
    let good: usize = entries.iter().map(held).sum();
    let mut text = format!(
        "# What was expected, and what was measured\n\n{good} of {} of {} hold. Made by `{command}`.\n",
        plural(all as u64, "expectation"),
        plural(entries.len() as u64, "scenario"),
    );
    entries.iter().for_each(|entry| text += &section(*entry));
    text
}

fn section(entry: Entry<'_>) -> String {
    let runs = entry.runs();
    let Some((_, first)) = runs.first() else { return String::new() };
    let mut text = format!("\n## {}\n\n**{}** {}\n", first.scenario, escaped(&first.title), entry.verdict_line());
    if !first.published.is_empty() {
        text += &format!("\nPublished: {}\n", escaped(&first.published));
    }
    text += "\n| case | expectation | wanted | measured | |\n|---|---|---|---|---|\n";
    for (case, run) in runs {
        for expectation in run.expectations() {
            text += &row(case, expectation);
        }
    }
    text
}

fn row(case: &str, expectation: &Expectation) -> String {
    let verdict = if expectation.pass { "holds" } else { "**FAILED**" };
    let (key, wanted) = (escaped(&expectation.key), escaped(&expectation.wanted));
    format!("| {case} | `{key}` | {wanted} | {} | {verdict} |\n", escaped(&was(expectation)))
}

/// What a table's cell may hold.
fn escaped(text: &str) -> String {
    text.replace('|', "\\|").replace('<', "&lt;").replace(['\n', '\r'], " ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        audit::fixture,
        measure::{Host, judge},
        report::tests::host,
    };

    fn results() -> Results {
        let mut plan = fixture::comparison();
        plan.expects = vec![
            fixture::condition(Some(1), "due", crate::scenario::Comparison::Equal, 1_196.0),
            fixture::condition(Some(1), "lost", crate::scenario::Comparison::Less, 0.0),
        ];
        let records = fixture::records(&plan);
        let run = judge(&plan, &fixture::replay(&records, 0)).expect("records in memory can be read");
        let host: Host = host();
        Results::new(&plan, host, vec![run])
    }

    #[test]
    fn the_table_says_which_expectation_holds_and_where_it_comes_from() {
        let results = results();
        let text = markdown(&[Entry::One(&results)], "pushpull run x");
        assert!(text.contains("1 of 2 expectations of 1 scenario hold. Made by `pushpull run x`."), "{text}");
        assert!(text.contains("Published: A report of 2013"), "{text}");
        assert!(text.contains("| holds |") && text.contains("| &lt; 0 |") && text.contains("| **FAILED** |"), "{text}");
    }
}
