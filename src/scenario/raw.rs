//! The scenario file as written, before anything is checked. The JSON Schema comes from here.
//!
//! Every table refuses unknown keys: a typo must not silently mean "no fault".

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

pub use super::raw_provider::RawProvider;

/// A pushpull scenario.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawScenario {
    /// One line for the head of the report.
    pub title: String,
    /// What to watch in the report's pictures, in a sentence or two. Default: nothing is said.
    #[serde(default)]
    pub watch: String,
    /// What to conclude from the result, in a sentence or two; `{consumer.quantity}` stands for what
    /// was measured, `{consumer.quantity / consumer.quantity}` for a ratio. Default: nothing is said.
    #[serde(default)]
    pub conclude: String,
    /// Where the figures that the scenario repeats were published, and what of that it leaves out.
    /// Default: nothing is said.
    #[serde(default)]
    pub source: String,
    /// Seed of every keyed draw. Default 42.
    pub seed: Option<u64>,
    /// How many seeds are run, from `seed` on, 1 to 10000. Expectations on counts must hold for each,
    /// others, and those with a tolerance, for the mean. Default 1.
    pub seeds: Option<u32>,
    /// Names the run in event ids: 12 lowercase hex digits. Default: fresh in live runs, from the
    /// seed in virtual ones.
    pub run_id: Option<String>,
    /// "live", "virtual"; the first is the default mode. Default ["live", "virtual"].
    pub modes: Option<Vec<String>>,
    /// The window of arrivals. Default "60s"; of a replay, as long as the capture.
    pub duration: Option<String>,
    /// How long after the window a live run waits for what is open. Default "30s".
    pub drain: Option<String>,
    /// Scenario time passes this many times faster than the clock: arrivals, durations, poll
    /// intervals, retry delays, TTLs, outages. Not scaled: network, effect durations, timeouts,
    /// signature tolerance. Default 1.
    pub time_scale: Option<f64>,
    /// When events happen and what they say.
    #[serde(default)]
    pub workload: RawWorkload,
    /// The providers. Default: one, named "provider".
    #[serde(default)]
    pub provider: Vec<RawProvider>,
    /// The consumers.
    #[serde(default)]
    pub consumer: Vec<RawConsumer>,
    /// The faults. Read by their kind, so that each kind refuses unknown keys of its own.
    #[serde(default)]
    #[schemars(with = "Vec<RawFaultSchema>")]
    pub fault: Vec<toml::Table>,
    /// What virtual time takes the network and the stores for.
    #[serde(default, rename = "virtual")]
    pub virtual_time: RawVirtual,
    /// What a month of it would cost.
    #[serde(default)]
    pub cost: RawCost,
    /// What the architect wants of each consumer, such as "age_s.p99" = "< 60s".
    #[serde(default)]
    pub goal: BTreeMap<String, RawBound>,
    /// The run's own verdict, such as "webhook.lost" = 0.
    #[serde(default)]
    pub expect: BTreeMap<String, RawBound>,
    /// Plans that differ in a few keys, each a run of its own. Default: none, and the file is one plan.
    #[serde(default)]
    pub case: Vec<super::RawCase>,
}

/// What virtual time takes the network and the stores for. Live runs have real ones.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawVirtual {
    /// How long a message takes from one side to the other. Never scaled. Default "50us".
    pub one_way_delay: Option<String>,
    /// "exponential", with the delay as its mean; "normal", with the delay as its mean and `delay_spread` as
    /// its standard deviation, what is negative turned round; or "constant": messages that leave together
    /// then arrive together, in the order of their clients. Default "exponential".
    #[schemars(extend("enum" = ["exponential", "normal", "constant"]))]
    pub delay_distribution: Option<String>,
    /// The standard deviation of normal delays. Default: a fifth of the delay.
    pub delay_spread: Option<String>,
    /// How long a commit of a store takes, after which what was written is durable. Never scaled.
    /// Default "500us".
    pub commit_time: Option<String>,
    /// What messages weigh.
    #[serde(default)]
    pub bytes: super::RawMessageBytes,
}

/// What bills are made from.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawCost {
    /// A price file, from the scenario's folder on; "aws-us-east-1", which is in the binary; or "none".
    /// Default "aws-us-east-1".
    pub prices: Option<String>,
    /// Whether what the list gives for free each month is not paid for: of use where an account has
    /// nothing else in it. Default false.
    pub free_tier: Option<bool>,
}

