//! The other half of the pull API: how subjects stand, one by one or as far as they have changed.
//!
//! A state is told under the time of its change, rounded down to the grain, and shows when the view's lag
//! has passed. Each page says as of when it is true: no change that occurred before that, less the lag, is
//! missing. The ETag of a subject is its version. That of a scan is its share's newest sequence, whatever
//! the URL: 304 means that nothing in the share has changed, so a client sends it only when it has read a
//! scan to its end.

use http::{HeaderMap, HeaderValue, Response, StatusCode, header};

use super::{
    pull_api::{PullApi, error, json, not_modified, unchanged},
    pull_body::PullBody,
    state_query::StateQuery,
};
use crate::{
    model::{Event, Span, Subject, Time},
    policy::log::{Asked, Share, created},
    wire,
};

impl PullApi {
    /// How one subject stands.
    pub(super) fn subject(&self, share: Share, subject: Subject, asked: &HeaderMap) -> Response<PullBody> {
        let subjects = self.context.plan.workload.subjects;
        if subject >= subjects || !share.holds(subject) {
            let problem = format!("there is no subject {subject} for this caller");
            let fix = format!("ask for one from 0 to {} that is the caller's", subjects.saturating_sub(1));
            return error(StatusCode::NOT_FOUND, &problem, &fix);
        }
        let (_, upto) = self.view();
        let latest = self.log.read().latest(subject, upto);
        let etag = tag(latest.map_or(0, |event| event.version));
        let mut answer = if unchanged(asked, &etag) {
            not_modified()
        } else {
            let mut body = Vec::new();
            self.render_state(&mut body, subject, latest.as_ref());
            json(StatusCode::OK, body)
        };
        answer.headers_mut().insert(header::ETAG, etag);
        answer
    }

    /// What has changed.
    pub(super) fn states(&self, share: Share, query: StateQuery, asked: &HeaderMap) -> Response<PullBody> {
        let (as_of, upto) = self.view();
        let provider = self.context.provider();
        let page_limit = provider.page_limit.max(1) as usize;
        let limit = query.limit.unwrap_or(page_limit).min(page_limit);
        let grain = provider.timestamp_grain;
        let wanted = Asked { since: query.since, behind: query.behind, limit, grain, upto };
        let changed = self.log.read().changed(share, wanted);
        let etag = tag(changed.newest);
        let mut answer = if unchanged(asked, &etag) {
            not_modified()
        } else {
            let last = changed.states.last().map(|event| (created(event, grain), event.subject));
            let next_cursor = last.or(query.behind).map_or_else(String::new, |(at, id)| format!("t{}.{id}", at.0));
            let render_one = |out: &mut Vec<u8>, i: usize| {
                let event = &changed.states[i];
                self.render_state(out, event.subject, Some(event));
            };
            let end = (as_of, next_cursor.as_str(), changed.more);
            json(StatusCode::OK, wire::render_states(changed.states.len(), render_one, end))
        };
        answer.headers_mut().insert(header::ETAG, etag);
        answer
    }

    /// As of when an answer is true, and up to when it shows what occurred.
    fn view(&self) -> (Time, Time) {
        // In this order: what the log holds by then is there when it is read, and an event that is made by hand
        // meanwhile occurs later.
        let now = self.context.clock.now();
        let as_of = self.log.holds_all_before().min(now);
        let lag = self.context.provider().pull.view_lag;
        // Without a lag also what a clock that is behind says has not occurred yet.
        (as_of, if lag == Span::ZERO { Time::MAX } else { as_of - lag })
    }

    fn render_state(&self, out: &mut Vec<u8>, subject: Subject, latest: Option<&Event>) {
        let grain = self.context.provider().timestamp_grain;
        let latest = latest.map(|event| {
            let render = |out: &mut Vec<u8>| self.context.render_event(out, event);
            (event.version, created(event, grain), render)
        });
        wire::render_state(out, subject, latest);
    }
}

fn tag(number: u32) -> HeaderValue {
    HeaderValue::try_from(format!("\"{number}\"")).expect("digits in quotes are a header value")
}

#[cfg(test)]
#[path = "pull_states_tests.rs"]
mod tests;
