//! The control API on the wire: a request is admitted or not, and read to a command or refused.
//!
//! Pure: who carries the commands out, and how an answer is sent, is the live driver's. A refusal always says
//! what to do instead.

mod admit;
mod body;
mod ids;
mod route;

pub use admit::{Head, Home};
pub use ids::{DeliveryId, EndpointId};
pub use route::{Route, help, route_of};

use serde_json::value::RawValue;

use crate::model::{Span, Subject};

/// What somebody wants of a provider.
#[derive(Debug)]
pub enum Command {
    /// Tell what there is to ask for.
    Help,
    /// List the endpoints.
    Endpoints,
    /// Send webhooks to another URL.
    AddEndpoint {
        /// Plain HTTP, to this machine.
        url: String,
    },
    /// Tell how an endpoint is.
    Endpoint(EndpointId),
    /// Send nothing more to an endpoint that was added by hand.
    RemoveEndpoint(EndpointId),
    /// Sign with a new secret.
    Rotate {
        /// Whose.
        endpoint: EndpointId,
        /// How long the former ones sign as well.
        overlap: Span,
    },
    /// Switch an endpoint on.
    Enable(EndpointId),
    /// List deliveries, the newest first.
    Deliveries(Filter),
    /// Tell how a delivery is.
    Delivery(DeliveryId),
    /// Send a delivery again that has ended.
    Redeliver(DeliveryId),
    /// Emit an event.
    Emit {
        /// Its type; `None`: as the scenario's events.
        event_type: Option<String>,
        /// What changes.
        subject: Subject,
        /// What it says.
        data: Box<RawValue>,
    },
    /// List the faults.
    Faults,
    /// Switch a fault.
    SwitchFault {
        /// Its place in the scenario file, from 0.
        index: u16,
        /// On or off.
        enabled: bool,
    },
    /// Make everything as it was in the beginning, as far as it can be.
    Reset,
}

/// Which deliveries are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Filter {
    /// Of one endpoint only.
    pub endpoint: Option<EndpointId>,
    /// In one state only.
    pub state: Option<DeliveryState>,
    /// So many at most.
    pub limit: usize,
}

/// How far a delivery is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DeliveryState {
    /// No attempt of it has ended yet.
    Pending,
    /// An attempt has failed, and another one is to come.
    Retrying,
    /// Acked.
    Delivered,
    /// Given up: a dead letter.
    Failed,
}

impl DeliveryState {
    /// Every state.
    pub const ALL: [DeliveryState; 4] =
        [DeliveryState::Pending, DeliveryState::Retrying, DeliveryState::Delivered, DeliveryState::Failed];

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            DeliveryState::Pending => "pending",
            DeliveryState::Retrying => "retrying",
            DeliveryState::Delivered => "delivered",
            DeliveryState::Failed => "failed",
        }
    }
}

/// A request that is not done, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{error}; {fix}")]
pub struct Refusal {
    /// The HTTP status.
    pub status: u16,
    /// What is wrong.
    pub error: String,
    /// What to do instead.
    pub fix: String,
    /// The methods that the path takes, for a 405.
    pub allow: Option<String>,
}

impl Refusal {
    /// A refusal with this status.
    pub fn new(status: u16, error: impl Into<String>, fix: impl Into<String>) -> Refusal {
        Refusal { status, error: error.into(), fix: fix.into(), allow: None }
    }

    /// The request's body is longer than this.
    #[must_use]
    pub fn too_large(limit_bytes: usize) -> Refusal {
        Refusal::new(413, "the body is too large", format!("send at most {limit_bytes} bytes"))
    }
}
