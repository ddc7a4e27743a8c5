//! The provider says that there may be something, and the client looks.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Client, Due, PollStrategy, StrategyProblem, check_interval, first_number, scaled};
use crate::{
    model::{Seq, Span, Time},
    rng::Purpose,
};

/// Fetches when it is pinged, and never by itself. A ping is a message without content: some are sent
/// although there is nothing new, and their fetches find nothing.
///
/// Every event is pinged once, and no ping is lost: what a lost one costs is a hybrid's matter.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Ping {
    /// The share of pings behind which there is something new, above 0 and up to 1. Default 1.
    #[serde(default = "one")]
    pub precision: f64,
    /// How long after an event a ping in vain comes, on average. Default "60s".
    #[serde(default = "a_minute", with = "crate::scenario::units::span_text")]
    #[schemars(with = "String")]
    pub in_vain_after: Span,
}

fn one() -> f64 {
    1.0
}

fn a_minute() -> Span {
    Span::from_secs(60)
}

/// Pings in vain behind one event at most.
const IN_VAIN_MAX: u64 = 255;

impl Ping {
    /// The pings in vain that follow an event's own: how long after the event each comes. Their number is
    /// geometric with mean (1 - precision) / precision.
    pub fn in_vain(&self, who: Client, event: Seq) -> impl Iterator<Item = Span> {
        let (entity, key) = (u64::from(who.number), u64::from(event) << 16);
        let (precision, mean) = (self.precision, self.in_vain_after);
        (0..IN_VAIN_MAX)
            .take_while(move |i| who.draws.unit(Purpose::PingInVain, entity, key | i << 1) >= precision)
            .map(move |i| {
                Span((who.draws.exponential(Purpose::PingInVain, entity, key | i << 1 | 1) * mean.0 as f64) as u64)
            })
    }
}

impl PollStrategy for Ping {
    const SUMMARY: &'static str = "fetches when the provider says that there may be something, and only then";
    const WHY_NOT_LIVE: &'static str = "the live provider sends events, not pings without content";

    fn first(&self, who: Client, now: Time) -> Due {
        Due { number: first_number(who), at: now }
    }

    fn shortest_gap(&self) -> Span {
        self.in_vain_after
    }

    fn ping(&self) -> Option<&Ping> {
        Some(self)
    }

    fn scale(&mut self, time_scale: f64) {
        self.in_vain_after = scaled(self.in_vain_after, time_scale);
    }

    fn validate(&self) -> Result<(), StrategyProblem> {
        check_interval("in_vain_after", self.in_vain_after)?;
        if self.precision >= 0.05 && self.precision <= 1.0 {
            return Ok(());
        }
        Err(StrategyProblem {
            key: "precision",
            problem: format!("{} is out of bounds", self.precision),
            fix: "write a number from 0.05 to 1".to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Draws;

    #[test]
    fn so_many_pings_in_vain_follow_that_the_precision_comes_out() {
        let ping = Ping { precision: 0.22, in_vain_after: a_minute() };
        let (mut count, mut total_s) = (0u32, 0.0);
        let events = 20_000;
        for event in 1..=events {
            let who = Client { number: 3, draws: Draws::new(5), incarnation: 0 };
            for after in ping.in_vain(who, event) {
                count += 1;
                total_s += after.as_secs_f64();
            }
        }
        let precision = f64::from(events) / f64::from(events + count);
        // The number is geometric with sd 4.0: 0.03 of the mean's, a share of 0.8 %.
        assert!((precision / 0.22 - 1.0).abs() < 0.025, "{precision}");
        assert!((total_s / f64::from(count) - 60.0).abs() < 1.0);
        let sure = Ping { precision: 1.0, ..ping };
        assert_eq!(sure.in_vain(Client { number: 3, draws: Draws::new(5), incarnation: 0 }, 1).count(), 0);
    }
}
