//! Emits the events of the workload, each at its scheduled instant.
//!
//! Open loop: nobody's slowness moves an event. A generator that wakes late emits everything that
//! is due, skips nothing, and its lag shows in the records.

use std::{collections::BTreeMap, sync::Arc};

use tokio::sync::{mpsc::UnboundedSender, watch};

use super::{context::Context, log::EventLog};
use crate::{
    model::{ClientNo, Event, Seq, Subject, Time, Version},
    record::Record,
    scenario::ConsumerNo,
    workload::Arrival,
};

/// Where deliveries go: one driver per endpoint.
pub(super) type Feeds = BTreeMap<(ConsumerNo, ClientNo), UnboundedSender<Event>>;

/// Events appended under one lock.
const BATCH_MAX: usize = 1_024;

/// Emits until the schedule is used up or `stop` turns true. Dropping the feeds, which it does
/// last, tells the drivers that nothing more will come.
pub(super) async fn emit_all(
    context: Arc<Context>,
    log: Arc<EventLog>,
    mut feeds: Feeds,
    mut stop: watch::Receiver<bool>,
) {
    let plan = &context.plan;
    let end = Time(plan.duration.0);
    let mut schedule = plan.workload.schedule(context.draws, end).peekable();
    let mut source = Source::default();
    let mut batch = Vec::new();
    while let Some(&Arrival { at, .. }) = schedule.peek() {
        log.expect(at);
        tokio::select! {
            biased;
            // An error means that the other end is gone, which is a stop as well.
            _ = stop.wait_for(|&stop| stop) => return,
            () = context.clock.sleep_until(at) => {}
        }
        let now = context.clock.now();
        while batch.len() < BATCH_MAX
            && let Some(arrival) = schedule.next_if(|arrival| arrival.at <= now)
        {
            batch.push(source.next(arrival));
        }
        publish(&context, &log, &mut feeds, &batch, now);
        batch.clear();
        // A generator far behind must not keep its thread from those who send what it emits.
        tokio::task::yield_now().await;
    }
    log.expect(Time::MAX);
    context.counts.emission_over();
}

/// Counts sequences and versions up.
#[derive(Default)]
struct Source {
    /// By subject; as long as the highest that has come.
    versions: Vec<Version>,
    last: Seq,
}

impl Source {
    fn next(&mut self, Arrival { at: occurred_at, subject }: Arrival) -> Event {
        self.last += 1;
        let index = subject as usize;
        if index >= self.versions.len() {
            self.versions.resize(index + 1, 0);
        }
        let version = &mut self.versions[index];
        *version += 1;
        Event { seq: self.last, subject, version: *version, occurred_at }
    }
}

/// Log and records first, then the endpoints: whoever hears of an event can look it up.
fn publish(context: &Context, log: &EventLog, feeds: &mut Feeds, events: &[Event], emitted_at: Time) {
    log.append(events);
    let deliveries = events.iter().map(|event| endpoints_of(context, event.subject).count() as u64).sum();
    context.counts.emitted(events.len() as u64, deliveries);
    for &event in events {
        context.records.put(Record::Emitted { event, emitted_at });
        for endpoint in endpoints_of(context, event.subject) {
            // A driver that has stopped has closed its books; the run is ending.
            let _ = feeds.get(&endpoint).map(|feed| feed.send(event));
        }
    }
}

fn endpoints_of(context: &Context, subject: Subject) -> impl Iterator<Item = (ConsumerNo, ClientNo)> {
    (0..)
        .zip(&context.plan.consumers)
        .filter(|(no, consumer)| context.serves(*no) && consumer.is_pushed())
        .flat_map(move |(no, consumer)| consumer.clients_of(subject).map(move |client| (no, client)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{live::provider::testing, model::Span, workload::Poisson};

    #[tokio::test]
    async fn every_scheduled_event_comes_once_in_order_however_late() {
        let mut plan = testing::plan(testing::webhook_consumer(3));
        plan.duration = Span::from_secs(2);
        plan.workload.arrivals = Poisson { count: 2_000, per: Span::from_secs(1) }.into();
        let (records, mut seen) = testing::records();
        // The clock says that the whole window has passed already.
        let context = testing::context_at(plan, records, Span::from_secs(10));
        let (feeds, mut fed) = testing::feeds(&context);
        let log = Arc::new(EventLog::default());
        let (_stop_tx, stop) = watch::channel(false);
        emit_all(Arc::clone(&context), log, feeds, stop).await;

        let schedule: Vec<Arrival> =
            context.plan.workload.schedule(context.draws, Time(context.plan.duration.0)).collect();
        let mut versions: BTreeMap<Subject, Version> = BTreeMap::new();
        for (i, &Arrival { at, subject }) in schedule.iter().enumerate() {
            let Ok(Record::Emitted { event, emitted_at }) = seen.try_recv() else { panic!("event {i} is missing") };
            let version = versions.entry(event.subject).or_insert(0);
            *version += 1;
            assert_eq!((event.seq as usize, event.subject), (i + 1, subject));
            assert_eq!((event.occurred_at, event.version), (at, *version));
            assert!(emitted_at >= at);
            assert_eq!(fed.get_mut(&(0, event.subject % 3)).unwrap().try_recv(), Ok(event));
        }
        assert!(seen.try_recv().is_err());
        let progress = context.counts.progress();
        assert_eq!((progress.emitted, progress.open), (schedule.len() as u64, schedule.len() as u64));
        assert!(progress.emission_over);
    }
}