/// The schema of a fault: its kind's keys, its limits and its consumers.
#[derive(JsonSchema)]
#[allow(dead_code, reason = "only its schema is used")]
struct RawFaultSchema {
    #[schemars(flatten)]
    kind: crate::fault::FaultKind,
    #[schemars(flatten)]
    limits: crate::fault::Selector,
    /// The consumers it hits: a name or a list. Default: every consumer it can hit.
    consumer: Option<OneOrMany>,
    /// Hits the consumers of this provider only.
    provider: Option<String>,
    /// Short for `attempts = [N]`.
    attempt: Option<u32>,
}

/// When events happen and what they say.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawWorkload {
    /// The arrival process. Default: poisson, "10/s".
    pub arrivals: Option<RawArrivals>,
    /// Number of things that change. Default 50.
    pub subjects: Option<u32>,
    /// The event type. Default "order.updated".
    pub event_type: Option<String>,
    /// Size of an event's JSON in bytes, 200 to 262144. Default 512.
    pub payload_bytes: Option<u32>,
}

/// An arrival process.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawArrivals {
    /// "constant", "poisson", "bursty", "on-off", "diurnal", "pairs" or "replay".
    #[schemars(extend("enum" = ["constant", "poisson", "bursty", "on-off", "diurnal", "pairs", "replay"]))]
    pub kind: String,
    /// Constant, poisson: events per unit of time, such as "20/s" or "40000/day". Bursty: within a
    /// burst. On-off: of one subject within its burst. Pairs: pairs per unit of time. Default "10/s".
    pub rate: Option<String>,
    /// Bursty, on-off: how long a burst lasts; the mean where it is exponential. Bursty: the first begins at
    /// the start.
    pub burst: Option<String>,
    /// Bursty, on-off: the silence between two bursts; the mean where it is exponential. Pairs: from the
    /// first event of a pair to the second.
    pub gap: Option<String>,
    /// Bursty, on-off: how the lengths of bursts and gaps are distributed, "constant" or "exponential".
    /// Default "constant".
    pub distribution: Option<String>,
    /// Diurnal: events in a day, on average.
    pub per_day: Option<u64>,
    /// Diurnal: the time of day of the highest rate. Default "12:00".
    pub peak_at: Option<String>,
    /// Diurnal: the highest rate over the mean rate, 1 to 20. Default 3.
    pub peak_to_mean: Option<f64>,
    /// Diurnal: the time of day at which the scenario starts. Default "00:00".
    pub starts_at: Option<String>,
    /// Replay: captured events, one JSON object per line; a path from the scenario's folder on.
    pub file: Option<String>,
    /// Replay: how many times faster than they came the events come, in scenario time. Default 1.
    pub speed: Option<f64>,
    /// Replay: the key that holds an event's instant (RFC 3339, Unix seconds or milliseconds); dots
    /// lead into objects. Default: the first of timestamp, time, created, created_at, occurred_at.
    pub time_key: Option<String>,
    /// Replay: the key that holds an event's id. Default: id, where it is there.
    pub id_key: Option<String>,
    /// Replay: the key that holds what an event is about. Default: none; subjects are drawn.
    pub subject_key: Option<String>,
}

/// A consumer.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawConsumer {
    /// Its name in results: letters, digits, '-' and '_'.
    pub name: String,
    /// "polling", "webhook", or "hybrid": a webhook and a reconciling poll of one client.
    #[schemars(extend("enum" = ["polling", "webhook", "hybrid"]))]
    pub kind: String,
    /// Its provider, where there are several.
    pub provider: Option<String>,
    /// Polling clients or webhook endpoints. Default 1.
    pub clients: Option<u32>,
    /// "own": each client follows its own share of the subjects. "all": each follows all. Default "own".
    pub follows: Option<String>,
    /// Polling and hybrid: how it asks. Read by its kind, so that each kind refuses unknown keys of its own.
    #[schemars(with = "Option<RawStrategySchema>")]
    pub strategy: Option<toml::Table>,
    /// Where accepted events wait: "sqlite" or "memory". Default "sqlite".
    pub queue: Option<String>,
    /// Events that may wait before new ones are turned away. Default 10000.
    pub queue_capacity: Option<u64>,
    /// Where applied events are remembered: "sqlite", "memory" or "none". Default "sqlite".
    pub ledger: Option<String>,
    /// How long the ledger remembers. Default: for ever.
    pub ledger_ttl: Option<String>,
    /// Workers that apply events. Default 4.
    pub workers: Option<u32>,
    /// Virtual time only: how long the queue lets a worker hold an event; one who is not done by then goes
    /// on, and another one gets the event as well. Never scaled. Default: for as long as its process lives.
    pub visibility: Option<String>,
    /// Virtual time only: a request reads its subject's row and then writes it, unless another one has
    /// written it meanwhile: that is answered 409, and comes again. Default false.
    pub optimistic: Option<bool>,
    /// Tries of one effect before the dead-letter queue. Default 5.
    pub max_tries: Option<u32>,
    /// "append", "set", "once" or "external", or { kind, duration, distribution }. Default "append"; for one
    /// that polls for states "set", and nothing else goes with that.
    pub effect: Option<RawEffect>,
    /// One thing done wrong on purpose.
    pub flaw: Option<String>,
    /// Webhook: somebody else's receiver; `{client}` stands for the client's number.
    pub url: Option<String>,
    /// Webhook: the environment variable with that receiver's signing secret.
    pub secret_env: Option<String>,
    /// Webhook: how far a signature's timestamp may lie off. Never scaled. Default: the profile's, or "5min" either
    /// side where the provider names none.
    pub signature_tolerance: Option<String>,
    /// Webhook: largest body accepted. Default 1048576.
    pub body_limit_bytes: Option<u64>,
    /// Webhook: connections at most. Default 1024.
    pub connection_limit: Option<u32>,
    /// Webhook: whether the queue recognises a copy of an event that it accepted before, so that it is
    /// acked and not queued again. Needs a durable queue. Default false: the ledger alone decides.
    pub dedupe: Option<bool>,
}

