//! A place in a JSON body.

use std::borrow::Cow;

use serde_json::Value;

/// A JSON pointer (RFC 6901).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pointer(String);

/// A text that is no JSON pointer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a JSON pointer begins with '/', and has '~' only in '~0' and '~1'")]
pub struct PointerError;

impl Pointer {
    /// Reads `/data/object/id`.
    pub fn parse(text: &str) -> Result<Pointer, PointerError> {
        let escaped = text.split('~').skip(1).all(|rest| rest.starts_with(['0', '1']));
        if text.starts_with('/') && escaped { Ok(Pointer(text.to_owned())) } else { Err(PointerError) }
    }

    /// As it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The text, or the number as it is written, that stands there.
    #[must_use]
    pub fn text<'a>(&self, json: &'a Value) -> Option<Cow<'a, str>> {
        match json.pointer(&self.0)? {
            Value::String(text) => Some(Cow::Borrowed(text)),
            Value::Number(number) => Some(Cow::Owned(number.to_string())),
            _ => None,
        }
    }
}

/// The body read as JSON, once and only when somebody asks.
pub(super) struct Json<'a> {
    body: &'a [u8],
    read: Option<Option<Value>>,
}

impl<'a> Json<'a> {
    pub fn new(body: &'a [u8]) -> Json<'a> {
        Json { body, read: None }
    }

    /// `None`: it is no JSON, or there is no text or number.
    pub fn text(&mut self, pointer: &Pointer) -> Option<Cow<'_, str>> {
        let json = self.read.get_or_insert_with(|| serde_json::from_slice(self.body).ok());
        pointer.text(json.as_ref()?)
    }
}
