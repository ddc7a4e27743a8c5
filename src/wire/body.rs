//! The JSON of one event, as a webhook body and as an entry of a page.
//!
//! Written by hand into a buffer: the content is ours and needs no escaping, and the padding makes a
//! size exact. Two things in it are legal JSON that a parser does not give back byte for byte: the
//! amount keeps a trailing zero, and the key order is not alphabetical. A receiver that verifies
//! re-serialised JSON refuses such a body; the bytes that were signed are these.

use serde::Deserialize;

use crate::model::{Event, EventId, Subject, Version, WallClock};
use crate::rng::{Draws, Purpose};
use crate::workload::Payload;

/// What a consumer reads of an event's JSON, borrowed where it can be.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct EventBody<'a> {
    /// The event's id.
    #[serde(borrow)]
    pub id: std::borrow::Cow<'a, str>,
    /// The number of what changed.
    pub subject: Subject,
    /// To which version.
    pub version: Version,
}

/// A body that is no event of ours.
#[derive(Debug, thiserror::Error)]
#[error("the body is no event: {0}")]
pub struct BodyError(#[from] serde_json::Error);

impl<'a> EventBody<'a> {
    /// Reads the fields a consumer needs; the rest is skipped, not built.
    pub fn parse(bytes: &'a [u8]) -> Result<EventBody<'a>, BodyError> {
        Ok(serde_json::from_slice(bytes)?)
    }
}

/// Appends the event's JSON to `out`: the same bytes whenever it is asked for.
pub fn render_event(out: &mut Vec<u8>, payload: &Payload, id: EventId, event: &Event, wall: WallClock, draws: Draws) {
    let bits = draws.bits(Purpose::Payload, 0, u64::from(event.seq));
    let amount_cents = bits % 100_000;
    render(out, payload, &id.text(), event, amount_cents, wall);
}

/// An event that never happened, as an attacker would write it: well-formed, for a large amount.
#[must_use]
pub fn forged_event_json(payload: &Payload, id: EventId, beside: &Event, wall: WallClock) -> Vec<u8> {
    let mut out = Vec::new();
    render(&mut out, payload, &id.text(), beside, 9_999_990, wall);
    out
}

fn render(out: &mut Vec<u8>, payload: &Payload, id: &str, event: &Event, amount_cents: u64, wall: WallClock) {
    use std::io::Write;

    let start = out.len();
    let created = created(event, wall);
    let Event { seq, subject, version, .. } = *event;
    let kind = &payload.event_type;
    let (whole, cents) = (amount_cents / 100, amount_cents / 10 % 10);
    // Writing into a Vec cannot fail.
    let _ = write!(
        out,
        "{{\"type\":\"{kind}\",\"id\":\"{id}\",\"timestamp\":\"{created}\",\"sequence\":{seq},\"subject\":{subject},\
         \"version\":{version},\"data\":{{\"amount\":{whole}.{cents}0,\"note\":\""
    );
    let tail = b"\"}}";
    let padding = (payload.bytes as usize).saturating_sub(out.len() - start + tail.len());
    out.resize(out.len() + padding, b'.');
    out.extend_from_slice(tail);
}

/// The event's instant as its body tells it.
pub(super) fn created(event: &Event, wall: WallClock) -> humantime::Rfc3339Timestamp {
    let since_epoch = std::time::Duration::from_nanos(wall.unix_ns(event.occurred_at));
    humantime::format_rfc3339_nanos(std::time::UNIX_EPOCH + since_epoch)
}

/// Parses and writes the JSON again, as a wrong receiver does before it verifies.
pub fn reserialise(body: &[u8]) -> Result<Vec<u8>, BodyError> {
    let value: serde_json::Value = serde_json::from_slice(body)?;
    Ok(serde_json::to_vec(&value)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{RunId, Time};

    fn sample(bytes: u32) -> Vec<u8> {
        let payload = Payload { event_type: "order.updated".to_owned(), bytes };
        let event = Event { seq: 7, subject: 3, version: 2, occurred_at: Time(1_500_000_000) };
        let id = EventId::genuine(RunId::from_bits(1), 7);
        let mut out = Vec::new();
        render_event(
            &mut out,
            &payload,
            id,
            &event,
            WallClock { t0_unix_ns: 1_760_000_000_000_000_000 },
            Draws::new(1),
        );
        out
    }

    #[test]
    fn an_event_reads_back_and_has_the_size_asked_for() {
        let body = sample(1024);
        assert_eq!(body.len(), 1024);
        let read = EventBody::parse(&body).unwrap();
        assert_eq!((read.id.as_ref(), read.subject, read.version), ("evt_000000000001_0000000007", 3, 2));
        assert!(String::from_utf8(sample(0)).unwrap().contains("\"timestamp\":\"2025-10-09T08:53:21.500000000Z\""));
    }

    #[test]
    fn re_serialising_changes_the_bytes() {
        let body = sample(300);
        assert_ne!(reserialise(&body).unwrap(), body);
    }
}
