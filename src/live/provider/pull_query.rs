//! What a request to `GET /events` asks for, read from its URL and headers.

use http::HeaderMap;

use super::context::Context;
use crate::{
    fault::{Target, TargetPath},
    model::{ClientNo, Seq, Span, Time},
    policy::log::{After, Share},
    scenario::{ConsumerNo, PollingPlan},
    wire::headers,
};

/// A request that cannot be answered; becomes a 400 that names the fix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct BadQuery {
    pub problem: String,
    pub fix: String,
}

pub(super) fn bad<T>(problem: impl Into<String>, fix: impl Into<String>) -> Result<T, BadQuery> {
    Err(BadQuery { problem: problem.into(), fix: fix.into() })
}

/// Where to begin and how much to send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Query {
    pub after: After,
    /// Whether the client counts in created times, so that its next cursor must be one.
    pub by_created: bool,
    /// Events at most, as asked.
    pub limit: Option<usize>,
    /// How long to hold a request that finds nothing.
    pub wait: Option<Span>,
}

/// No request is held for longer.
const WAIT_MAX: Span = Span::from_secs(3_600);

impl Query {
    /// Reads the query string. Nothing asked: from the start.
    ///
    /// An empty `since` is a timestamp client that has seen nothing yet.
    pub fn parse(query: &str) -> Result<Query, BadQuery> {
        let mut read = Query { after: After::Seq(0), by_created: false, limit: None, wait: None };
        let mut begun = None;
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            match key {
                "cursor" => read.after = parse_cursor(value)?,
                "since" => (read.after, read.by_created) = (parse_since(value)?, true),
                "limit" => read.limit = Some(parse_limit(value)?),
                "wait" => read.wait = Some(parse_wait(value)?),
                _ => {
                    return bad(format!("unknown parameter '{}'", shown(key)), "ask with cursor, since, limit or wait");
                }
            }
            if matches!(key, "cursor" | "since") && begun.replace(key).is_some() {
                return bad("two places to begin", "give either cursor or since, once");
            }
        }
        Ok(read)
    }
}

fn parse_cursor(text: &str) -> Result<After, BadQuery> {
    match digits(text).and_then(|digits| digits.parse::<Seq>().ok()) {
        Some(seq) => Ok(After::Seq(seq)),
        None => bad(
            format!("'{}' is no cursor of this API", shown(text)),
            "send next_cursor of the last page unchanged, or leave cursor away to begin at the start",
        ),
    }
}

fn parse_since(text: &str) -> Result<After, BadQuery> {
    if text.is_empty() {
        return Ok(After::Seq(0));
    }
    match text.strip_prefix('t').and_then(digits).and_then(|digits| digits.parse().ok()) {
        Some(ns) => Ok(After::Created(Time(ns))),
        None => {
            bad(format!("'{}' is no instant", shown(text)), "write since=t<nanoseconds>, such as since=t1500000000")
        }
    }
}

pub(super) fn parse_limit(text: &str) -> Result<usize, BadQuery> {
    match digits(text).and_then(|digits| digits.parse().ok()).filter(|&limit| limit > 0) {
        Some(limit) => Ok(limit),
        None => bad(format!("'{}' is no limit", shown(text)), "write a whole number from 1 on, such as limit=100"),
    }
}

fn parse_wait(text: &str) -> Result<Span, BadQuery> {
    match digits(text).and_then(|digits| digits.parse().ok()) {
        Some(ms) => Ok(Span::from_millis(ms).min(WAIT_MAX)),
        None => bad(format!("'{}' is no time to wait", shown(text)), "write whole milliseconds, such as wait=30000"),
    }
}

/// Digits only: `parse` alone would take a sign.
pub(super) fn digits(text: &str) -> Option<&str> {
    (!text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())).then_some(text)
}

