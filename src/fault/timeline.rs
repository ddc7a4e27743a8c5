//! What the plan does to processes, and when.

use std::{cmp::Reverse, collections::BinaryHeap};

use super::{FaultKind, StallTarget};
use crate::{
    model::Time,
    scenario::{ConsumerNo, Plan},
};

/// Something to do to a consumer's process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Action {
    /// Let a stalled process go on.
    Resume,
    /// Let a locked store go.
    Unlock {
        /// The fault that locked it.
        fault: u16,
    },
    /// Start it again.
    Restart,
    /// Stop it without killing it.
    Stall {
        /// The fault that does.
        fault: u16,
    },
    /// Lock a store of its.
    Lock {
        /// The fault that does.
        fault: u16,
    },
    /// Kill it.
    Kill {
        /// The fault that does.
        fault: u16,
    },
}

/// The actions that are due, soonest first.
#[derive(Debug, Default)]
pub struct Timeline {
    heap: BinaryHeap<Reverse<(Time, ConsumerNo, Action)>>,
}

impl Timeline {
    /// Everything that the plan's process faults do at instants.
    #[must_use]
    pub fn of(plan: &Plan) -> Timeline {
        let mut timeline = Timeline::default();
        for fault in &plan.faults {
            for &consumer in &fault.consumers {
                match &fault.kind {
                    FaultKind::Crash(crash) => {
                        for at in crash.instants(plan.duration) {
                            timeline.add(at, consumer, Action::Kill { fault: fault.index });
                        }
                    }
                    FaultKind::Stall(stall) => {
                        let fault_no = fault.index;
                        let (begin, end) = match stall.what {
                            StallTarget::Process => (Action::Stall { fault: fault_no }, Action::Resume),
                            StallTarget::Queue | StallTarget::Ledger => {
                                (Action::Lock { fault: fault_no }, Action::Unlock { fault: fault_no })
                            }
                        };
                        if let (Some(from), Some(until)) = (fault.selector.from, fault.selector.until) {
                            timeline.add(from, consumer, begin);
                            timeline.add(until, consumer, end);
                        }
                    }
                    _ => {}
                }
            }
        }
        timeline
    }

    /// Something more to do.
    pub fn add(&mut self, at: Time, consumer: ConsumerNo, action: Action) {
        self.heap.push(Reverse((at, consumer, action)));
    }

    /// When the next action is due.
    #[must_use]
    pub fn next_at(&self) -> Option<Time> {
        self.heap.peek().map(|Reverse((at, ..))| *at)
    }

    /// When the actions are due, in no particular order.
    pub fn instants(&self) -> impl Iterator<Item = Time> + '_ {
        self.heap.iter().map(|Reverse((at, ..))| *at)
    }

    /// The next action if it is due at `now`.
    pub fn pop_due(&mut self, now: Time) -> Option<(ConsumerNo, Action)> {
        if self.next_at()? > now {
            return None;
        }
        self.heap.pop().map(|Reverse((_, consumer, action))| (consumer, action))
    }
}
