//! Service times as a live run had them, for a virtual run of the same plan to take.
//!
//! Of an ack two parts are known: the receiver wrote down when the event was durable, and the sender when the ack
//! was there. What lies between is one way over the network; what lies before, less one way, is a commit where the
//! queue is a durable one, with verification and whatever waited. From the receipt to the effect is another commit,
//! with the effect's own duration, where no earlier event kept a worker busy. Medians, because a machine that was busy for a moment is not the network.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::{
    audit::Source,
    model::{Span, Time},
    record::{EffectRow, Obligation, ReadError, Record},
    scenario::{Distribution, Plan, QueueKind, VirtualPlan},
};

/// What a live run's records tell of its service times.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Calibration {
    /// From one side to the other; `None` where no ack and no page told.
    pub one_way_delay: Option<Measured>,
    /// From writing until what was written is durable: events in a queue, effects beside a ledger.
    pub commit_time: Option<Measured>,
}

/// A median, and what it rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Measured {
    /// The median.
    pub median: Span,
    /// The tenth part that was fastest took at most this long.
    pub p10: Span,
    /// The tenth part that was slowest took at least this long.
    pub p90: Span,
    /// Measured so often.
    pub n: u64,
}

impl Measured {
    fn of(mut spans: Vec<Span>) -> Option<Measured> {
        spans.sort_unstable();
        let at = |tenths: usize| spans.get((spans.len() * tenths / 10).min(spans.len().saturating_sub(1))).copied();
        Some(Measured { median: at(5)?, p10: at(1)?, p90: at(9)?, n: spans.len() as u64 })
    }
}

impl Calibration {
    /// What virtual time takes the world for, with what was measured in place of what is usual.
    #[must_use]
    pub fn applied_to(&self, usual: VirtualPlan) -> VirtualPlan {
        VirtualPlan {
            one_way_delay: self.one_way_delay.map_or(usual.one_way_delay, |measured| measured.median),
            commit_time: self.commit_time.map_or(usual.commit_time, |measured| measured.median),
            ..usual
        }
    }
}

/// Reads the service times out of a live run's records. `source` is read twice.
pub fn calibrate(plan: &Plan, source: &Source<'_>) -> Result<Calibration, ReadError> {
    let mut first = First::default();
    source(&mut |record| first.take(&record))?;
    let mut second = Second::default();
    source(&mut |record| second.take(plan, &first, &record))?;
    Ok(second.calibration(first.idle_effects(plan)))
}

/// The first reading: when each event was durable and in effect, and whose request a fault hit.
#[derive(Default)]
struct First {
    durable: BTreeMap<Obligation, Time>,
    effects: BTreeMap<Obligation, Time>,
    hit: BTreeSet<Obligation>,
}

impl First {
    fn take(&mut self, record: &Record) {
        match *record {
            Record::Receipt { what, forged: false, at, .. } => {
                let first = self.durable.entry(what).or_insert(at);
                *first = at.min(*first);
            }
            Record::Effect(EffectRow { what, at, forged: false, .. }) => {
                let first = self.effects.entry(what).or_insert(at);
                *first = at.min(*first);
            }
            Record::FaultHit { consumer, client, number, .. } => {
                self.hit.insert(Obligation { consumer, client, seq: number });
            }
            _ => {}
        }
    }
}

impl First {
    /// From receipt to effect, of events that found all earlier ones of their consumer done, without the
    /// effect's own duration.
    fn idle_effects(&self, plan: &Plan) -> Vec<Span> {
        let mut idle = Vec::new();
        for (no, mine) in (0..).zip(&plan.consumers) {
            if mine.flaw.is_some() || mine.effect.distribution != Distribution::Constant {
                continue;
            }
            let of = self.durable.iter().filter(|(what, _)| what.consumer == no);
            let mut done: Vec<(Time, Option<Time>)> =
                of.map(|(what, at)| (*at, self.effects.get(what).copied())).collect();
            done.sort_unstable();
            let mut busy_until = Time::ZERO;
            for (durable, effect) in done {
                // An event without an effect may have kept anybody busy.
                let Some(effect) = effect else { break };
                if busy_until <= durable && effect >= durable {
                    idle.push(Span(effect.since(durable).0.saturating_sub(mine.effect.duration.0)));
                }
                busy_until = busy_until.max(effect);
            }
        }
        idle
    }
}

/// The second reading: first attempts that were acked and that nothing befell.
#[derive(Default)]
struct Second {
    back: Vec<Span>,
    forth: Vec<Span>,
}

impl Second {
    fn take(&mut self, plan: &Plan, first: &First, record: &Record) {
        let Record::Attempt(attempt) = record else { return };
        let plain = attempt.number == 1 && attempt.copy == 0 && attempt.outcome.is_ack();
        let mine = plan.consumers.get(usize::from(attempt.what.consumer)).filter(|mine| plain && mine.flaw.is_none());
        let durable = first.durable.get(&attempt.what).filter(|_| !first.hit.contains(&attempt.what));
        let (Some(mine), Some(durable)) = (mine, durable) else { return };
        if (attempt.sent..=attempt.done).contains(durable) {
            self.back.push(attempt.done.since(*durable));
            if mine.queue == QueueKind::Sqlite {
                self.forth.push(durable.since(attempt.sent));
            }
        }
    }

    fn calibration(self, effects: Vec<Span>) -> Calibration {
        let one_way_delay = Measured::of(self.back);
        let one_way = one_way_delay.map_or(Span::ZERO, |measured| measured.median);
        let commits = self.forth.into_iter().map(|forth| Span(forth.0.saturating_sub(one_way.0)));
        Calibration { one_way_delay, commit_time: Measured::of(commits.chain(effects).collect()) }
    }
}
