//! Carries out the fate of one page request, at the pull API's end of the connection.
//!
//! Where a client has to find out by its own timeout, the connection is held that long and then
//! closed. Copies and attacks are for webhooks only.

use std::future::Future;

use http::{HeaderValue, Response, StatusCode, header};

use super::{context::Context, pace::Pace, pull_body::PullBody};
use crate::{
    fault::{Fate, LossSeen, RequestFate, ResponseFate},
    model::Span,
};

/// How much longer than the client's timeout a connection is held: its clock began before ours, but
/// timers have a grain, and it must be the client that ends the wait.
const HOLD_MARGIN: Span = Span::from_millis(250);

/// The connection is closed without an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a fault closes the connection")]
pub(super) struct Closed;

/// Answers with `page` as the fate wills. `timeout` is the client's.
pub(super) async fn carry_out(
    context: &Context,
    fate: &Fate,
    timeout: Span,
    page: impl Future<Output = Response<PullBody>>,
) -> Result<Response<PullBody>, Closed> {
    wait(context, fate.request_delay).await;
    let mut answer = match fate.request {
        RequestFate::Deliver | RequestFate::Reset => {
            if fate.response == ResponseFate::LostBeforeProcessing {
                return Err(Closed);
            }
            spoil(context, fate, page.await)
        }
        RequestFate::Lost(LossSeen::Timeout) | RequestFate::Hang => {
            wait(context, timeout + HOLD_MARGIN).await;
            return Err(Closed);
        }
        RequestFate::Lost(LossSeen::Reset) | RequestFate::Refused => return Err(Closed),
        RequestFate::Answered { status, retry_after_s, .. } => {
            wait(context, fate.response_delay).await;
            return Ok(answered(status, retry_after_s));
        }
    };
    wait(context, fate.response_delay).await;
    if fate.request == RequestFate::Reset {
        let length = HeaderValue::from(answer.body().len());
        answer.headers_mut().insert(header::CONTENT_LENGTH, length);
        return Ok(answer.map(PullBody::into_half));
    }
    match fate.response {
        ResponseFate::Deliver => Ok(answer),
        ResponseFate::LostAfterProcessing(LossSeen::Timeout) => {
            wait(context, timeout + HOLD_MARGIN).await;
            Err(Closed)
        }
        ResponseFate::LostAfterProcessing(LossSeen::Reset) | ResponseFate::LostBeforeProcessing => Err(Closed),
    }
}

/// A page whose bytes change on their way, or come slowly.
fn spoil(context: &Context, fate: &Fate, answer: Response<PullBody>) -> Response<PullBody> {
    answer.map(|body| {
        let body = match fate.damage {
            Some(damage) => body.with(|bytes| damage.break_text(bytes)),
            None => body,
        };
        match fate.bytes_per_s {
            Some(rate) => body.paced(Pace::new(context.clock, rate)),
            None => body,
        }
    })
}

fn answered(status: u16, retry_after_s: Option<u32>) -> Response<PullBody> {
    let mut answer = Response::new(PullBody::default());
    // The plan allows 200 to 599 only.
    *answer.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::SERVICE_UNAVAILABLE);
    if let Some(seconds) = retry_after_s {
        answer.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    answer
}

async fn wait(context: &Context, delay: Span) {
    if delay > Span::ZERO {
        context.clock.sleep_until(context.clock.now() + delay).await;
    }
}
