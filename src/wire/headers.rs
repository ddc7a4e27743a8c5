//! Names of the headers on the wire, lowercase.

/// Standard Webhooks: the event's id, stable over retries.
pub const WEBHOOK_ID: &str = "webhook-id";
/// Standard Webhooks: Unix seconds at which this attempt was signed.
pub const WEBHOOK_TIMESTAMP: &str = "webhook-timestamp";
/// Standard Webhooks: space-separated `v1,<base64>` entries.
pub const WEBHOOK_SIGNATURE: &str = "webhook-signature";
/// The attempt's number, from 1. Not signed: for logs.
pub const ATTEMPT: &str = "pushpull-attempt";
/// Pull API: the name of the consumer that asks.
pub const CONSUMER: &str = "pushpull-consumer";
/// Pull API: the number of its client.
pub const CLIENT: &str = "pushpull-client";
/// Pull API: the client's poll number, from 1; faults are keyed by it.
pub const POLL: &str = "pushpull-poll";
/// Pull API: the page within the poll, from 1.
pub const PAGE: &str = "pushpull-page";
/// Pull API: the instant at which the poll was due, in nanoseconds since t0; a fault's window is held
/// against it.
pub const DUE: &str = "pushpull-due";
/// Pull API: the newest sequence in the log.
pub const HEAD: &str = "pushpull-head";
