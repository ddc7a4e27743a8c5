//! `report.html`: one page that explains itself to somebody who was not there. Self-contained: no
//! script, no font, no picture from elsewhere.

mod cases;
mod evidence;
mod seeds;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::{
    ExportError, File, bills,
    conclude::conclusion,
    format::{mode, plural},
    glossary::GLOSSARY,
    goals, one,
    plots::{self, FIGURES, Figure},
    profiles, rows, shown,
    text::{harness, ran, verdict_line},
    wins,
};
use crate::{
    measure::{Results, RunResult, Verdict},
    scenario::Plan,
};

pub(super) use cases::page as cases_page;

pub(super) const STYLE: &str = include_str!("style.css");

pub(super) fn export(results: &Results, plan: &Plan) -> Result<Vec<File>, ExportError> {
    Ok(one("report.html", page(results, plan)?.into_string()))
}

fn page(results: &Results, plan: &Plan) -> Result<Markup, ExportError> {
    let mut runs = Vec::new();
    for run in shown(results) {
        runs.push(self::run(results, run)?);
    }
    let class = match results.verdict() {
        Verdict::Pass => "verdict pass",
        _ => "verdict fail",
    };
    let content = html! {
        p class=(class) { (verdict_line(results)) }
        h1 { (results.title) }
        @if !results.question.is_empty() { p.question { (results.question) } }
        @if !results.published.is_empty() { p.small { "Published: " (results.published) } }
        (seeds::seeds(results))
        (evidence::agreement(results))
        @for run in &runs { (run) }
        h2 { "Run it again" }
        pre { code { (results.reproduce) } }
        details { summary { "The scenario file" } pre { code { (plan.source) } } }
        (glossary())
        footer {
            "pushpull " (results.pushpull_version) " on " (results.host.os) ", " (results.host.arch) ", "
            (plural(u64::from(results.host.cpus), "processor")) ". Figures: results.json, consumers.csv, ages.csv."
        }
    };
    Ok(document(&format!("{} - pushpull", results.title), &content))
}

/// A page that needs nothing from elsewhere, with pictures for light and dark.
pub(super) fn document(title: &str, content: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) }
                style { (PreEscaped(STYLE)) (PreEscaped(plots::dark_rules())) }
            }
            body { main { (content) } }
        }
    }
}

/// A picture with the sentence that it shows.
struct Drawing {
    figure: &'static Figure,
    sentence: String,
    svg: String,
}

fn run(results: &Results, run: &RunResult) -> Result<Markup, ExportError> {
    let mut drawings = Vec::new();
    for figure in FIGURES {
        if let Some(sentence) = (figure.sentence)(run) {
            drawings.push(Drawing { figure, sentence, svg: (figure.draw)(run)? });
        }
    }
    Ok(html! {
        section {
            p.small { (ran(run)) @if !harness(run).is_empty() { "; " (harness(run)) } "." }
            @for line in profiles::lines(run) { p.small { (line) "." } }
            (banner(run))
            (in_short(run, &drawings))
            (goals(run))
            @if !results.watch.is_empty() { div.note { h2 { "What to watch" } p { (results.watch) } } }
            h2 { "What happened" }
            @for drawing in &drawings { (picture(run, drawing)) }
            @if let Some(conclusion) = conclusion(results, run) {
                div.note { h2 { "What to conclude" } p { (conclusion) } }
            }
            (bills(run))
            (polling_wins(run))
            h2 { "All figures" }
            (table(run))
            h2 { "Can it be believed?" }
            (evidence::promise_list(run))
            @if results.over_seeds.is_empty() {
                (evidence::expectations("Did it do what was expected?", &run.expectations))
            }
            (evidence::model(run))
            (fine_print(run))
        }
    })
}

