//! Emits the events of the workload, each at its scheduled instant, and those that are made by hand.
//!
//! Open loop: nobody's slowness moves an event. A generator that wakes late emits everything that
//! is due, skips nothing, and its lag shows in the records. It is the only one that writes to the log,
//! so the log is in the order of the events' instants, whoever made them.

use std::{collections::BTreeMap, sync::Arc};

use tokio::sync::{
    mpsc::{UnboundedReceiver, UnboundedSender},
    oneshot, watch,
};

use super::{agenda::Agenda, context::Context, log::EventLog};
use crate::{
    model::{ClientNo, Event, Subject, Time},
    record::Record,
    scenario::ConsumerNo,
    wire::{HandMade, control::EndpointId},
};

/// Where deliveries go: one driver per endpoint.
pub(super) type Feeds = BTreeMap<(ConsumerNo, ClientNo), UnboundedSender<Event>>;

/// Events appended under one lock.
const BATCH_MAX: usize = 1_024;

/// What somebody tells the generator while it runs.
pub(super) enum Told {
    /// Emit an event now.
    Emit(Wish),
    /// An endpoint was added by hand: it is fed whatever is emitted from here on.
    Join { client: ClientNo, feed: UnboundedSender<Event> },
    /// It is gone.
    Leave { client: ClientNo },
}

/// An event that is to be emitted by hand.
pub(super) struct Wish {
    pub subject: Subject,
    pub made: HandMade,
    /// Told once the event is in the log.
    pub emitted: oneshot::Sender<Event>,
}

/// Emits until the schedule is used up and nobody is left to tell anything, or `stop` turns true. Dropping
/// the feeds, which it does last, tells the drivers that nothing more will come.
pub(super) async fn emit_all(
    context: Arc<Context>,
    log: Arc<EventLog>,
    mut feeds: Feeds,
    mut told: UnboundedReceiver<Told>,
    mut stop: watch::Receiver<bool>,
) {
    let plan = &context.plan;
    let schedule = plan.workload.schedule(context.draws, Time(plan.duration.0));
    let mut agenda = Agenda::new(schedule);
    let (mut hearing, mut scheduling) = (true, true);
    let (mut batch, mut wishes) = (Vec::new(), Vec::new());
    loop {
        if scheduling && !agenda.has_scheduled() {
            scheduling = false;
            context.counts.emission_over();
        }
        let next = agenda.next_at();
        log.expect(next.unwrap_or(Time::MAX));
        if next.is_none() && !hearing {
            return;
        }
        tokio::select! {
            biased;
            // An error means that the other end is gone, which is a stop as well.
            _ = stop.wait_for(|&stop| stop) => return,
            said = told.recv(), if hearing => match said {
                Some(Told::Emit(wish)) => {
                    // First said, then stamped: nobody has seen all of this instant before the event is there.
                    log.expect(next.unwrap_or(Time::MAX).min(context.clock.now()));
                    agenda.wish(context.clock.now(), wish);
                }
                Some(Told::Join { client, feed }) => drop(feeds.insert((context.by_hand(), client), feed)),
                Some(Told::Leave { client }) => drop(feeds.remove(&(context.by_hand(), client))),
                None => hearing = false,
            },
            () = context.clock.sleep_until(next.unwrap_or(Time::MAX)), if next.is_some() => {}
        }
        let now = context.clock.now();
        while batch.len() < BATCH_MAX
            && let Some((event, wish)) = agenda.take_due(now)
        {
            batch.push(event);
            if let Some(Wish { made, emitted, .. }) = wish {
                context.contents.add(event.seq, made);
                wishes.push((emitted, event));
            }
        }
        publish(&context, &log, &feeds, &batch, now);
        batch.clear();
        for (emitted, event) in wishes.drain(..) {
            // Whoever has stopped waiting finds it in the log.
            let _ = emitted.send(event);
        }
        // A generator far behind must not keep its thread from those who send what it emits.
        tokio::task::yield_now().await;
    }
}

