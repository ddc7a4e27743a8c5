//! What the plan does to processes, and when.

use std::{cmp::Reverse, collections::BinaryHeap};

use crate::{
    fault::{FaultKind, StallTarget},
    model::Time,
    scenario::{ConsumerNo, Plan},
};

/// Something to do to a consumer's process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Action {
    /// Let a stalled process go on.
    Resume,
    /// Let a locked store go.
    Unlock { fault: u16 },
    /// Start it again.
    Restart,
    /// Stop it without killing it.
    Stall { fault: u16 },
    /// Lock a store of its.
    Lock { fault: u16 },
    /// Kill it.
    Kill { fault: u16 },
}

/// The actions that are due, soonest first.
#[derive(Debug, Default)]
pub(super) struct Timeline {
    heap: BinaryHeap<Reverse<(Time, ConsumerNo, Action)>>,
}

impl Timeline {
    /// Everything that the plan's process faults do at instants.
    pub fn of(plan: &Plan) -> Timeline {
        let mut timeline = Timeline::default();
        for fault in &plan.faults {
            for &consumer in &fault.consumers {
                match &fault.kind {
                    FaultKind::Crash(crash) => {
                        for &at in &crash.at {
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

    pub fn add(&mut self, at: Time, consumer: ConsumerNo, action: Action) {
        self.heap.push(Reverse((at, consumer, action)));
    }

    /// When the next action is due.
    pub fn next_at(&self) -> Option<Time> {
        self.heap.peek().map(|Reverse((at, ..))| *at)
    }

    /// The next action if it is due at `now`.
    pub fn pop_due(&mut self, now: Time) -> Option<(ConsumerNo, Action)> {
        if self.next_at()? > now {
            return None;
        }
        self.heap.pop().map(|Reverse((_, consumer, action))| (consumer, action))
    }
}
