//! A consumer's process that dies and comes back.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Fault, FaultProblem, Hits, Selector};
use crate::model::{Span, Time};

/// `kill -9` of the consumer's process, at instants, again and again or at a named point of its code,
/// and a restart on the same stores.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Crash {
    /// Instants of scenario time at which the process is killed.
    #[serde(default, with = "crate::scenario::units::times_text", skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Vec<String>")]
    pub at: Vec<Time>,
    /// Kills it again and again, at whole multiples of this within the window of arrivals. Scaled.
    #[serde(default, with = "crate::scenario::units::span_text_opt", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub spaced: Option<Span>,
    /// The point of its own code at which the process dies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub point: Option<CrashPoint>,
    /// At which passing of the point, from 1. Counted per process: a restarted one counts anew, but
    /// dies `times` times at most in a run.
    #[serde(default = "first")]
    pub pass: u64,
    /// How often it dies at the point.
    #[serde(default = "once")]
    pub times: u32,
    /// How long it stays down. Scaled, like an outage.
    #[serde(default = "half_a_second", with = "crate::scenario::units::span_text")]
    #[schemars(with = "String")]
    pub down: Span,
}

fn first() -> u64 {
    1
}

fn once() -> u32 {
    1
}

fn half_a_second() -> Span {
    Span::from_millis(500)
}

/// Named instants in a consumer's code between which a crash makes a difference.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum CrashPoint {
    /// Receiver: verified, not yet stored.
    BeforeStore,
    /// Receiver: stored, not yet acked.
    AfterStore,
    /// Receiver: the ack is out.
    AfterAck,
    /// Worker: taken from the queue, nothing applied.
    BeforeApply,
    /// Worker: the effect is committed, the ledger entry is not. In a correct receiver both are one
    /// transaction, so this point lies just before its commit.
    BetweenEffectAndLedger,
    /// Worker: effect and ledger entry are committed, the queue still holds the event.
    AfterApply,
    /// Outbox worker: a row is taken, nobody is called.
    BeforeCall,
    /// Outbox worker: somebody else's system has done it, the row is not marked.
    AfterCall,
    /// Poller: a page has come, nothing is stored.
    AfterPage,
    /// Poller: the page is stored, the cursor is not.
    BeforeCursor,
    /// Poller: the cursor is saved.
    AfterCursor,
}

impl CrashPoint {
    /// Every point.
    pub const ALL: [CrashPoint; 11] = [
        CrashPoint::BeforeStore,
        CrashPoint::AfterStore,
        CrashPoint::AfterAck,
        CrashPoint::BeforeApply,
        CrashPoint::BetweenEffectAndLedger,
        CrashPoint::AfterApply,
        CrashPoint::BeforeCall,
        CrashPoint::AfterCall,
        CrashPoint::AfterPage,
        CrashPoint::BeforeCursor,
        CrashPoint::AfterCursor,
    ];
}

impl Crash {
    /// The instants at which it kills, in a window of arrivals of this length.
    pub(super) fn instants(&self, window: Span) -> impl Iterator<Item = Time> + '_ {
        let spaced = self.spaced.unwrap_or(window).max(Span(1));
        let again = (1..).map(move |n| Time::ZERO + spaced.scaled(n, 1)).take_while(move |at| *at < Time::ZERO + window);
        self.at.iter().copied().chain(again)
    }
}

impl Fault for Crash {
    const SUMMARY: &'static str = "kills the consumer's process and restarts it on the same stores";
    const HITS: Hits = Hits::PROCESS;
    fn scale(&mut self, time_scale: f64) {
        for at in &mut self.at {
            *at = Time((at.0 as f64 / time_scale) as u64);
        }
        self.spaced = self.spaced.map(|spaced| Span((spaced.0 as f64 / time_scale) as u64));
        self.down = Span((self.down.0 as f64 / time_scale) as u64);
    }

    fn validate(&self, selector: &Selector) -> Result<(), FaultProblem> {
        if *selector != Selector::default() {
            return Err(FaultProblem {
                key: "probability",
                problem: "a crash hits a process, not requests, and takes no limits on requests".to_owned(),
                fix: "write at = [\"5s\"] for instants, or point = \"after-store\" with pass and times".to_owned(),
            });
        }
        let ways = [!self.at.is_empty(), self.spaced.is_some(), self.point.is_some()];
        if ways.iter().filter(|given| **given).count() != 1 {
            return Err(FaultProblem {
                key: "at",
                problem: "a crash needs instants, a spacing or a point, and one of them only".to_owned(),
                fix: "write at = [\"5s\"], spaced = \"10s\", or point = \"after-store\"".to_owned(),
            });
        }
        if self.spaced.is_some_and(|spaced| spaced <= self.down) {
            return Err(FaultProblem {
                key: "spaced",
                problem: format!("it would be killed again before it is back, {} later", self.down),
                fix: "write a longer spacing, or a shorter down".to_owned(),
            });
        }
        if self.pass == 0 || self.times == 0 {
            return Err(FaultProblem {
                key: if self.pass == 0 { "pass" } else { "times" },
                problem: "counts from 1".to_owned(),
                fix: "write 1 or more".to_owned(),
            });
        }
        Ok(())
    }
}
