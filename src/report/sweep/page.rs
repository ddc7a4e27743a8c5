//! A sweep as one page.

use maud::{Markup, PreEscaped, html};

use super::{
    pictures::Picture,
    sentence,
    text::{heads, rows},
};
use crate::{
    measure::Sweep,
    report::html::{document, inline},
};

pub(super) fn page(sweep: &Sweep, pictures: &[Picture]) -> Markup {
    let (heads, names) = heads(sweep);
    let content = html! {
        h1 { (sweep.plan.title) }
        @if !sweep.valid() { div.banner { "Some of these runs are void. Do not believe their figures." } }
        h2 { "Where do they break even?" }
        @if sweep.break_evens.is_empty() { p { "No two consumers change places." } }
        ul { @for even in &sweep.break_evens { li { (sentence(even)) } } }
        @for picture in pictures {
            figure {
                h3 { (picture.title) }
                div.picture role="img" aria-label=(picture.title) { (PreEscaped(inline(&picture.svg))) }
                figcaption { "One line per consumer; bars are 95 % intervals over seeds, upright lines \
                              break-even points." }
            }
        }
        h2 { "All points" }
        div.wide {
            table {
                thead { tr { @for head in &heads { th { (head) } } } }
                tbody {
                    @for row in rows(sweep, &names) {
                        tr { @for (i, cell) in row.iter().enumerate() {
                            @if i == 0 { th scope="row" { (cell) } } @else { td { (cell) } }
                        } }
                    }
                }
            }
        }
        h2 { "Run it again" }
        pre { code { (sweep.plan.reproduce) } }
        details { summary { "The scenario file" } pre { code { (sweep.plan.source) } } }
        footer { "pushpull " (sweep.pushpull_version) ". Figures: sweep.json, sweep.csv." }
    };
    document(&format!("{} - pushpull sweep", sweep.plan.title), &content)
}
