//! Service times as a live run had them, for a virtual run of the same plan to take.
//!
//! Of an ack two parts are known: the receiver wrote down when the event was durable, and the sender when the ack
//! was there. What lies between is one way over the network; what lies before, less one way, is a commit where the
//! queue is a durable one, with verification and whatever waited. From the receipt to the effect is another commit,
//! with the effect's own duration. Medians, because a machine that was busy for a moment is not the network.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::{
    audit::Source,
    model::{Span, Time},
    record::{Obligation, ReadError, Record},
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
    Ok(second.calibration())
}

/// The first reading: when each event was durable, and whose request a fault hit.
#[derive(Default)]
struct First {
    durable: BTreeMap<Obligation, Time>,
    hit: BTreeSet<Obligation>,
}

impl First {
    fn take(&mut self, record: &Record) {
        match *record {
            Record::Receipt { what, forged: false, at, .. } => {
                let first = self.durable.entry(what).or_insert(at);
                *first = at.min(*first);
            }
            Record::FaultHit { consumer, client, number, .. } => {
                self.hit.insert(Obligation { consumer, client, seq: number });
            }
            _ => {}
        }
    }
}

/// The second reading: first attempts that were acked, and effects, that nothing befell.
#[derive(Default)]
struct Second {
    back: Vec<Span>,
    forth: Vec<Span>,
    effects: Vec<Span>,
}

impl Second {
    fn take(&mut self, plan: &Plan, first: &First, record: &Record) {
        let what = match record {
            Record::Attempt(attempt) if attempt.number == 1 && attempt.copy == 0 => attempt.what,
            Record::Effect(row) if !row.forged && !row.superseded => row.what,
            _ => return,
        };
        let mine = plan.consumers.get(usize::from(what.consumer)).filter(|mine| mine.flaw.is_none());
        let durable = first.durable.get(&what).filter(|_| !first.hit.contains(&what));
        let (Some(mine), Some(durable)) = (mine, durable) else { return };
        match record {
            Record::Attempt(attempt) if attempt.outcome.is_ack() && (attempt.sent..=attempt.done).contains(durable) => {
                self.back.push(attempt.done.since(*durable));
                if mine.queue == QueueKind::Sqlite {
                    self.forth.push(durable.since(attempt.sent));
                }
            }
            Record::Effect(row) if mine.effect.distribution == Distribution::Constant && row.at >= *durable => {
                let taken = row.at.since(*durable).0;
                self.effects.push(Span(taken.saturating_sub(mine.effect.duration.0)));
            }
            _ => {}
        }
    }

    fn calibration(self) -> Calibration {
        let one_way_delay = Measured::of(self.back);
        let one_way = one_way_delay.map_or(Span::ZERO, |measured| measured.median);
        let commits = self.forth.into_iter().map(|forth| Span(forth.0.saturating_sub(one_way.0)));
        Calibration { one_way_delay, commit_time: Measured::of(commits.chain(self.effects).collect()) }
    }
}
