//! What happened: the only thing, beside the plan, that measuring, audit and report see.
//!
//! Each process of a run writes its own file of framed [`Record`]s. What a killed process took with
//! it is told by the stores that outlive it: after the run their contents are exported as the
//! `Effect`, `Queued`, `DeadLetter` and `Cursor` records.

mod digest;
mod log;
mod memory;
mod read;
mod tally;
mod write_behind;

pub use digest::sha256_of;
pub use log::{RecordLog, RecordSink};
pub use memory::{MemoryLog, read_memory};
pub use read::{ReadError, ReadStats, read_dir, read_file};
pub use tally::PollTallies;
pub use write_behind::WriteBehind;

use serde::{Deserialize, Serialize};

use crate::{
    fault::{CrashPoint, TargetPath},
    model::{
        AttemptOutcome, ClientNo, DisabledBy, EffectOutcome, Event, GiveUp, PollOutcome, RejectReason, Seq, Span,
        Subject, Time, Version, WallClock,
    },
    scenario::{ConsumerNo, ConsumerPlan},
};

/// One client's claim to one event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Obligation {
    /// The consumer.
    pub consumer: ConsumerNo,
    /// Its client.
    pub client: ClientNo,
    /// The event.
    pub seq: Seq,
}

/// Something that happened, or that a store holds after the run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Record {
    /// The run began. Written by the orchestrator.
    Begin {
        /// Where t0 lies on the wall clock.
        wall: WallClock,
    },
    /// Provider: an event went into the log.
    Emitted {
        /// The event; `occurred_at` is the scheduled instant.
        event: Event,
        /// When it really went in: the difference is the generator's own lag.
        emitted_at: Time,
    },
    /// Provider: an attempt ended.
    Attempt(Attempt),
    /// Provider: an attack ended.
    Attack {
        /// The consumer attacked.
        consumer: ConsumerNo,
        /// The endpoint.
        client: ClientNo,
        /// The genuine event beside which it was sent.
        seq: Seq,
        /// What was sent.
        kind: AttackKind,
        /// When it was sent.
        sent: Time,
        /// What came back.
        outcome: AttemptOutcome,
    },
    /// Provider: a delivery ends without an ack.
    GaveUp {
        /// Whose event.
        what: Obligation,
        /// When.
        at: Time,
        /// Attempts made.
        attempts: u32,
        /// Why nothing more is tried.
        why: GiveUp,
    },
    /// Provider: a delivery that had ended is open again. It takes the give-up back.
    Redelivered {
        /// Whose event.
        what: Obligation,
        /// When.
        at: Time,
        /// Attempts made before.
        attempts: u32,
    },
    /// Provider: an endpoint is switched off.
    EndpointDisabled {
        /// Whose endpoint.
        consumer: ConsumerNo,
        /// Its client.
        client: ClientNo,
        /// When.
        at: Time,
        /// Until when; `None`: until somebody switches it on.
        until: Option<Time>,
        /// Why.
        why: DisabledBy,
    },
    /// Provider: an endpoint is sent to again.
    EndpointEnabled {
        /// Whose endpoint.
        consumer: ConsumerNo,
        /// Its client.
        client: ClientNo,
        /// When.
        at: Time,
    },
    /// Provider, at the end: a delivery is still open.
    Open {
        /// Whose event.
        what: Obligation,
        /// Attempts made so far.
        attempts: u32,
    },
    /// Provider: a page request was beyond the rate limit, and answered 429.
    RateLimited {
        /// Whose request.
        consumer: ConsumerNo,
        /// The client.
        client: ClientNo,
        /// When.
        at: Time,
    },
    /// Provider or orchestrator: a fault hit.
    FaultHit {
        /// The fault's index in the plan.
        fault: u16,
        /// Whose request or process.
        consumer: ConsumerNo,
        /// The client.
        client: ClientNo,
        /// The event's sequence, or the client's poll number; 0 for a process.
        number: u32,
        /// The attempt or page; 0 for a process.
        attempt: u32,
        /// 0 for the original, k for its k-th copy.
        copy: u32,
        /// When.
        at: Time,
    },
    /// Provider, at the end: bytes on the wire with one consumer, counted at the provider's
    /// sockets, HTTP heads included, TCP and IP excluded.
    Bytes {
        /// The consumer.
        consumer: ConsumerNo,
        /// From the consumer: poll requests, or acks.
        up: u64,
        /// To the consumer: poll answers, or webhooks.
        down: u64,
        /// HTTP requests that carried them.
        requests: u64,
    },
    /// Consumer: an event is durably accepted; written before the ack leaves.
    Receipt {
        /// Whose event.
        what: Obligation,
        /// True where the provider never emitted it.
        forged: bool,
        /// By which path it came.
        by: TargetPath,
        /// When.
        at: Time,
    },
    /// Receiver: a request was refused.
    Rejected {
        /// The consumer.
        consumer: ConsumerNo,
        /// Why.
        reason: RejectReason,
        /// When.
        at: Time,
    },
    /// Consumer: a worker is done with an event. The worker's belief; the truth is `Effect`.
    Worked {
        /// Whose event.
        what: Obligation,
        /// What became of it.
        outcome: EffectOutcome,
        /// When.
        at: Time,
    },
    /// Poller: a poll that found something or failed.
    Poll(Poll),
    /// Poller: the uneventful polls of one client-second, by the second of the intended instant.
    PollTally {
        /// The consumer.
        consumer: ConsumerNo,
        /// The whole second of driver time in which they were due.
        second: u32,
        /// Whether they were due after the window of arrivals.
        after_window: bool,
        /// 200 without an event.
        empty: u32,
        /// 304.
        not_modified: u32,
        /// The largest lag of a poll's start behind its intended instant.
        lag_max: Span,
    },
    /// Orchestrator: something became of a process.
    Process {
        /// Which.
        role: Role,
        /// What.
        change: ProcessChange,
        /// When.
        at: Time,
    },
    /// Resources of one process, at its end or when last seen.
    Usage {
        /// Whose.
        role: Role,
        /// Which process of this role: 0, and one more per restart.
        incarnation: u32,
        /// CPU time, user and system, in nanoseconds, where the platform tells.
        cpu_ns: Option<u64>,
        /// Peak resident memory, where the platform tells.
        peak_rss_bytes: Option<u64>,
    },
    /// Store: an effect row. The truth about what happened to the business.
    Effect(EffectRow),
    /// Consumer: a call to somebody else's system has returned and is marked done. The time in between
    /// is the window in which a crash calls again.
    Called {
        /// Whose event.
        what: Obligation,
        /// When the call returned: the effect is durable over there.
        returned: Time,
        /// When the mark was durable here.
        marked: Time,
    },
    /// Store of somebody else's system: a call that it got.
    ExternalCall {
        /// Whose event.
        what: Obligation,
        /// When.
        at: Time,
        /// Whether it took effect: false where the idempotency key was known and honoured.
        effected: bool,
        /// True where the provider never emitted it.
        forged: bool,
    },
    /// Store: a row that waits in the outbox.
    Outgoing {
        /// Whose event.
        what: Obligation,
        /// True where the provider never emitted it.
        forged: bool,
    },
    /// Store: an event that waits in the queue.
    Queued {
        /// Whose event.
        what: Obligation,
        /// True where the provider never emitted it.
        forged: bool,
    },
    /// Store: an event in the dead-letter queue.
    DeadLetter {
        /// Whose event.
        what: Obligation,
        /// True where the provider never emitted it.
        forged: bool,
    },
    /// Store: what a polling client's durable cursor has passed.
    Cursor {
        /// The consumer.
        consumer: ConsumerNo,
        /// The client.
        client: ClientNo,
        /// Everything up to here counts as seen.
        passed: CursorPosition,
    },
    /// The run ended. Written by the orchestrator.
    End {
        /// When.
        at: Time,
        /// True where a person stopped it.
        interrupted: bool,
    },
    /// Receiver: a copy of an accepted event was recognised before its ack and not queued again.
    /// Written beside its receipt.
    Suppressed {
        /// Whose event.
        what: Obligation,
        /// When.
        at: Time,
    },
    /// Consumer: somebody else's system answered a call 429. Nothing happened over there.
    CallLimited {
        /// Whose event.
        what: Obligation,
        /// When.
        at: Time,
        /// How long it asked to wait.
        wait: Span,
    },
}

