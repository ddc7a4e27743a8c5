//! What virtual time takes the world for, and what it cannot do with a plan.

use serde::{Deserialize, Serialize};

use super::{
    EffectKind, MessageBytes, Plan,
    error::{At, Problem},
    load::span_or,
    names::{Choice, choose},
    raw::RawVirtual,
};
use crate::{model::Span, policy::poll::Strategy, workload::Payload};

/// What virtual time takes the network and the stores for. Never scaled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct VirtualPlan {
    /// How long a message takes from one side to the other.
    pub one_way_delay: Span,
    /// How that is distributed, with the delay as its mean.
    pub delay_distribution: Delay,
    /// The standard deviation, where it is normal.
    #[serde(default)]
    pub delay_spread: Span,
    /// How long a commit takes, after which what was written is durable.
    pub commit_time: Span,
    /// What messages weigh.
    #[serde(default)]
    pub bytes: MessageBytes,
}

/// How the time of a message is distributed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Delay {
    /// Always the same.
    Constant,
    /// Exponential, keyed by request and leg.
    Exponential,
    /// Normal, keyed likewise; what is negative is turned round.
    Normal,
}

impl Default for VirtualPlan {
    /// About what loopback and a local disk take: an ack within a millisecond.
    fn default() -> VirtualPlan {
        VirtualPlan {
            one_way_delay: Span::from_micros(50),
            delay_distribution: Delay::Exponential,
            delay_spread: Span::from_micros(10),
            commit_time: Span::from_micros(500),
            bytes: MessageBytes::default(),
        }
    }
}

/// Reads it.
pub(super) fn read(at: &At, raw: &RawVirtual, payload: &Payload) -> Result<VirtualPlan, Problem> {
    let default = VirtualPlan::default();
    const DISTRIBUTIONS: [(&str, Choice<Delay>); 3] = [
        ("exponential", Choice::Here(Delay::Exponential)),
        ("normal", Choice::Here(Delay::Normal)),
        ("constant", Choice::Here(Delay::Constant)),
    ];
    let one_way_delay = span_or(&at.key("one_way_delay"), raw.one_way_delay.as_deref(), default.one_way_delay)?;
    let delay_distribution = choose(
        &at.key("delay_distribution"),
        raw.delay_distribution.as_deref().unwrap_or("exponential"),
        &DISTRIBUTIONS,
    )?;
    let spread_at = at.key("delay_spread");
    if raw.delay_spread.is_some() && delay_distribution != Delay::Normal {
        return Err(spread_at
            .problem("only normal delays have a spread", "write delay_distribution = \"normal\", or remove it"));
    }
    Ok(VirtualPlan {
        delay_distribution,
        delay_spread: span_or(&spread_at, raw.delay_spread.as_deref(), one_way_delay.scaled(1, 5))?,
        one_way_delay,
        commit_time: span_or(&at.key("commit_time"), raw.commit_time.as_deref(), default.commit_time)?,
        bytes: MessageBytes::of(raw.bytes, payload),
    })
}

/// Refuses a plan that virtual time would have to leave something out of. Faults are refused where they
/// are read.
pub(super) fn check(plan: &Plan) -> Result<(), Problem> {
    for (index, mine) in plan.consumers.iter().enumerate() {
        let at = At::default().key("consumer").index(index);
        if mine.is_external() {
            return Err(at.key("url").problem(
                "a receiver that is somebody else's lives on the real clock",
                "leave url out, or run it live: --mode live",
            ));
        }
        if matches!(mine.effect.kind, EffectKind::External { .. }) {
            return Err(at.key("effect").key("kind").problem(
                "virtual time has no outbox yet",
                "write kind = \"append\" or \"set\", or run it live: --mode live",
            ));
        }
        if matches!(mine.polling().map(|polling| &polling.strategy), Some(Strategy::State(_))) {
            return Err(at.key("strategy").key("kind").problem(
                "virtual time serves the log, not yet the subjects' states",
                "poll with another strategy, or run it live: --mode live",
            ));
        }
        let pull = &plan.providers[usize::from(mine.provider)].pull;
        if let Some(polling) = mine.polling().filter(|_| pull.commit_lag.is_some()) {
            let strategy = &polling.strategy;
            if strategy.hold().is_some() || strategy.ping().is_some() || strategy.reads_feed() {
                return Err(at.key("strategy").key("kind").problem(
                    "it would have to be told when a transaction commits, and its provider has a commit_lag",
                    "poll at intervals: strategy = { kind = \"fixed\", interval = \"5s\" }, or remove commit_lag",
                ));
            }
        }
        if mine.flaw.is_some_and(|flaw| !flaw.shows_in_virtual_time()) {
            return Err(at.key("flaw").problem(
                "virtual time does not know this way of being wrong yet",
                "leave flaw out, or run it live: --mode live",
            ));
        }
    }
    Ok(())
}
