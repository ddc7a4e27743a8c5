//! `report.html`: one page that explains itself to somebody who was not there. Self-contained: no
//! script, no font, no picture from elsewhere.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::{
    ExportError, File,
    conclude::conclusion,
    format::{digits, in_unit, mode, percent, plural},
    glossary::GLOSSARY,
    one,
    plots::FIGURES,
    rows, shown,
    text::{actual, harness, ran, verdict_line},
    wins,
};
use crate::{
    audit::promises,
    measure::{PromiseResult, PromiseVerdict, Results, RunResult, Verdict, quantity},
    scenario::Plan,
};

const STYLE: &str = include_str!("style.css");

pub(super) fn export(results: &Results, plan: &Plan) -> Result<Vec<File>, ExportError> {
    Ok(one("report.html", page(results, plan)?.into_string()))
}

fn page(results: &Results, plan: &Plan) -> Result<Markup, ExportError> {
    let mut runs = Vec::new();
    for run in shown(results) {
        runs.push(self::run(run)?);
    }
    let class = match results.verdict() {
        Verdict::Pass => "verdict pass",
        Verdict::ExpectationFailed | Verdict::Interrupted | Verdict::Void => "verdict fail",
    };
    Ok(html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (results.title) " - pushpull" }
                style { (PreEscaped(STYLE)) }
            }
            body {
                main {
                    p class=(class) { (verdict_line(results)) }
                    h1 { (results.title) }
                    @if !results.question.is_empty() { p.question { (results.question) } }
                    @for run in &runs { (run) }
                    (seeds(results))
                    @for conclusion in shown(results).filter_map(|run| conclusion(results, run)) {
                        h2 { "What to conclude" }
                        p { (conclusion) }
                    }
                    h2 { "Run it again" }
                    pre { code { (results.reproduce) } }
                    details { summary { "The scenario file" } pre { code { (plan.source) } } }
                    (glossary())
                    footer {
                        "pushpull " (results.pushpull_version) " on " (results.host.os) ", " (results.host.arch) ", "
                        (plural(u64::from(results.host.cpus), "processor")) ". Figures: results.json, consumers.csv, ages.csv."
                    }
                }
            }
        }
    })
}

fn run(run: &RunResult) -> Result<Markup, ExportError> {
    let mut figures = Vec::new();
    for figure in FIGURES {
        if let Some(sentence) = (figure.sentence)(run) {
            figures.push((figure, sentence, (figure.draw)(run)?));
        }
    }
    Ok(html! {
        section {
            h2 { "What was run: " (mode(run.mode)) }
            p { (ran(run)) "; " (harness(run)) "." }
            (banner(run))
            (table(run))
            @for (figure, sentence, svg) in &figures {
                figure {
                    h3 { (figure.title) }
                    p.said { (sentence) }
                    div.picture role="img" aria-label=(sentence) { (PreEscaped(inline(svg))) }
                    figcaption { (figure.how_to_read) }
                }
            }
            (polling_wins(run))
            (promise_list(run))
            (expectations(run))
            (model(run))
            (fine_print(run))
        }
    })
}

/// An SVG file's content without its XML head, as a page wants it.
fn inline(svg: &str) -> &str {
    svg.find("<svg").map_or(svg, |start| &svg[start..])
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
        @for warning in &run.warnings { p.warning { "Note: " (warning) } }
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
                    (goals(run))
                }
            }
        }
        p.small { "Books: due = applied + superseded + dead-lettered + lost + pending + undelivered. Rows that are zero \
                   throughout are left out." }
    }
}

fn polling_wins(run: &RunResult) -> Markup {
    let wins = wins::polling_wins(run);
    html! {
        @if !wins.is_empty() {
            h3 { "Where polling won" }
            p { "The best poller against the best webhook, where less is better:" }
            ul { @for win in &wins { li { (win) } } }
        }
    }
}

fn goals(run: &RunResult) -> Markup {
    let mut keys: Vec<(&str, &str)> =
        run.consumers.iter().flat_map(|c| &c.goals).map(|goal| (goal.key.as_str(), goal.wanted.as_str())).collect();
    keys.sort_unstable();
    keys.dedup();
    html! {
        @if !keys.is_empty() { tr.group { th colspan=(run.consumers.len() + 1) { "Goals" } } }
        @for (key, wanted) in keys {
            tr {
                th scope="row" { (key) " " (wanted) }
                @for consumer in &run.consumers {
                    @match consumer.goals.iter().find(|goal| goal.key == key && goal.wanted == wanted) {
                        Some(goal) => { td.harm[!goal.met] { @if goal.met { "met" } @else { "missed" } } }
                        None => { td {} }
                    }
                }
            }
        }
    }
}