/// What every strategy takes beside its own keys.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawPolling {
    /// Events asked for per page. Default 100.
    pub page_size: Option<u32>,
    /// A request's budget, beyond the time that it may be held. Never scaled. Default "10s".
    pub timeout: Option<String>,
    /// "respect": waits as long as `Retry-After` (with a 429 or 503) and `x-poll-interval` say, both
    /// seconds of scenario time. "ignore": does not. Default "respect".
    pub on_429: Option<String>,
    /// "keep-alive", or "per-request": a fresh connection for each request. Default "keep-alive".
    pub connection: Option<String>,
    /// Virtual time only: each poll asks again for what was created up to this long before its cursor.
    /// Never scaled. Default "0s".
    pub cursor_overlap: Option<String>,
}

impl RawPolling {
    /// The keys in the scenario file.
    pub const KEYS: [&'static str; 5] = ["page_size", "timeout", "on_429", "connection", "cursor_overlap"];
}

/// The schema of a strategy: its kind's keys and those of all.
#[derive(JsonSchema)]
#[allow(dead_code, reason = "only its schema is used")]
struct RawStrategySchema {
    #[schemars(flatten)]
    kind: crate::policy::poll::Strategy,
    #[schemars(flatten)]
    common: RawPolling,
}

/// A business change.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum RawEffect {
    /// A kind that takes no time.
    Kind(String),
    /// A kind with a duration.
    Table(RawEffectTable),
}

/// A business change with a duration.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawEffectTable {
    /// "append" (each event has its effect), "set" (the subject's state is replaced, never by an older one),
    /// "once" (the subject is a business key: the first of its events has the effect) or "external"
    /// (somebody else's system, called through an outbox). Default "append"; for one that polls for states
    /// "set".
    pub kind: Option<String>,
    /// How long it takes a worker. Never scaled. Default "0s".
    pub duration: Option<String>,
    /// "constant" or "exponential". Default "constant".
    pub distribution: Option<String>,
    /// External: calls that the other side takes, such as "1/s" or "30/min", within any second or minute; one
    /// too many is answered 429 and made again when the other side says. Never scaled. Default: all.
    pub rate_limit: Option<String>,
    /// External: whether the other side honours the idempotency key. Default true.
    pub honours_key: Option<bool>,
    /// Every Nth event, by sequence, is poison: its effect fails at each try. Default: none.
    pub poison_every: Option<u32>,
}

/// The right-hand side of a condition: 0, 0.5, "< 60s", ">= 0.9"; in `[expect]` also a value with a
/// tolerance, "150 +- 2", "60s +- 500ms" or "150.05s +- 0.6%".
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum RawBound {
    /// Equal to this.
    Integer(i64),
    /// Equal to this.
    Float(f64),
    /// A comparison and a number or a duration, or a value and how far off it may be.
    Text(String),
}

/// A name or a list of names.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum OneOrMany {
    /// One.
    One(String),
    /// Several.
    Many(Vec<String>),
}

impl OneOrMany {
    /// The names.
    #[must_use]
    pub fn names(&self) -> Vec<&str> {
        match self {
            OneOrMany::One(name) => vec![name],
            OneOrMany::Many(names) => names.iter().map(String::as_str).collect(),
        }
    }
}
