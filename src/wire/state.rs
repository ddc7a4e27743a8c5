//! How a subject stands, as the pull API tells it, and a page of such states.
//!
//! ```text
//!   {"subject":3,"version":2,"updated_at":"t1500000000","latest":{...}}
//!   {"data":[...],"as_of":"t1700000000","next_cursor":"t1500000000.3","has_more":false}
//! ```
//!
//! `latest` is the event that the state comes from: it names the change, so that a consumer's ledger can
//! know it. A subject that nothing happened to has version 0 and no latest event. An instant is `t` and
//! nanoseconds since t0.

use serde::{Deserialize, de::Error as _};
use serde_json::value::RawValue;

use super::{EventBody, PageError, PageEvent};
use crate::model::{Subject, Time, Version};

/// A page of states as a client reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatePage {
    /// The newest change of each subject on the page, by the time of the change.
    pub states: Vec<PageEvent>,
    /// The instant at which the page was true.
    pub as_of: Time,
    /// Where the next page starts. Opaque to clients.
    pub next_cursor: String,
    /// Whether more states wait behind this page.
    pub has_more: bool,
}

#[derive(Deserialize)]
struct RawState<'a> {
    subject: Subject,
    version: Version,
    #[serde(borrow)]
    latest: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct RawStatePage<'a> {
    #[serde(borrow)]
    data: Vec<RawState<'a>>,
    as_of: String,
    next_cursor: String,
    has_more: bool,
}

impl RawState<'_> {
    /// The change that it shows; `None` where nothing has happened yet.
    fn read(&self) -> Result<Option<PageEvent>, serde_json::Error> {
        let Some(latest) = self.latest else { return Ok(None) };
        let body: EventBody<'_> = serde_json::from_str(latest.get())?;
        if (body.subject, body.version) != (self.subject, self.version) {
            return Err(serde_json::Error::custom("a state that is not its latest event's"));
        }
        Ok(Some(PageEvent { id: body.id.into_owned(), subject: self.subject, version: self.version }))
    }
}

/// Reads the state of one subject: the change that it shows, or `None` where nothing has happened yet.
pub fn parse_state(bytes: &[u8]) -> Result<Option<PageEvent>, PageError> {
    // All of it, as a page of events is read: damage anywhere must be noticed.
    let raw: RawState<'_> = serde_json::from_str(std::str::from_utf8(bytes)?)?;
    Ok(raw.read()?)
}

/// Reads a page of states.
pub fn parse_states(bytes: &[u8]) -> Result<StatePage, PageError> {
    let raw: RawStatePage<'_> = serde_json::from_str(std::str::from_utf8(bytes)?)?;
    let as_of = parse_instant(&raw.as_of).ok_or_else(|| serde_json::Error::custom("as_of is no instant"))?;
    let states: Vec<Option<PageEvent>> = raw.data.iter().map(RawState::read).collect::<Result<_, _>>()?;
    let states = states.into_iter().flatten().collect();
    Ok(StatePage { states, as_of, next_cursor: raw.next_cursor, has_more: raw.has_more })
}

/// Reads `t` and nanoseconds since t0. Digits only: a number alone would take a sign.
#[must_use]
pub fn parse_instant(text: &str) -> Option<Time> {
    let digits = text.strip_prefix('t').filter(|digits| digits.bytes().all(|b| b.is_ascii_digit()))?;
    digits.parse().ok().map(Time)
}

/// Appends the state of one subject; `latest` is its version, its time as told, and what writes its event.
pub fn render_state<F: FnOnce(&mut Vec<u8>)>(out: &mut Vec<u8>, subject: Subject, latest: Option<(Version, Time, F)>) {
    match latest {
        None => out.extend_from_slice(
            format!("{{\"subject\":{subject},\"version\":0,\"updated_at\":null,\"latest\":null}}").as_bytes(),
        ),
        Some((version, at, render)) => {
            let head =
                format!("{{\"subject\":{subject},\"version\":{version},\"updated_at\":\"t{}\",\"latest\":", at.0);
            out.extend_from_slice(head.as_bytes());
            render(out);
            out.push(b'}');
        }
    }
}

/// Writes a page of states; `render_each` appends state `i`.
#[must_use]
pub fn render_states(
    count: usize,
    mut render_each: impl FnMut(&mut Vec<u8>, usize),
    end: (Time, &str, bool),
) -> Vec<u8> {
    let (as_of, next_cursor, has_more) = end;
    let mut out = b"{\"data\":[".to_vec();
    for i in 0..count {
        if i > 0 {
            out.push(b',');
        }
        render_each(&mut out, i);
    }
    let tail = format!("],\"as_of\":\"t{}\",\"next_cursor\":\"{next_cursor}\",\"has_more\":{has_more}}}", as_of.0);
    out.extend_from_slice(tail.as_bytes());
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    type Latest = fn(&mut Vec<u8>);

    fn state(version: Version) -> Vec<u8> {
        let event: Latest = |out| out.extend_from_slice(b"{\"id\":\"e\",\"subject\":3,\"version\":2,\"data\":{}}");
        let mut out = Vec::new();
        render_state(&mut out, 3, (version > 0).then_some((version, Time(40), event)));
        out
    }

    #[test]
    fn a_state_reads_back_and_one_that_nothing_happened_to_is_none() {
        let expected = PageEvent { id: "e".to_owned(), subject: 3, version: 2 };
        assert_eq!(parse_state(&state(2)).unwrap(), Some(expected.clone()));
        assert_eq!(parse_state(&state(0)).unwrap(), None);
        assert!(parse_state(&state(5)).is_err(), "its latest event says version 2");
        let page = render_states(2, |out, i| out.extend(state(2 * i as u32)), (Time(90), "t40.3", true));
        let page = parse_states(&page).unwrap();
        assert_eq!((page.states, page.as_of, page.has_more), (vec![expected], Time(90), true));
        assert_eq!(page.next_cursor, "t40.3");
    }

    #[test]
    fn an_instant_is_t_and_digits() {
        assert_eq!((parse_instant("t15"), parse_instant("t0")), (Some(Time(15)), Some(Time(0))));
        for bad in ["", "t", "15", "t-1", "t+1", "t1.5", "t99999999999999999999999"] {
            assert_eq!(parse_instant(bad), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn no_answer_makes_the_parsers_panic(
            bytes in proptest::collection::vec(any::<u8>(), 0..200), place in 0usize..60, byte: u8
        ) {
            let _ = (parse_state(&bytes), parse_states(&bytes));
            // Nor one that was damaged in one place.
            let mut near = state(2);
            let at = place % near.len();
            near[at] = byte;
            let _ = (parse_state(&near), parse_states(&near));
        }
    }
}
