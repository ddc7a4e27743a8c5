//! Events that happened once, again: the instants and the subjects of a capture.
//!
//! The plan holds a table of them, a few bytes per event, so that the judge needs no other file.
//! What the events say stays in the captured file, of which the table knows the lines and the hash.

use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use super::{Arrival, Process, Schedule, to_any_subject};
use crate::model::{Span, Subject, Time};
use crate::rng::Draws;
use crate::wire::CaptureKeys;

/// A capture and its schedule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Replay {
    /// The captured file, as the scenario leads to it.
    pub file: String,
    /// SHA-256 of the file, in hex: the events that the table speaks of.
    pub sha256: String,
    /// Where an event of it keeps what.
    pub keys: CaptureKeys,
    /// The number of things that the capture is about; `None` where it does not say, and subjects are
    /// drawn.
    pub subjects: Option<u32>,
    /// From the first event to the last, in driver time.
    pub length: Span,
    /// Its events in the order of their instants.
    pub table: Table,
}

impl Process for Replay {
    const SUMMARY: &'static str = "captured events, at the instants at which they came";

    fn rate_per_sec(&self) -> f64 {
        self.table.events as f64 / self.length.max(Span(1)).as_secs_f64()
    }

    fn schedule(&self, subjects: u32, draws: Draws) -> Schedule<'_> {
        let rows = self.table.rows();
        if self.subjects.is_some() {
            return Box::new(rows.map(|row| Arrival { at: row.at, subject: row.subject }));
        }
        to_any_subject(rows.map(|row| row.at), subjects, draws)
    }
}

/// One captured event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// Its instant in driver time; the first event's is t0.
    pub at: Time,
    /// The number of what changed, from 0 in the order of appearance; 0 where nobody says.
    pub subject: Subject,
    /// Where its line begins in the file.
    pub start: u32,
    /// The length of its line.
    pub length: u32,
}

/// Rows in a few bytes each: differences as variable-length numbers, Base64 in JSON.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Table {
    bytes: Vec<u8>,
    events: u64,
    last: Option<Row>,
}

impl Table {
    /// Appends a row. Rows come in the order of their instants.
    pub fn push(&mut self, row: Row) {
        let last = self.last.unwrap_or(ORIGIN);
        put(&mut self.bytes, row.at.since(last.at).0);
        put(&mut self.bytes, u64::from(row.subject));
        // Mostly the next line, so mostly a small number; a capture may be out of order.
        let step = i64::from(row.start) - i64::from(last.start) - i64::from(last.length);
        put(&mut self.bytes, (step.unsigned_abs() << 1) | u64::from(step < 0));
        put(&mut self.bytes, u64::from(row.length));
        self.events += 1;
        self.last = Some(row);
    }

    /// The number of rows.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.events
    }

    /// Whether there is no row.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.events == 0
    }

    /// All rows in order.
    pub fn rows(&self) -> impl Iterator<Item = Row> + Send + '_ {
        let mut bytes = self.bytes.as_slice();
        let mut last = ORIGIN;
        std::iter::from_fn(move || {
            last = take_row(&mut bytes, last)?;
            Some(last)
        })
    }
}

/// What the first row's differences count from.
const ORIGIN: Row = Row { at: Time::ZERO, subject: 0, start: 0, length: 0 };

fn take_row(bytes: &mut &[u8], last: Row) -> Option<Row> {
    let at = last.at + Span(take(bytes)?);
    let subject = Subject::try_from(take(bytes)?).ok()?;
    let step = take(bytes)?;
    let step = i64::try_from(step >> 1).ok()? * if step & 1 == 1 { -1 } else { 1 };
    let start = u32::try_from(i64::from(last.start) + i64::from(last.length) + step).ok()?;
    let length = u32::try_from(take(bytes)?).ok()?;
    Some(Row { at, subject, start, length })
}

/// Seven bits per byte, the lowest first.
fn put(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

fn take(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

impl Serialize for Table {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD_NO_PAD.encode(&self.bytes))
    }
}

impl<'de> Deserialize<'de> for Table {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Table, D::Error> {
        let text = String::deserialize(deserializer)?;
        let mut table = Table { bytes: STANDARD_NO_PAD.decode(text).map_err(D::Error::custom)?, ..Table::default() };
        let mut rest = table.bytes.as_slice();
        while !rest.is_empty() {
            let row = take_row(&mut rest, table.last.unwrap_or(ORIGIN));
            table.last = Some(row.ok_or_else(|| D::Error::custom("a damaged table of captured events"))?);
            table.events += 1;
        }
        Ok(table)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn any_row() -> impl Strategy<Value = Row> {
        (any::<u32>(), any::<u32>(), 0u32..1 << 28, 0u32..1 << 20).prop_map(|(at, subject, start, length)| Row {
            at: Time(u64::from(at)),
            subject,
            start,
            length,
        })
    }

    proptest! {
        #[test]
        fn a_table_reads_back_from_json(mut rows in proptest::collection::vec(any_row(), 0..40)) {
            rows.sort_by_key(|row| row.at);
            let mut table = Table::default();
            rows.iter().for_each(|row| table.push(*row));
            prop_assert_eq!(table.rows().collect::<Vec<_>>(), rows);
            let restored: Table = serde_json::from_str(&serde_json::to_string(&table).unwrap()).unwrap();
            prop_assert_eq!(restored, table);
        }

        #[test]
        fn no_text_makes_the_reader_panic(text in "[A-Za-z0-9+/]{0,40}") {
            let _ = serde_json::from_value::<Table>(text.into());
        }
    }

    #[test]
    fn a_row_of_a_usual_capture_takes_a_few_bytes() {
        let mut table = Table::default();
        for i in 0..1_000u32 {
            let at = Time(u64::from(i) * 50_123_456);
            table.push(Row { at, subject: i % 100, start: i * 500, length: 499 });
        }
        assert!(table.bytes.len() < 9 * 1_000, "{}", table.bytes.len());
    }
}
