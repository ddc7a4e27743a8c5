//! A page of the pull API: `{"data":[...],"next_cursor":"...","has_more":false}`.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::EventBody;

/// A page as a client reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The events, in log order.
    pub events: Vec<PageEvent>,
    /// Where the next page starts. Opaque to clients.
    pub next_cursor: String,
    /// Whether more events wait behind this page.
    pub has_more: bool,
}

/// One event of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageEvent {
    /// The event's id.
    pub id: String,
    /// The number of what changed.
    pub subject: u32,
    /// To which version.
    pub version: u32,
}

/// A body that is no page.
#[derive(Debug, thiserror::Error)]
pub enum PageError {
    /// Damaged on its way, or in another encoding.
    #[error("the answer is no UTF-8 text: {0}")]
    NotText(#[from] std::str::Utf8Error),
    /// Text, but no page.
    #[error("the answer is no page of events: {0}")]
    NotAPage(#[from] serde_json::Error),
}

#[derive(Deserialize)]
struct RawPage<'a> {
    #[serde(borrow)]
    data: Vec<&'a RawValue>,
    next_cursor: String,
    has_more: bool,
}

/// Reads a page.
pub fn parse_page(bytes: &[u8]) -> Result<Page, PageError> {
    // All of it: a parser that skips what it does not need would not notice damage there.
    let text = std::str::from_utf8(bytes)?;
    let raw: RawPage<'_> = serde_json::from_str(text)?;
    let read = |event: &&RawValue| -> Result<PageEvent, serde_json::Error> {
        let body: EventBody<'_> = serde_json::from_str(event.get())?;
        Ok(PageEvent { id: body.id.into_owned(), subject: body.subject, version: body.version })
    };
    let events = raw.data.iter().map(read).collect::<Result<_, _>>()?;
    Ok(Page { events, next_cursor: raw.next_cursor, has_more: raw.has_more })
}

/// Writes a page; `render_each` appends the JSON of event `i`.
#[must_use]
pub fn render_page(
    count: usize,
    mut render_each: impl FnMut(&mut Vec<u8>, usize),
    next_cursor: &str,
    has_more: bool,
) -> Vec<u8> {
    let mut out = b"{\"data\":[".to_vec();
    for i in 0..count {
        if i > 0 {
            out.push(b',');
        }
        render_each(&mut out, i);
    }
    out.extend_from_slice(format!("],\"next_cursor\":\"{next_cursor}\",\"has_more\":{has_more}}}").as_bytes());
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_page_reads_back() {
        let event = |out: &mut Vec<u8>, i: usize| {
            out.extend_from_slice(
                format!("{{\"id\":\"e{i}\",\"subject\":{i},\"version\":1,\"data\":{{}}}}").as_bytes(),
            );
        };
        let page = parse_page(&render_page(2, event, "41", true)).unwrap();
        assert_eq!(page.events.len(), 2);
        assert_eq!(page.events[1], PageEvent { id: "e1".to_owned(), subject: 1, version: 1 });
        assert_eq!((page.next_cursor.as_str(), page.has_more), ("41", true));
        assert!(parse_page(&render_page(0, |_, _| {}, "0", false)).unwrap().events.is_empty());
    }

    proptest! {
        #[test]
        fn no_answer_makes_the_parser_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse_page(&bytes);
        }
    }
}
