//! What sets one provider's sending apart from another's, beside its retry schedule.

use serde::{Deserialize, Serialize};

use crate::model::{Span, Time};

/// How a provider sends. The default: unordered, isolated, never tired of an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct SendingPlan {
    /// Which deliveries wait for which.
    pub ordering: DeliveryOrder,
    /// Attempts in flight over all endpoints together; `None`: each endpoint has its own.
    pub sender_pool: Option<u32>,
    /// When an endpoint that keeps failing is switched off; `None`: never.
    pub auto_disable: Option<AutoDisable>,
    /// When all endpoints are switched on and everything given up so far is sent again, once.
    pub replay_dead_letters_at: Option<Time>,
}

/// Which deliveries of an endpoint wait for which.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DeliveryOrder {
    /// None waits: a retried event is overtaken by newer ones.
    #[default]
    None,
    /// An event waits until the one before it, of the same subject, is acked or given up.
    Subject,
    /// An event waits until the one before it is acked or given up.
    Endpoint,
}

/// When an endpoint is switched off by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct AutoDisable {
    /// After this many failed attempts in a row.
    pub failures: u32,
    /// For how long; `None` is for good. The first failure after a pause begins the next one, twice
    /// as long; an ack forgets them all.
    pub pause: Option<Pause>,
}

/// How long an endpoint stays switched off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pause {
    /// The first time.
    pub first: Span,
    /// At most.
    pub max: Span,
}
