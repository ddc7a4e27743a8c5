//! The provider's log, checked against the schedule that the plan promises.
//!
//! Events are open: event i is due at its scheduled instant whatever else happens. A provider that
//! stamps an event with the instant at which it got round to it would hide its own lag in the ages,
//! so the stamp is compared with the plan.

use super::Problems;
use crate::{
    model::{Event, Seq, Subject, Time, Version},
    rng::Draws,
    scenario::Plan,
};

/// Every event that is scheduled, and whether it was emitted; 17 bytes each.
#[derive(Debug)]
pub struct EventLog {
    occurred_at: Vec<Time>,
    subject: Vec<Subject>,
    version: Vec<Version>,
    times_emitted: Vec<u8>,
    providers: u8,
    emitted: u32,
    /// What speaks against the log.
    pub problems: Problems,
}

impl EventLog {
    /// The log of a plan, before anything has happened.
    #[must_use]
    pub fn new(plan: &Plan) -> EventLog {
        let end = Time::ZERO + plan.duration;
        let schedule = plan.workload.schedule(Draws::new(plan.seed), end);
        let (occurred_at, subject): (Vec<Time>, Vec<Subject>) = schedule.map(|due| (due.at, due.subject)).unzip();
        let n = occurred_at.len();
        EventLog {
            occurred_at,
            subject,
            version: vec![0; n],
            times_emitted: vec![0; n],
            providers: plan.providers.len().clamp(1, 255) as u8,
            emitted: 0,
            problems: Problems::default(),
        }
    }

    /// An event went into a provider's log.
    pub fn take(&mut self, event: &Event) {
        let seq = event.seq;
        let Some(i) = self.index(seq) else {
            return self
                .problems
                .add("an event was emitted that the plan does not schedule", || format!("event {seq}"));
        };
        if event.occurred_at != self.occurred_at[i] {
            let (stamp, due) = (event.occurred_at.as_secs_f64(), self.occurred_at[i].as_secs_f64());
            self.problems.add("an event is not stamped with its scheduled instant", || {
                format!("event {seq} says {stamp:.6} s, scheduled {due:.6} s")
            });
        }
        if event.subject != self.subject[i] {
            let (said, due) = (event.subject, self.subject[i]);
            self.problems.add("an event is not about its scheduled subject", || {
                format!("event {seq} says subject {said}, scheduled {due}")
            });
        }
        if self.times_emitted[i] == 0 {
            self.version[i] = event.version;
            self.emitted += 1;
        } else if self.version[i] != event.version {
            self.problems.add("two providers tell different stories", || format!("event {seq}"));
        }
        self.times_emitted[i] = self.times_emitted[i].saturating_add(1);
    }

    /// Compares what was emitted with what was scheduled. An interrupted run may end early, but has
    /// no gaps.
    pub fn close(&mut self, interrupted: bool) {
        let last = self.times_emitted.iter().rposition(|&times| times > 0).map_or(0, |i| i + 1);
        let upto = if interrupted { last } else { self.times_emitted.len() };
        for (i, &times) in self.times_emitted[..upto].iter().enumerate() {
            // The tail of an interrupted run may have reached some of several providers only.
            let tail = interrupted && i + 1 == last;
            if times == self.providers || (tail && times < self.providers) {
                continue;
            }
            let providers = self.providers;
            self.problems.add("a scheduled event is not in the log exactly once", || {
                format!("event {} was emitted {times} times by {providers} provider(s)", i + 1)
            });
        }
    }

    fn index(&self, seq: Seq) -> Option<usize> {
        let i = (seq as usize).checked_sub(1)?;
        (i < self.occurred_at.len()).then_some(i)
    }

    /// The event, if it was emitted.
    #[must_use]
    pub fn get(&self, seq: Seq) -> Option<Event> {
        let i = self.index(seq).filter(|&i| self.times_emitted[i] > 0)?;
        Some(Event { seq, subject: self.subject[i], version: self.version[i], occurred_at: self.occurred_at[i] })
    }

    /// Events that the plan schedules: no sequence lies above it.
    #[must_use]
    pub fn scheduled(&self) -> usize {
        self.occurred_at.len()
    }

    /// Events that were emitted.
    #[must_use]
    pub fn emitted(&self) -> u64 {
        u64::from(self.emitted)
    }

    /// All emitted events in log order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = Event> + '_ {
        (1..=self.occurred_at.len() as Seq).filter_map(|seq| self.get(seq))
    }
}
