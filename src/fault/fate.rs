//! What shall happen to one request.

use super::Damage;
use crate::model::{Skew, Span};

/// The verdict of all faults over one request, both its legs. The default is: nothing happens.
///
/// Each part is written once: the first fault in file order that claims a part keeps it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Fate {
    /// Waits before the request leaves (webhook) or is looked at (poll).
    pub request_delay: Span,
    /// Waits before the response is handed over.
    pub response_delay: Span,
    /// What becomes of the request.
    pub request: RequestFate,
    /// What becomes of the response.
    pub response: ResponseFate,
    /// Further copies of the same request, each an attempt's twin with its own signature.
    pub copies: Option<Copies>,
    /// Keeps an event's first attempt out of the sender's slots for a while.
    pub hold: Option<Hold>,
    /// What changes on the way, after signing.
    pub damage: Option<Damage>,
    /// How fast the body comes; `None`: at once.
    pub bytes_per_s: Option<u32>,
    /// How far the sender's clock is off when it signs.
    pub skew: Skew,
    /// What the sender signs with.
    pub signing: Signing,
    /// What an attacker sends beside it.
    pub attacks: Vec<Attack>,
    /// The faults that hit, by index in the plan.
    pub hits: Vec<u16>,
}

/// What becomes of a request on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RequestFate {
    /// It arrives.
    #[default]
    Deliver,
    /// It never arrives.
    Lost(LossSeen),
    /// The connection is refused.
    Refused,
    /// The connection is accepted and nobody answers, until the sender's timeout.
    Hang,
    /// The connection breaks after half of the request's bytes.
    Reset,
    /// Something on the way answers in the other side's place.
    Answered {
        /// The status.
        status: u16,
        /// Seconds for `Retry-After`.
        retry_after_s: Option<u32>,
        /// What else it tells a sender.
        stop: Option<Stop>,
    },
}

/// What a receiver tells its sender with a header of the provider's (`stop_headers`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Stop {
    /// No further attempt of this delivery.
    GiveUp,
    /// Nothing more to this endpoint.
    Disable,
}

/// What becomes of a response on its way back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ResponseFate {
    /// It arrives.
    #[default]
    Deliver,
    /// The other side has done its work and answered; the answer is thrown away.
    LostAfterProcessing(LossSeen),
    /// The connection is closed when the last byte of the request is out, whether or not the other
    /// side has begun.
    LostBeforeProcessing,
}

/// How the party that waits learns of a loss.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LossSeen {
    /// The connection breaks at once.
    #[default]
    Reset,
    /// Nothing comes until its timeout.
    Timeout,
}

/// Extra copies of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Copies {
    /// How many beside the original.
    pub count: u32,
    /// Copy k leaves k x lag after the original; zero sends all at once.
    pub lag: Span,
}

/// How long an event waits for others to overtake it: a function of the schedule alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hold {
    /// Until this many later events of its endpoint have been due and the next one is; `None`: however
    /// many.
    pub overtaken_by: Option<u32>,
    /// And no longer than this.
    pub at_most: Span,
}

/// What a request is signed with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Signing {
    /// The secret that the receiver knows.
    #[default]
    Known,
    /// A new one that it does not know yet.
    Unknown,
    /// Both: two signatures in one header.
    Both,
}

/// A request that no honest provider would send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attack {
    /// An event that never happened, under an id that was never given out.
    Forge(crate::fault::ForgeMethod),
    /// The same event again, as captured `age` ago: its timestamp and signature are that old.
    Replay {
        /// How old the capture is.
        age: Span,
    },
}

impl Fate {
    /// Claims the request's fate unless an earlier fault has.
    pub fn claim_request(&mut self, fate: RequestFate) {
        if self.request == RequestFate::Deliver {
            self.request = fate;
        }
    }

    /// Claims the response's fate unless an earlier fault has.
    pub fn claim_response(&mut self, fate: ResponseFate) {
        if self.response == ResponseFate::Deliver {
            self.response = fate;
        }
    }
}
