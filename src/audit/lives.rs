//! What became of the processes of a run: when each was up, when it died, and who failed.

use std::collections::BTreeMap;

use super::Problems;
use crate::{
    model::Time,
    record::{ProcessChange, ReadStats, Role},
};

/// The lives of all processes.
#[derive(Debug, Default)]
pub struct Lives {
    changes: BTreeMap<Role, Vec<(Time, ProcessChange)>>,
}

impl Lives {
    /// Something became of a process.
    pub fn take(&mut self, role: Role, change: ProcessChange, at: Time) {
        let changes = self.changes.entry(role).or_default();
        let place = changes.partition_point(|(before, _)| *before <= at);
        changes.insert(place, (at, change));
    }

    /// The last instant at which the process was killed, if it ever was.
    #[must_use]
    pub fn last_death(&self, role: Role) -> Option<Time> {
        self.of(role).iter().rev().find(|(_, change)| died(*change)).map(|(at, _)| *at)
    }

    /// How often the process was killed.
    #[must_use]
    pub fn deaths(&self, role: Role) -> u32 {
        self.of(role).iter().filter(|(_, change)| died(*change)).count() as u32
    }

    /// How often the process came back after a death.
    pub fn returns(&self, role: Role) -> usize {
        let changes = self.of(role);
        let back = |pair: &&[(Time, ProcessChange)]| died(pair[0].1) && pair[1].1 == ProcessChange::Ready;
        changes.windows(2).filter(back).count()
    }

    /// The windows in which the process was dead or stopped: from, until, and whether it was dead.
    #[must_use]
    pub fn down(&self, role: Role) -> Vec<(Time, Time, bool)> {
        let mut windows = Vec::new();
        let mut since: Option<(Time, bool)> = None;
        for &(at, change) in self.of(role) {
            match change {
                ProcessChange::Killed | ProcessChange::Crashed(_) => since = Some((at, true)),
                ProcessChange::Stalled => since = since.or(Some((at, false))),
                ProcessChange::Ready | ProcessChange::Resumed => {
                    windows.extend(since.take().map(|(from, dead)| (from, at, dead)));
                }
                ProcessChange::Exited | ProcessChange::Failed => {}
            }
        }
        windows.extend(since.map(|(from, dead)| (from, Time::MAX, dead)));
        windows
    }

    /// What speaks against the run: a process that failed, or records cut short by something that
    /// was no kill.
    #[must_use]
    pub fn problems(&self, stats: ReadStats) -> Problems {
        let mut problems = Problems::default();
        let mut deaths = 0;
        for (role, changes) in &self.changes {
            deaths += self.deaths(*role);
            for (at, _) in changes.iter().filter(|(_, change)| *change == ProcessChange::Failed) {
                let at_s = at.as_secs_f64();
                problems.add("a process failed", || format!("{role:?} at {at_s:.3} s"));
            }
        }
        if stats.torn > deaths {
            problems.add("a record file is cut short although its process was not killed", || {
                format!("{} file(s) cut short, {deaths} kill(s)", stats.torn)
            });
        }
        problems
    }

    fn of(&self, role: Role) -> &[(Time, ProcessChange)] {
        self.changes.get(&role).map_or(&[], Vec::as_slice)
    }
}

fn died(change: ProcessChange) -> bool {
    matches!(change, ProcessChange::Killed | ProcessChange::Crashed(_))
}
