//! How the other side asks to be asked less: `Retry-After` (RFC 9110, section 10.2.3), which is seconds or
//! an HTTP date, and `x-poll-interval`, as GitHub sends it.

use std::time::{Duration, UNIX_EPOCH};

use crate::model::Span;

/// How long the other side asks us to wait, from `now_unix_s` on. `None` for what cannot be read.
#[must_use]
pub fn parse_retry_after(text: &str, now_unix_s: u64) -> Option<Span> {
    let text = text.trim();
    if let Ok(seconds) = text.parse::<u64>() {
        return Some(Span::from_secs(seconds));
    }
    let at = httpdate::parse_http_date(text).ok()?;
    let now = UNIX_EPOCH.checked_add(Duration::from_secs(now_unix_s))?;
    Some(Span::from_secs(at.duration_since(now).unwrap_or_default().as_secs()))
}

/// Reads the provider's wish for an interval: decimal seconds. `None` for what is none.
#[must_use]
pub fn parse_poll_interval(text: &str) -> Option<Span> {
    let seconds: f64 = text.trim().parse().ok()?;
    // Beyond a year it is no wish but a mistake.
    (0.0..3.2e7).contains(&seconds).then_some(Span((seconds * 1e9) as u64))
}

/// A span of a run's time as headers tell it: seconds of scenario time, rounded up, so that who waits as long
/// as told does not come too early. A plan's time may be a nanosecond off what was written: that is not
/// another second.
#[must_use]
pub fn scenario_seconds(span: Span, time_scale: f64) -> u64 {
    (span.as_secs_f64() * time_scale - 1e-6).ceil().max(0.0) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_and_dates_are_read_and_the_rest_is_not() {
        assert_eq!(parse_retry_after("120", 0), Some(Span::from_secs(120)));
        assert_eq!(parse_retry_after("Thu, 01 Jan 1970 00:01:00 GMT", 10), Some(Span::from_secs(50)));
        assert_eq!(parse_retry_after("Thu, 01 Jan 1970 00:01:00 GMT", 90), Some(Span::ZERO));
        for bad in ["", "-5", "soon", "1.5", "99999999999999999999"] {
            assert_eq!(parse_retry_after(bad, 0), None, "{bad}");
        }
    }

    #[test]
    fn seconds_of_scenario_time_are_rounded_up_and_a_nanosecond_is_not_one() {
        let told = |ns, time_scale| scenario_seconds(Span(ns), time_scale);
        assert_eq!([told(0, 1.0), told(1_000_000_000, 1.0), told(1_000_000_001, 1.0)], [0, 1, 1]);
        assert_eq!([told(1_000_001_001, 1.0), told(100_000_000, 60.0), told(101_000_000, 60.0)], [2, 6, 7]);
    }

    #[test]
    fn a_wish_for_an_interval_is_read_and_nonsense_is_none() {
        assert_eq!(parse_poll_interval("60"), Some(Span::from_secs(60)));
        assert_eq!(parse_poll_interval(" 0.25 "), Some(Span::from_millis(250)));
        for bad in ["", "-1", "NaN", "inf", "1e300", "soon"] {
            assert_eq!(parse_poll_interval(bad), None, "{bad}");
        }
    }
}
