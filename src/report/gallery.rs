//! The gallery: what every scenario showed on one machine, with an index for a code forge and one for
//! a browser. Layout and order follow from the scenarios alone.

use std::path::Path;

use maud::{DOCTYPE, PreEscaped, html};

use super::{
    EXPORTERS, ExportError, File,
    conclude::conclusion,
    format::{mode, plural},
    goals,
    html::STYLE,
    plots::FIGURES,
    shown,
    text::verdict_line,
};
use crate::{
    measure::{Host, Results, RunResult, Verdict},
    scenario::Plan,
};

/// What of a report goes into the gallery beside its figures: pages and pictures. No records.
const KEPT: [&str; 3] = ["report.txt", "plots", "report.html"];

/// The command that makes the gallery; it stands in the index.
const COMMAND: &str = "cargo run --release -- gallery reports";

/// The files of one scenario, relative to its own folder.
pub fn entry(results: &Results, plan: &Plan) -> Result<Vec<File>, ExportError> {
    // The indexes are made from the figures, which no person reads here: without white space they take
    // a third of the room.
    let figures = serde_json::to_string(results)
        .map_err(|error| ExportError { what: "results.json".to_owned(), why: error.to_string() })?;
    let mut files = vec![File { path: Path::new("results.json").to_owned(), content: figures + "\n" }];
    for exporter in EXPORTERS.iter().filter(|exporter| KEPT.contains(&exporter.name)) {
        files.extend((exporter.export)(results, plan)?);
    }
    Ok(files)
}

/// The indexes, from the results of all scenarios in reading order.
#[must_use]
pub fn indexes(all: &[Results], date: Option<&str>) -> Vec<File> {
    let made = made_on(all, date);
    vec![
        File { path: Path::new("README.md").to_owned(), content: markdown(all, &made) },
        File { path: Path::new("index.html").to_owned(), content: page(all, &made) },
    ]
}

/// On what, and when, the figures were measured.
fn made_on(all: &[Results], date: Option<&str>) -> String {
    let mut hosts: Vec<&Host> = Vec::new();
    for results in all {
        if !hosts.contains(&&results.host) {
            hosts.push(&results.host);
        }
    }
    let machines =
        hosts.iter().map(|host| format!("{}, {}, {}", plural(u64::from(host.cpus), "processor"), host.os, host.arch));
    let machines = machines.collect::<Vec<_>>().join("; ");
    let version = all.first().map_or("", |results| results.pushpull_version.as_str());
    let date = date.map_or(String::new(), |date| format!(" on {date}"));
    format!("Measured{date} by pushpull {version} on a machine with {machines}, over loopback")
}

/// The findings of a run, one sentence each.
fn findings(run: &RunResult) -> Vec<String> {
    let mut said = goals::sentences(run);
    said.extend(FIGURES.iter().filter_map(|figure| (figure.sentence)(run)));
    said
}

/// The picture that stands for a run: how far behind everybody was, which shows most lessons.
fn cover(results: &Results, run: &RunResult) -> Option<(String, String)> {
    let figure = FIGURES.iter().find(|figure| figure.name == "behind")?;
    let sentence = (figure.sentence)(run)?;
    Some((format!("{}/plots/{}-{}.svg", results.scenario, figure.name, mode(run.mode)), sentence))
}

fn markdown(all: &[Results], made: &str) -> String {
    let mut text = format!(
        "# What the scenarios show\n\n{made}. Made anew by `{COMMAND}`; yours will differ in the milliseconds.\n\n\
         | scenario | question | verdict |\n|---|---|---|\n"
    );
    for results in all {
        let (name, verdict) = (&results.scenario, verdict_line(results));
        text += &format!("| [`{name}`](#{name}) | {} | {verdict} |\n", results.question);
    }
    for results in all {
        let name = &results.scenario;
        text += &format!("\n## {name}\n\n**{}** {}\n\n{}\n", results.question, results.title, verdict_line(results));
        for run in shown(results) {
            text.push('\n');
            findings(run).iter().for_each(|finding| text += &format!("- {finding}\n"));
            if let Some((path, sentence)) = cover(results, run) {
                text += &format!("\n![{}]({path})\n", sentence.replace(['[', ']'], ""));
            }
            if let Some(conclusion) = conclusion(results, run) {
                text += &format!("\nTo conclude: {conclusion}\n");
            }
        }
        text += &format!(
            "\n[The whole report]({name}/report.txt), as a [page]({name}/report.html); `{}`\n",
            results.reproduce
        );
    }
    text
}

fn page(all: &[Results], made: &str) -> String {
    let good = |results: &Results| if results.verdict() == Verdict::Pass { "pass" } else { "fail" };
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { "What the scenarios show - pushpull" }
                style { (PreEscaped(STYLE)) }
            }
            body {
                main {
                    h1 { "What the scenarios show" }
                    p.question { (made) "." }
                    @for results in all {
                        section id=(results.scenario) {
                            h2 { a href={ (results.scenario) "/report.html" } { (results.question) } }
                            p.small { code { (results.scenario) } " - " (results.title) }
                            p class=(good(results)) { (verdict_line(results)) }
                            @for run in shown(results) {
                                ul.short { @for finding in findings(run) { li { (finding) } } }
                                @if let Some((path, sentence)) = cover(results, run) {
                                    div.picture { img src=(path) alt=(sentence); }
                                }
                                @if let Some(conclusion) = conclusion(results, run) { p.said { (conclusion) } }
                            }
                        }
                    }
                    footer { "Made anew by " code { (COMMAND) } "." }
                }
            }
        }
    }
    .into_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::tests::synthetic;

    #[test]
    fn the_index_has_question_verdict_findings_and_pictures_that_exist() {
        let (plan, results) = synthetic();
        let files = entry(&results, &plan).unwrap();
        let paths: Vec<String> =
            files.iter().map(|file| format!("{}/{}", results.scenario, file.path.display())).collect();
        let run = &results.runs[0];
        let conclusion = conclusion(&results, run).unwrap();
        for index in indexes(std::slice::from_ref(&results), Some("2030-01-02")) {
            let text = index.content;
            for part in ["2 processors", "on 2030-01-02", &results.question, "PASS", &conclusion] {
                assert!(text.contains(part), "{}: {part}", index.path.display());
            }
            assert!(findings(run).len() >= 5);
            for finding in findings(run) {
                // The goals' "<" is escaped in a page.
                let escaped = finding.replace('<', "&lt;");
                assert!(text.contains(&finding) || text.contains(&escaped), "{finding}");
            }
            let (cover, _) = cover(&results, run).unwrap();
            assert!(text.contains(&cover) && paths.contains(&cover), "{paths:?}");
        }
        assert!(paths.iter().all(|path| !path.contains("records")));
    }
}
