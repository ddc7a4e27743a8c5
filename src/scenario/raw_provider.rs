//! `[[provider]]` as it is written, before anything is checked.

use schemars::JsonSchema;
use serde::Deserialize;

/// A provider.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawProvider {
    /// Its name. Default "provider".
    pub name: Option<String>,
    /// Whose manners it has: a name that `pushpull profiles` lists, or a TOML file (docs/profiles.md). Its keys are
    /// defaults below those written here. Default: none; it signs as Standard Webhooks says.
    pub profile: Option<String>,
    /// Which of its profile's payloads its events are: the first event about a subject is the first, the second the
    /// second, and so on in turn. Needs a profile. Default: `[workload] event_type`, or the profile's first.
    pub events: Option<Vec<String>>,
    /// Whether each attempt is signed anew, and says so; otherwise as at the event's instant. Default true.
    pub resign: Option<bool>,
    /// The User-Agent of webhooks. Needs a profile, as the next two. Default: pushpull's own.
    pub user_agent: Option<String>,
    /// Headers of every webhook, beside those of its signature and its payload; with {{placeholders}} as in a payload
    /// (docs/profiles.md). Default: none.
    pub headers: Option<std::collections::BTreeMap<String, String>>,
    /// The headers in which a retry says that it is one. Default: none.
    pub retry_headers: Option<RawRetryHeaders>,
    /// How long an attempt waits for the ack. Never scaled. Default "3s".
    pub ack_timeout: Option<String>,
    /// A name ("classic", "standard-webhooks", "never"), a list of delays, or a formula
    /// { base, factor, cap, retries }. Default: the profile's.
    pub retry: Option<RawRetry>,
    /// A retry delay is stretched or shortened by up to this share. Default 0.
    pub retry_jitter: Option<f64>,
    /// Statuses that end a delivery well: "204", or a class such as "2xx". Default ["2xx"].
    pub success: Option<Vec<String>>,
    /// What is tried again: statuses ("429", "5xx"), "timeout", "connection" (refused, or broken) or "unreadable" (an
    /// answer that is no HTTP). After any other failure a delivery is given up at once. Default: every failure.
    pub retry_on: Option<Vec<String>>,
    /// What a 410 does: "disable" ends the delivery and switches the endpoint off, with "retry" it is a status like
    /// any other. Default "disable".
    #[schemars(extend("enum" = ["disable", "retry"]))]
    pub on_410: Option<String>,
    /// What a receiver's `Retry-After` is worth: with "clamp" it counts between the schedule's own delay and twice
    /// that, with "respect" wherever it is later (a day at most), with "ignore" never. Default "clamp".
    #[schemars(extend("enum" = ["clamp", "respect", "ignore"]))]
    pub retry_after: Option<String>,
    /// After some ends of an attempt the next one is not due earlier than this. Default: the schedule's delay is all.
    pub least_delay: Option<RawLeastDelay>,
    /// No attempt begins longer after its event; a redelivery by hand may. Default: the schedule alone is the limit.
    pub give_up_after: Option<String>,
    /// Attempts in flight per endpoint. Default 16; with a sender_pool: as many as the pool has.
    pub concurrency: Option<u32>,
    /// Attempts in flight over all endpoints together, first come first served by the instant at which
    /// they are due. Default: none, so that endpoints do not wait for one another.
    pub sender_pool: Option<u32>,
    /// Which deliveries of an endpoint wait for which: "none", "subject" (an event waits until the one
    /// before it of its subject is acked or given up) or "endpoint". Default "none".
    #[schemars(extend("enum" = ["none", "subject", "endpoint"]))]
    pub ordering: Option<String>,
    /// When an endpoint that keeps failing is switched off; what a 410 does is `on_410`'s. Default: never.
    pub auto_disable: Option<RawAutoDisable>,
    /// What becomes of events that come while their endpoint is switched off: "give-up" makes dead letters of them, "skip"
    /// keeps nothing that could be sent again. Default "give-up".
    #[schemars(extend("enum" = ["give-up", "skip"]))]
    pub while_paused: Option<String>,
    /// Headers of an answer with which a receiver stops the provider. Default: none is listened to.
    pub stop_headers: Option<RawStopHeaders>,
    /// Events of an endpoint beyond this rate are dropped, such as "30000/h": so many per window, and windows lie side by
    /// side from the start on. Default: none.
    pub drop_above: Option<String>,
    /// When all endpoints are switched on and everything given up so far is sent again, once. Default:
    /// never.
    pub replay_dead_letters_at: Option<String>,
    /// Events per page at most. Default 100.
    pub page_limit: Option<u32>,
    /// Page requests that are answered; more are answered 429, with Retry-After where it says nothing else. Default: all.
    pub rate_limit: Option<RawRateLimit>,
    /// How long clients are asked to wait between two polls, in the header x-poll-interval. Default:
    /// nothing is asked.
    pub poll_interval_hint: Option<String>,
    /// How long the log keeps an event; a cursor that is older goes on at the oldest event kept. How a
    /// subject stands is kept for ever. Default: for ever.
    pub retention: Option<String>,
    /// Grain of the times that the pull API tells: `created`, which a timestamp cursor compares, and the
    /// `updated_at` of states. Never scaled. Default "1ms".
    pub timestamp_grain: Option<String>,
    /// The pull API shows an event this long after it occurred, as a replica that lags behind would.
    /// Never scaled. Default "0s".
    pub view_lag: Option<String>,
    /// Virtual time only: the pull API shows an event this long after its created time, on average and
    /// exponentially distributed, as a table whose rows are stamped before their transactions commit. Its
    /// log is in the order of created times, and a cursor passes over what shows up behind it. Never scaled.
    /// Default: at once.
    pub commit_lag: Option<String>,
    /// Virtual time only: how long the pull API works on a page request, one after the other in the order
    /// in which they come, whether or not their clients still wait. Never scaled. Default: no time.
    pub service_time: Option<String>,
}

