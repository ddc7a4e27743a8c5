//! The live driver: real processes, sockets, stores and a real clock.
//!
//! A run is an orchestrator and its role processes, each the same binary: one per provider, one per
//! consumer. They speak over stdin and stdout ([`control`]); what they did is in their record files.
//! Everything in here may read a clock and touch a socket; nothing in here judges.

pub mod clock;
pub mod consumer;
pub mod control;
mod counting_io;
pub mod courier;
mod crash_points;
pub mod keys;
mod open_files;
pub mod orchestrator;
pub mod poller;
pub mod provider;
pub mod receiver;
mod reply;
mod role;
pub mod usage;
mod watched_io;

pub use crash_points::CrashPoints;
pub use role::{Bound, Reporter, Role, RoleError};

/// A run id that no other run has.
#[must_use]
pub fn fresh_run_id() -> crate::model::RunId {
    #[allow(clippy::disallowed_methods, reason = "two live runs must not share their event ids")]
    let bits = rand::random();
    crate::model::RunId::from_bits(bits)
}
