//! What sets one provider apart from another: how it sends, and how it lets itself be asked.

use serde::{Deserialize, Serialize};

use super::{AnswersPlan, AutoDisable, ProfilePlan, SignatureTraits, StopHeaders, WhilePaused};
use crate::{
    model::{Span, Time},
    policy::RetrySchedule,
};

/// One provider.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ProviderPlan {
    /// Its name; consumers and faults refer to it.
    pub name: String,
    /// The profile its manners come from. "standard-webhooks" where it names none: so it signs then.
    pub profile: String,
    /// What the profile says; `None` where none is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub described: Option<ProfilePlan>,
    /// Whether each attempt is signed anew; otherwise all are signed as at the event's instant.
    #[serde(default = "yes", skip_serializing_if = "is_true")]
    pub resign: bool,
    /// What the head of a webhook says beside its signature.
    #[serde(default, skip_serializing_if = "HeadPlan::is_plain")]
    pub head: HeadPlan,
    /// How long an attempt waits for the complete ack, from its start. Never scaled.
    pub ack_timeout: Span,
    /// When the attempts after the first are due.
    pub retry: RetrySchedule,
    /// Attempts in flight per endpoint at most.
    pub concurrency: u32,
    /// What else sets its sending apart.
    #[serde(default)]
    pub sending: SendingPlan,
    /// How it lets itself be asked.
    #[serde(default)]
    pub pull: PullPlan,
    /// Events per page at most, whatever a client asks.
    pub page_limit: u32,
    /// Grain of the times that the pull API tells: `created` of events, `updated_at` of states. Never scaled.
    pub timestamp_grain: Span,
}

fn yes() -> bool {
    true
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde hands out references")]
fn is_true(value: &bool) -> bool {
    *value
}

/// What the head of a webhook says beside its signature. Checked when the plan was made.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct HeadPlan {
    /// The User-Agent; `None`: pushpull's own.
    pub user_agent: Option<String>,
    /// Names and templates of further headers.
    pub headers: Vec<(String, String)>,
    /// The header that numbers a retry.
    pub retry_number: Option<String>,
    /// The header that says why it is one.
    pub retry_reason: Option<String>,
}

impl HeadPlan {
    fn is_plain(&self) -> bool {
        *self == HeadPlan::default()
    }
}

impl ProviderPlan {
    /// What its signature tells.
    #[must_use]
    pub fn signature(&self) -> SignatureTraits {
        self.described.as_ref().map_or(SignatureTraits::STANDARD, |profile| profile.signature)
    }

    /// Whether an attempt follows a failure exactly when the schedule says so, as the closed forms assume.
    #[must_use]
    pub fn retries_by_schedule_alone(&self) -> bool {
        self.retry.jitter == 0.0 && self.sending.leaves_the_schedule_alone()
    }
}

/// How a provider sends. The default: unordered, isolated, never tired of an endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct SendingPlan {
    /// What it makes of the end of an attempt.
    pub answers: AnswersPlan,
    /// Which deliveries wait for which.
    pub ordering: DeliveryOrder,
    /// Attempts in flight over all endpoints together; `None`: each endpoint has its own.
    pub sender_pool: Option<u32>,
    /// When an endpoint that keeps failing is switched off; `None`: never.
    pub auto_disable: Option<AutoDisable>,
    /// What becomes of events meanwhile.
    pub while_paused: WhilePaused,
    /// With which headers a receiver stops it.
    pub stop_headers: StopHeaders,
    /// Events beyond this rate are dropped; `None`: none.
    pub drop_above: Option<DropAbove>,
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

impl SendingPlan {
    /// Whether every event is sent, and again whenever its schedule says so.
    #[must_use]
    pub fn leaves_the_schedule_alone(&self) -> bool {
        self.answers.leave_the_schedule_alone() && self.auto_disable.is_none() && self.drop_above.is_none()
    }
}

/// Events of an endpoint beyond this rate are dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct DropAbove {
    /// Events that are sent per window.
    pub events: u64,
    /// A window; they lie side by side from the start on.
    pub per: Span,
}

/// How a provider lets itself be asked. The default: without a limit, and everything is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct PullPlan {
    /// Page requests that are answered; more are answered 429.
    pub rate_limit: Option<RateLimit>,
    /// How long clients are asked to wait between two polls.
    pub poll_interval_hint: Option<Span>,
    /// How long the log keeps an event; `None`: for ever.
    pub retention: Option<Span>,
    /// An event shows this long after it occurred. Never scaled.
    pub view_lag: Span,
    /// How long after its created time an event shows, on average; `None`: at once. Never scaled.
    pub commit_lag: Option<Span>,
    /// How long it works on a page request, one after the other; `None`: no time. Never scaled.
    pub service_time: Option<Span>,
}

/// A limit on page requests: a bucket of `burst` tokens, to which `per / count` brings another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RateLimit {
    /// Requests per `per`.
    pub count: u64,
    /// The rate's unit of time.
    pub per: Span,
    /// Requests that may come at once.
    pub burst: u32,
    /// Who shares a bucket.
    pub scope: RateScope,
    /// What a request beyond it is answered: 429 or 403.
    #[serde(default = "too_many_requests")]
    pub status: u16,
    /// How it is told when to come again.
    #[serde(default)]
    pub hint: RateHint,
    /// Whether a request that is answered 304 counts.
    #[serde(default)]
    pub free_304: bool,
}

/// How a request beyond the limit is told when to come again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RateHint {
    /// Seconds, in `Retry-After`.
    #[default]
    RetryAfter,
    /// Unix time in seconds, in `x-ratelimit-reset`.
    ResetAt,
    /// Seconds, in `x-ratelimit-reset`.
    ResetIn,
    /// Not at all, and no header tells of the limit.
    None,
}

impl RateLimit {
    /// A limit that answers 429 and says when to come again.
    #[must_use]
    pub fn new(count: u64, per: Span, burst: u32, scope: RateScope) -> RateLimit {
        RateLimit { count, per, burst, scope, status: 429, hint: RateHint::RetryAfter, free_304: false }
    }
}

fn too_many_requests() -> u16 {
    429
}

/// Who shares a rate limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RateScope {
    /// Each client of each consumer has its own.
    Client,
    /// Each IP address has its own.
    Address,
    /// Everybody.
    All,
}
