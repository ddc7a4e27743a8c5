//! Counts of one consumer, taken while the records stream by.

use std::collections::BTreeMap;

use super::{
    age::AgeRecorder,
    behind::BehindRecorder,
    external::External,
    lag::PollLag,
    load::LoadRecorder,
    recovery::RecoveryRecorder,
    series::{Bucket, Series},
    spending::Spending,
    switches::Switches,
    uniform::Uniform,
    waits::Waits,
    weigh::Weigh,
};
use crate::{
    audit::{Book, Class, Facts},
    fault::TargetPath,
    model::{EffectOutcome, Event, PollOutcome, Span, Time},
    record::{Attempt, Poll, Record},
    scenario::{ConsumerNo, Plan},
};

/// One consumer's counts.
#[derive(Debug)]
pub(super) struct Tally {
    pub(super) series: Series,
    pub(super) lag: PollLag,
    /// What its requests come to in a month.
    pub(super) spending: Spending,
    pub(super) ages: AgeRecorder,
    pub(super) behind: BehindRecorder,
    pub(super) load: LoadRecorder,
    pub(super) recovery: RecoveryRecorder,
    pub(super) classes: BTreeMap<Class, u64>,
    pub(super) useful: u64,
    pub(super) wasted: u64,
    pub(super) failed: u64,
    pub(super) empty: u64,
    pub(super) not_modified: u64,
    pub(super) attempts: u64,
    pub(super) acked: u64,
    pub(super) gave_up: u64,
    pub(super) open: u64,
    pub(super) receipts: u64,
    pub(super) by_push: ByPath,
    pub(super) by_poll: ByPath,
    pub(super) genuine_receipts: u64,
    pub(super) duplicates_received: u64,
    pub(super) duplicates_suppressed: u64,
    pub(super) due: u64,
    pub(super) gave_up_but_applied: u64,
    pub(super) rejected: u64,
    pub(super) switches: Switches,
    pub(super) waits: Waits,
    /// Page requests answered 429 by the provider's limit.
    pub(super) rate_limited: u64,
    /// Dead letters, or acked deliveries, that were sent again.
    pub(super) redelivered: u64,
    pub(super) bytes: Option<(u64, u64)>,
    /// HTTP requests that the provider's sockets carried.
    pub(super) carried: u64,
    /// Polls due within the window of arrivals.
    pub(super) window_polls: WindowPolls,
    /// Obligations with more than one effect.
    pub(super) applied_twice: u64,
    /// What its messages weigh, where no socket tells.
    pub(super) weigh: Option<Weigh>,
    /// Every age, where a condition asks for their distribution.
    pub(super) uniform: Option<Uniform>,
    /// Effects in somebody else's system.
    pub(super) external: External,
    /// Ages of what was applied itself, and not overtaken by a newer version.
    pub(super) applied_age: MeanAge,
    window_end: Time,
    /// Requests by whole second of the run.
    per_second: Vec<u64>,
}

impl Tally {
    /// `down` tells when the process that polls was dead or stopped.
    pub(super) fn new(plan: &Plan, consumer: ConsumerNo, end: Time, down: Vec<(Time, Time, bool)>) -> Tally {
        let clients = plan.consumers[usize::from(consumer)].clients;
        Tally {
            series: Series::new(end),
            lag: PollLag::new(clients, down),
            spending: Spending::new(plan.duration),
            ages: AgeRecorder::new(),
            behind: BehindRecorder::new(end),
            load: LoadRecorder::new(plan.duration),
            recovery: RecoveryRecorder::new(plan, consumer),
            classes: BTreeMap::new(),
            useful: 0,
            wasted: 0,
            failed: 0,
            carried: 0,
            empty: 0,
            not_modified: 0,
            attempts: 0,
            acked: 0,
            gave_up: 0,
            open: 0,
            receipts: 0,
            by_push: ByPath::default(),
            by_poll: ByPath::default(),
            genuine_receipts: 0,
            duplicates_received: 0,
            duplicates_suppressed: 0,
            due: 0,
            gave_up_but_applied: 0,
            rejected: 0,
            switches: Switches::default(),
            waits: Waits::default(),
            rate_limited: 0,
            redelivered: 0,
            bytes: None,
            window_polls: WindowPolls::default(),
            applied_twice: 0,
            weigh: Weigh::of(plan, consumer),
            uniform: Uniform::of(plan, consumer),
            external: External::new(),
            applied_age: MeanAge::default(),
            window_end: Time::ZERO + plan.duration,
            per_second: Vec::new(),
        }
    }