/// One POST of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// Whose event.
    pub what: Obligation,
    /// From 1.
    pub number: u32,
    /// 0 for the original, k for its k-th copy.
    pub copy: u32,
    /// When it was due: the event's instant, or the retry's.
    pub intended: Time,
    /// When it left.
    pub sent: Time,
    /// When the sender knew how it ended.
    pub done: Time,
    /// What the sender saw.
    pub outcome: AttemptOutcome,
}

/// One poll: all its pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Poll {
    /// The consumer.
    pub consumer: ConsumerNo,
    /// The client.
    pub client: ClientNo,
    /// The client's poll number, from 1.
    pub number: u32,
    /// When it was due.
    pub intended: Time,
    /// When its first request left.
    pub sent: Time,
    /// When its last page was there.
    pub done: Time,
    /// Page requests made.
    pub requests: u32,
    /// Events found.
    pub events: u32,
    /// What the client saw.
    pub outcome: PollOutcome,
}

/// A row that a consumer's business left behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct EffectRow {
    /// Whose event.
    pub what: Obligation,
    /// What changed.
    pub subject: Subject,
    /// To which version.
    pub version: Version,
    /// When the effect was complete.
    pub at: Time,
    /// True where the provider never emitted it.
    pub forged: bool,
    /// True where the row only notes that a newer version was there already: nothing was changed.
    pub superseded: bool,
}

/// What a cursor says of the events before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum CursorPosition {
    /// All up to and with this sequence are seen.
    Seq(Seq),
    /// All created up to and with this instant are taken as seen; instants are rounded down to the
    /// provider's `timestamp_grain`. Where a wrong poller lives.
    Created(Time),
    /// Of states: the next scan asks for changes told as of this instant or later; earlier ones count as
    /// seen. The overlap is taken off already.
    UpdatedSince(Time),
}

/// What an attacker sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AttackKind {
    /// An event that never happened.
    Forge(crate::fault::ForgeMethod),
    /// A captured genuine request.
    Replay,
}

/// A process of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// The command that the user started.
    Orchestrator,
    /// A provider, by its index in the plan.
    Provider(u16),
    /// A consumer that is pushed to.
    Receiver(ConsumerNo),
    /// A consumer that only polls.
    Poller(ConsumerNo),
}

impl Role {
    /// The process that plays a consumer's part: to be told, one must listen, so a consumer that is
    /// pushed to is a receiver, whether or not it also polls.
    #[must_use]
    pub fn of(plan: &ConsumerPlan, consumer: ConsumerNo) -> Role {
        if plan.is_pushed() { Role::Receiver(consumer) } else { Role::Poller(consumer) }
    }
}

/// What became of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProcessChange {
    /// It answers.
    Ready,
    /// It was killed by a crash fault.
    Killed,
    /// It died at a named point of its own code.
    Crashed(CrashPoint),
    /// It was stopped without dying.
    Stalled,
    /// It goes on after a stall.
    Resumed,
    /// It ended as asked.
    Exited,
    /// It ended although nobody asked. Voids the run.
    Failed,
}
