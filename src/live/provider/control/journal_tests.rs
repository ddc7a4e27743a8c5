use super::*;
use crate::model::DisabledBy;

const ENDPOINT: EndpointId = EndpointId { consumer: 0, client: 3 };
const ALL: Filter = Filter { endpoint: None, state: None, limit: 100 };

fn event(seq: u32) -> Event {
    Event { seq, subject: 0, version: seq, occurred_at: Time(u64::from(seq)) }
}

fn what(seq: u32) -> Obligation {
    Obligation { consumer: 0, client: 3, seq }
}

fn attempt(seq: u32, number: u32, copy: u32, status: u16) -> Record {
    let (intended, sent, done) = (Time(1), Time(2), Time(3));
    let outcome = AttemptOutcome::Status(status);
    Record::Attempt(Attempt { what: what(seq), number, copy, intended, sent, done, outcome })
}

fn gave_up(seq: u32) -> Record {
    Record::GaveUp { what: what(seq), at: Time(4), attempts: 1, why: GiveUp::Exhausted }
}

fn journal(kept_max: usize, events: u32) -> Journal {
    let mut journal = Journal::new(kept_max);
    journal.join(ENDPOINT);
    (1..=events).for_each(|seq| journal.open(ENDPOINT, event(seq)));
    journal
}

fn states(journal: &Journal) -> Vec<(u32, &'static str, u32)> {
    journal.list(ALL).map(|(id, delivery)| (id.seq, delivery.state.name(), delivery.attempts)).collect()
}

/// Pending, delivered, failed, attempts.
fn counts(journal: &Journal) -> (u64, u64, u64, u64) {
    let Standing { pending, delivered, failed, attempts, .. } = journal.endpoint(ENDPOINT).unwrap();
    (pending, delivered, failed, attempts)
}

#[test]
fn a_delivery_passes_from_state_to_state_as_the_records_say() {
    let mut journal = journal(10, 3);
    assert_eq!((counts(&journal), states(&journal).len()), ((3, 0, 0, 0), 3));
    for record in
        [attempt(1, 1, 0, 500), attempt(2, 1, 0, 500), attempt(2, 2, 0, 204), attempt(3, 1, 0, 500), gave_up(3)]
    {
        journal.take(&record);
    }
    assert_eq!(states(&journal), [(3, "failed", 1), (2, "delivered", 2), (1, "retrying", 1)], "the newest first");
    assert_eq!(counts(&journal), (1, 1, 1, 4));
    let id = DeliveryId { endpoint: ENDPOINT, seq: 3 };
    assert_eq!(journal.delivery(id).unwrap().why_failed, Some(GiveUp::Exhausted));
    journal.take(&Record::Redelivered { what: what(3), at: Time(9), attempts: 1 });
    assert_eq!((counts(&journal), journal.delivery(id).unwrap().why_failed), ((2, 1, 0, 4), None));
    journal.take(&attempt(3, 2, 1, 200));
    assert_eq!(journal.delivery(id).unwrap().state, DeliveryState::Pending, "an acked copy ends nothing");
    journal.take(&attempt(3, 2, 0, 200));
    assert_eq!(counts(&journal), (1, 2, 0, 6));
    let failed = Filter { state: Some(DeliveryState::Failed), ..ALL };
    assert_eq!(journal.list(failed).count(), 0);
    assert_eq!(journal.list(Filter { limit: 2, ..ALL }).count(), 2);
    let elsewhere = Filter { endpoint: Some(EndpointId { client: 4, ..ENDPOINT }), ..ALL };
    assert_eq!(journal.list(elsewhere).count(), 0);
}

#[test]
fn the_oldest_deliveries_go_and_still_count() {
    let mut journal = journal(2, 5);
    assert_eq!(states(&journal), [(5, "pending", 0), (4, "pending", 0)]);
    journal.take(&attempt(1, 1, 0, 200));
    journal.take(&gave_up(2));
    assert_eq!(counts(&journal), (3, 1, 1, 1));
    journal.take(&Record::Redelivered { what: what(2), at: Time(9), attempts: 1 });
    assert_eq!(counts(&journal), (4, 1, 0, 1));
    assert_eq!((journal.deliveries.len(), journal.places.len()), (2, 2));
}

#[test]
fn an_endpoint_is_off_until_it_is_on() {
    let mut journal = journal(10, 0);
    let (consumer, client) = (0, 3);
    let why = DisabledBy::Failures(8);
    journal.take(&Record::EndpointDisabled { consumer, client, at: Time(1), until: Some(Time(9)), why });
    let standing = journal.endpoint(ENDPOINT).unwrap();
    assert_eq!((standing.enabled, standing.off_until), (false, Some(Time(9))));
    journal.forget();
    assert!(!journal.endpoint(ENDPOINT).unwrap().enabled, "to forget deliveries switches nothing");
    journal.take(&Record::EndpointEnabled { consumer, client, at: Time(9) });
    let standing = journal.endpoint(ENDPOINT).unwrap();
    assert_eq!((standing.enabled, standing.off_until), (true, None));
}

#[test]
fn what_is_gone_or_forgotten_leaves_nothing_behind() {
    let mut journal = journal(10, 4);
    journal.forget();
    journal.take(&attempt(4, 1, 0, 200));
    journal.take(&gave_up(3));
    assert_eq!((counts(&journal), states(&journal).len()), ((0, 0, 0, 0), 0));
    journal.open(ENDPOINT, event(5));
    journal.leave(ENDPOINT);
    journal.take(&attempt(5, 1, 0, 200));
    journal.open(ENDPOINT, event(6));
    assert_eq!((journal.endpoints().count(), journal.deliveries.len(), journal.places.len()), (0, 0, 0));
}
