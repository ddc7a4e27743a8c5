//! What attackers, damage and wrong receivers make of a scheme.

use sha2::{Digest, Sha256};

use super::{
    Algorithm, Scheme, SignKey, TimePlace, VerifyKey, Way,
    key::{Checker, Signer},
    template::Parts,
};

impl Scheme {
    /// What needs no secret and proves nothing: a plain SHA-256 over what is signed. `None`: a signature of this
    /// scheme has another length, so that nobody would take it for one.
    #[must_use]
    pub fn unkeyed(&self) -> Option<(SignKey, VerifyKey)> {
        let main = self.ways.first()?;
        let fits = main.algorithm == Algorithm::HmacSha256;
        fits.then(|| (SignKey(vec![(0, Signer::Plain)]), VerifyKey(vec![(0, Checker::Plain)])))
    }

    /// Whether a signature stands in the header of this name.
    #[must_use]
    pub fn signs_in(&self, header: &str) -> bool {
        self.ways.iter().any(|way| way.header.sent() == header)
    }

    /// The value of a header with one character of its first signature exchanged, if one stands there that is enough
    /// for a receiver. What it becomes is of the same alphabet.
    #[must_use]
    pub fn damaged(&self, header: &str, value: &str, draw: u64) -> Option<String> {
        let way = self.ways.iter().find(|way| way.accepted && way.header.sent() == header)?;
        let range = self.first_signature(way, value)?;
        let at = range.start + (draw % range.len().max(1) as u64) as usize;
        let mut bytes = value.as_bytes().to_vec();
        let byte = bytes.get_mut(at)?;
        *byte = if *byte == b'0' { b'1' } else { b'0' };
        String::from_utf8(bytes).ok()
    }

    /// Where the first signature of a way stands in a value, without its padding.
    fn first_signature(&self, way: &Way, value: &str) -> Option<std::ops::Range<usize>> {
        let time = match self.timestamp.as_ref().map(|time| &time.place) {
            Some(TimePlace::Entry(entry)) => Some(entry.as_str()),
            _ => None,
        };
        let mut start = 0;
        let separator = way.separator.as_deref().unwrap_or("\u{0}");
        for entry in value.split(separator) {
            let is_time = time.is_some_and(|time| entry.starts_with(time));
            if let Some(signature) = entry.strip_prefix(way.entry.as_str()).filter(|_| !is_time) {
                let begins = start + way.entry.len();
                return Some(begins..begins + signature.trim_end_matches('=').len());
            }
            start += entry.len() + separator.len();
        }
        None
    }
}

/// SHA-256 over what is signed.
pub(super) fn plain(way: &Way, parts: &Parts<'_>) -> [u8; 32] {
    let mut hash = Sha256::new();
    way.signed.each(parts, |piece| hash.update(piece));
    hash.finalize().into()
}
