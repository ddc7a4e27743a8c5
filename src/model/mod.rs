//! Plain nouns that every other room speaks in: time, ids, events, outcomes.
//!
//! Nothing in here reads a clock, touches a socket or knows how a run is judged.

mod event;
mod id;
mod outcome;
mod time;

pub use event::{Event, Seq, Subject, Version};
pub use id::{EventId, EventIdText, IdError, RunId};
pub use outcome::{AttemptOutcome, DisabledBy, EffectOutcome, GiveUp, PollOutcome, RejectReason};
pub use time::{Skew, Span, Time, WallClock};

/// The number of a client within its consumer, from 0.
pub type ClientNo = u32;
