//! How attempts, polls and effects end. Each is what one party could see, never what it guessed.

use serde::{Deserialize, Serialize};

use super::Span;

/// What the sender saw of one attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AttemptOutcome {
    /// The receiver answered with this status; 2xx is the ack. Where the provider has a rule of its own, and it says
    /// otherwise, it is `Accepted` or `NotAccepted`.
    Status(u16),
    /// No complete answer within the ack timeout.
    Timeout,
    /// The connection was refused.
    Refused,
    /// The connection broke before a complete answer.
    Reset,
    /// The answer could not be read as HTTP, or broke a limit.
    BadResponse,
    /// The receiver answered with this status, which is no 2xx and an ack to this provider all the same.
    Accepted(u16),
    /// The receiver answered with this 2xx, which is no ack to this provider.
    NotAccepted(u16),
}

impl AttemptOutcome {
    /// Whether this ends the delivery: 2xx, as Standard Webhooks 1.0 says, where the provider has no other rule; a
    /// redirect does not.
    #[must_use]
    pub fn is_ack(self) -> bool {
        matches!(self, AttemptOutcome::Status(200..=299) | AttemptOutcome::Accepted(_))
    }

    /// The status that was answered, if any was.
    #[must_use]
    pub fn status(self) -> Option<u16> {
        match self {
            AttemptOutcome::Status(status) | AttemptOutcome::Accepted(status) | AttemptOutcome::NotAccepted(status) => {
                Some(status)
            }
            _ => None,
        }
    }
}

/// Why a sender gives a delivery up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GiveUp {
    /// The retry schedule is used up.
    Exhausted,
    /// The receiver answered this very delivery 410: it wants nothing more.
    Gone,
    /// Its endpoint is switched off.
    Disabled,
    /// The attempt ended in a way that is not tried again.
    NotRetried,
    /// Its event is too old for another attempt.
    TooOld,
    /// The receiver asked for no further attempt, with a header.
    Stopped,
    /// It came while its endpoint was switched off, and its provider keeps nothing meanwhile.
    Skipped,
    /// Its endpoint had more events than its provider sends.
    Dropped,
}

impl GiveUp {
    /// In words, behind "gives up".
    #[must_use]
    pub fn in_words(self) -> &'static str {
        match self {
            GiveUp::Exhausted => "its schedule is used up",
            GiveUp::Gone => "the receiver says 410 Gone",
            GiveUp::Disabled => "the endpoint is switched off",
            GiveUp::NotRetried => "what ended so is not tried again",
            GiveUp::TooOld => "the event is too old",
            GiveUp::Stopped => "the receiver asks for no further attempt",
            GiveUp::Skipped => "the endpoint is switched off, and its events are skipped",
            GiveUp::Dropped => "more events than the provider sends",
        }
    }
}

/// Why a sender switches an endpoint off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DisabledBy {
    /// It answered 410.
    Gone,
    /// So many attempts in a row have failed.
    Failures(u32),
    /// It asked for that, with a header.
    Asked,
    /// So many deliveries in a row were given up.
    Events(u32),
    /// Nothing but failures has come for so long.
    FailingFor(Span),
    /// Too many of the last attempts have failed.
    Ratio {
        /// So many.
        failed: u32,
        /// Of so many.
        attempts: u32,
    },
}

/// What a client saw of one poll, all its pages together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PollOutcome {
    /// 200 with at least one event, or with a state that is new to the client.
    Events,
    /// 200 with nothing new.
    Empty,
    /// 304: nothing since the ETag.
    NotModified,
    /// Another status.
    Status(u16),
    /// No complete answer within the poll timeout.
    Timeout,
    /// The connection was refused.
    Refused,
    /// The connection broke before a complete answer, or the answer was no page.
    Broken,
}

/// What became of one (event, client) pair when a worker came to apply it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EffectOutcome {
    /// A row was appended: the business change happened.
    Applied,
    /// The ledger knew the event: suppressed.
    Duplicate,
    /// The subject already has a newer version: superseded.
    Stale,
    /// Bounded tries are used up: in the dead-letter queue.
    DeadLettered,
}

/// Why a receiver refused a request. For the operator's log and metrics; the sender is told the
/// status only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RejectReason {
    /// A signature header is missing (401).
    MissingHeader,
    /// A signature header cannot be read (401).
    MalformedHeader,
    /// The timestamp lies outside the tolerance (401).
    StaleTimestamp,
    /// No signature entry matches under any accepted secret (401).
    BadSignature,
    /// Signed, but not a JSON event (400).
    MalformedBody,
    /// Body over the limit (413).
    BodyTooLarge,
    /// The body did not arrive in time (408).
    SlowBody,
    /// No such endpoint (404).
    UnknownEndpoint,
    /// Not a POST (405).
    MethodNotAllowed,
    /// The queue is full or cannot store (503 with Retry-After).
    Overloaded,
    /// A wrong receiver's answer to a duplicate (409).
    DuplicateRefused,
    /// Optimistic receiver: somebody else has written the row since it was read.
    Conflict,
}

impl RejectReason {
    /// Every reason, for tables and metrics.
    pub const ALL: [RejectReason; 12] = [
        RejectReason::MissingHeader,
        RejectReason::MalformedHeader,
        RejectReason::StaleTimestamp,
        RejectReason::BadSignature,
        RejectReason::MalformedBody,
        RejectReason::BodyTooLarge,
        RejectReason::SlowBody,
        RejectReason::UnknownEndpoint,
        RejectReason::MethodNotAllowed,
        RejectReason::Overloaded,
        RejectReason::DuplicateRefused,
        RejectReason::Conflict,
    ];

    /// The status that the sender is answered with.
    #[must_use]
    pub fn status(self) -> u16 {
        match self {
            RejectReason::MissingHeader
            | RejectReason::MalformedHeader
            | RejectReason::StaleTimestamp
            | RejectReason::BadSignature => 401,
            RejectReason::MalformedBody => 400,
            RejectReason::BodyTooLarge => 413,
            RejectReason::SlowBody => 408,
            RejectReason::UnknownEndpoint => 404,
            RejectReason::MethodNotAllowed => 405,
            RejectReason::Overloaded => 503,
            RejectReason::DuplicateRefused | RejectReason::Conflict => 409,
        }
    }

    /// The name in metrics and logs.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            RejectReason::MissingHeader => "missing-header",
            RejectReason::MalformedHeader => "malformed-header",
            RejectReason::StaleTimestamp => "stale-timestamp",
            RejectReason::BadSignature => "bad-signature",
            RejectReason::MalformedBody => "malformed-body",
            RejectReason::BodyTooLarge => "body-too-large",
            RejectReason::SlowBody => "slow-body",
            RejectReason::UnknownEndpoint => "unknown-endpoint",
            RejectReason::MethodNotAllowed => "method-not-allowed",
            RejectReason::Overloaded => "overloaded",
            RejectReason::DuplicateRefused => "duplicate-refused",
            RejectReason::Conflict => "conflict",
        }
    }
}
