//! From what a month comes to, to what it costs.

use serde::{Deserialize, Serialize};

use super::{PriceList, Side, Unit, Use};

/// What one side pays a month, and for what.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Bill {
    /// In the price list's currency.
    pub per_month: f64,
    /// What it consists of, dearest first.
    pub terms: Vec<Term>,
}

/// One thing on a bill.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Term {
    /// The price's name.
    pub what: String,
    /// Units in a month.
    pub units: f64,
    /// What is counted.
    pub unit: Unit,
    /// What they cost.
    pub per_month: f64,
}

/// What a consumer's events come to in a month, and what one request was measured to take. `None`: nobody
/// measured it, and the list's assumption stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Usage {
    /// Requests of pollers.
    pub polls: f64,
    /// Webhooks sent, copies and retries included.
    pub webhooks_sent: f64,
    /// Of these, how many came to the consumer.
    pub webhooks_arrived: f64,
    /// Events that the ledger holds on average.
    pub remembered: f64,
    /// How long a poll's function runs.
    pub poll_s: Option<f64>,
    /// How long a poll is held beyond that, on purpose.
    pub held_s: f64,
    /// How long a webhook's function runs.
    pub webhook_s: Option<f64>,
    /// Bytes that leave the consumer with a request.
    pub bytes_up: Option<f64>,
    /// Bytes that leave the provider with a request.
    pub bytes_down: Option<f64>,
}

/// What one side pays for a month of this.
#[must_use]
pub fn bill(list: &PriceList, side: Side, usage: &Usage, free_tier: bool) -> Bill {
    let uses = list.uses(side);
    let webhooks = match side {
        Side::Consumer => usage.webhooks_arrived,
        Side::Provider => usage.webhooks_sent,
    };
    let mut units = vec![0.0; list.prices.len()];
    let mut add = |uses: &[Use], times: f64, of_one: &dyn Fn(&Use, Unit) -> f64| {
        for one in uses {
            let price = usize::from(one.price);
            units[price] += times * of_one(one, list.prices[price].unit);
        }
    };
    add(&uses.webhook, webhooks, &|one, unit| units_of_webhook(one, unit, side, usage));
    add(&uses.poll, usage.polls, &|one, unit| units_of_poll(one, unit, side, usage));
    add(&uses.month, 1.0, &|one, unit| units_of(one, unit, 0.0, None));
    add(&uses.ledger, usage.remembered, &|one, unit| units_of(one, unit, 0.0, None));
    let priced = list.prices.iter().zip(units).filter(|(_, units)| *units > 0.0);
    let mut terms: Vec<Term> = priced
        .map(|(price, units)| Term {
            what: price.name.clone(),
            units,
            unit: price.unit,
            per_month: price.of(units, free_tier),
        })
        .collect();
    terms.sort_by(|a, b| b.per_month.total_cmp(&a.per_month));
    Bill { per_month: terms.iter().map(|term| term.per_month).sum(), terms }
}

/// What one more webhook costs a side that pays the first tier: the c_w of models.md 2.18.
#[must_use]
pub fn per_webhook(list: &PriceList, side: Side, usage: &Usage) -> f64 {
    let of_one = |one: &Use, unit| units_of_webhook(one, unit, side, usage);
    rate(list, &list.uses(side).webhook, &of_one)
}

/// What one more request of a poller costs a side: the c_p of models.md 2.18.
#[must_use]
pub fn per_poll(list: &PriceList, side: Side, usage: &Usage) -> f64 {
    let of_one = |one: &Use, unit| units_of_poll(one, unit, side, usage);
    rate(list, &list.uses(side).poll, &of_one)
}

/// What these uses cost together at the first tier.
pub fn rate(list: &PriceList, uses: &[Use], of_one: &dyn Fn(&Use, Unit) -> f64) -> f64 {
    let cost = |one: &Use| {
        let price = &list.prices[usize::from(one.price)];
        of_one(one, price.unit) * price.first()
    };
    uses.iter().map(cost).sum()
}

fn units_of_webhook(one: &Use, unit: Unit, side: Side, usage: &Usage) -> f64 {
    units_of(one, unit, usage.webhook_s.unwrap_or(one.duration_s), leaving(side, usage))
}

fn units_of_poll(one: &Use, unit: Unit, side: Side, usage: &Usage) -> f64 {
    units_of(one, unit, usage.poll_s.unwrap_or(one.duration_s) + usage.held_s, leaving(side, usage))
}

/// Bytes that leave a side with one request.
fn leaving(side: Side, usage: &Usage) -> Option<f64> {
    match side {
        Side::Consumer => usage.bytes_up,
        Side::Provider => usage.bytes_down,
    }
}

fn units_of(one: &Use, unit: Unit, duration_s: f64, bytes: Option<f64>) -> f64 {
    const GB: f64 = 1e9;
    match unit {
        Unit::Request | Unit::Month => one.times,
        Unit::GbSecond => one.times * one.memory_gb * duration_s,
        Unit::Gb => one.times * bytes.unwrap_or(one.bytes) / GB,
        Unit::GbMonth => one.times * one.bytes / GB,
    }
}

impl Bill {
    /// The term that decides: the dearest, with its share of the whole.
    #[must_use]
    pub fn decides(&self) -> Option<(&Term, f64)> {
        let dearest = self.terms.first().filter(|term| term.per_month > 0.0)?;
        Some((dearest, dearest.per_month / self.per_month))
    }
}
