//! The pull API: `GET /events`, a page of the log behind a cursor; `GET /subjects` is in `pull_states`.
//!
//! The ETag is the share's newest sequence, one per share and not per URL: the cursor is part of
//! the URL and moves with every page, so an ETag per URL would never match again. `If-None-Match`
//! means "my share still ends where I left it", and is answered 304 only when nothing lies behind
//! the cursor either: an ETag alone never hides an event.

use std::sync::Arc;

use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, header};

use super::{
    context::Context,
    log::EventLog,
    pull_body::PullBody,
    pull_faults::{self, Closed},
    pull_limits::{self, Limits, Peer},
    pull_query::{BadQuery, Caller, Query},
    state_query::{StateQuery, parse_subject},
};
use crate::{
    fault::Fate,
    live::counting_io::Meter,
    model::{ClientNo, Span, Subject, Time},
    policy::{
        log::{After, Share, Stretch, Window, created},
        rate::Allowance,
    },
    scenario::ConsumerNo,
    wire::{self, headers},
};

const HELP: &str = "pushpull provider: a simulated event source.

GET /events?cursor=<next_cursor>&limit=<n>   events behind the cursor, in log order
GET /events?since=t<ns>&limit=<n>            events created after that instant (since t0, in ns)
GET /events?cursor=<c>&wait=<ms>             the same; answered when there is something, or after ms
GET /subjects/<id>                           how one subject stands
GET /subjects?updated_since=t<ns>&limit=<n>  how those stand that have changed since then, by updated_at
GET /subjects?cursor=<next_cursor>&limit=<n> the page behind

Without cursor and since, from the start. Each page tells next_cursor and has_more.
If-None-Match with the last ETag is answered 304 when nothing is new.
Where the log keeps events for a while only, pushpull-oldest tells the first one that is left.
The header pushpull-consumer (with pushpull-client) asks for one client's share.
";

/// The API of one provider.
pub(super) struct PullApi {
    pub(super) context: Arc<Context>,
    pub(super) log: Arc<EventLog>,
    limits: Option<Limits>,
}

impl PullApi {
    /// Serves `log`.
    pub fn new(context: Arc<Context>, log: Arc<EventLog>) -> PullApi {
        let limits = Limits::of(&context);
        PullApi { context, log, limits }
    }

    /// Answers one request, whose body is not looked at. `Closed`: by closing the connection.
    pub async fn answer<B>(&self, request: Request<B>, meter: &Meter) -> Result<Response<PullBody>, Closed> {
        let path = request.uri().path();
        let known_path = matches!(path, "/" | "/events" | "/subjects") || path.starts_with("/subjects/");
        match (known_path, request.method(), path) {
            (false, ..) => Ok(plain(StatusCode::NOT_FOUND, HELP)),
            (true, &Method::GET, "/") => Ok(plain(StatusCode::OK, HELP)),
            (true, &Method::GET, _) => self.asked(&request, meter).await,
            (true, ..) => {
                let mut answer = plain(StatusCode::METHOD_NOT_ALLOWED, HELP);
                answer.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET"));
                Ok(answer)
            }
        }
    }

    async fn asked<B>(&self, request: &Request<B>, meter: &Meter) -> Result<Response<PullBody>, Closed> {
        let asked = request.headers();
        let caller = match Caller::read(&self.context, asked) {
            Ok(caller) => caller,
            Err(problem) => return Ok(refused(&problem)),
        };
        let query = What::parse(request.uri().path(), request.uri().query().unwrap_or_default());
        let peer = request.extensions().get().copied();
        let Some(caller) = caller else {
            return Ok(match query {
                Ok(query) => self.limited(None, peer, self.reply(Share::All, query, asked)).await,
                Err(problem) => refused(&problem),
            });
        };
        let traffic = self.context.traffic(caller.consumer);
        meter.claim(traffic);
        traffic.count_request();
        let query = match query {
            Ok(query) => query,
            Err(problem) => return Ok(refused(&problem)),
        };
        let fate = self.fate(&caller);
        // Read when it is answered: an event that comes during a fault's delay is in the page.
        // And a request that never arrives costs its client no token.
        let who = Some((caller.consumer, caller.client));
        let page = self.limited(who, peer, self.reply(caller.share, query, asked));
        pull_faults::carry_out(&self.context, &fate, caller.polling.patience(), page).await
    }

    fn fate(&self, caller: &Caller<'_>) -> Fate {
        let Some(target) = caller.target(self.context.clock.now()) else { return Fate::default() };
        let fate = self.context.fate(&target);
        super::faults::record_hits(&self.context, &target, &fate);
        fate
    }

    /// The page, if the caller may have one more, with what there is to say of limits.
    async fn limited(
        &self,
        caller: Option<(ConsumerNo, ClientNo)>,
        peer: Option<Peer>,
        page: impl Future<Output = Response<PullBody>>,
    ) -> Response<PullBody> {
        let context = &*self.context;
        let allowance = self.limits.as_ref().map(|limits| (limits, limits.ask(context, caller, peer)));
        let mut answer = match allowance {
            Some((limits, Allowance { retry_in: Some(_), .. })) => limits.too_many(),
            _ => page.await,
        };
        if let Some((limits, allowance)) = &allowance {
            let without = limits.counted(answer.status(), caller, peer);
            limits.tell(context, without.as_ref().unwrap_or(allowance), answer.headers_mut());
        }
        pull_limits::hint(context, answer.headers_mut());
        answer
    }