/// Log and records first, then the endpoints: whoever hears of an event can look it up.
fn publish(context: &Context, log: &EventLog, feeds: &Feeds, events: &[Event], emitted_at: Time) {
    if events.is_empty() {
        return;
    }
    log.append(events);
    let deliveries = events.iter().map(|event| fed(context, feeds, event.subject).count() as u64).sum();
    context.counts.emitted(events.len() as u64, deliveries);
    for &event in events {
        context.records.put(Record::Emitted { event, emitted_at });
        for ((consumer, client), feed) in fed(context, feeds, event.subject) {
            if let Some(watched) = &context.watched {
                watched.opened(EndpointId { consumer, client }, event);
            }
            // A driver that has stopped has closed its books; the run is ending.
            let _ = feed.send(event);
        }
    }
}

/// The endpoints that an event of `subject` goes to: the plan's clients that follow it, and all that were
/// added by hand.
fn fed<'a>(
    context: &'a Context,
    feeds: &'a Feeds,
    subject: Subject,
) -> impl Iterator<Item = ((ConsumerNo, ClientNo), &'a UnboundedSender<Event>)> {
    let planned = (0..)
        .zip(&context.plan.consumers)
        .filter(|(no, consumer)| context.serves(*no) && consumer.is_pushed())
        .flat_map(move |(no, consumer)| consumer.clients_of(subject).map(move |client| (no, client)))
        .filter_map(|endpoint| feeds.get_key_value(&endpoint));
    planned.chain(feeds.range((context.by_hand(), 0)..)).map(|(endpoint, feed)| (*endpoint, feed))
}

#[cfg(test)]
mod tests {
    use serde_json::value::RawValue;
    use tokio::sync::mpsc::unbounded_channel;

    use super::*;
    use crate::{
        live::provider::testing,
        model::{Span, Version},
        workload::{Arrival, Poisson},
    };

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
        let (_, told) = unbounded_channel();
        emit_all(Arc::clone(&context), log, feeds, told, stop).await;

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
    #[tokio::test]
    async fn an_event_made_by_hand_takes_its_turn_and_reaches_who_was_added_by_hand() {
        let mut plan = testing::plan(testing::webhook_consumer(3));
        plan.workload.arrivals = Poisson { count: 2_000, per: Span::from_secs(1) }.into();
        let (records, mut seen) = testing::records();
        let context = testing::context_at(plan, records, Span::from_secs(10));
        let (feeds, mut fed) = testing::feeds(&context);
        let (stop_tx, stop) = watch::channel(false);
        let (tell, told) = unbounded_channel();
        let log = Arc::new(EventLog::default());
        let generator = tokio::spawn(emit_all(Arc::clone(&context), Arc::clone(&log), feeds, told, stop));

        let (feed, mut added) = unbounded_channel();
        let (emitted, event) = oneshot::channel();
        let made = HandMade { event_type: "ping".to_owned(), data: RawValue::NULL.to_owned() };
        tell.send(Told::Join { client: 4, feed }).ok().unwrap();
        tell.send(Told::Emit(Wish { subject: 7, made, emitted })).ok().unwrap();
        let event = event.await.unwrap();
        let mut logged = Vec::new();
        while let Ok(Record::Emitted { event, .. }) = seen.try_recv() {
            logged.push(event);
        }
        assert!(logged.is_sorted_by_key(|event| event.occurred_at));
        assert_eq!(logged.last(), Some(&event), "what was due before it is out before it");
        assert_eq!(event.version as usize, logged.iter().filter(|other| other.subject == 7).count());
        let mut theirs = Vec::new();
        while theirs.last() != Some(&event) {
            theirs.push(added.recv().await.unwrap());
        }
        let own = fed.get_mut(&(0, 1)).unwrap();
        assert_eq!(std::iter::from_fn(|| own.try_recv().ok()).last(), Some(event));
        let mut body = Vec::new();
        context.render_event(&mut body, &event);
        assert!(body.starts_with(b"{\"type\":\"ping\""));

        tell.send(Told::Leave { client: 4 }).ok().unwrap();
        assert_eq!(added.recv().await, None, "its driver may end");
        stop_tx.send(true).unwrap();
        generator.await.unwrap();
    }
}
