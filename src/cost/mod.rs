//! What a month of it would cost: price lists as data, and bills made from them.
//!
//! Owns what a price list is and the arithmetic from counted things to money. Refuses to know where a list
//! comes from (`scenario` reads it), how things were counted (`measure`) and how a bill is shown.

mod bill;
mod prices;

pub use bill::{Bill, Term, Usage, bill, per_poll, per_webhook, rate};
pub use prices::{Price, PriceList, Side, Tier, Unit, Use, Uses};

/// Seconds of a month in every bill: 30 days.
pub const MONTH_S: f64 = 30.0 * 86_400.0;
