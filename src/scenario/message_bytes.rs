//! What virtual time takes messages for, in bytes.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::workload::Payload;

/// Bytes of each kind of message, HTTP heads included, as the scenario gives them.
#[derive(Debug, Clone, Copy, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawMessageBytes {
    /// A request for a page. Default 189.
    pub page_request: Option<u64>,
    /// What `If-None-Match` adds to it. Default 25.
    pub if_none_match: Option<u64>,
    /// An answer with nothing in it; of a snapshot that is sent whole each time, all of it. Default 186.
    pub page_answer: Option<u64>,
    /// What each event adds to an answer. Default: the payload and a comma.
    pub page_event: Option<u64>,
    /// A 304, and an answer that is an error. Default 96.
    pub not_modified: Option<u64>,
    /// A webhook. Default: the payload and 295 for its head.
    pub webhook: Option<u64>,
    /// The answer to a webhook. Default 75.
    pub ack: Option<u64>,
}

/// Bytes of each kind of message, HTTP heads included, TCP and IP excluded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageBytes {
    /// A request for a page.
    pub page_request: u64,
    /// What `If-None-Match` adds to it.
    pub if_none_match: u64,
    /// An answer with no event in it.
    pub page_answer: u64,
    /// What an event adds to an answer.
    pub page_event: u64,
    /// A 304, and an answer that is an error.
    pub not_modified: u64,
    /// A webhook.
    pub webhook: u64,
    /// The answer to a webhook.
    pub ack: u64,
}

impl MessageBytes {
    /// What live runs send and are sent, by the sockets' own count (`reports/wasted-polls`), where the
    /// scenario does not say.
    #[must_use]
    pub fn of(raw: RawMessageBytes, payload: &Payload) -> MessageBytes {
        let event = u64::from(payload.bytes);
        MessageBytes {
            page_request: raw.page_request.unwrap_or(189),
            if_none_match: raw.if_none_match.unwrap_or(25),
            page_answer: raw.page_answer.unwrap_or(186),
            page_event: raw.page_event.unwrap_or(event + 1),
            not_modified: raw.not_modified.unwrap_or(96),
            webhook: raw.webhook.unwrap_or(event + 295),
            ack: raw.ack.unwrap_or(75),
        }
    }
}

impl Default for MessageBytes {
    fn default() -> MessageBytes {
        MessageBytes::of(RawMessageBytes::default(), &Payload { event_type: String::new(), bytes: 512 })
    }
}
