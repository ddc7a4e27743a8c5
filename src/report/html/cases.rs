//! The page of a scenario with cases: the verdict over all, their expectations, then each with its figures.
//! Pictures that compare the cases stand here, those of one case on its own page.

use maud::{Markup, PreEscaped, html};

use super::{banner, document, evidence, glossary, in_short, inline, seeds, shown, table};
use crate::{
    measure::{CaseResults, Cases, Verdict},
    report::{
        plots::Compared,
        text::{cases_line, verdict_line, was},
    },
};

/// The whole page.
pub(in crate::report) fn page(cases: &Cases, pictures: &[Compared]) -> Markup {
    let content = html! {
        p class=(class(cases.verdict())) { (cases_line(cases)) }
        h1 { (cases.title) }
        @if !cases.question.is_empty() { p.question { (cases.question) } }
        @if let Some(published) = cases.published() { p.small { "Published: " (published) } }
        @if !pictures.is_empty() { h2 { "Side by side" } }
        @for picture in pictures { (self::picture(picture)) }
        (all_expectations(cases))
        @for case in &cases.cases { (self::case(case)) }
        h2 { "Run it again" }
        pre { code { (cases.reproduce) } }
        (glossary())
    };
    document(&format!("{} - pushpull", cases.title), &content)
}

fn picture(compared: &Compared) -> Markup {
    html! {
        figure id=(compared.kind.name) {
            h3 { (compared.kind.title) }
            p.said { (compared.sentence) }
            div.picture role="img" aria-label=(compared.sentence) { (PreEscaped(inline(&compared.svg))) }
            figcaption { (compared.kind.how_to_read) }
        }
    }
}

fn class(verdict: Verdict) -> &'static str {
    if verdict == Verdict::Pass { "verdict pass" } else { "verdict fail" }
}

fn all_expectations(cases: &Cases) -> Markup {
    html! {
        h2 { "Did each case do what was expected?" }
        div.wide {
            table {
                thead { tr { th { "Case" } th { "Expectation" } th { "Wanted" } th { "Was" } th { "Verdict" } } }
                tbody { @for case in &cases.cases { (rows(case)) } }
            }
        }
    }
}

fn rows(case: &CaseResults) -> Markup {
    let link = html! { a href={ "#" (case.name) } { (case.name) } };
    html! {
        @for (i, e) in case.results.expectations().enumerate() {
            tr {
                th scope="row" { @if i == 0 { (link) } }
                td.names { (e.key) }
                td { (e.wanted) }
                td { (was(e)) }
                td.harm[!e.pass] { @if e.pass { "holds" } @else { "FAILED" } }
            }
        }
        @if case.results.expectations().next().is_none() {
            tr { th scope="row" { (link) } td colspan="4" { (verdict_line(&case.results)) } }
        }
    }
}

fn case(case: &CaseResults) -> Markup {
    html! {
        section id=(case.name) {
            h2 { (case.name) @if !case.title.is_empty() { ": " (case.title) } }
            p { (verdict_line(&case.results)) ". " a href={ (case.name) "/report.html" } { "Its page, with pictures" } }
            (seeds::seeds(&case.results))
            @for run in shown(&case.results) {
                (banner(run))
                (in_short(run, &[]))
                (table(run))
                (evidence::model(run))
            }
        }
    }
}
