//! What a month would cost each side, and for what.

use plotters::prelude::*;

use super::{
    Figure,
    canvas::{Area, Drawn, Mark, WIDTH, caption, faint, font, legend, legend_height, sheet, text_width},
    palette::{FAINT, style},
};
use crate::{
    cost::Bill,
    measure::{ConsumerResult, Cost, RunResult},
    report::{
        bills::{PAYERS, Payer, mostly},
        format::money,
    },
};

const BAR: i32 = 20;
const GAP: i32 = 8;
const HEAD: i32 = 34;
/// Terms in colours of their own; what is left is one more.
const TERMS_MAX: usize = 6;
/// What the others are called.
const OTHERS: &str = "others";

pub(super) const FIGURE: Figure = Figure {
    name: "bill",
    title: "What would a month cost, and who pays for what?",
    how_to_read: "One bar per consumer and side, cut into what is paid for; shorter is cheaper. Both sides have one scale, \
                  from zero. The prices are those of the price list that the fine print names.",
    sentence,
    draw: |run| sheet("bill", height(run), |area| draw(run, area)),
};

/// Everything that somebody pays for, dearest first.
fn terms(run: &RunResult) -> Vec<String> {
    let mut sums: Vec<(String, f64)> = Vec::new();
    for term in run
        .consumers
        .iter()
        .filter_map(|c| c.cost.as_ref())
        .flat_map(|cost| cost.consumer.terms.iter().chain(&cost.provider.terms))
    {
        match sums.iter_mut().find(|(what, _)| *what == term.what) {
            Some((_, sum)) => *sum += term.per_month,
            None => sums.push((term.what.clone(), term.per_month)),
        }
    }
    sums.sort_by(|a, b| b.1.total_cmp(&a.1));
    sums.into_iter().filter(|(_, sum)| *sum > 0.0).map(|(what, _)| what).collect()
}

/// The terms with a colour of their own.
fn coloured(terms: &[String]) -> &[String] {
    &terms[..terms.len().min(TERMS_MAX)]
}

fn entries(terms: &[String]) -> Vec<(String, Mark)> {
    let own = coloured(terms).iter().enumerate().map(|(i, what)| (what.clone(), Mark::Box(style(i).0, 1.0)));
    let rest = (terms.len() > TERMS_MAX).then(|| (OTHERS.to_owned(), Mark::Box(FAINT, 1.0)));
    own.chain(rest).collect()
}

fn block(run: &RunResult) -> i32 {
    HEAD + run.consumers.len() as i32 * (BAR + GAP) + GAP
}

fn height(run: &RunResult) -> u32 {
    legend_height(&entries(&terms(run))) + (block(run) * PAYERS.len() as i32 + 10) as u32
}

fn draw(run: &RunResult, area: &Area<'_>) -> Drawn {
    let terms = terms(run);
    let below = legend(area, &entries(&terms))? as i32;
    let names = run.consumers.iter().map(|c| text_width(&c.name, 15)).max().unwrap_or(0);
    let left = (names + 26).clamp(80, WIDTH as i32 / 2);
    let longest = f64::from(WIDTH as i32 - left - 110);
    let bills = PAYERS.iter().flat_map(|(_, bill)| run.consumers.iter().filter_map(|c| c.cost.as_ref()).map(bill));
    let most = bills.map(|bill| bill.per_month).fold(0.0, f64::max).max(f64::MIN_POSITIVE);
    for (p, (side, bill)) in PAYERS.iter().enumerate() {
        let top = below + p as i32 * block(run);
        caption(area, &format!("The {side} pays a month"), (14, top + 18), font(16))?;
        for (i, consumer) in run.consumers.iter().enumerate() {
            let y = top + HEAD + i as i32 * (BAR + GAP);
            caption(area, &consumer.name, (26, y + BAR / 2), font(15))?;
            if let Some(cost) = &consumer.cost {
                let end = bar(area, bill(cost), &terms, (left, y), longest / most)?;
                caption(area, &money(bill(cost).per_month, &cost.currency), (end + 8, y + BAR / 2), font(15))?;
            } else {
                caption(area, "no price list", (left + 8, y + BAR / 2), faint(15))?;
            }
        }
        let axis = top + HEAD + run.consumers.len() as i32 * (BAR + GAP) - GAP;
        area.draw(&PathElement::new([(left, top + HEAD - 4), (left, axis + 4)], FAINT.stroke_width(1)))?;
    }
    Ok(())
}

/// One bar, cut into its terms; returns where it ends.
fn bar(
    area: &Area<'_>,
    bill: &Bill,
    terms: &[String],
    (left, y): (i32, i32),
    scale: f64,
) -> Result<i32, Box<dyn std::error::Error>> {
    let mut paid = 0.0;
    let x_of = |paid: f64| left + (paid * scale) as i32;
    for (i, what) in coloured(terms).iter().enumerate() {
        let here: f64 = bill.terms.iter().filter(|term| term.what == *what).map(|term| term.per_month).sum();
        if x_of(paid + here) > x_of(paid) {
            let corners = [(x_of(paid), y), (x_of(paid + here), y + BAR)];
            area.draw(&Rectangle::new(corners, style(i).0.filled()))?;
        }
        paid += here;
    }
    if x_of(bill.per_month) > x_of(paid) {
        area.draw(&Rectangle::new([(x_of(paid), y), (x_of(bill.per_month), y + BAR)], FAINT.filled()))?;
    }
    Ok(x_of(bill.per_month).max(left + 1))
}

fn sentence(run: &RunResult) -> Option<String> {
    let said: Vec<String> = PAYERS.iter().filter_map(|payer| of_side(run, *payer)).collect();
    (!said.is_empty()).then(|| said.join(" "))
}

/// Who is cheapest for a side, who is dearest, and what decides it.
fn of_side(run: &RunResult, (side, bill): Payer) -> Option<String> {
    let priced = || run.consumers.iter().filter_map(|consumer| Some((consumer, consumer.cost.as_ref()?)));
    let paid = |(_, cost): &(&ConsumerResult, &Cost)| bill(cost).per_month;
    let cheapest = priced().min_by(|a, b| paid(a).total_cmp(&paid(b)))?;
    let dearest = priced().max_by(|a, b| paid(a).total_cmp(&paid(b)))?;
    let told = |(consumer, cost): (&ConsumerResult, &Cost), word: &str| {
        let bill = bill(cost);
        format!("{}{word} {}{}", consumer.name, money(bill.per_month, &cost.currency), mostly(bill))
    };
    Some(if paid(&cheapest) == paid(&dearest) {
        format!("For the {side}: {}.", told(cheapest, ""))
    } else {
        format!("Cheapest for the {side}: {}; dearest: {}.", told(cheapest, ""), told(dearest, ""))
    })
}
