//! What is asked: plain numbers, checked.

use crate::{model::Span, scenario::CostPlan};

/// A day's course.
#[derive(Debug, Clone, PartialEq)]
pub struct Peak {
    /// The time of day of the highest rate, as "12:00".
    pub at: String,
    /// The highest rate over the mean rate.
    pub to_mean: f64,
}

/// The plain numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct Question {
    /// Events a day.
    pub per_day: f64,
    /// When most come; `None`: evenly, by chance.
    pub peak: Option<Peak>,
    /// 99 % of the events are to be in effect within this time.
    pub fresh: Span,
    /// Requests that the pull API answers, all clients together: a count per time.
    pub api_limit: Option<(u64, Span)>,
    /// The consumer is away for this long, and nothing may be lost.
    pub outage: Option<Span>,
    /// Polling clients, or webhook endpoints, each with its own share of the events.
    pub clients: u32,
    /// The provider's retry schedule, by name.
    pub retry: String,
    /// What bills are made from.
    pub cost: CostPlan,
    /// The price list as a scenario file names it.
    pub prices_name: String,
    /// Seed of the runs.
    pub seed: u64,
}

/// A question that has no answer: which number is wrong, and what to write.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{key}: {problem}\n  fix: {fix}")]
pub struct Unanswerable {
    /// The option.
    pub key: &'static str,
    /// What is wrong with it.
    pub problem: String,
    /// What to write.
    pub fix: &'static str,
}

impl Question {
    /// Events per second, on average over a day.
    #[must_use]
    pub fn rate(&self) -> f64 {
        self.per_day / 86_400.0
    }

    /// Events per second at the busiest time.
    #[must_use]
    pub fn peak_rate(&self) -> f64 {
        self.rate() * self.peak.as_ref().map_or(1.0, |peak| peak.to_mean)
    }

    /// Requests per second that the pull API answers.
    #[must_use]
    pub fn limit_per_s(&self) -> Option<f64> {
        self.api_limit.map(|(count, per)| count as f64 / per.as_secs_f64())
    }

    /// Seconds between two polls of a client: as far apart as freshness allows, and no closer than the API
    /// does, of which a fifth is left for what comes in bursts.
    #[must_use]
    pub fn poll_every_s(&self, fresh_s: f64) -> f64 {
        const LEFT: f64 = 1.25;
        // An age is below the interval, but for the network: a tenth is room enough where that matters.
        let own = if fresh_s >= 1.0 { fresh_s } else { 0.9 * fresh_s };
        own.max(self.limit_per_s().map_or(0.0, |limit| LEFT * f64::from(self.clients) / limit))
    }

    /// Refuses what cannot be asked.
    pub fn check(&self) -> Result<(), Unanswerable> {
        let wrong = |key, problem: String, fix| Err(Unanswerable { key, problem, fix });
        let (least, most) = (0.001, 1e9);
        if !(least..=most).contains(&self.per_day) {
            let problem = format!("{} events a day", self.per_day);
            return wrong(
                "--events",
                problem,
                "write a rate from one in a thousand days to 10000/s, such as 40000/day",
            );
        }
        if let Some(peak) = self.peak.as_ref().filter(|peak| !(1.0..=20.0).contains(&peak.to_mean)) {
            let problem = format!("a peak of {} times the mean", peak.to_mean);
            return wrong("--peak-to-mean", problem, "write a number from 1 to 20");
        }
        if self.fresh < Span::from_millis(10) || self.fresh > Span::from_secs(7 * 86_400) {
            return wrong(
                "--fresh",
                format!("{} is out of bounds", self.fresh),
                "write a time from \"10ms\" to \"7d\"",
            );
        }
        if self.clients == 0 || self.clients > 10_000_000 {
            return wrong("--clients", format!("{} clients", self.clients), "write a number from 1 to 10000000");
        }
        if let Some(outage) =
            self.outage.filter(|outage| *outage < Span::from_secs(1) || *outage > Span::from_secs(7 * 86_400))
        {
            return wrong("--outage", format!("{outage} is out of bounds"), "write a time from \"1s\" to \"7d\"");
        }
        Ok(())
    }
}
