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
/// Pull API, where the log keeps events for a while only: the oldest sequence that it still serves.
pub const OLDEST: &str = "pushpull-oldest";
/// Pull API: how many of the caller's events lie between its cursor and the oldest that is still served.
/// They are passed unseen.
pub const EXPIRED: &str = "pushpull-expired";
/// Pull API: requests that may come at once.
pub const RATE_LIMIT: &str = "x-ratelimit-limit";
/// Pull API: of these, how many are left.
pub const RATE_REMAINING: &str = "x-ratelimit-remaining";
/// Pull API: seconds until all of them are there again.
pub const RATE_RESET: &str = "x-ratelimit-reset";
/// Pull API: seconds that clients are asked to wait between two polls.
pub const POLL_INTERVAL: &str = "x-poll-interval";
