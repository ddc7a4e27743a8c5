//! Where records come from, and whom a record is about.

use crate::{
    record::{Obligation, ReadError, ReadStats, Record, Role},
    scenario::ConsumerNo,
};

/// Replays all records of a run into a callback, the same ones in the same order each time it is
/// called: the judge reads more than once rather than remember.
pub type Source<'a> = dyn Fn(&mut dyn FnMut(Record)) -> Result<ReadStats, ReadError> + 'a;

/// The obligation that a record is about, if it is about one.
#[must_use]
pub fn obligation_of(record: &Record) -> Option<Obligation> {
    match record {
        Record::Attempt(attempt) => Some(attempt.what),
        Record::Effect(row) => Some(row.what),
        Record::Attack { consumer, client, seq, .. } => {
            Some(Obligation { consumer: *consumer, client: *client, seq: *seq })
        }
        Record::GaveUp { what, .. }
        | Record::Redelivered { what, .. }
        | Record::Open { what, .. }
        | Record::Receipt { what, .. }
        | Record::Worked { what, .. }
        | Record::Suppressed { what, .. }
        | Record::Called { what, .. }
        | Record::CallLimited { what, .. }
        | Record::ExternalCall { what, .. }
        | Record::Outgoing { what, .. }
        | Record::Queued { what, .. }
        | Record::DeadLetter { what, .. } => Some(*what),
        _ => None,
    }
}

/// The consumer that a record is about, if it is about one.
#[must_use]
pub fn consumer_of(record: &Record) -> Option<ConsumerNo> {
    match record {
        Record::FaultHit { consumer, .. }
        | Record::EndpointDisabled { consumer, .. }
        | Record::EndpointEnabled { consumer, .. }
        | Record::RateLimited { consumer, .. }
        | Record::Bytes { consumer, .. }
        | Record::Rejected { consumer, .. }
        | Record::PollTally { consumer, .. }
        | Record::Cursor { consumer, .. } => Some(*consumer),
        Record::Poll(poll) => Some(poll.consumer),
        Record::Process { role, .. } | Record::Usage { role, .. } => match role {
            Role::Receiver(consumer) | Role::Poller(consumer) => Some(*consumer),
            Role::Orchestrator | Role::Provider(_) => None,
        },
        other => obligation_of(other).map(|what| what.consumer),
    }
}