    /// Counts a record. `before` is what was known before it.
    pub(super) fn see(&mut self, record: &Record, before: &Book) {
        self.external.see(record, before);
        self.spending.see(record);
        self.weigh.iter_mut().for_each(|weigh| weigh.see(record));
        match record {
            Record::Attempt(attempt) => self.attempt(attempt, before),
            Record::Poll(poll) => self.poll(poll),
            Record::PollTally { second, after_window, empty, not_modified, lag_max, .. } => {
                self.poll_tally(*second, *after_window, u64::from(*empty), u64::from(*not_modified), *lag_max);
            }
            Record::Receipt { what, forged, by, at } => {
                self.receipts += 1;
                self.genuine_receipts += u64::from(!forged);
                let path = match by {
                    TargetPath::Webhook => &mut self.by_push,
                    TargetPath::Poll => &mut self.by_poll,
                };
                path.receipts += 1;
                if !forged && before.facts(*what).any(Facts::RECEIVED) {
                    path.duplicates += 1;
                    self.duplicates_received += 1;
                    self.series.at(*at).duplicates_received += 1;
                }
            }
            Record::Worked { outcome: EffectOutcome::Duplicate, .. } | Record::Suppressed { .. } => {
                self.duplicates_suppressed += 1;
            }
            Record::Effect(row) if !row.forged && !row.superseded && !before.facts(row.what).any(Facts::APPLIED) => {
                self.series.at(row.at).applied += 1;
            }
            Record::ExternalCall { what, at, effected: true, forged: false }
                if !before.facts(*what).any(Facts::APPLIED) =>
            {
                self.series.at(*at).applied += 1;
            }
            Record::Rejected { .. } => self.rejected += 1,
            Record::RateLimited { .. } => self.rate_limited += 1,
            Record::Redelivered { .. } => self.redelivered += 1,
            Record::EndpointDisabled { .. } | Record::EndpointEnabled { .. } => self.switches.see(record),
            Record::Bytes { up, down, requests, .. } => {
                self.carried += requests;
                let (up_before, down_before) = self.bytes.unwrap_or_default();
                self.bytes = Some((up_before + up, down_before + down));
            }
            _ => {}
        }
    }

    fn attempt(&mut self, attempt: &Attempt, before: &Book) {
        self.waits.see(attempt);
        let original = u64::from(attempt.copy == 0);
        self.attempts += original;
        let acked_before =
            before.facts(attempt.what).any(Facts::ACKED.with(Facts::ACKED_BEFORE).with(Facts::COPY_ACKED));
        let end = match (attempt.outcome.is_ack(), acked_before) {
            (true, false) => End::Useful,
            (true, true) => End::Wasted,
            (false, _) => End::Failed,
        };
        self.load.attempt(attempt, end == End::Useful);
        self.recovery.attempt(attempt);
        self.requests(attempt.sent, 1, end).attempts += original;
    }

    fn poll(&mut self, poll: &Poll) {
        self.lag.poll(poll);
        self.load.poll(poll);
        let n = u64::from(poll.requests);
        let end = match poll.outcome {
            PollOutcome::Events => End::Useful,
            PollOutcome::Empty | PollOutcome::NotModified => End::Wasted,
            _ => End::Failed,
        };
        match poll.outcome {
            PollOutcome::Empty => self.empty += n,
            PollOutcome::NotModified => self.not_modified += n,
            _ => {}
        }
        // A poll that fails does so at its last page; those before it have brought events.
        let pages = if end == End::Failed { n.saturating_sub(1) } else { 0 };
        self.requests(poll.sent, pages, End::Useful);
        self.requests(poll.sent, n - pages, end);
        if poll.intended < self.window_end {
            self.window_polls.made += 1;
            self.window_polls.requests += n;
            self.window_polls.useful += u64::from(end == End::Useful);
            self.window_polls.empty += u64::from(end == End::Wasted);
        }
    }

