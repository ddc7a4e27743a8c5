//! Events that somebody makes by hand, of any type and content.

use serde_json::value::RawValue;

use crate::model::{Event, EventId, WallClock};

/// What a hand-made event says.
#[derive(Debug, Clone)]
pub struct HandMade {
    /// Its type: letters, digits, dots, dashes, underscores.
    pub event_type: String,
    /// Its content, the bytes as they came.
    pub data: Box<RawValue>,
}

impl HandMade {
    /// Bytes that it takes to keep.
    #[must_use]
    pub fn size(&self) -> usize {
        self.event_type.len() + self.data.get().len()
    }
}

/// Appends the event's JSON to `out`, in the shape of every other event of the provider.
pub fn render_hand_made(out: &mut Vec<u8>, made: &HandMade, id: EventId, event: &Event, wall: WallClock) {
    use std::io::Write;

    let created = super::body::created(event, wall);
    let Event { seq, subject, version, .. } = *event;
    let HandMade { event_type, data } = made;
    // Writing into a Vec cannot fail.
    let _ = write!(
        out,
        "{{\"type\":\"{event_type}\",\"id\":\"{id}\",\"timestamp\":\"{created}\",\"sequence\":{seq},\
         \"subject\":{subject},\"version\":{version},\"data\":{data}}}"
    );
}

/// Whether a text will do as an event's type, which stands in JSON as it is.
#[must_use]
pub fn is_event_type(text: &str) -> bool {
    const LENGTH_MAX: usize = 128;
    let plain = text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b));
    (1..=LENGTH_MAX).contains(&text.len()) && plain
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::{RunId, Time},
        wire::EventBody,
    };

    #[test]
    fn an_event_made_by_hand_reads_back_and_keeps_its_content_byte_for_byte() {
        let data = r#"{"amount": 1.10, "note":"\u00e9\""}"#;
        let data = RawValue::from_string(data.to_owned()).unwrap();
        let made = HandMade { event_type: "invoice.paid".to_owned(), data };
        let event = Event { seq: 7, subject: 3, version: 2, occurred_at: Time(1_500_000_000) };
        let (id, wall) = (EventId::genuine(RunId::from_bits(1), 7), WallClock { t0_unix_ns: 0 });
        let mut out = b"[".to_vec();
        render_hand_made(&mut out, &made, id, &event, wall);
        let body = EventBody::parse(&out[1..]).unwrap();
        assert_eq!((body.id.as_ref(), body.subject, body.version), (id.to_string().as_str(), 3, 2));
        let text = String::from_utf8(out).unwrap();
        assert!(text.contains("\"type\":\"invoice.paid\"") && text.ends_with(&format!("\"data\":{}}}", made.data)));
        assert!(text.contains("\"timestamp\":\"1970-01-01T00:00:01.500000000Z\""));
    }

    #[test]
    fn a_type_is_plain_text() {
        assert!(is_event_type("order.updated") && is_event_type("a"));
        for bad in ["", "two words", "a\"b", "é", "a\n", &"x".repeat(129)] {
            assert!(!is_event_type(bad), "{bad}");
        }
    }
}
