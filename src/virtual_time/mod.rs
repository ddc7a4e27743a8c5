//! The virtual driver: the same plan, policies, faults and records as a live run, without sockets
//! and on a clock that jumps from one thing that happens to the next.
//!
//! One thread, integer time, no draw that is not keyed, no order that depends on a hash: the same seed
//! makes byte-identical records. It knows no clock of its own and not how a run is judged.
//!
//! ```text
//!   schedule --> log --> push: a dispatch machine per endpoint --> attempt --> receiver's decision
//!                 '----> pull: a timer per client --> request --> page              |
//!                                      consumer: queue --> workers --> ledger <-----'
//! ```

mod agenda;
mod arrivals;
mod attempt;
mod combs;
mod commit_lag;
mod consumer;
mod feed;
mod line;
mod link;
mod lives;
mod optimistic;
mod outbox;
mod pings;
mod poll;
mod poll_queue;
mod pull;
mod pull_api;
mod push;
mod receiver;
mod shares;
mod slab;
mod sweep;
mod synchronous;
mod undisturbed;
mod uneventful;
mod worker;
mod world;

#[cfg(test)]
mod tests;

use self::{outbox::Outbox, world::World};
use crate::{
    model::WallClock,
    record::{Record, RecordSink},
    scenario::Plan,
};

/// Where t0 lies on the wall clock of a virtual run: 2026-01-01T00:00:00Z.
const WALL: WallClock = WallClock { t0_unix_ns: 1_767_225_600_000_000_000 };

/// How polls that find nothing are gone through. The records are the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// Many at a time, where each is certain to find nothing.
    Skip,
    /// One by one.
    Step,
    /// One by one, and those that find something step by step as well, also where nobody disturbs them.
    StepByStep,
}

/// Carries out a plan in virtual time, to the end: what happened is in `records`.
pub fn run(plan: &Plan, records: &dyn RecordSink) {
    run_at(Pace::Skip, plan, records);
}

/// The same at a pace of one's choice, for whoever measures or compares.
pub fn run_at(pace: Pace, plan: &Plan, records: &dyn RecordSink) {
    let outbox = Outbox::new(records);
    outbox.put(Record::Begin { wall: WALL });
    let mut world = World::new(plan, &outbox, pace);
    let at = world.run();
    world.residue();
    drop(world);
    outbox.put(Record::End { at, interrupted: false });
    outbox.close();
}
