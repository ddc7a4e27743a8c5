//! Where the answer flips: by closed forms and the whole bill, tiers and free tiers included.

use serde::Serialize;

use super::{
    Question,
    volume::{Strategy, usage},
};
use crate::cost::{Side, Usage, bill, per_poll, per_webhook};

/// A number at which a poller and a webhook cost the consumer the same, all else as asked.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Flip {
    /// Of what: "events a day", "freshness, s", "price of a poll over that of a webhook".
    pub what: &'static str,
    /// Where.
    pub at: f64,
    /// As asked.
    pub asked: f64,
    /// Who is cheaper above it.
    pub above: &'static str,
    /// Who is cheaper below it.
    pub below: &'static str,
}

/// Every flip that there is.
pub(super) fn flips(question: &Question) -> Vec<Flip> {
    let asked_s = question.poll_every_s(question.fresh.as_secs_f64());
    let dearer = |rate: f64, every_s: f64| {
        let paid = |strategy| paid(question, &usage(question, strategy, rate, every_s));
        paid(Strategy::Poll) - paid(Strategy::Webhook)
    };
    let mut found = Vec::new();
    if let Some(rate) = crossing(1e-9, 1e6, |rate| dearer(rate, asked_s)) {
        found.push(Flip {
            what: "events a day",
            at: rate * 86_400.0,
            asked: question.per_day,
            above: "poll",
            below: "webhook",
        });
    }
    if let Some(every_s) = crossing(1e-3, 1e8, |every_s| dearer(question.rate(), every_s)) {
        let asked = question.fresh.as_secs_f64();
        found.push(Flip { what: "freshness in seconds", at: every_s, asked, above: "poll", below: "webhook" });
    }
    let (list, none) = (&question.cost.prices, Usage::default());
    let (poll, webhook) = (per_poll(list, Side::Consumer, &none), per_webhook(list, Side::Consumer, &none));
    if poll > 0.0 && webhook > 0.0 {
        // Events per poll: 2.18.
        let at = question.rate() / f64::from(question.clients) * asked_s;
        let what = "price of a poll over that of a webhook";
        found.push(Flip { what, at, asked: poll / webhook, above: "webhook", below: "poll" });
    }
    found
}

fn paid(question: &Question, usage: &Usage) -> f64 {
    bill(&question.cost.prices, Side::Consumer, usage, question.cost.free_tier).per_month
}

/// Where `f` changes its sign between `low` and `high`, to one part in a million; `None` where it does not.
fn crossing(low: f64, high: f64, f: impl Fn(f64) -> f64) -> Option<f64> {
    let (mut low, mut high) = (low, high);
    let below = f(low) > 0.0;
    if below == (f(high) > 0.0) {
        return None;
    }
    while high / low > 1.0 + 1e-6 {
        let middle = (low * high).sqrt();
        if (f(middle) > 0.0) == below { low = middle } else { high = middle }
    }
    Some((low * high).sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crossing_is_found_or_there_is_none() {
        assert!((crossing(1e-3, 1e6, |x| 7.0 - x).unwrap() - 7.0).abs() < 1e-4);
        assert_eq!(crossing(1e-3, 1e6, |x| x), None);
    }
}
