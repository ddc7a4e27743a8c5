//! A price list: what one thing costs, and what a webhook or a poll uses of it.

use serde::{Deserialize, Serialize};

/// Prices of one place on one day. Data, read from a file; nothing in the code knows a price.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PriceList {
    /// Whose prices.
    pub name: String,
    /// The currency of every amount.
    pub currency: String,
    /// When they held.
    pub dated: String,
    /// What things cost.
    pub prices: Vec<Price>,
    /// What the consumer's side uses.
    pub consumer: Uses,
    /// What the provider's side uses.
    pub provider: Uses,
}

/// What one thing costs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Price {
    /// Its name.
    pub name: String,
    /// What is counted.
    pub unit: Unit,
    /// The price of one unit, and of those beyond so many in a month: ascending, the first from 0.
    pub tiers: Vec<Tier>,
    /// Units that are free each month, where free tiers count.
    pub free: f64,
    /// Where it was stated.
    pub source: String,
    /// When it was stated.
    pub dated: String,
}

/// The price of each unit above a number of units.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Tier {
    /// Units in a month below which this price does not hold.
    pub from: f64,
    /// The price of one unit.
    pub amount: f64,
}

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Unit {
    /// Requests, messages, invocations.
    #[serde(rename = "request")]
    Request,
    /// A gigabyte of memory held for a second.
    #[serde(rename = "GB-s")]
    GbSecond,
    /// 10^9 bytes moved.
    #[serde(rename = "GB")]
    Gb,
    /// 10^9 bytes kept for a month.
    #[serde(rename = "GB-month")]
    GbMonth,
    /// A thing that is there all month.
    #[serde(rename = "month")]
    Month,
}

impl Unit {
    /// Every unit, by its name in price files.
    pub const TABLE: [(&'static str, Unit); 5] = [
        ("request", Unit::Request),
        ("GB-s", Unit::GbSecond),
        ("GB", Unit::Gb),
        ("GB-month", Unit::GbMonth),
        ("month", Unit::Month),
    ];
}

/// Who pays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Side {
    /// Who asks, or is told.
    Consumer,
    /// Who answers, or tells.
    Provider,
}

/// What one side uses.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Uses {
    /// For one webhook: sent, for the provider; arrived, for the consumer.
    pub webhook: Vec<Use>,
    /// For one request of a poller.
    pub poll: Vec<Use>,
    /// Each month, whatever happens.
    pub month: Vec<Use>,
    /// For one event that the ledger remembers.
    pub ledger: Vec<Use>,
}

/// So much of one thing.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Use {
    /// Index into [`PriceList::prices`].
    pub price: u16,
    /// Requests, or things that are there all month.
    pub times: f64,
    /// Memory held, in GB; of prices per GB-s.
    pub memory_gb: f64,
    /// How long it is held in seconds, where no run has measured it.
    pub duration_s: f64,
    /// Bytes moved, where no run has measured them, or kept.
    pub bytes: f64,
}

impl PriceList {
    /// What a side uses.
    #[must_use]
    pub fn uses(&self, side: Side) -> &Uses {
        match side {
            Side::Consumer => &self.consumer,
            Side::Provider => &self.provider,
        }
    }
}

impl Price {
    /// What so many units cost in a month.
    #[must_use]
    pub fn of(&self, units: f64, free_tier: bool) -> f64 {
        let paid_from = if free_tier { self.free } else { 0.0 };
        let mut sum = 0.0;
        for (i, tier) in self.tiers.iter().enumerate() {
            let until = self.tiers.get(i + 1).map_or(f64::INFINITY, |next| next.from);
            let from = tier.from.max(paid_from);
            sum += (units.min(until) - from).max(0.0) * tier.amount;
        }
        sum
    }

    /// The price of the first unit that is paid for.
    #[must_use]
    pub fn first(&self) -> f64 {
        self.tiers.first().map_or(0.0, |tier| tier.amount)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn price(free: f64) -> Price {
        let tiers = vec![Tier { from: 0.0, amount: 1.0 }, Tier { from: 300.0, amount: 0.9 }];
        Price { name: "x".to_owned(), unit: Unit::Request, tiers, free, source: String::new(), dated: String::new() }
    }

    #[test]
    fn units_are_paid_by_their_tier_and_free_ones_not_at_all() {
        assert_eq!(price(0.0).of(200.0, false), 200.0);
        assert_eq!(price(0.0).of(400.0, false), 390.0);
        assert_eq!(price(100.0).of(400.0, true), 290.0);
        assert_eq!(price(100.0).of(400.0, false), 390.0);
        assert_eq!(price(100.0).of(50.0, true), 0.0);
        assert_eq!(price(350.0).of(400.0, true), 45.0);
    }
}
