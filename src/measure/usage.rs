//! Processor time and memory, by role.

use std::collections::BTreeMap;

use crate::{
    audit::Lives,
    record::{Record, Role},
};

/// What each process used, as last told.
#[derive(Debug, Default)]
pub(super) struct Usage {
    processes: BTreeMap<(Role, u32), (Option<u64>, Option<u64>)>,
}

impl Usage {
    pub(super) fn take(&mut self, record: &Record) {
        if let Record::Usage { role, incarnation, cpu_ns, peak_rss_bytes } = *record {
            // A process may be told of when last seen and once more at its end: both only grow.
            let known = self.processes.entry((role, incarnation)).or_default();
            known.0 = known.0.max(cpu_ns);
            known.1 = known.1.max(peak_rss_bytes);
        }
    }

    /// Seconds over all incarnations; `None` where one of them was never told of: a part is not the
    /// sum.
    pub(super) fn cpu_s(&self, role: Role, lives: &Lives) -> Option<f64> {
        let told: Vec<Option<u64>> = self.of(role).map(|(cpu, _)| cpu).collect();
        if told.len() < 1 + lives.returns(role) {
            return None;
        }
        let total: Option<u64> = told.into_iter().sum();
        total.map(|ns| ns as f64 / 1e9)
    }

    /// Peak memory of the largest incarnation.
    pub(super) fn peak_rss_bytes(&self, role: Role) -> Option<u64> {
        self.of(role).filter_map(|(_, peak)| peak).max()
    }

    fn of(&self, role: Role) -> impl Iterator<Item = (Option<u64>, Option<u64>)> + '_ {
        self.processes.range((role, 0)..=(role, u32::MAX)).map(|(_, used)| *used)
    }
}
