//! On a fixed timer, after states instead of events.
//!
//! The rule of the overlap is that of models.md 2.15, whose lag is a commit's and exponential: an overlap
//! larger than the lag loses nothing. Here the lag is constant and times are told to a grain.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Grid, Phase, PollStrategy, StrategyProblem, check_interval, check_share, scaled};
use crate::model::{Span, Subject};

/// Asks how things stand, at even intervals: what was overwritten between two looks is never seen.
///
/// A scan begins at the instant of the one before, less an overlap. A change at o shows from o + lag on,
/// under a time of at least o - grain. What a scan at p has missed came after p - lag, so it says a time
/// after p - lag - grain: the next scan finds it if it begins there, and so an overlap of grain + lag is
/// enough, and none shorter is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct State {
    /// Time between two polls of a client.
    #[serde(with = "crate::scenario::units::span_text")]
    #[schemars(with = "String")]
    pub interval: Span,
    /// A poll moves by up to half this share of the interval to either side, 0 to 1. Default 0.
    #[serde(default)]
    pub jitter: f64,
    /// "random": each client starts at its own place in the interval. "aligned": all together.
    /// Default "random".
    #[serde(default)]
    pub phase: Phase,
    /// "subject": each poll asks after one of the client's subjects, in turn, `GET /subjects/{id}`.
    /// "updated-since": each poll asks what has changed since the last, `GET /subjects?updated_since=`.
    /// Default "subject".
    #[serde(default)]
    pub ask: Ask,
    /// Updated-since: how far before the last poll a scan begins, at least the provider's
    /// timestamp_grain + view_lag. Never scaled, as they are not. Default: exactly these.
    #[serde(default, with = "crate::scenario::units::span_text_opt", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub overlap: Option<Span>,
    /// Whether `If-None-Match` is sent: what has not changed is a 304 without a body. Default false.
    #[serde(default)]
    pub conditional: bool,
}

/// What a poll after states asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Ask {
    /// How one subject stands.
    #[default]
    Subject,
    /// Which subjects have changed since an instant.
    UpdatedSince,
}

impl State {
    /// The shortest overlap with which no change is passed.
    #[must_use]
    pub fn needed_overlap(timestamp_grain: Span, view_lag: Span) -> Span {
        timestamp_grain + view_lag
    }
}

impl PollStrategy for State {
    const SUMMARY: &'static str = "asks how a subject stands, or which have changed: sees states, not events";

    fn shortest_gap(&self) -> Span {
        self.interval
    }

    fn grid(&self) -> Option<Grid> {
        Some(Grid::jittered(self.interval, self.jitter, self.phase))
    }

    fn is_conditional(&self) -> bool {
        self.conditional
    }

    fn scale(&mut self, time_scale: f64) {
        self.interval = scaled(self.interval, time_scale);
    }

    fn validate(&self) -> Result<(), StrategyProblem> {
        check_interval("interval", self.interval)?;
        check_share("jitter", self.jitter)?;
        if self.ask == Ask::Subject && self.overlap.is_some() {
            return Err(StrategyProblem {
                key: "overlap",
                problem: "who asks after one subject has no cursor to set back".to_owned(),
                fix: "remove it, or write ask = \"updated-since\"".to_owned(),
            });
        }
        Ok(())
    }
}

/// Whose turn it is: a client asks after its subjects one by one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Turns {
    first: Subject,
    step: u32,
    count: u32,
    next: u32,
}

impl Turns {
    /// The turns of `count` subjects, `first` and every `step`th behind it. `begin` says whose turn is
    /// first: a restarted client that gives its poll's number does not begin at the same one each time.
    #[must_use]
    pub fn new(first: Subject, step: u32, count: u32, begin: u32) -> Turns {
        Turns { first, step, count: count.max(1), next: begin % count.max(1) }
    }

    /// The subject whose turn it is. A turn passes whatever it comes to: one that fails blocks no other.
    pub fn take(&mut self) -> Subject {
        let subject = self.first.saturating_add(self.next.saturating_mul(self.step));
        self.next = (self.next + 1) % self.count;
        subject
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::Time,
        policy::poll::{Came, Client, Last},
        rng::Draws,
    };
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_subject_has_its_turn_before_any_has_another(
            first in 0u32..9, step in 1u32..9, count in 1u32..40, begin: u32
        ) {
            let mut turns = Turns::new(first, step, count, begin);
            for _ in 0..3 {
                let mut round: Vec<Subject> = (0..count).map(|_| turns.take()).collect();
                round.sort_unstable();
                prop_assert_eq!(round, (0..count).map(|i| first + i * step).collect::<Vec<_>>());
            }
        }

        /// The rule of the overlap, held against every change of a log: the first scan that begins `overlap`
        /// before the last one and finds it is one of the next two, and one tick less may miss it.
        #[test]
        fn no_change_slips_between_two_scans_with_the_overlap_that_is_needed(
            grain in 1u64..50, lag in 0u64..50, changes in proptest::collection::vec(0u64..2_000, 1..60),
            mut scans in proptest::collection::vec(0u64..2_200, 1..40)
        ) {
            scans.sort_unstable();
            scans.push(3_000);
            let overlap = State::needed_overlap(Span(grain), Span(lag)).0;
            for changed in changes {
                let tells = changed / grain * grain;
                let found = |since: u64, at: u64| changed + lag <= at && tells >= since;
                let mut since = 0;
                let seen = scans.iter().any(|&at| {
                    let seen = found(since, at);
                    since = at.saturating_sub(overlap);
                    seen
                });
                prop_assert!(seen, "a change at {changed}");
            }
        }
    }

    #[test]
    fn an_overlap_one_tick_shorter_misses_a_change() {
        let (grain, lag) = (10, 7);
        let (changed, scan) = (99u64, 105u64);
        // Not to be seen at 105, and told as of 90 from 106 on.
        assert!(changed + lag > scan);
        let found = |overlap: u64| changed / grain * grain >= scan - overlap;
        assert!(found(State::needed_overlap(Span(grain), Span(lag)).0) && !found(14));
    }

    #[test]
    fn polls_lie_on_the_grid_of_a_fixed_timer() {
        let state = State {
            interval: Span::from_secs(2),
            jitter: 0.0,
            phase: Phase::Random,
            ask: Ask::Subject,
            overlap: None,
            conditional: false,
        };
        let who = Client { number: 3, draws: Draws::new(5), incarnation: 0 };
        let first = state.first(who, Time::ZERO);
        let last = Last { due: first, came: Came::Nothing, idle: 1 };
        assert_eq!(state.next(who, &last, first.at).at, first.at + state.interval);
        let overlapping = State { overlap: Some(Span(1)), ..state };
        assert_eq!(overlapping.validate().unwrap_err().key, "overlap");
    }
}
