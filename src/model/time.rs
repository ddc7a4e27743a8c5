//! Integer time. Every instant of a run is a [`Time`]: nanoseconds since the run's t0.

use std::ops::{Add, Sub};

use serde::{Deserialize, Serialize};

/// An instant: nanoseconds since t0, the start of the run.
///
/// Arithmetic saturates: a schedule that would pass the end of time (584 years) stays there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Time(pub u64);

/// A length of time in nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Span(pub u64);

/// A difference that may lie on either side, in nanoseconds: how far a clock is ahead.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Skew(pub i64);

impl Skew {
    /// A clock that is right.
    pub const ZERO: Skew = Skew(0);

    /// The same and further in the past.
    #[must_use]
    pub fn and_ago(self, age: Span) -> Skew {
        Skew(self.0.saturating_sub(i64::try_from(age.0).unwrap_or(i64::MAX)))
    }

    /// How far off, whichever side.
    #[must_use]
    pub fn size(self) -> Span {
        Span(self.0.unsigned_abs())
    }

    /// What a clock that is off by this says at `unix_s`, in whole seconds.
    #[must_use]
    pub fn seen_at(self, unix_s: u64) -> u64 {
        unix_s.saturating_add_signed(self.0.div_euclid(1_000_000_000))
    }
}

impl Add for Skew {
    type Output = Skew;
    fn add(self, other: Skew) -> Skew {
        Skew(self.0.saturating_add(other.0))
    }
}

impl Time {
    /// t0 itself.
    pub const ZERO: Time = Time(0);
    /// Later than everything.
    pub const MAX: Time = Time(u64::MAX);

    /// The time that has passed since `earlier`; zero where `earlier` is later.
    #[must_use]
    pub fn since(self, earlier: Time) -> Span {
        Span(self.0.saturating_sub(earlier.0))
    }

    /// Seconds since t0, for people and plots.
    #[must_use]
    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 / 1e9
    }
}

impl Span {
    /// No time at all.
    pub const ZERO: Span = Span(0);

    /// Whole seconds.
    #[must_use]
    pub const fn from_secs(secs: u64) -> Span {
        Span(secs.saturating_mul(1_000_000_000))
    }

    /// Whole microseconds.
    #[must_use]
    pub const fn from_micros(micros: u64) -> Span {
        Span(micros.saturating_mul(1_000))
    }

    /// Whole milliseconds.
    #[must_use]
    pub const fn from_millis(millis: u64) -> Span {
        Span(millis.saturating_mul(1_000_000))
    }

    /// Seconds, for people and plots.
    #[must_use]
    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 / 1e9
    }

    /// This span times `numerator / denominator`, in integers, saturating.
    /// A zero denominator counts as one.
    #[must_use]
    pub fn scaled(self, numerator: u64, denominator: u64) -> Span {
        let wide = u128::from(self.0) * u128::from(numerator) / u128::from(denominator.max(1));
        Span(u64::try_from(wide).unwrap_or(u64::MAX))
    }
}

impl From<Span> for std::time::Duration {
    fn from(span: Span) -> Self {
        std::time::Duration::from_nanos(span.0)
    }
}

impl Add<Span> for Time {
    type Output = Time;
    fn add(self, span: Span) -> Time {
        Time(self.0.saturating_add(span.0))
    }
}

impl Sub<Span> for Time {
    type Output = Time;
    fn sub(self, span: Span) -> Time {
        Time(self.0.saturating_sub(span.0))
    }
}

impl Add for Span {
    type Output = Span;
    fn add(self, other: Span) -> Span {
        Span(self.0.saturating_add(other.0))
    }
}

impl std::fmt::Display for Span {
    /// Three significant digits in the unit that suits: `250ms`, `1.50s`, `5.0min`, `75.6h`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let ns = self.0 as f64;
        let (value, unit) = match self.0 {
            0..1_000 => (ns, "ns"),
            1_000..1_000_000 => (ns / 1e3, "us"),
            1_000_000..1_000_000_000 => (ns / 1e6, "ms"),
            1_000_000_000..120_000_000_000 => (ns / 1e9, "s"),
            120_000_000_000..7_200_000_000_000 => (ns / 6e10, "min"),
            _ => (ns / 3.6e12, "h"),
        };
        let decimals = if value >= 100.0 || value.fract() == 0.0 {
            0
        } else if value >= 10.0 {
            1
        } else {
            2
        };
        write!(f, "{value:.decimals$}{unit}")
    }
}

/// Where t0 lies on the wall clock, so that a [`Time`] can be written into a header or a payload.
///
/// Signatures and payloads carry wall time; everything else in a run is a [`Time`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct WallClock {
    /// Nanoseconds of Unix time at t0.
    pub t0_unix_ns: u64,
}

impl WallClock {
    /// Unix time in nanoseconds at `at`.
    #[must_use]
    pub fn unix_ns(self, at: Time) -> u64 {
        self.t0_unix_ns.saturating_add(at.0)
    }

    /// Unix time in whole seconds at `at`: what a signature's timestamp carries.
    #[must_use]
    pub fn unix_secs(self, at: Time) -> u64 {
        self.unix_ns(at) / 1_000_000_000
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_print_in_the_unit_that_suits() {
        let shown: Vec<String> = [0, 1_500, 250_000_000, 1_500_000_000, 300_000_000_000, 272_105_000_000_000]
            .into_iter()
            .map(|ns| Span(ns).to_string())
            .collect();
        assert_eq!(shown, ["0ns", "1.50us", "250ms", "1.50s", "5min", "75.6h"]);
    }

    #[test]
    fn arithmetic_saturates_instead_of_wrapping() {
        assert_eq!(Time(5) - Span(9), Time::ZERO);
        assert_eq!(Time::MAX + Span(1), Time::MAX);
        assert_eq!(Span(u64::MAX).scaled(3, 2), Span(u64::MAX));
        assert_eq!(Span(10).scaled(3, 0), Span(30));
    }
}
