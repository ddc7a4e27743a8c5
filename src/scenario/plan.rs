//! The validated plan: what a scenario means, with every default filled in, every name resolved to
//! an index and every scenario time already divided by `time_scale`.
//!
//! A plan is plain data. It goes to the role processes as JSON, is saved beside the records, and
//! together with them is all that the judge sees.

use serde::{Deserialize, Serialize};

use super::{CasePlan, Condition, CostPlan, ProviderPlan, VirtualPlan};
use crate::{
    fault::FaultPlan,
    model::{RunId, Span},
    policy::poll::{State, Strategy},
    workload::Workload,
};

/// Index of a consumer in [`Plan::consumers`].
pub type ConsumerNo = u16;

/// Everything that a run needs to know. Construct through [`crate::scenario::load()`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// The format of this structure; 1.
    pub schema_version: u32,
    /// The embedded name or the file stem.
    pub name: String,
    /// One line for the head of the report.
    pub title: String,
    /// The question that the scenario answers: the file's first comment.
    pub question: String,
    /// What to watch in the report; empty where the scenario says nothing.
    pub watch: String,
    /// The line that tells what to conclude, with placeholders (see [`super::pieces`]); empty where the
    /// scenario has none.
    pub conclude: String,
    /// Where the figures that the scenario repeats were published; empty where it repeats none.
    #[serde(default)]
    pub published: String,
    /// Which of the file's cases it is; `None` where it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub case: Option<CasePlan>,
    /// Seed of every keyed draw.
    pub seed: u64,
    /// How many seeds are wanted, from `seed` on: so many plans that differ in it only.
    #[serde(default = "one")]
    pub seeds: u32,
    /// Names the run in event ids.
    pub run_id: RunId,
    /// How this run is driven.
    pub mode: Mode,
    /// Scenario time passes this many times faster than the driver's. Already applied.
    pub time_scale: f64,
    /// The window of arrivals.
    pub duration: Span,
    /// How long after the window a live run waits for what is open.
    pub drain: Span,
    /// When events happen and to which subjects.
    pub workload: Workload,
    /// The providers; at least one.
    pub providers: Vec<ProviderPlan>,
    /// The consumers; at least one.
    pub consumers: Vec<ConsumerPlan>,
    /// The faults, in file order.
    pub faults: Vec<FaultPlan>,
    /// What virtual time takes the network and the stores for.
    #[serde(default)]
    pub virtual_time: VirtualPlan,
    /// What bills are made from; `None`: none are made.
    #[serde(default)]
    pub cost: Option<CostPlan>,
    /// What the architect wants; the report says who meets it.
    pub goals: Vec<Condition>,
    /// The run's own verdict.
    pub expects: Vec<Condition>,
    /// Things the reader should know about this plan: unscaled times that exceed scaled ones, and
    /// comparisons on unequal terms.
    pub warnings: Vec<String>,
    /// The command that runs this plan again.
    pub reproduce: String,
    /// The scenario file's text after `--set`, for the report and for running it again.
    pub source: String,
}

fn one() -> u32 {
    1
}

/// Which driver runs the plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// Processes, sockets, stores and a real clock.
    Live,
    /// No sockets, a virtual clock.
    Virtual,
}

/// One consumer: a party that wants every event that is due to it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ConsumerPlan {
    /// Its name in results and records.
    pub name: String,
    /// Index of its provider.
    pub provider: u16,
    /// Polling clients, or webhook endpoints.
    pub clients: u32,
    /// Which events are due to each client.
    pub follows: Follows,
    /// How events reach it.
    pub path: Path,
    /// Where accepted events wait for a worker.
    pub queue: QueueKind,
    /// Events that may wait before the receiver answers 503.
    pub queue_capacity: u64,
    /// Where applied events are remembered.
    pub ledger: LedgerKind,
    /// How long the ledger remembers, from the first receipt; `None` is for ever.
    pub ledger_ttl: Option<Span>,
    /// Workers that apply events.
    pub workers: u32,
    /// Tries of one effect before the event goes to the dead-letter queue.
    pub max_tries: u32,
    /// How long the queue lets a worker hold an event before another one may have it; `None`: for as long
    /// as its process lives. Never scaled.
    #[serde(default)]
    pub visibility: Option<Span>,
    /// Whether a request reads its subject's row and writes it only if nobody else has meanwhile.
    #[serde(default)]
    pub optimistic: bool,
    /// The business change.
    pub effect: EffectPlan,
    /// One thing done wrong on purpose.
    pub flaw: Option<Flaw>,
}

/// Which events are due to each client of a consumer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Follows {
    /// Each client follows its own share of the subjects: subject modulo clients.
    Own,
    /// Each client follows every subject.
    All,
}