/// Enough of a stranger's text to recognise it.
pub(super) fn shown(text: &str) -> String {
    text.chars().take(40).collect()
}

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Caller<'a> {
    pub consumer: ConsumerNo,
    pub client: ClientNo,
    pub polling: &'a PollingPlan,
    pub share: Share,
    poll: Option<u32>,
    page: u32,
    due: Option<Time>,
}

impl<'a> Caller<'a> {
    /// Reads the headers. `None`: a curious person, who gets everything and meets no faults.
    pub fn read(context: &'a Context, headers: &HeaderMap) -> Result<Option<Caller<'a>>, BadQuery> {
        let Some(name) = headers.get(headers::CONSUMER) else { return Ok(None) };
        let name = name.to_str().unwrap_or_default();
        let number = context.plan.consumer(name).filter(|&number| context.serves(number));
        let polling = number.and_then(|number| Some((number, context.plan.consumers[usize::from(number)].polling()?)));
        let Some((consumer, polling)) = polling else {
            return bad(
                format!("'{}' is no polling consumer of this provider", shown(name)),
                format!("leave {} away to see the whole log", headers::CONSUMER),
            );
        };
        let plan = &context.plan.consumers[usize::from(consumer)];
        let client = number_of(headers, headers::CLIENT)?.unwrap_or(0);
        if client >= plan.clients {
            return bad(
                format!("'{name}' has no client {client}"),
                format!("send {} from 0 to {}", headers::CLIENT, plan.clients.saturating_sub(1)),
            );
        }
        let share = Share::of(plan, client);
        let poll = number_of(headers, headers::POLL)?;
        let page = number_of(headers, headers::PAGE)?.unwrap_or(1);
        let due = number_of(headers, headers::DUE)?.map(Time);
        Ok(Some(Caller { consumer, client, polling, share, poll, page, due }))
    }

    /// What faults aim at; `None` for a caller that does not number its polls. The instant is the one at
    /// which the poll was due, or `now` for a caller that does not tell.
    pub fn target(&self, now: Time) -> Option<Target> {
        let Caller { consumer, client, page, due, .. } = *self;
        let at = due.unwrap_or(now);
        Some(Target { path: TargetPath::Poll, consumer, client, number: self.poll?, attempt: page, copy: 0, at })
    }
}

fn number_of<N: std::str::FromStr>(headers: &HeaderMap, name: &str) -> Result<Option<N>, BadQuery> {
    let Some(value) = headers.get(name) else { return Ok(None) };
    match value.to_str().ok().and_then(digits).and_then(|digits| digits.parse().ok()) {
        Some(number) => Ok(Some(number)),
        None => bad(format!("{name} is no number"), format!("send a whole number in {name}, or leave it away")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn queries_are_read_and_refused_by_name() {
        let read = |text| Query::parse(text).map(|query| (query.after, query.limit));
        assert_eq!(read(""), Ok((After::Seq(0), None)));
        assert_eq!(read("cursor=17&limit=5"), Ok((After::Seq(17), Some(5))));
        assert_eq!(read("since=t1500"), Ok((After::Created(Time(1_500)), None)));
        assert_eq!(read("since="), Ok((After::Seq(0), None)));
        for text in [
            "cursor=",
            "cursor=-1",
            "cursor=+1",
            "cursor=99999999999",
            "since=15",
            "limit=0",
            "limit=x",
            "wait=soon",
            "curser=1",
        ] {
            assert!(!read(text).unwrap_err().fix.is_empty(), "{text}");
        }
        assert!(read("cursor=1&since=t1").is_err());
        assert_eq!(Query::parse("cursor=1&wait=250").unwrap().wait, Some(Span::from_millis(250)));
        assert_eq!(Query::parse("wait=999999999999").unwrap().wait, Some(WAIT_MAX));
    }

    proptest! {
        #[test]
        fn no_query_makes_the_parser_panic(text in "(cursor|since|limit|wait|\\PC{0,5})=\\PC{0,20}(&\\PC{0,9})?") {
            let _ = Query::parse(&text);
        }
    }
}
