//! Times of signing: how they are written, and how far off they may be.

use crate::wire::captured::unix_ns_of_rfc3339;

use super::Refusal;

/// How a time is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeUnit {
    /// Unix seconds, in digits.
    Seconds,
    /// Unix milliseconds, in digits.
    Milliseconds,
    /// RFC 3339, with `Z` or an offset.
    Rfc3339,
}

impl TimeUnit {
    /// Every unit by its name in files.
    pub const TABLE: [(&'static str, TimeUnit); 3] =
        [("s", TimeUnit::Seconds), ("ms", TimeUnit::Milliseconds), ("rfc3339", TimeUnit::Rfc3339)];

    /// Unix milliseconds of a text, which must be the only way to write that time in digits: what is signed
    /// is then what is compared.
    pub(super) fn read(self, text: &str) -> Option<u64> {
        match self {
            TimeUnit::Seconds => canonical(text)?.checked_mul(1_000),
            TimeUnit::Milliseconds => canonical(text),
            TimeUnit::Rfc3339 => Some(unix_ns_of_rfc3339(text)? / 1_000_000),
        }
    }

    /// Writes a time.
    pub(super) fn write(self, unix_ms: u64) -> String {
        match self {
            TimeUnit::Seconds => (unix_ms / 1_000).to_string(),
            TimeUnit::Milliseconds => unix_ms.to_string(),
            TimeUnit::Rfc3339 => {
                let at = std::time::UNIX_EPOCH + std::time::Duration::from_millis(unix_ms);
                humantime::format_rfc3339_millis(at).to_string()
            }
        }
    }
}

/// Digits without a sign, a space or a leading zero.
fn canonical(text: &str) -> Option<u64> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits || text.len() > 1 && text.starts_with('0') { None } else { text.parse().ok() }
}

/// Which way a time may lie off no further than the tolerance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sides {
    /// Neither in the past nor in the future.
    Both,
    /// Not in the past; any time in the future will do.
    Past,
}

/// How far a time of signing may lie off; exactly so far is near enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tolerance {
    /// Milliseconds.
    pub ms: u64,
    /// Which way.
    pub sides: Sides,
}

impl Tolerance {
    /// Holds a time against the clock, in grains of the time's unit.
    pub(super) fn check(self, signed_ms: u64, now_ms: u64, unit: TimeUnit) -> Result<(), Refusal<'static>> {
        let now_ms = if unit == TimeUnit::Seconds { now_ms / 1_000 * 1_000 } else { now_ms };
        let (age, ahead) = (now_ms.saturating_sub(signed_ms), signed_ms.saturating_sub(now_ms));
        if age > self.ms {
            return Err(Refusal::TooOld { age_ms: age, allowed_ms: self.ms });
        }
        if self.sides == Sides::Both && ahead > self.ms {
            return Err(Refusal::InFuture { ahead_ms: ahead, allowed_ms: self.ms });
        }
        Ok(())
    }
}