/// What somebody reads who reads nothing else.
fn in_short(run: &RunResult, drawings: &[Drawing]) -> Markup {
    html! {
        h2 { "In short" }
        ul.short {
            @for promise in run.broken() {
                li.harm { (promise.consumer) " broke a promise: " (promise.promise)
                    @if let Some(count) = promise.count { " (" (plural(count, "time")) ")" } "." }
            }
            @for sentence in goals::sentences(run) { li { (sentence) } }
            @for drawing in drawings {
                li { a href={ "#" (anchor(run, drawing.figure)) } { (drawing.figure.title) } " " (drawing.sentence) }
            }
        }
    }
}

fn anchor(run: &RunResult, figure: &Figure) -> String {
    format!("{}-{}", figure.name, mode(run.mode))
}

fn picture(run: &RunResult, drawing: &Drawing) -> Markup {
    html! {
        figure id=(anchor(run, drawing.figure)) {
            h3 { (drawing.figure.title) }
            p.said { (drawing.sentence) }
            div.picture role="img" aria-label=(drawing.sentence) { (PreEscaped(inline(&drawing.svg))) }
            figcaption { (drawing.figure.how_to_read) }
        }
    }
}

/// An SVG file's content as a page wants it: without an XML head, and without the dark rules, which
/// the page has once for all pictures.
pub(super) fn inline(svg: &str) -> String {
    let from = svg.find("<svg").unwrap_or(0);
    svg[from..].replace(&format!("<style>{}</style>", plots::dark_rules()), "")
}

fn banner(run: &RunResult) -> Markup {
    html! {
        @if !run.valid {
            div.banner {
                strong { "This run is void. Do not believe its figures:" }
                ul { @for why in &run.why_void { li { (why) } } }
            }
        }
        @if run.interrupted { div.banner { "This run was interrupted; what was open then is pending." } }
        @for warning in &run.warnings { p.warning { "Note: " (warning) "." } }
    }
}

fn goals(run: &RunResult) -> Markup {
    let rows = goals::table(run);
    html! {
        @if !rows.is_empty() {
            h2 { "Who meets the goals?" }
            @for row in &rows {
                div.goal {
                    h3 { (row.wanted) }
                    ul {
                        @for (consumer, cell) in run.consumers.iter().zip(&row.cells) {
                            @if let Some(cell) = cell {
                                li.met[cell.met].missed[!cell.met] { strong { (consumer.name) } " " (cell.said) }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn table(run: &RunResult) -> Markup {
    let rows = rows::table(run);
    let mut group = "";
    html! {
        div.wide {
            table {
                thead {
                    tr {
                        th {}
                        @for consumer in &run.consumers {
                            th scope="col" { (consumer.name) br; small { (rows::kind(consumer)) } }
                        }
                    }
                }
                tbody {
                    @for (row, cells) in &rows {
                        @if row.group != group {
                            tr.group { th colspan=(cells.len() + 1) { (row.group) } }
                            ({ group = row.group; "" })
                        }
                        tr {
                            th scope="row" { (row.label) }
                            @for cell in cells { td.harm[cell.harm] { (cell.text) } }
                        }
                    }
                }
            }
        }
        p.small { "Books: due = applied + superseded + dead-lettered + lost + pending + undelivered. Rows that are zero \
                   throughout are left out." }
    }
}

fn bills(run: &RunResult) -> Markup {
    let lines = bills::lines(run);
    html! {
        @if !lines.is_empty() {
            h2 { (bills::title(run)) }
            ul { @for line in &lines { li { (line) } } }
        }
    }
}

fn polling_wins(run: &RunResult) -> Markup {
    let wins = wins::polling_wins(run);
    html! {
        @if !wins.is_empty() {
            h2 { "Where polling won" }
            p { "The best poller against the best webhook, where less is better:" }
            ul { @for win in &wins { li { (win) } } }
        }
    }
}

fn fine_print(run: &RunResult) -> Markup {
    html! {
        div.columns {
            div { h3 { "Taken for granted" } ul { @for text in &run.assumptions { li { (text) } } } }
            div { h3 { "Not modelled" } ul { @for text in &run.not_modelled { li { (text) } } } }
        }
    }
}

fn glossary() -> Markup {
    html! {
        h2 { "The words" }
        dl { @for (word, meaning) in GLOSSARY { dt { (word) } dd { (meaning) } } }
    }
}
