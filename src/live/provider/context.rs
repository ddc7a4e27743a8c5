//! What all tasks of one provider share.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

use super::{contents::Contents, control::Watched, switches::Faults};
use crate::{
    fault::{Fate, Target},
    live::{clock::Clock, control::Progress, counting_io::Traffic},
    policy::described::Described,
    profile::Profile,
    record::{Record, RecordSink},
    rng::Draws,
    scenario::{ConsumerNo, Plan, ProviderPlan},
};

/// Plan, clock, records and counters of one provider.
pub(super) struct Context {
    /// The whole plan.
    pub plan: Plan,
    /// Which of its providers this is. Checked when it was made.
    provider: usize,
    /// What its profile says, where it follows one.
    pub described: Option<Described>,
    /// The run's clock.
    pub clock: Clock,
    /// The run's keyed draws.
    pub draws: Draws,
    /// What the events say.
    pub(super) contents: Contents,
    /// What goes wrong.
    pub faults: Faults,
    /// Where to say what happened.
    pub records: Arc<dyn RecordSink>,
    /// The same, where a control API reads along.
    pub watched: Option<Arc<Watched>>,
    /// How far everything is.
    pub counts: Counts,
    /// What passed the sockets, by consumer.
    traffic: Vec<Arc<Traffic>>,
}

impl Context {
    /// The context of provider number `provider`; `None` where the plan has no such provider.
    pub fn new(
        plan: Plan,
        provider: u16,
        contents: Contents,
        clock: Clock,
        records: Arc<dyn RecordSink>,
    ) -> Option<Context> {
        let provider = usize::from(provider);
        plan.providers.get(provider)?;
        let faults = Faults::new(&plan, provider, by_hand(&plan));
        // One more for those that are added by hand.
        let traffic = (0..=plan.consumers.len()).map(|_| Arc::default()).collect();
        let draws = Draws::new(plan.seed);
        let counts = Counts::default();
        let (described, watched) = (None, None);
        Some(Context { plan, provider, described, clock, draws, contents, faults, records, watched, counts, traffic })
    }

    /// The same with what its profile says.
    pub fn described(self, described: Option<Described>) -> Context {
        Context { described, ..self }
    }

    /// Whose way of signing it has, where it follows a profile.
    pub fn profile(&self) -> Option<&Profile> {
        self.described.as_ref().map(|described| &described.profile)
    }

    /// The same with records that a control API reads along.
    pub fn watched(self, watched: Arc<Watched>) -> Context {
        Context { records: Arc::clone(&watched) as Arc<dyn RecordSink>, watched: Some(watched), ..self }
    }

    /// Whose clients the endpoints are that are added by hand: a consumer behind the plan's.
    pub fn by_hand(&self) -> ConsumerNo {
        by_hand(&self.plan)
    }

    /// What becomes of a request, under the faults that are on.
    pub fn fate(&self, target: &Target) -> Fate {
        self.faults.decide(target, self.draws)
    }

    /// This provider's part of the plan.
    pub fn provider(&self) -> &ProviderPlan {
        &self.plan.providers[self.provider]
    }

    /// Whether the consumer is one of this provider's.
    pub fn serves(&self, consumer: ConsumerNo) -> bool {
        self.plan.consumers.get(usize::from(consumer)).is_some_and(|c| usize::from(c.provider) == self.provider)
    }

    /// The consumer's traffic. The number comes from the plan, or is [`Context::by_hand`].
    pub fn traffic(&self, consumer: ConsumerNo) -> &Arc<Traffic> {
        &self.traffic[usize::from(consumer)]
    }

    /// One record per consumer: what passed the sockets.
    pub fn record_bytes(&self) {
        for (consumer, traffic) in (0..).zip(&self.traffic) {
            let (up, down, requests) = traffic.totals();
            let added = consumer == self.by_hand() && requests > 0;
            if self.serves(consumer) || added {
                self.records.put(Record::Bytes { consumer, up, down, requests });
            }
        }
    }
}

fn by_hand(plan: &Plan) -> ConsumerNo {
    plan.consumers.len() as ConsumerNo
}

/// Counters for the progress line and for telling when the run is quiet.
#[derive(Debug, Default)]
pub(super) struct Counts {
    emitted: AtomicU64,
    emission_over: AtomicBool,
    open: AtomicU64,
    attempts: AtomicU64,
}

impl Counts {
    /// Events went into the log; their deliveries are counted as open first, so that no reader
    /// ever sees an event out and nothing open.
    pub fn emitted(&self, events: u64, deliveries: u64) {
        self.opened(deliveries);
        self.emitted.fetch_add(events, Ordering::SeqCst);
    }

    /// The last event is out.
    pub fn emission_over(&self) {
        self.emission_over.store(true, Ordering::SeqCst);
    }

    /// Deliveries, copies or attacks have to be sent.
    pub fn opened(&self, count: u64) {
        self.open.fetch_add(count, Ordering::SeqCst);
    }

    /// One of them has ended for good.
    pub fn closed(&self) {
        self.open.fetch_sub(1, Ordering::SeqCst);
    }

    /// An attempt starts.
    pub fn attempt(&self) {
        self.attempts.fetch_add(1, Ordering::Relaxed);
    }

    /// All of them. `emission_over` is read first: if it is true, `open` misses nothing.
    pub fn progress(&self) -> Progress {
        let emission_over = self.emission_over.load(Ordering::SeqCst);
        Progress {
            emission_over,
            emitted: self.emitted.load(Ordering::SeqCst),
            open: self.open.load(Ordering::SeqCst),
            requests: self.attempts.load(Ordering::Relaxed),
            ..Progress::default()
        }
    }
}
