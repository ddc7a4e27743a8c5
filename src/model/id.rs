//! Run ids and event ids.
//!
//! An event's id is a function of (run id, sequence) and can be read back, so records carry the
//! 4-byte sequence and never the text. Ids of one run sort in emission order, which keeps a unique
//! index append-mostly (random ids halve SQLite's insert rate).

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use super::Seq;

/// Names one run: 12 lowercase hex digits. Fresh in live runs, fixed in virtual ones, settable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RunId(u64);

impl RunId {
    const BITS: u32 = 48;
    /// The run of examples.
    pub const SAMPLE: RunId = RunId(0x00c0_ffee_0001);

    /// A run id from the low 48 bits of `bits`.
    #[must_use]
    pub fn from_bits(bits: u64) -> RunId {
        RunId(bits & ((1 << Self::BITS) - 1))
    }

    /// The 48 bits.
    #[must_use]
    pub fn bits(self) -> u64 {
        self.0
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:012x}", self.0)
    }
}

impl FromStr for RunId {
    type Err = IdError;
    fn from_str(text: &str) -> Result<RunId, IdError> {
        let well_formed = text.len() == 12 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        if !well_formed {
            return Err(IdError::RunId(text.chars().take(40).collect()));
        }
        Ok(RunId(u64::from_str_radix(text, 16).map_err(|_| IdError::RunId(text.to_owned()))?))
    }
}

impl Serialize for RunId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for RunId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<RunId, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// The id of an event on the wire: `evt_<run id>_<sequence>`, or with an `f` before the number for
/// an event that an attacker made up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventId {
    /// The run that emitted it.
    pub run_id: RunId,
    /// Its sequence, from 1.
    pub seq: Seq,
    /// True for an id that no provider ever emitted: the forge fault's.
    pub forged: bool,
}

impl EventId {
    /// The id of a genuine event.
    #[must_use]
    pub fn genuine(run_id: RunId, seq: Seq) -> EventId {
        EventId { run_id, seq, forged: false }
    }

    /// An id that the provider never gave out, made up beside event `seq`.
    #[must_use]
    pub fn forged(run_id: RunId, seq: Seq) -> EventId {
        EventId { run_id, seq, forged: true }
    }
}

/// An event id as text, on the stack: a sender writes millions of them.
#[derive(Debug, Clone, Copy)]
pub struct EventIdText {
    bytes: [u8; EventIdText::BYTES_MAX],
    length: usize,
}

impl EventIdText {
    const BYTES_MAX: usize = "evt_00c0ffee0001_f0000000009".len();

    fn push(&mut self, bytes: &[u8]) {
        self.bytes[self.length..self.length + bytes.len()].copy_from_slice(bytes);
        self.length += bytes.len();
    }
}

impl std::ops::Deref for EventIdText {
    type Target = str;
    fn deref(&self) -> &str {
        std::str::from_utf8(&self.bytes[..self.length]).expect("ids are ASCII")
    }
}

impl EventId {
    /// The id as it is written on the wire.
    #[must_use]
    pub fn text(self) -> EventIdText {
        let mut text = EventIdText { bytes: [0; EventIdText::BYTES_MAX], length: 0 };
        text.push(b"evt_");
        let nibble = |place: u32| b"0123456789abcdef"[(self.run_id.0 >> (4 * place)) as usize & 0xf];
        text.push(&std::array::from_fn::<u8, 12, _>(|i| nibble(11 - i as u32)));
        text.push(if self.forged { b"_f" } else { b"_" });
        let digit = |place: u32| b'0' + (self.seq / 10u32.pow(place) % 10) as u8;
        text.push(&std::array::from_fn::<u8, 10, _>(|i| digit(9 - i as u32)));
        text
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text())
    }
}

impl FromStr for EventId {
    type Err = IdError;
    fn from_str(text: &str) -> Result<EventId, IdError> {
        let bad = || IdError::EventId(text.chars().take(80).collect());
        let rest = text.strip_prefix("evt_").ok_or_else(bad)?;
        let (run_id, number) = rest.split_once('_').ok_or_else(bad)?;
        let (forged, digits) = match number.strip_prefix('f') {
            Some(digits) => (true, digits),
            None => (false, number),
        };
        if digits.len() != 10 || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return Err(bad());
        }
        Ok(EventId { run_id: run_id.parse()?, seq: digits.parse().map_err(|_| bad())?, forged })
    }
}

/// A text that is no id of ours.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// Not 12 lowercase hex digits.
    #[error("'{0}' is not a run id: 12 lowercase hex digits, such as 00c0ffee0001")]
    RunId(String),
    /// Not `evt_<run id>_<ten digits>`.
    #[error("'{0}' is not an event id of a pushpull provider (evt_<run id>_<ten digits>)")]
    EventId(String),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_read_back_and_sort_in_emission_order() {
        let run_id = RunId::from_bits(0x00c0_ffee_0001);
        let (a, b) = (EventId::genuine(run_id, 9), EventId::genuine(run_id, 10));
        assert_eq!(a.to_string(), "evt_00c0ffee0001_0000000009");
        assert!(a.to_string() < b.to_string());
        assert_eq!(a.to_string().parse(), Ok(a));
        let forged = EventId::forged(run_id, 9);
        assert_eq!(forged.to_string(), "evt_00c0ffee0001_f0000000009");
        assert_eq!(forged.to_string().parse(), Ok(forged));
        let highest = EventId::forged(RunId::from_bits(u64::MAX), Seq::MAX);
        assert_eq!(highest.to_string(), "evt_ffffffffffff_f4294967295");
    }

    #[test]
    fn foreign_texts_are_refused() {
        for text in
            ["", "evt_", "evt_00c0ffee0001_9", "evt_00C0FFEE0001_0000000009", "evt_00c0ffee0001_9999999999", "é"]
        {
            assert!(text.parse::<EventId>().is_err(), "{text}");
        }
    }
}
