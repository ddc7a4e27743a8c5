//! Durations and rates as people write them: `"250ms"`, `"1h 30min"`, `"5/s"`, `"40000/day"`.

use serde::{Deserialize, Deserializer, Serializer, de::Error as _};

use crate::model::{Skew, Span, Time};

/// A text that is no duration or rate, with what to write.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{problem}; {fix}")]
pub struct UnitError {
    /// What is wrong.
    pub problem: String,
    /// What to write.
    pub fix: String,
}

const UNITS: [(&str, u64); 7] = [
    ("ns", 1),
    ("us", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("min", 60_000_000_000),
    ("h", 3_600_000_000_000),
    ("d", 86_400_000_000_000),
];

/// Other spellings of the units.
const ALIASES: [(&str, &str); 13] = [
    ("µs", "us"),
    ("sec", "s"),
    ("second", "s"),
    ("seconds", "s"),
    ("m", "min"),
    ("minute", "min"),
    ("minutes", "min"),
    ("hour", "h"),
    ("hours", "h"),
    ("day", "d"),
    ("days", "d"),
    ("w", "week"),
    ("weeks", "week"),
];

fn unit_ns(unit: &str) -> Option<u64> {
    let unit = ALIASES.iter().find(|(alias, _)| *alias == unit).map_or(unit, |(_, name)| name);
    match unit {
        "week" => Some(7 * 86_400_000_000_000),
        _ => UNITS.iter().find(|(name, _)| *name == unit).map(|(_, ns)| *ns),
    }
}

/// Parses a duration: numbers with units, added up.
pub fn parse_span(text: &str) -> Result<Span, UnitError> {
    let bad = |problem: String| UnitError {
        problem,
        fix: "write a number and a unit: \"250ms\", \"60s\", \"5min\", \"1h 30min\", \"3d\"".to_owned(),
    };
    let mut rest = text.trim();
    if rest.is_empty() {
        return Err(bad("an empty duration".to_owned()));
    }
    let mut total = 0u128;
    while !rest.is_empty() {
        let number_len = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let (number, after) = rest.split_at(number_len);
        let after = after.trim_start();
        let unit_len = after.find(|c: char| !c.is_alphabetic()).unwrap_or(after.len());
        let (unit, after) = after.split_at(unit_len);
        if number.is_empty() {
            return Err(bad(format!("'{text}' is no duration")));
        }
        if unit.is_empty() && !(number.chars().all(|c| c == '0') && total == 0 && after.is_empty()) {
            return Err(bad(format!("'{text}' has no unit")));
        }
        let ns_per_unit = if unit.is_empty() {
            1
        } else {
            unit_ns(unit).ok_or_else(|| bad(format!("'{unit}' is no unit of time")))?
        };
        let count = decimal_times(number, ns_per_unit).ok_or_else(|| bad(format!("'{text}' is no duration")))?;
        total += count;
        rest = after.trim_start();
    }
    u64::try_from(total).map(Span).map_err(|_| bad(format!("'{text}' is longer than 584 years")))
}

/// `number` (decimal text) times `unit`, exactly, rounded down to whole nanoseconds.
fn decimal_times(number: &str, unit: u64) -> Option<u128> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() && fraction.is_empty() || fraction.contains('.') || whole.len() > 20 || fraction.len() > 18 {
        return None;
    }
    let parse = |digits: &str| if digits.is_empty() { Some(0u128) } else { digits.parse().ok() };
    let scale = 10u128.pow(fraction.len() as u32);
    Some(parse(whole)? * u128::from(unit) + parse(fraction)? * u128::from(unit) / scale)
}

/// Parses a rate: a count per unit of time. Returns (count, per).
///
/// A fraction becomes a longer unit: `0.5/s` is 1 per 2 s.
pub fn parse_rate(text: &str) -> Result<(u64, Span), UnitError> {
    let bad = |problem: String| UnitError {
        problem,
        fix: "write a count per unit of time: \"20/s\", \"90/min\", \"40000/day\"".to_owned(),
    };
    let (count, unit) = text.split_once('/').ok_or_else(|| bad(format!("'{text}' is no rate")))?;
    let unit_ns = unit_ns(unit.trim()).ok_or_else(|| bad(format!("'{}' is no unit of time", unit.trim())))?;
    let scaled = decimal_times(count.trim(), 1_000_000).ok_or_else(|| bad(format!("'{text}' is no rate")))?;
    if scaled == 0 {
        return Err(bad(format!("'{text}' is a rate of nothing")));
    }
    let divisor = gcd(scaled, 1_000_000);
    let count = u64::try_from(scaled / divisor).map_err(|_| bad(format!("'{text}' is too fast")))?;
    let per = u128::from(unit_ns) * (1_000_000 / divisor);
    Ok((count, Span(u64::try_from(per).map_err(|_| bad(format!("'{text}' is too slow")))?)))
}