    async fn reply(&self, share: Share, what: What, headers: &HeaderMap) -> Response<PullBody> {
        match what {
            What::Events(query) => {
                self.hold(share, query).await;
                self.page(share, query, headers)
            }
            What::Subject(subject) => self.subject(share, subject, headers),
            What::Changes(query) => self.states(share, query, headers),
        }
    }

    /// Holds a request for as long as it asks to, or until its share has something visible behind the
    /// cursor. A held request costs a timer and a place at its share's bell.
    async fn hold(&self, share: Share, query: Query) {
        let Some(wait) = query.wait else { return };
        let (clock, provider) = (self.context.clock, self.context.provider());
        let until = clock.now() + wait;
        loop {
            let mut arrival = std::pin::pin!(self.log.arrival(share));
            arrival.as_mut().enable();
            let first = self.log.read().first_behind(share, query.after, provider.timestamp_grain);
            let visible_at = first.map_or(Time::MAX, |occurred| occurred + provider.pull.view_lag);
            if clock.now() >= visible_at.min(until) {
                return;
            }
            tokio::select! {
                () = arrival => {}
                () = clock.sleep_until(visible_at.min(until)) => {}
            }
        }
    }

    fn page(&self, share: Share, query: Query, asked: &HeaderMap) -> Response<PullBody> {
        let provider = self.context.provider();
        let page_limit = provider.page_limit.max(1) as usize;
        let limit = query.limit.unwrap_or(page_limit).min(page_limit);
        let retention = provider.pull.retention;
        let kept_since = retention.map_or(Time::ZERO, |retention| self.context.clock.now() - retention);
        let upto = self.context.clock.now() - provider.pull.view_lag;
        // Without a lag also what a clock that is behind says has not occurred yet.
        let upto = if provider.pull.view_lag == Span::ZERO { Time::MAX } else { upto };
        let window = Window { after: query.after, limit, grain: provider.timestamp_grain, kept_since, upto };
        let stretch = self.log.read().stretch(share, window);
        // An ETag of ours is digits in quotes.
        let etag = HeaderValue::try_from(format!("\"{}\"", stretch.newest)).expect("digits are a header value");
        let mut answer = if stretch.events.is_empty() && unchanged(asked, &etag) {
            not_modified()
        } else {
            json(StatusCode::OK, self.render(&stretch, query))
        };
        let mut say = |name, value: u64| answer.headers_mut().insert(HeaderName::from_static(name), value.into());
        say(headers::HEAD, u64::from(stretch.head));
        if retention.is_some() {
            say(headers::OLDEST, u64::from(stretch.oldest));
            say(headers::EXPIRED, stretch.expired as u64);
        }
        answer.headers_mut().insert(header::ETAG, etag);
        answer
    }

    fn render(&self, stretch: &Stretch, query: Query) -> Vec<u8> {
        let render_one = |out: &mut Vec<u8>, i: usize| self.context.render_event(out, &stretch.events[i]);
        wire::render_page(stretch.events.len(), render_one, &self.next_cursor(stretch, query), stretch.more)
    }

    /// Behind the page while there is more; at the log's head when the share has nothing more, so
    /// that an idle share's cursor moves with the log. Never back.
    fn next_cursor(&self, stretch: &Stretch, query: Query) -> String {
        let grain = self.context.provider().timestamp_grain;
        match (query.after, stretch.events.last()) {
            (_, Some(last)) if query.by_created => format!("t{}", created(last, grain).0),
            (After::Created(at), _) => format!("t{}", at.0),
            // Still nothing seen: an instant, even the first, would pass events.
            (After::Seq(_), _) if query.by_created => String::new(),
            (After::Seq(_), Some(last)) if stretch.more => last.seq.to_string(),
            (After::Seq(seq), _) => stretch.head.max(seq).to_string(),
        }
    }
}

/// What a request asks for.
#[derive(Debug, Clone, Copy)]
enum What {
    Events(Query),
    Subject(Subject),
    Changes(StateQuery),
}

impl What {
    fn parse(path: &str, query: &str) -> Result<What, BadQuery> {
        match path.strip_prefix("/subjects/") {
            Some(id) => parse_subject(id, query).map(What::Subject),
            None if path == "/subjects" => StateQuery::parse(query).map(What::Changes),
            None => Query::parse(query).map(What::Events),
        }
    }
}

/// Whether the caller has what this ETag names.
pub(super) fn unchanged(asked: &HeaderMap, etag: &HeaderValue) -> bool {
    asked.get(header::IF_NONE_MATCH) == Some(etag)
}

pub(super) fn not_modified() -> Response<PullBody> {
    let mut answer = Response::new(PullBody::default());
    *answer.status_mut() = StatusCode::NOT_MODIFIED;
    answer
}

fn plain(status: StatusCode, text: &'static str) -> Response<PullBody> {
    with_type(status, text, "text/plain; charset=utf-8")
}

pub(super) fn json(status: StatusCode, body: Vec<u8>) -> Response<PullBody> {
    with_type(status, body, "application/json")
}

fn with_type(status: StatusCode, body: impl Into<bytes::Bytes>, kind: &'static str) -> Response<PullBody> {
    let mut answer = Response::new(PullBody::whole(body));
    *answer.status_mut() = status;
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    answer
}

fn refused(bad: &BadQuery) -> Response<PullBody> {
    error(StatusCode::BAD_REQUEST, &bad.problem, &bad.fix)
}

pub(super) fn error(status: StatusCode, problem: &str, fix: &str) -> Response<PullBody> {
    let body = serde_json::json!({ "error": problem, "fix": fix });
    json(status, body.to_string().into_bytes())
}

#[cfg(test)]
#[path = "pull_api_tests.rs"]
mod tests;
