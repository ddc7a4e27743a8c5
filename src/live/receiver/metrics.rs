//! What a receiver tells Prometheus.

use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::Registry,
};

use super::places::Leave;
use crate::{
    live::consumer::Consumer,
    model::{RejectReason, Span},
};

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Status {
    status: u32,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Reason {
    reason: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Outcome {
    outcome: &'static str,
}

/// Why a connection ended without an answer of the receiver's own: below its requests, so in the
/// metrics and not among the records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cut {
    /// No complete head in time; a kept-alive connection that stays idle as well.
    SlowHead,
    /// Answers lay unread.
    Unread,
    /// Idle when others wanted the place.
    Shed,
    /// Too long a head, or too many lines in it.
    HeadTooLarge,
    /// Not HTTP.
    NotHttp,
    /// The peer went away within a request.
    PeerGone,
}

impl Cut {
    const ALL: [Cut; 6] = [Cut::SlowHead, Cut::Unread, Cut::Shed, Cut::HeadTooLarge, Cut::NotHttp, Cut::PeerGone];

    /// Sorts a connection's end.
    pub fn of(error: &hyper::Error) -> Cut {
        if error.is_parse_too_large() {
            Cut::HeadTooLarge
        } else if error.is_parse() {
            Cut::NotHttp
        } else {
            Cut::PeerGone
        }
    }

    fn label(self) -> &'static str {
        match self {
            Cut::SlowHead => "slow-head",
            Cut::Unread => "unread",
            Cut::Shed => "shed",
            Cut::HeadTooLarge => "head-too-large",
            Cut::NotHttp => "not-http",
            Cut::PeerGone => "peer-gone",
        }
    }
}

impl From<Leave> for Cut {
    fn from(why: Leave) -> Cut {
        match why {
            Leave::Unread => Cut::Unread,
            Leave::Shed => Cut::Shed,
            // A receiver that stops lets requests end and counts nothing as cut.
            Leave::SlowHead | Leave::Stopping => Cut::SlowHead,
        }
    }
}

/// A receiver's metrics.
pub(super) struct Metrics {
    registry: Registry,
    requests: Family<Status, Counter>,
    /// The one of `requests` that every ack counts: found once, not per request.
    acks: Counter,
    rejected: Family<Reason, Counter>,
    cut: Family<Reason, Counter>,
    receipts: Counter,
    effects: Family<Outcome, Counter>,
    depth: Gauge,
    latency: Histogram,
}

impl Metrics {
    pub fn new() -> Metrics {
        let mut registry = Registry::with_prefix("pushpull");
        // From a tenth of a millisecond to beyond the usual ack budget of 3 s.
        let buckets = [0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0];
        let requests = Family::<Status, Counter>::default();
        let metrics = Metrics {
            acks: requests.get_or_create_owned(&Status { status: 200 }),
            requests,
            rejected: Family::default(),
            cut: Family::default(),
            receipts: Counter::default(),
            effects: Family::default(),
            depth: Gauge::default(),
            latency: Histogram::new(buckets),
            registry: Registry::default(),
        };
        registry.register("requests", "Requests answered, by status", metrics.requests.clone());
        registry.register("rejected", "Requests refused, by reason", metrics.rejected.clone());
        registry.register("connections_cut", "Connections ended before an answer, by reason", metrics.cut.clone());
        registry.register("receipts", "Events durably accepted by this process", metrics.receipts.clone());
        registry.register("effects", "Events that workers are done with, by outcome", metrics.effects.clone());
        registry.register("queue_depth", "Events waiting or with a worker", metrics.depth.clone());
        registry.register("ack_seconds", "From the request's head to its ack", metrics.latency.clone());
        // A series that is not there cannot be told from one that is not scraped.
        for reason in RejectReason::ALL {
            drop(metrics.rejected.get_or_create(&Reason { reason: reason.label() }));
        }
        for why in Cut::ALL {
            drop(metrics.cut.get_or_create(&Reason { reason: why.label() }));
        }
        Metrics { registry, ..metrics }
    }

    /// Counts an answer; `acked_in` is how long it took, if it is an ack.
    pub fn answered(&self, status: u16, acked_in: Option<Span>) {
        if status == 200 {
            self.acks.inc();
        } else {
            self.requests.get_or_create(&Status { status: u32::from(status) }).inc();
        }
        // A refusal is quick and would flatter the acks.
        if let Some(took) = acked_in {
            self.latency.observe(took.as_secs_f64());
        }
    }

    /// Counts a refusal.
    pub fn rejected(&self, reason: RejectReason) {
        self.rejected.get_or_create(&Reason { reason: reason.label() }).inc();
    }

    /// Counts a connection that ended early.
    pub fn cut(&self, why: Cut) {
        self.cut.get_or_create(&Reason { reason: why.label() }).inc();
    }

    /// The exposition, with the consumer's totals as they are now.
    pub fn render(&self, consumer: &Consumer) -> String {
        use std::sync::atomic::{AtomicU64, Ordering};
        let counts = consumer.counts();
        // The consumer's totals are counted once, by it; here they are only shown.
        let show = |shown: &Counter, count: &AtomicU64| {
            shown.inner().store(count.load(Ordering::Relaxed), Ordering::Relaxed);
        };
        show(&self.receipts, &counts.accepted);
        self.depth.set(consumer.depth() as i64);
        for (outcome, count) in [
            ("applied", &counts.applied),
            ("duplicate", &counts.duplicates),
            ("stale", &counts.stale),
            ("dead-lettered", &counts.dead_lettered),
        ] {
            show(&self.effects.get_or_create(&Outcome { outcome }), count);
        }
        let mut text = String::new();
        // Encoding into a String cannot fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}