fn gcd(a: u128, b: u128) -> u128 {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// The exact text of a span, which [`parse_span`] reads back. Nothing is "0s": it is a multiple of every
/// unit, and nobody writes "0d".
#[must_use]
pub fn span_to_text(span: Span) -> String {
    if span == Span::ZERO {
        return "0s".to_owned();
    }
    let (unit, ns) = UNITS.iter().rev().find(|(_, ns)| span.0.is_multiple_of(*ns)).unwrap_or(&UNITS[0]);
    format!("{}{unit}", span.0 / ns)
}

/// Serde for a [`Span`] written as text.
pub mod span_text {
    use super::*;

    /// Writes the exact text.
    pub fn serialize<S: Serializer>(span: &Span, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&span_to_text(*span))
    }

    /// Reads any duration.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Span, D::Error> {
        parse_span(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

/// Serde for an optional [`Span`] written as text.
pub mod span_text_opt {
    use super::*;

    /// Writes the exact text.
    pub fn serialize<S: Serializer>(span: &Option<Span>, serializer: S) -> Result<S::Ok, S::Error> {
        time_text_opt::serialize(&span.map(|span| Time(span.0)), serializer)
    }

    /// Reads any duration.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Span>, D::Error> {
        Ok(time_text_opt::deserialize(deserializer)?.map(|time| Span(time.0)))
    }
}

/// Serde for a [`Skew`] written as a duration, with a minus where a clock is behind.
pub mod skew_text {
    use super::*;

    /// Writes the exact text.
    pub fn serialize<S: Serializer>(skew: &Skew, serializer: S) -> Result<S::Ok, S::Error> {
        let sign = if skew.0 < 0 { "-" } else { "" };
        serializer.serialize_str(&format!("{sign}{}", span_to_text(skew.size())))
    }

    /// Reads any duration, either side.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Skew, D::Error> {
        let text = String::deserialize(deserializer)?;
        let (behind, size) = match text.trim().strip_prefix('-') {
            Some(size) => (true, size),
            None => (false, text.as_str()),
        };
        // The whole text is what the reader looks for.
        let whole = |error: UnitError| D::Error::custom(format!("'{text}' is no duration; {}", error.fix));
        let size = parse_span(size).map_err(whole)?;
        let ahead = i64::try_from(size.0).map_err(|_| D::Error::custom(format!("'{text}' is more than 292 years")))?;
        Ok(Skew(if behind { -ahead } else { ahead }))
    }
}

/// Serde for an optional instant, written as the duration since the start.
pub mod time_text_opt {
    use super::*;

    /// Writes the exact text.
    pub fn serialize<S: Serializer>(time: &Option<Time>, serializer: S) -> Result<S::Ok, S::Error> {
        match time {
            Some(time) => serializer.serialize_some(&span_to_text(Span(time.0))),
            None => serializer.serialize_none(),
        }
    }

    /// Reads any duration.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Time>, D::Error> {
        let text = Option::<String>::deserialize(deserializer)?;
        text.map(|text| parse_span(&text).map(|span| Time(span.0)).map_err(D::Error::custom)).transpose()
    }
}

/// Serde for a list of instants, written as durations since the start.
pub mod times_text {
    use super::*;

    /// Writes the exact texts.
    pub fn serialize<S: Serializer>(times: &[Time], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(times.iter().map(|time| span_to_text(Span(time.0))))
    }

    /// Reads any durations.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Time>, D::Error> {
        let texts = Vec::<String>::deserialize(deserializer)?;
        texts.iter().map(|text| parse_span(text).map(|span| Time(span.0)).map_err(D::Error::custom)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn durations_are_read_as_people_write_them() {
        let read = |text| parse_span(text).map(|span| span.0).ok();
        assert_eq!(read("250ms"), Some(250_000_000));
        assert_eq!(read("1h 30min"), Some(5_400_000_000_000));
        assert_eq!(read("1.5s"), Some(1_500_000_000));
        assert_eq!(read("5m"), read("5 minutes"));
        assert_eq!(read("0"), Some(0));
        assert_eq!(read("0s"), Some(0));
        for bad in ["", "60", "s", "5 parsecs", "-1s", "1..5s", "1e9s", "99999999999d", "1s 5"] {
            assert!(parse_span(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn rates_stay_exact() {
        assert_eq!(parse_rate("20/s"), Ok((20, Span::from_secs(1))));
        assert_eq!(parse_rate("0.5/s"), Ok((1, Span::from_secs(2))));
        assert_eq!(parse_rate("40000/day"), Ok((40_000, Span::from_secs(86_400))));
        for bad in ["", "20", "20/parsec", "0/s", "-3/s", "/s", "fast/s"] {
            assert!(parse_rate(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_span_is_written_in_its_largest_whole_unit_and_nothing_in_seconds() {
        let written = |ns| span_to_text(Span(ns));
        assert_eq!([0, 1, 1_500_000_000, 60_000_000_000].map(written), ["0s", "1ns", "1500ms", "1min"]);
    }

    proptest! {
        #[test]
        fn a_span_reads_back_from_its_own_text(ns: u64) {
            prop_assert_eq!(parse_span(&span_to_text(Span(ns))), Ok(Span(ns)));
        }

        #[test]
        fn no_text_makes_the_parsers_panic(text in "\\PC{0,20}") {
            let _ = (parse_span(&text), parse_rate(&text));
        }
    }
}
