//! The event: a fact at the provider.

use serde::{Deserialize, Serialize};

use super::Time;

/// An event's place in its provider's log, from 1 without gaps. Log order is commit order.
pub type Seq = u32;

/// The number of the thing that changes (an account, an order), from 0.
pub type Subject = u32;

/// How many events the subject has had up to and with this one, from 1.
pub type Version = u32;

/// A fact at the provider. Its payload is a function of (seed, seq), made where it is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Place in the provider's log, from 1.
    pub seq: Seq,
    /// What changed.
    pub subject: Subject,
    /// The subject's version after this event.
    pub version: Version,
    /// The scheduled instant, from which ages count.
    pub occurred_at: Time,
}
