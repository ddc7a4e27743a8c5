//! What several seeds come to: expectations, means and paired differences with their intervals.

use maud::{Markup, html};

use super::evidence;
use crate::{
    measure::{Results, quantity},
    report::{
        falls::falls,
        format::{in_unit, mode},
    },
};

pub(super) fn seeds(results: &Results) -> Markup {
    const SHOWN: [&str; 9] = [
        "age_s.mean",
        "age_s.p50",
        "age_s.p99",
        "requests",
        "wasted_share",
        "duplicates_received",
        "duplicates_applied",
        "lost",
        "cpu_s",
    ];
    let shown: Vec<_> = results.summary.iter().filter(|row| SHOWN.contains(&row.quantity.as_str())).collect();
    html! {
        (evidence::expectations("Did all seeds do what was expected?", &results.over_seeds))
        @if !shown.is_empty() {
            h2 { "Over all seeds" }
            p { "Means of valid runs with 95 % intervals (Student's t)." }
            div.wide {
                table {
                    thead { tr { th { "Quantity" } th { "n" } th { "Mean" } th { "95 % interval" } } }
                    tbody {
                        @for row in shown {
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
        (paired(results))
        @let fell = falls(results);
        @if !fell.is_empty() {
            h2 { "How long until it fell?" }
            ul { @for fall in &fell { li { (mode(fall.mode)) " " (fall.sentence()) "." } } }
        }
    }
}

fn paired(results: &Results) -> Markup {
    html! {
        @if !results.paired.is_empty() {
            h2 { "Who does better, seed by seed?" }
            p { "In each seed all consumers saw the same events and met the same faults, so their differences are taken \
                 within the seed: the mean difference with its 95 % interval. One that lies on one side of nothing is \
                 told apart from chance." }
            div.wide {
                table {
                    thead { tr { th { "Difference" } th { "n" } th { "Mean" } th { "95 % interval" } } }
                    tbody {
                        @for row in &results.paired {
                            @if let Some(q) = quantity(&row.quantity) {
                                tr {
                                    th scope="row" {
                                        (mode(row.mode)) " " (row.quantity) ": " (row.consumer) " less " (row.less)
                                    }
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
