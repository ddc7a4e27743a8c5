//! Headers as they come: looked up by name, held within limits before anything of them is read.

use super::Refusal;

/// The longest signature header that is read.
pub const HEADER_BYTES_MAX: usize = 8_192;
/// The longest id that is read.
pub const ID_BYTES_MAX: usize = 256;
/// The longest time that is read.
pub(super) const TIME_BYTES_MAX: usize = 64;

/// A header's name: as it is written, and as it is looked up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeaderName {
    shown: String,
    /// Hashed and compared without being read again.
    lookup: http::HeaderName,
}

impl HeaderName {
    /// A name, if the text is one.
    #[must_use]
    pub fn parse(text: &str) -> Option<HeaderName> {
        let lookup = http::HeaderName::from_bytes(text.as_bytes()).ok()?;
        Some(HeaderName { shown: text.to_owned(), lookup })
    }

    /// As it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.shown
    }
}

/// Names of one header, at least one: the first is sent, and the first that is there is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeaderNames(Vec<HeaderName>);

impl HeaderNames {
    /// `None`: there is no name.
    #[must_use]
    pub fn new(names: Vec<HeaderName>) -> Option<HeaderNames> {
        if names.is_empty() { None } else { Some(HeaderNames(names)) }
    }

    /// The name that is sent.
    #[must_use]
    pub fn sent(&self) -> &str {
        &self.0[0].shown
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(HeaderName::as_str)
    }

    /// The value of the first name that is there, if it is a text.
    #[must_use]
    pub fn first_in<'h>(&self, headers: &'h (impl HeaderValues + ?Sized)) -> Option<&'h str> {
        let value = self.0.iter().find_map(|name| headers.first_two(&name.lookup)[0])?;
        std::str::from_utf8(value).ok()
    }

    /// The name that is there and its only value, which is printable ASCII and no longer than `max`.
    pub(super) fn read<'s, 'h>(
        &'s self,
        headers: &'h (impl HeaderValues + ?Sized),
        max: usize,
    ) -> Result<(&'s str, &'h str), Refusal<'s>> {
        let found = self.0.iter().find_map(|name| match headers.first_two(&name.lookup) {
            [Some(value), second] => Some((name.as_str(), value, second.is_some())),
            [None, _] => None,
        });
        let (header, value, twice) = found.ok_or(Refusal::HeaderMissing { header: self })?;
        if twice {
            return Err(Refusal::HeaderTwice { header });
        }
        if value.is_empty() {
            return Err(Refusal::HeaderEmpty { header });
        }
        if value.len() > max {
            return Err(Refusal::HeaderTooLong { header, bytes: value.len(), max });
        }
        match std::str::from_utf8(value) {
            Ok(text) if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) => Ok((header, text)),
            _ => Err(Refusal::HeaderNotAscii { header }),
        }
    }
}

impl std::fmt::Display for HeaderNames {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names: Vec<&str> = self.iter().collect();
        f.write_str(&names.join(" or "))
    }
}

/// Headers of a request.
pub trait HeaderValues {
    /// The first two values of a header; a second means that it is repeated.
    fn first_two(&self, name: &http::HeaderName) -> [Option<&[u8]>; 2];
}

impl HeaderValues for http::HeaderMap {
    fn first_two(&self, name: &http::HeaderName) -> [Option<&[u8]>; 2] {
        let mut values = self.get_all(name).iter().map(http::HeaderValue::as_bytes);
        [values.next(), values.next()]
    }
}

impl HeaderValues for [(String, Vec<u8>)] {
    fn first_two(&self, name: &http::HeaderName) -> [Option<&[u8]>; 2] {
        let mut values =
            self.iter().filter(|(known, _)| known.eq_ignore_ascii_case(name.as_str())).map(|(_, v)| v.as_slice());
        [values.next(), values.next()]
    }
}
