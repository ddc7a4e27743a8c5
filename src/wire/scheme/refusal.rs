//! Why a request was refused.

use super::HeaderNames;

/// Why a request was refused, exactly enough to act upon. For the operator: whoever sent it is told 401 and
/// nothing else. Names headers, never what was in them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal<'s> {
    /// A header is not there.
    #[error("the header {header} is missing")]
    HeaderMissing {
        /// Which, by all its names.
        header: &'s HeaderNames,
    },
    /// A header is there more than once: which one was signed cannot be told.
    #[error("the header {header} is there more than once")]
    HeaderTwice {
        /// Which.
        header: &'s str,
    },
    /// A header has nothing in it.
    #[error("the header {header} is empty")]
    HeaderEmpty {
        /// Which.
        header: &'s str,
    },
    /// A header is longer than any that is genuine.
    #[error("the header {header} has {bytes} bytes; {max} are read")]
    HeaderTooLong {
        /// Which.
        header: &'s str,
        /// How long it is.
        bytes: usize,
        /// How long it may be.
        max: usize,
    },
    /// A header has bytes that are not printable ASCII.
    #[error("the header {header} is not printable ASCII")]
    HeaderNotAscii {
        /// Which.
        header: &'s str,
    },
    /// More entries than a rotation needs.
    #[error("the header {header} has more than {max} entries")]
    TooManyEntries {
        /// Which header.
        header: &'s str,
        /// How many are read.
        max: usize,
    },
    /// No entry of the header is a signature of a kind that is accepted under these keys.
    #[error("the header {header} has no entry that begins with \"{entry}\"")]
    NoKnownEntry {
        /// Which header.
        header: &'s str,
        /// What an entry would begin with.
        entry: &'s str,
    },
    /// There are entries of the right kind, and none is a whole signature in the right encoding.
    #[error("no signature in the header {header} is written as {wanted}")]
    MalformedSignature {
        /// Which header.
        header: &'s str,
        /// How it should be written.
        wanted: &'static str,
    },
    /// There is no entry for the time.
    #[error("the header {header} has no entry that begins with \"{entry}\"")]
    TimestampMissing {
        /// Which header.
        header: &'s str,
        /// What the entry would begin with.
        entry: &'s str,
    },
    /// There is more than one time.
    #[error("the header {header} has two timestamps")]
    TimestampTwice {
        /// Which header.
        header: &'s str,
    },
    /// The time is not written as it should be.
    #[error("the timestamp is not {wanted}")]
    TimestampMalformed {
        /// How it should be written.
        wanted: &'static str,
    },
    /// The body is no JSON, or has no text or number there.
    #[error("the body is no JSON with a text or a number at {pointer}")]
    NotInBody {
        /// Where.
        pointer: &'s str,
    },
    /// The request was signed too long ago: a replay, or a clock that is off.
    #[error("the request was signed {} ago; {} are allowed", Seconds(*age_ms), Seconds(*allowed_ms))]
    TooOld {
        /// How long ago.
        age_ms: u64,
        /// How long is allowed.
        allowed_ms: u64,
    },
    /// The request was signed in the future: a clock is off.
    #[error("the request was signed {} in the future; {} are allowed", Seconds(*ahead_ms), Seconds(*allowed_ms))]
    InFuture {
        /// How far ahead.
        ahead_ms: u64,
        /// How far is allowed.
        allowed_ms: u64,
    },
    /// No signature matches under any key: forged, changed on its way, or signed with another secret.
    #[error("no signature matches: {entries} tried under {keys}; the body has changed, or the secret is another")]
    NoMatch {
        /// Signatures of the right kind.
        entries: usize,
        /// Keys that could have made them.
        keys: usize,
    },
    /// The token is not the one.
    #[error("the token differs from each of {keys}")]
    TokenDiffers {
        /// Tokens that would do.
        keys: usize,
    },
}

impl Refusal<'_> {
    /// A short name for metrics and logs that does not change.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Refusal::HeaderMissing { .. } => "header-missing",
            Refusal::HeaderTwice { .. } => "header-twice",
            Refusal::HeaderEmpty { .. } => "header-empty",
            Refusal::HeaderTooLong { .. } => "header-too-long",
            Refusal::HeaderNotAscii { .. } => "header-not-ascii",
            Refusal::TooManyEntries { .. } => "too-many-entries",
            Refusal::NoKnownEntry { .. } => "no-known-entry",
            Refusal::MalformedSignature { .. } => "malformed-signature",
            Refusal::TimestampMissing { .. } => "timestamp-missing",
            Refusal::TimestampTwice { .. } => "timestamp-twice",
            Refusal::TimestampMalformed { .. } => "timestamp-malformed",
            Refusal::NotInBody { .. } => "not-in-body",
            Refusal::TooOld { .. } => "too-old",
            Refusal::InFuture { .. } => "in-future",
            Refusal::NoMatch { .. } => "no-match",
            Refusal::TokenDiffers { .. } => "token-differs",
        }
    }
}

/// Milliseconds as people read them.
struct Seconds(u64);

impl std::fmt::Display for Seconds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 % 1_000 {
            0 => write!(f, "{} s", self.0 / 1_000),
            ms => write!(f, "{}.{ms:03} s", self.0 / 1_000),
        }
    }
}
