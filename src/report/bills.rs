//! What a month costs, in sentences: who pays how much, for what, and where polling becomes the cheaper way.

use super::format::{digits, money};
use crate::{
    cost::Bill,
    measure::{ConsumerResult, Cost, RunResult},
};

/// A side of a bill: its name, and how to read what it pays.
pub(super) type Payer = (&'static str, fn(&Cost) -> &Bill);

/// The sides, in the order of [`Cost::per_poll`].
pub(super) const PAYERS: [Payer; 2] = [("consumer", |cost| &cost.consumer), ("provider", |cost| &cost.provider)];

/// The heading: whose prices, and of when.
pub(super) fn title(run: &RunResult) -> String {
    let priced = run.consumers.iter().find_map(|consumer| consumer.cost.as_ref());
    priced.map_or_else(String::new, |cost| format!("What a month costs ({}, {})", cost.prices, cost.prices_dated))
}

/// One line per consumer, and where the sides would change their minds. Empty without a price list.
pub(super) fn lines(run: &RunResult) -> Vec<String> {
    let priced = run.consumers.iter().filter_map(|consumer| Some((consumer, consumer.cost.as_ref()?)));
    let mut lines: Vec<String> = priced.map(|(consumer, cost)| line(consumer, cost)).collect();
    lines.extend((0..PAYERS.len()).filter_map(|side| break_even(run, side)));
    lines
}

fn line(consumer: &ConsumerResult, cost: &Cost) -> String {
    let paid = PAYERS.map(|(side, bill)| {
        let bill = bill(cost);
        format!("the {side} pays {}{}", money(bill.per_month, &cost.currency), mostly(bill))
    });
    format!("{}: {}", consumer.name, paid.join("; "))
}

/// The term that decides a bill.
pub(super) fn mostly(bill: &Bill) -> String {
    bill.decides().map_or_else(String::new, |(term, share)| format!(", {:.0} % of it for {}", share * 100.0, term.what))
}

/// From how many events per poll on polling is the cheaper way for a side, and how many it was here.
fn break_even(run: &RunResult, side: usize) -> Option<String> {
    let price = |of: fn(&Cost) -> [Option<f64>; 2]| {
        move |consumer: &'_ ConsumerResult| consumer.cost.as_ref().and_then(|cost| of(cost)[side])
    };
    let (of_poll, of_hook) = (price(|cost| cost.per_poll), price(|cost| cost.per_webhook));
    // A hybrid's polls are there to reconcile: how many events they find says nothing of polling.
    let poller = run.consumers.iter().find(|consumer| of_poll(consumer).is_some() && of_hook(consumer).is_none())?;
    let (per_poll, per_webhook) = (of_poll(poller)?, run.consumers.iter().find_map(of_hook)?);
    let currency = &poller.cost.as_ref()?.currency;
    let million = |one: f64| money(one * 1e6, currency);
    let found = poller.due as f64 / poller.requests.max(1) as f64;
    let (name, _) = PAYERS[side];
    Some(format!(
        "for the {name} a million polls cost {}, a million webhooks {}: polling is cheaper where a poll brings more than {} \
         events; {} found {} per poll",
        million(per_poll),
        million(per_webhook),
        digits(per_poll / per_webhook),
        poller.name,
        digits(found),
    ))
}