/// How events reach a consumer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Path {
    /// It asks.
    Polling(PollingPlan),
    /// It is told.
    Webhook(WebhookPlan),
    /// It is told, and asks for what it was not told.
    Hybrid(HybridPlan),
}

impl Path {
    /// The manners of one that asks, if it does.
    #[must_use]
    pub fn polling(&self) -> Option<&PollingPlan> {
        match self {
            Path::Polling(polling) => Some(polling),
            Path::Webhook(_) => None,
            Path::Hybrid(hybrid) => Some(&hybrid.polling),
        }
    }
}

/// A hybrid consumer's manners: two paths to the same obligations, one process, one queue, one ledger.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HybridPlan {
    /// How it is told.
    pub webhook: WebhookPlan,
    /// How it reconciles.
    pub polling: PollingPlan,
}

/// A polling consumer's manners.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PollingPlan {
    /// When a client polls, and how it asks.
    pub strategy: Strategy,
    /// Events asked for per page.
    pub page_size: u32,
    /// A request's budget, from its start to its last byte, beyond the time that it may be held. Never
    /// scaled.
    pub timeout: Span,
    /// Each poll asks again for what was created up to this long before its cursor. Never scaled.
    #[serde(default)]
    pub cursor_overlap: Span,
    /// Whether it waits as long as it is asked to.
    pub on_429: On429,
    /// How long its connections live.
    pub connection: Connection,
}

/// What a client does that is told to come less often.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum On429 {
    /// It waits: as long as `Retry-After` says with a 429 or 503, and at least as long between two
    /// polls as `x-poll-interval` says with any answer.
    Respect,
    /// It goes on as it pleases.
    Ignore,
}

/// How long a polling client's connections live.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Connection {
    /// From request to request.
    KeepAlive,
    /// One request.
    PerRequest,
}

impl PollingPlan {
    /// How it asks for states, if it does.
    #[must_use]
    pub fn state(&self) -> Option<&State> {
        self.strategy.state()
    }

    /// How long a client waits for an answer.
    #[must_use]
    pub fn patience(&self) -> Span {
        self.timeout + self.strategy.hold().unwrap_or(Span::ZERO)
    }
}

/// A webhook consumer's manners.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WebhookPlan {
    /// A receiver that is not ours: where to POST. Its inner life is not observed.
    pub external: Option<ExternalReceiver>,
    /// How far a timestamp may lie from the receiver's clock; `None`: it is not looked at. Never scaled.
    pub signature_tolerance: Option<Span>,
    /// Body limit in bytes.
    pub body_limit: u64,
    /// Connections at most.
    pub connection_limit: u32,
    /// Whether a copy of an accepted event is recognised before its ack and not queued again.
    pub dedupe: bool,
}

/// A receiver that somebody else runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ExternalReceiver {
    /// Where client 0's events go; `{client}` in it stands for the client's number.
    pub url: String,
    /// The environment variable that holds its signing secret.
    pub secret_env: Option<String>,
}

/// The queue engines that are built in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum QueueKind {
    /// Lost with the process.
    Memory,
    /// SQLite in WAL mode with `synchronous=FULL`.
    Sqlite,
}

/// The ledger engines that are built in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LedgerKind {
    /// Nothing is remembered: every receipt takes effect.
    None,
    /// Remembered until the process ends.
    Memory,
    /// SQLite, in the effect's own transaction.
    Sqlite,
}

/// The business change that an event causes.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct EffectPlan {
    /// What kind of change.
    pub kind: EffectKind,
    /// How long it takes a worker; the mean where it is exponential. Never scaled.
    pub duration: Span,
    /// How the duration is distributed.
    pub distribution: Distribution,
    /// Every Nth event (by sequence) is poison: its effect fails at each try.
    pub poison_every: Option<u32>,
}

/// Kinds of effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EffectKind {
    /// A row per event: an entry in the books. Order does not matter.
    Append,
    /// The subject's state is replaced: an older version must not overwrite a newer one.
    Set,
    /// Something happens once per subject, whichever of its events comes first: the subject is the
    /// business key, as a commit is that of its build. Versions do not matter.
    Once,
    /// Something happens in somebody else's system, through an outbox: at least once.
    External {
        /// Whether the other side honours the idempotency key.
        honours_key: bool,
        /// How many calls it takes; `None`: all.
        #[serde(default)]
        limit: Option<CallLimit>,
    },
}

/// A limit on calls: so many within any window of this length. More are answered 429.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallLimit {
    /// Calls.
    pub count: u32,
    /// The window. Never scaled.
    pub per: Span,
}

/// Distributions of a duration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Distribution {
    /// Always the mean.
    Constant,
    /// Exponential, keyed by event.
    Exponential,
}

