//! What several scenarios expected and found, in one table, with the pictures that compare their cases: for a
//! repository, or a review.

use std::path::{Path, PathBuf};

use super::{
    ExportError, File,
    format::plural,
    plots::{Compared, compared},
    text::was,
};
use crate::measure::{Expectation, Results};

/// A scenario that has been run.
#[derive(Debug, Clone)]
pub struct Entry<'a> {
    /// Its verdict in one line.
    pub verdict: String,
    /// Its runs, each with the name of its case; never empty.
    pub runs: Vec<(&'a str, &'a Results)>,
}

impl Entry<'_> {
    fn expectations(&self) -> impl Iterator<Item = &Expectation> {
        self.runs.iter().flat_map(|(_, run)| run.expectations())
    }
}

/// A page in Markdown, called `page`: who expected what, by which source, what was measured, and whether it is
/// inside. The command made it. Its pictures lie in a folder of the page's name beside it.
pub fn markdown(entries: &[Entry<'_>], command: &str, page: &Path) -> Result<Vec<File>, ExportError> {
    let folder = PathBuf::from(page.file_stem().unwrap_or(page.as_os_str()));
    let all = || entries.iter().flat_map(Entry::expectations);
    let (count, good) = (all().count(), all().filter(|expectation| expectation.pass).count());
    let mut text = format!(
        "# What was expected, and what was measured\n\n{good} of {} of {} hold. Made by `{command}`.\n",
        plural(count as u64, "expectation"),
        plural(entries.len() as u64, "scenario"),
    );
    let mut files = Vec::new();
    for entry in entries {
        text += &section(entry);
        for picture in compared(&entry.runs)? {
            let name = entry.runs.first().map_or("", |(_, run)| run.scenario.as_str());
            let path = folder.join(format!("{name}-{}.svg", picture.kind.name));
            text += &shown(&picture, &path);
            files.push(File { path, content: picture.svg });
        }
    }
    files.insert(0, File { path: page.into(), content: text });
    Ok(files)
}

/// A picture below its question and what it answers.
fn shown(picture: &Compared, path: &Path) -> String {
    let Compared { kind, sentence, .. } = picture;
    // An image's text ends at a bracket, and its address at a space.
    let address = path.to_string_lossy().replace(' ', "%20");
    let (sentence, alt) = (escaped(sentence), escaped(kind.title).replace(['[', ']'], ""));
    format!("\n**{}** {sentence}\n\n![{alt}]({address})\n\n{}\n", escaped(kind.title), escaped(kind.how_to_read))
}

fn section(entry: &Entry<'_>) -> String {
    let Some((_, first)) = entry.runs.first() else { return String::new() };
    let mut text = format!("\n## {}\n\n**{}** {}\n", first.scenario, escaped(&first.title), entry.verdict);
    if !first.published.is_empty() {
        text += &format!("\nPublished: {}\n", escaped(&first.published));
    }
    text += "\n| case | expectation | wanted | measured | |\n|---|---|---|---|---|\n";
    for (case, run) in &entry.runs {
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
        let entry = Entry { verdict: "FAIL".to_owned(), runs: vec![("", &results)] };
        let files = markdown(&[entry], "pushpull run x", Path::new("a page.md")).unwrap();
        let text = &files[0].content;
        assert!(text.contains("1 of 2 expectations of 1 scenario hold. Made by `pushpull run x`."), "{text}");
        assert!(text.contains("Published: A report of 2013"), "{text}");
        assert!(text.contains("| holds |") && text.contains("| &lt; 0 |") && text.contains("| **FAILED** |"), "{text}");
        // The one without a ledger applies again what the others do not.
        let picture = &files[1];
        assert_eq!(picture.path, Path::new("a page").join(format!("{}-twice.svg", results.scenario)));
        assert!(picture.content.starts_with("<svg") && text.contains("](a%20page/"), "{text}");
    }
}