    fn poll_tally(&mut self, second: u32, after_window: bool, empty: u64, not_modified: u64, lag_max: Span) {
        let n = empty + not_modified;
        self.load.count_polls(n);
        self.lag.tally(second, n, lag_max);
        self.empty += empty;
        self.not_modified += not_modified;
        let at = Time::ZERO + Span::from_secs(u64::from(second));
        self.requests(at, n, End::Wasted);
        if !after_window {
            self.window_polls.made += n;
            self.window_polls.requests += n;
            self.window_polls.empty += n;
        }
    }

    fn requests(&mut self, at: Time, n: u64, end: End) -> &mut Bucket {
        let (useful, wasted, failed) = match end {
            End::Useful => (n, 0, 0),
            End::Wasted => (0, n, 0),
            End::Failed => (0, 0, n),
        };
        self.useful += useful;
        self.wasted += wasted;
        self.failed += failed;
        let second = (at.0 / Span::from_secs(1).0) as usize;
        if n > 0 && self.per_second.len() <= second {
            self.per_second.resize(second + 1, 0);
        }
        if let Some(requests) = self.per_second.get_mut(second) {
            *requests += n;
        }
        let bucket = self.series.at(at);
        bucket.requests += n;
        bucket.useful += useful;
        bucket.wasted += wasted;
        bucket
    }

    /// Counts what became of an obligation; `class` is `None` where nobody could observe it.
    pub(super) fn settle(&mut self, event: &Event, facts: Facts, class: Option<Class>, settled_at: Option<Time>) {
        self.due += 1;
        self.series.at(event.occurred_at).due += 1;
        self.acked += u64::from(facts.any(Facts::ACKED.with(Facts::ACKED_BEFORE)));
        self.gave_up += u64::from(facts.any(Facts::GAVE_UP));
        self.open += u64::from(facts.any(Facts::OPEN));
        self.gave_up_but_applied += u64::from(facts.all(Facts::GAVE_UP.with(Facts::APPLIED)));
        self.applied_twice += u64::from(facts.any(Facts::APPLIED_AGAIN));
        if let Some(class) = class {
            *self.classes.entry(class).or_default() += 1;
        }
        // A superseded event has reached its consumer: its subject stands at that version or later.
        match settled_at {
            Some(at) => {
                let age = at.since(event.occurred_at);
                self.ages.record(age);
                self.uniform.iter_mut().for_each(|uniform| uniform.take(age));
                if class == Some(Class::Applied) {
                    self.applied_age.take(age);
                }
            }
            None => {
                self.ages.censor();
                self.uniform.iter_mut().for_each(Uniform::censor);
            }
        }
        self.recovery.take(event.occurred_at, settled_at, class == Some(Class::Pending));
        if settled_at.is_some() || class == Some(Class::Pending) {
            self.behind.take(event.occurred_at, settled_at);
        }
    }

    /// Requests in the busiest whole second.
    pub(super) fn peak_per_s(&self) -> u64 {
        self.per_second.iter().copied().max().unwrap_or(0)
    }

    pub(super) fn class(&self, class: Class) -> u64 {
        self.classes.get(&class).copied().unwrap_or(0)
    }
}

/// A mean of spans, exact.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct MeanAge {
    count: u64,
    sum_ns: u128,
}

impl MeanAge {
    fn take(&mut self, age: Span) {
        self.count += 1;
        self.sum_ns += u128::from(age.0);
    }

    pub(super) fn mean_s(self) -> Option<f64> {
        (self.count > 0).then(|| self.sum_ns as f64 / 1e9 / self.count as f64)
    }
}

/// Polls due within the window of arrivals, by what they came to; the rest failed.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct WindowPolls {
    pub(super) made: u64,
    /// The requests that they took.
    pub(super) requests: u64,
    pub(super) useful: u64,
    pub(super) empty: u64,
}

/// What came by one path.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct ByPath {
    /// Times that an event was durably accepted.
    pub(super) receipts: u64,
    /// Of these, beyond the first per obligation, whichever path the first came by.
    pub(super) duplicates: u64,
}

/// How a request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Useful,
    Wasted,
    Failed,
}
