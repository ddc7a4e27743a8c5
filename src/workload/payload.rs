//! What an event says: a function of (seed, sequence), made where it is needed and never stored.

use serde::{Deserialize, Serialize};

/// The content of event bodies.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Payload {
    /// The event type, dotted, such as `order.updated`.
    pub event_type: String,
    /// Size of the whole JSON event in bytes, as far as padding can reach it.
    pub bytes: u32,
}