/// What a consumer can do wrong on purpose. Each breaks one promise, and the audit must say which.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Flaw {
    /// Looks into the ledger, works, then writes: two workers both find nothing.
    CheckThenAct,
    /// Answers 200, then stores.
    AckBeforeStore,
    /// Commits the effect, then the ledger entry, in two transactions.
    EffectBeforeLedger,
    /// Applies the effect inside the request.
    Synchronous,
    /// Verifies nothing.
    NoVerification,
    /// Takes SHA-256(secret-free content) for a signature.
    UnkeyedSha256,
    /// Verifies the re-serialised JSON instead of the bytes that came.
    ReserialisedJson,
    /// Lets an older version overwrite a newer one.
    NoVersionGuard,
    /// Tells repeats by the event's id alone where the effect shall happen once per subject.
    NoBusinessKey,
    /// Answers a duplicate 409, which a provider retries.
    Duplicate409,
    /// Poller: saves the cursor, then stores the page.
    CursorBeforeEffect,
    /// Poller: asks for what is newer than the last `created` it saw.
    TimestampCursor,
    /// Poller: reads one page per poll and takes the provider's head as its cursor.
    OnePage,
    /// Poller of states: asks for what has changed since it last asked, without an overlap that is long
    /// enough.
    NoOverlap,
}

impl Flaw {
    /// Whether it is a flaw of pollers rather than of receivers.
    #[must_use]
    pub fn is_polling(self) -> bool {
        matches!(self, Flaw::CursorBeforeEffect | Flaw::TimestampCursor | Flaw::OnePage | Flaw::NoOverlap)
    }

    /// Whether the virtual driver does it too.
    #[must_use]
    pub fn shows_in_virtual_time(self) -> bool {
        matches!(
            self,
            Flaw::Synchronous
                | Flaw::AckBeforeStore
                | Flaw::EffectBeforeLedger
                | Flaw::CursorBeforeEffect
                | Flaw::OnePage
                | Flaw::NoVersionGuard
                | Flaw::NoBusinessKey
        )
    }
}

impl Plan {
    /// As many seeds as one command runs.
    pub const SEEDS_MAX: u32 = 10_000;

    /// The plans of all its seeds, each with one seed of its own.
    pub fn by_seed(&self) -> impl Iterator<Item = Plan> + '_ {
        let follows = self.mode == Mode::Virtual && self.run_id == RunId::from_bits(self.seed);
        (0..u64::from(self.seeds.max(1))).map(move |n| {
            let seed = self.seed.wrapping_add(n);
            let run_id = if follows { RunId::from_bits(seed) } else { self.run_id };
            Plan { seed, seeds: 1, run_id, ..self.clone() }
        })
    }

    /// The consumer's index by name.
    #[must_use]
    pub fn consumer(&self, name: &str) -> Option<ConsumerNo> {
        self.consumers.iter().position(|c| c.name == name).map(|i| i as ConsumerNo)
    }
}

impl ConsumerPlan {
    /// Its manners as one that is told, if it is.
    #[must_use]
    pub fn webhook(&self) -> Option<&WebhookPlan> {
        match &self.path {
            Path::Polling(_) => None,
            Path::Webhook(webhook) => Some(webhook),
            Path::Hybrid(hybrid) => Some(&hybrid.webhook),
        }
    }

    /// Its manners as one that asks, if it does.
    #[must_use]
    pub fn polling(&self) -> Option<&PollingPlan> {
        self.path.polling()
    }

    /// How it asks for states, if it does.
    #[must_use]
    pub fn state(&self) -> Option<&State> {
        self.polling().and_then(PollingPlan::state)
    }

    /// Whether events are pushed to it. Its process is then a receiver.
    #[must_use]
    pub fn is_pushed(&self) -> bool {
        self.webhook().is_some()
    }

    /// Whether it polls.
    #[must_use]
    pub fn polls(&self) -> bool {
        self.polling().is_some()
    }

    /// The name of its kind in scenario files and results.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match &self.path {
            Path::Polling(_) => "polling",
            Path::Webhook(_) => "webhook",
            Path::Hybrid(_) => "hybrid",
        }
    }

    /// Whether its receiver is somebody else's, so that its inner life is not observed.
    #[must_use]
    pub fn is_external(&self) -> bool {
        self.webhook().is_some_and(|webhook| webhook.external.is_some())
    }

    /// The clients that an event of `subject` is due to.
    pub fn clients_of(&self, subject: u32) -> std::ops::Range<u32> {
        match self.follows {
            Follows::Own => {
                let client = subject % self.clients.max(1);
                client..client + 1
            }
            Follows::All => 0..self.clients,
        }
    }

    /// Obligations per event.
    #[must_use]
    pub fn clients_per_event(&self) -> u32 {
        match self.follows {
            Follows::Own => 1,
            Follows::All => self.clients,
        }
    }
}
