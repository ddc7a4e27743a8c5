//! What a receiver tells Prometheus.

use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::Registry,
};

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

/// A receiver's metrics.
pub(super) struct Metrics {
    registry: Registry,
    requests: Family<Status, Counter>,
    rejected: Family<Reason, Counter>,
    receipts: Gauge,
    effects: Family<Outcome, Gauge>,
    depth: Gauge,
    latency: Histogram,
}

impl Metrics {
    pub fn new() -> Metrics {
        let mut registry = Registry::with_prefix("pushpull");
        // From a tenth of a millisecond to beyond the usual ack budget of 3 s.
        let buckets = [0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0];
        let metrics = Metrics {
            requests: Family::default(),
            rejected: Family::default(),
            receipts: Gauge::default(),
            effects: Family::default(),
            depth: Gauge::default(),
            latency: Histogram::new(buckets),
            registry: Registry::default(),
        };
        registry.register("requests", "Requests answered, by status", metrics.requests.clone());
        registry.register("rejected", "Requests refused, by reason", metrics.rejected.clone());
        registry.register("receipts", "Events durably accepted by this process", metrics.receipts.clone());
        registry.register("effects", "Events that workers are done with, by outcome", metrics.effects.clone());
        registry.register("queue_depth", "Events waiting or with a worker", metrics.depth.clone());
        registry.register("ack_seconds", "From the request's head to its answer", metrics.latency.clone());
        Metrics { registry, ..metrics }
    }

    /// Counts an answer.
    pub fn answered(&self, status: u16, took: Span) {
        self.requests.get_or_create(&Status { status: u32::from(status) }).inc();
        self.latency.observe(took.as_secs_f64());
    }

    /// Counts a refusal.
    pub fn rejected(&self, reason: RejectReason) {
        self.rejected.get_or_create(&Reason { reason: reason.label() }).inc();
    }

    /// The exposition, with the consumer's totals as they are now.
    pub fn render(&self, consumer: &Consumer) -> String {
        use std::sync::atomic::{AtomicU64, Ordering};
        let counts = consumer.counts();
        let value = |count: &AtomicU64| count.load(Ordering::Relaxed) as i64;
        self.receipts.set(value(&counts.accepted));
        self.depth.set(consumer.depth() as i64);
        for (outcome, count) in [
            ("applied", &counts.applied),
            ("duplicate", &counts.duplicates),
            ("stale", &counts.stale),
            ("dead-lettered", &counts.dead_lettered),
        ] {
            self.effects.get_or_create(&Outcome { outcome }).set(value(count));
        }
        let mut text = String::new();
        // Encoding into a String cannot fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}