/// After some ends of an attempt the next one is not due earlier.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawLeastDelay {
    /// How long after the attempt's end at least, such as "60s".
    pub delay: String,
    /// After which ends, written as in `retry_on`. Default ["timeout", "429"].
    pub on: Option<Vec<String>>,
}

/// The headers of a retry.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawRetryHeaders {
    /// Which retry it is, from 1.
    pub number: Option<String>,
    /// Why: "http_timeout", "connection_failed", "http_error" or "unknown_error", as Slack writes it.
    pub reason: Option<String>,
}

/// A limit on page requests: a token bucket.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawRateLimit {
    /// Requests per unit of time, such as "2/s".
    pub rate: String,
    /// Requests that may come at once. Default 1.
    pub burst: Option<u32>,
    /// Who shares a limit: each "client" has its own, each "address", or "all" have one. Default
    /// "client". In a run each consumer asks from an address of its own; on other systems than Linux all
    /// ask from the same one.
    #[schemars(extend("enum" = ["client", "address", "all"]))]
    pub per: Option<String>,
    /// What a request beyond the limit is answered: 429 or 403. Default 429.
    pub status: Option<u16>,
    /// How it is told when to come again: "retry-after" (seconds), "reset-at" (Unix time in `x-ratelimit-reset`), "reset-in"
    /// (seconds in `x-ratelimit-reset`), or "none", and then no header tells of the limit. Default "retry-after".
    #[schemars(extend("enum" = ["retry-after", "reset-at", "reset-in", "none"]))]
    pub hint: Option<String>,
    /// Whether a request that is answered 304 does not count. Default false.
    pub free_304: Option<bool>,
}

/// When an endpoint is switched off, by whichever of these comes first: what is open is given up, as a dead letter, and
/// `while_paused` says what becomes of what comes later.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawAutoDisable {
    /// After this many failed attempts in a row.
    pub failures: Option<u32>,
    /// For how long; the first failure behind a pause begins the next one, twice as long. Default: for
    /// good.
    pub pause: Option<String>,
    /// No pause is longer. Default "24h".
    pub pause_max: Option<String>,
    /// For good after this many failed attempts in a row, however many pauses lie between them.
    pub permanent_after: Option<u32>,
    /// For good after this many events in a row whose delivery was given up, retries and all.
    pub events: Option<u32>,
    /// For good when nothing but failures has come for so long: at the first failure behind that.
    pub failing_for: Option<String>,
    /// For good when too many of the last attempts have failed.
    pub ratio: Option<RawFailureRatio>,
}

/// Too many of the last attempts have failed.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawFailureRatio {
    /// More than this share of them, such as 0.95.
    pub above: f64,
    /// Of the attempts of the last so long, such as "60min".
    pub window: String,
    /// Endpoints that were sent fewer events than this within the window are exempt. Default 1.
    pub least_events: Option<u32>,
}

/// Headers with which a receiver stops a provider, each with its value: "x-slack-no-retry: 1".
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawStopHeaders {
    /// Any of these on an answer that is no ack ends the delivery.
    pub give_up: Option<Vec<String>>,
    /// Any of these on any answer switches the endpoint off.
    pub disable: Option<Vec<String>>,
}

/// A retry schedule.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum RawRetry {
    /// A named schedule.
    Name(String),
    /// Delay before attempt 2, 3, ...
    Delays(Vec<String>),
    /// base * factor^k, at most cap.
    Formula(RawFormula),
}

/// An exponential schedule.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawFormula {
    /// Delay before the second attempt.
    pub base: String,
    /// Each delay is this many times the one before. Default 2.
    pub factor: Option<f64>,
    /// No delay is longer. Default "24h".
    pub cap: Option<String>,
    /// Retries after the first attempt, at most 100.
    pub retries: u32,
    /// What chance makes of a delay: "none", "full" (anything up to it), "equal" (half of it and anything up
    /// to the other half) or "decorrelated" (from the base to three times the last delay). Default "none".
    #[schemars(extend("enum" = ["none", "full", "equal", "decorrelated"]))]
    pub jitter: Option<String>,
}
