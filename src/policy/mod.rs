//! Sans-IO machines: what to do next, given what happened and what time it is.
//!
//! A machine takes inputs with `now`, is drained for outputs, and tells its next deadline. None of
//! them knows a socket, a store or a clock; storage is an output too. Both drivers run the same
//! machines.

pub mod described;
pub mod digests;
pub mod dispatch;
mod gate;
mod health;
mod lanes;
pub mod log;
pub mod poll;
pub mod pool;
pub mod rate;
pub mod receive;
pub mod receive_described;
mod recent;
mod retry;
pub mod rotation;
mod siding;
pub mod stores;
mod verdict;
mod waiting;
pub mod work;

pub use retry::{Backoff, RetryRule, RetrySchedule};
