//! The evidence below the pictures: promises, expectations, closed forms.

use maud::{Markup, html};

use crate::{
    audit::promises,
    measure::{Expectation, PromiseResult, PromiseVerdict, Results, RunResult},
    report::{
        agreement,
        format::{digits, percent, plural},
        text::was,
    },
};

pub(super) fn promise_list(run: &RunResult) -> Markup {
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

pub(super) fn expectations(heading: &str, expectations: &[Expectation]) -> Markup {
    html! {
        @if !expectations.is_empty() {
            h3 { (heading) }
            div.wide {
                table {
                    thead { tr { th { "Expectation" } th { "Wanted" } th { "Was" } th { "Verdict" } } }
                    tbody {
                        @for e in expectations {
                            tr {
                                th scope="row" { (e.key) }
                                td { (e.wanted) }
                                td { (was(e)) }
                                td.harm[!e.pass] { @if e.pass { "holds" } @else { "FAILED" } }
                            }
                        }
                    }
                }
            }
        }
    }
}

pub(super) fn model(run: &RunResult) -> Markup {
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

/// Whether the two drivers say the same.
pub(super) fn agreement(results: &Results) -> Markup {
    html! {
        @if !results.agreement.is_empty() {
            h2 { "Do live and virtual time agree?" }
            p { (agreement::sentence(results)) }
            @if let Some(told) = agreement::calibration(results) { p { (told) } }
            div.wide {
                table {
                    thead { tr { @for head in agreement::HEAD { th { (head) } } } }
                    tbody {
                        @for row in agreement::rows(results) {
                            tr { @for (i, cell) in row.iter().enumerate() {
                                @if i == 0 { th scope="row" { (cell) } } @else { td.harm[cell == agreement::DIFFERS] { (cell) } }
                            } }
                        }
                    }
                }
            }
        }
    }
}