fn promise_list(run: &RunResult) -> Markup {
    let of = |verdict| run.promises.iter().filter(move |promise| promise.verdict == verdict);
    html! {
        h3 { "Which promises were kept?" }
        @for promise in of(PromiseVerdict::Broken) { (broken(promise)) }
        div.wide {
            table.promises {
                thead { tr { th { "Promise" } th { "Kept by" } th { "Broken by" } th { "Not observed for" } } }
                tbody {
                    @for words in distinct(run) {
                        tr {
                            th scope="row" { (words) }
                            @for verdict in [PromiseVerdict::Kept, PromiseVerdict::Broken, PromiseVerdict::NotObserved] {
                                td.names {
                                    (of(verdict).filter(|p| p.promise == words).map(|p| p.consumer.as_str())
                                        .collect::<Vec<_>>().join(", "))
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn distinct(run: &RunResult) -> Vec<&str> {
    let mut seen: Vec<&str> = Vec::new();
    for promise in &run.promises {
        if !seen.contains(&promise.promise.as_str()) {
            seen.push(&promise.promise);
        }
    }
    seen
}

fn broken(promise: &PromiseResult) -> Markup {
    let cause = promises::named(&promise.name).map(|known| known.usual_cause);
    html! {
        div.broken {
            p {
                strong { (promise.consumer) " broke a promise" }
                @if let Some(count) = promise.count { " " (plural(count, "time")) }
                ": " (promise.promise) "."
                @if let Some(cause) = cause { " Usual cause: " (cause) "." }
            }
            @if let Some(example) = &promise.example {
                p { "For example event " (example.event) " at client " (example.client) ", times from its instant:" }
                table.story {
                    @for line in &example.story { tr { td { (line.when) } td { (line.what) } } }
                }
            }
        }
    }
}

fn expectations(run: &RunResult) -> Markup {
    html! {
        @if !run.expectations.is_empty() {
            h3 { "Did it do what was expected?" }
            div.wide {
                table {
                    thead { tr { th { "Expectation" } th { "Wanted" } th { "Was" } th { "Verdict" } } }
                    tbody {
                        @for e in &run.expectations {
                            tr {
                                th scope="row" { (e.key) }
                                td { (e.wanted) }
                                td { (actual(&e.key, e.actual)) }
                                td.harm[!e.pass] { @if e.pass { "holds" } @else { "FAILED" } }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn model(run: &RunResult) -> Markup {
    html! {
        @if !run.model.is_empty() {
            h3 { "Does it agree with theory?" }
            p { "Closed forms beside what was measured. Within two standard errors is agreement; where the difference is \
                 larger, something happened that the formula leaves out." }
            div.wide {
                table {
                    thead {
                        tr { th { "Formula" } th { "Predicted" } th { "Measured" } th { "Difference" } th { "Standard errors" } }
                    }
                    tbody {
                        @for row in &run.model {
                            tr title=(row.assumes) {
                                th scope="row" { (row.consumer) ": " (row.quantity) br; small { "assumes: " (row.assumes) } }
                                td { (digits(row.predicted)) }
                                td { (digits(row.measured)) }
                                td { @if let Some(share) = row.difference { (percent(share)) } @else { "-" } }
                                td { @if let Some(n) = row.standard_errors { (format!("{n:+.1}")) } @else { "-" } }
                            }
                        }
                    }
                }
            }
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

fn seeds(results: &Results) -> Markup {
    const SHOWN: [&str; 8] = [
        "age_s.p50",
        "age_s.p99",
        "requests",
        "wasted_share",
        "duplicates_received",
        "duplicates_applied",
        "lost",
        "cpu_s",
    ];
    let rows: Vec<_> = results.summary.iter().filter(|row| SHOWN.contains(&row.quantity.as_str())).collect();
    html! {
        @if !rows.is_empty() {
            h2 { "Over all seeds" }
            p { "Means of valid runs with 95 % intervals (Student's t)." }
            div.wide {
                table {
                    thead { tr { th { "Quantity" } th { "n" } th { "Mean" } th { "95 % interval" } } }
                    tbody {
                        @for row in rows {
                            @if let Some(q) = quantity(&row.quantity) {
                                tr {
                                    th scope="row" { (mode(row.mode)) " " (row.consumer) "." (row.quantity) }
                                    td { (row.n) }
                                    td { (in_unit(row.mean, q.unit)) }
                                    td { (in_unit(row.low, q.unit)) " to " (in_unit(row.high, q.unit)) }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn glossary() -> Markup {
    html! {
        h2 { "The words" }
        dl { @for (word, meaning) in GLOSSARY { dt { (word) } dd { (meaning) } } }
    }
}
