//! What a request to `GET /subjects` or `GET /subjects/{id}` asks for, read from its URL.

use super::pull_query::{BadQuery, bad, digits, parse_limit, shown};
use crate::{
    model::{Subject, Time},
    wire::parse_instant,
};

/// Which changes, and how many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct StateQuery {
    /// Told as of this instant or later.
    pub since: Time,
    /// Behind a page that ended at this one.
    pub behind: Option<(Time, Subject)>,
    /// States at most, as asked.
    pub limit: Option<usize>,
}

impl StateQuery {
    /// Reads the query string. Nothing asked: every subject that anything has happened to.
    pub fn parse(query: &str) -> Result<StateQuery, BadQuery> {
        let mut read = StateQuery::default();
        let mut begun = None;
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            match key {
                "updated_since" => read.since = parse_since(value)?,
                "cursor" => read.behind = Some(parse_cursor(value)?),
                "limit" => read.limit = Some(parse_limit(value)?),
                _ => {
                    return bad(
                        format!("unknown parameter '{}'", shown(key)),
                        "ask with updated_since or cursor, and limit",
                    );
                }
            }
            if key != "limit" && begun.replace(key).is_some() {
                return bad("two places to begin", "give either updated_since or cursor, once");
            }
        }
        Ok(read)
    }
}

/// Reads the last part of `/subjects/{id}`.
pub(super) fn parse_subject(text: &str, query: &str) -> Result<Subject, BadQuery> {
    if !query.is_empty() {
        return bad("one subject takes no parameters", "leave them away, or ask /subjects?updated_since=");
    }
    match digits(text).and_then(|digits| digits.parse().ok()) {
        Some(subject) => Ok(subject),
        None => bad(format!("'{}' is no subject", shown(text)), "write its number, such as /subjects/7"),
    }
}

fn parse_since(text: &str) -> Result<Time, BadQuery> {
    match parse_instant(text) {
        Some(since) => Ok(since),
        None => bad(
            format!("'{}' is no instant", shown(text)),
            "write updated_since=t<nanoseconds since t0>, such as updated_since=t1500000000",
        ),
    }
}

fn parse_cursor(text: &str) -> Result<(Time, Subject), BadQuery> {
    let parts = text.split_once('.');
    let read = |(at, subject): (&str, &str)| Some((parse_instant(at)?, digits(subject)?.parse().ok()?));
    match parts.and_then(read) {
        Some(behind) => Ok(behind),
        None => bad(
            format!("'{}' is no cursor of this API", shown(text)),
            "send next_cursor of the last page unchanged, or begin with updated_since",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn queries_are_read_and_refused_by_name() {
        assert_eq!(StateQuery::parse(""), Ok(StateQuery::default()));
        let read = StateQuery::parse("updated_since=t1500&limit=5").unwrap();
        assert_eq!(read, StateQuery { since: Time(1_500), behind: None, limit: Some(5) });
        assert_eq!(StateQuery::parse("cursor=t40.7").unwrap().behind, Some((Time(40), 7)));
        for text in [
            "updated_since=",
            "updated_since=1500",
            "updated_since=t-1",
            "updated_since=yesterday",
            "cursor=40.7",
            "cursor=t40",
            "cursor=t40.x",
            "cursor=t40.99999999999",
            "limit=0",
            "since=t1",
            "wait=5",
            "updated_since=t1&cursor=t1.0",
            "updated_since=t1&updated_since=t2",
        ] {
            assert!(!StateQuery::parse(text).unwrap_err().fix.is_empty(), "{text}");
        }
        assert_eq!(parse_subject("7", ""), Ok(7));
        for (id, query) in [("", ""), ("x", ""), ("-1", ""), ("99999999999", ""), ("7", "limit=1")] {
            assert!(!parse_subject(id, query).unwrap_err().fix.is_empty(), "{id}?{query}");
        }
    }

    proptest! {
        #[test]
        fn no_query_makes_the_parser_panic(text in "(updated_since|cursor|limit|\\PC{0,5})=\\PC{0,20}(&\\PC{0,9})?") {
            let _ = (StateQuery::parse(&text), parse_subject(&text, ""));
        }
    }
}
