//! Numbers and times as people read them.

use crate::{measure::Unit, scenario::Mode};

/// What is shown for what nobody observed.
pub(super) const NOT_OBSERVED: &str = "not observed";

/// 1234567 as "1,234,567".
pub(super) fn count(value: u64) -> String {
    let digits = value.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

pub(super) fn maybe_count(value: Option<u64>) -> String {
    value.map_or_else(|| NOT_OBSERVED.to_owned(), count)
}

/// Significant digits that a reader takes in at a glance.
const FEW: i32 = 3;
/// Significant digits where it matters how near a figure is to another.
pub(super) const MORE: i32 = 5;

/// Seconds with three significant digits in the unit that suits.
#[must_use]
pub fn seconds(value: f64) -> String {
    seconds_to(FEW, value)
}

fn seconds_to(significant: i32, value: f64) -> String {
    if value == 0.0 {
        return "0 s".to_owned();
    }
    let (per_second, unit) = time_unit(value);
    format!("{} {unit}", digits_to(significant, value * per_second))
}

/// Seconds in the unit that suits another figure, so that a reader sees which is more.
pub(super) fn seconds_beside(value: f64, other: f64) -> String {
    let (per_second, unit) = if other == 0.0 { time_unit(value) } else { time_unit(other) };
    format!("{} {unit}", digits(value * per_second))
}

/// A factor and the unit that suits so many seconds.
fn time_unit(seconds: f64) -> (f64, &'static str) {
    match seconds.abs() {
        s if s < 1e-3 => (1e6, "µs"),
        s if s < 1.0 => (1e3, "ms"),
        s if s < 120.0 => (1.0, "s"),
        s if s < 7_200.0 => (1.0 / 60.0, "min"),
        s if s < 172_800.0 => (1.0 / 3_600.0, "h"),
        _ => (1.0 / 86_400.0, "d"),
    }
}

/// Three significant digits, without an exponent for everyday sizes; thousands are told apart.
pub(super) fn digits(value: f64) -> String {
    digits_to(FEW, value)
}

/// So many significant digits, and all of those before the point.
pub(super) fn digits_to(significant: i32, value: f64) -> String {
    let size = value.abs();
    if size == 0.0 || !size.is_finite() {
        // Nothing has no sign.
        return format!("{}", value + 0.0);
    }
    let decimals = (significant - 1 - size.log10().floor() as i32).clamp(0, 9) as usize;
    let text = format!("{value:.decimals$}");
    let short = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    match short.strip_prefix('-').unwrap_or(short).parse::<u64>() {
        Ok(whole) if whole >= 1_000 => format!("{}{}", if value < 0.0 { "-" } else { "" }, count(whole)),
        _ => short.to_owned(),
    }
}

/// Bytes in decimal units.
pub(super) fn bytes(value: u64) -> String {
    match value {
        0..1_000 => format!("{value} B"),
        1_000..1_000_000 => format!("{} kB", digits(value as f64 / 1e3)),
        1_000_000..1_000_000_000 => format!("{} MB", digits(value as f64 / 1e6)),
        _ => format!("{} GB", digits(value as f64 / 1e9)),
    }
}

/// An amount of money, with the sign that it is known by.
pub(super) fn money(value: f64, currency: &str) -> String {
    const SIGNS: [(&str, &str); 3] = [("USD", "$"), ("EUR", "€"), ("GBP", "£")];
    match SIGNS.iter().find(|(code, _)| *code == currency) {
        Some((_, sign)) => format!("{sign}{}", digits(value)),
        None => format!("{} {currency}", digits(value)),
    }
}

/// A share as a percentage.
pub(super) fn percent(share: f64) -> String {
    format!("{} %", digits(share * 100.0))
}

/// A quantity in its unit.
pub(super) fn in_unit(value: f64, unit: Unit) -> String {
    in_unit_to(FEW, value, unit)
}

/// A quantity in its unit, with so many significant digits.
pub(super) fn in_unit_to(significant: i32, value: f64, unit: Unit) -> String {
    let digits = |value| digits_to(significant, value);
    match unit {
        Unit::Count if value.fract() == 0.0 && value >= 0.0 => count(value as u64),
        Unit::Count | Unit::Money => digits(value),
        Unit::Seconds => seconds_to(significant, value),
        Unit::Bytes => bytes(value.max(0.0) as u64),
        Unit::Share => format!("{} %", digits(value * 100.0)),
        Unit::Rate => format!("{}/s", digits(value)),
    }
}

/// Whether two figures differ by no more than a reader would call the same.
pub(super) fn alike(a: f64, b: f64) -> bool {
    (a - b).abs() <= 0.05 * a.abs().max(b.abs())
}

/// "1 event", "2 events".
#[must_use]
pub fn plural(n: u64, noun: &str) -> String {
    format!("{} {noun}{}", count(n), if n == 1 { "" } else { "s" })
}

pub(super) fn mode(mode: Mode) -> &'static str {
    match mode {
        Mode::Live => "live",
        Mode::Virtual => "virtual",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!([0, 999, 1_000, 1_234_567].map(count), ["0", "999", "1,000", "1,234,567"]);
        let shown = [0.0, 0.000_012_3, 0.0052, 1.0, 59.96, 300.0, 9_000.0, 272_105.0].map(seconds);
        assert_eq!(shown, ["0 s", "12.3 µs", "5.2 ms", "1 s", "60 s", "5 min", "2.5 h", "3.15 d"]);
        assert_eq!((seconds_beside(193.0, 69.4), seconds_beside(0.2, 0.0)), ("193 s".into(), "200 ms".into()));
        assert_eq!([12, 1_500, 2_000_000].map(bytes), ["12 B", "1.5 kB", "2 MB"]);
        assert!(alike(1.0, 1.04) && alike(0.0, 0.0) && !alike(1.0, 1.1) && !alike(0.0, 0.1));
        assert_eq!((percent(0.0512), digits(1203.4), digits(0.0)), ("5.12 %".into(), "1,203".into(), "0".into()));
        assert_eq!([999.6, -1203.4, -3.5, -0.0].map(digits), ["1,000", "-1,203", "-3.5", "0"]);
        assert_eq!([10.001, 0.50014].map(|value| digits_to(MORE, value)), ["10.001", "0.50014"]);
    }
}
