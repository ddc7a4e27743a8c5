//! Carries out the fate of one webhook attempt, at the sender's end of the connection.

use std::{future::pending, time::Duration};

use super::{
    context::Context,
    pace::Pace,
    request::Request,
    sender::{Dribble, Sender},
};
use crate::{
    fault::{Fate, LossSeen, RequestFate, ResponseFate, Target},
    live::reply::Reply,
    model::{AttemptOutcome, Span},
    policy::dispatch::Ending,
    record::Record,
    wire,
};

/// One record per fault that hit.
pub(super) fn record_hits(context: &Context, target: &Target, fate: &Fate) {
    if fate.hits.is_empty() {
        return;
    }
    let Target { consumer, client, number, attempt, copy, .. } = *target;
    let at = context.clock.now();
    for &fault in &fate.hits {
        context.records.put(Record::FaultHit { fault, consumer, client, number, attempt, copy, at });
    }
}

/// Sends the request as its fate wills. The ack timeout counts from here to the answer's last byte,
/// delays included: a request that is held back longer than that never leaves.
pub(super) async fn carry_out(context: &Context, sender: &mut Sender, request: &Request, fate: &Fate) -> Ending {
    let ack_timeout = Duration::from(context.provider().ack_timeout);
    match tokio::time::timeout(ack_timeout, suffer(context, sender, request, fate)).await {
        Ok(ending) => ending,
        Err(_) => AttemptOutcome::Timeout.into(),
    }
}

async fn suffer(context: &Context, sender: &mut Sender, request: &Request, fate: &Fate) -> Ending {
    wait(context, fate.request_delay).await;
    match fate.request {
        RequestFate::Deliver => deliver(context, sender, request, fate).await,
        RequestFate::Lost(LossSeen::Reset) => AttemptOutcome::Reset.into(),
        // The ack timeout ends the wait.
        RequestFate::Lost(LossSeen::Timeout) | RequestFate::Hang => pending().await,
        RequestFate::Refused => AttemptOutcome::Refused.into(),
        RequestFate::Reset => {
            let dribble = dribble(context, request, fate);
            broken_after(sender.send_and_close(request.first_half(), dribble).await)
        }
        RequestFate::Answered { status, retry_after_s, stop } => {
            wait(context, fate.response_delay).await;
            let retry_after = retry_after_s.map(|s| scaled(context, Span::from_secs(u64::from(s))));
            Ending { outcome: AttemptOutcome::Status(status), retry_after, stop }
        }
    }
}

async fn deliver(context: &Context, sender: &mut Sender, request: &Request, fate: &Fate) -> Ending {
    let dribble = dribble(context, request, fate);
    if fate.response == ResponseFate::LostBeforeProcessing {
        return broken_after(sender.send_and_close(request.bytes(), dribble).await);
    }
    let reply = match sender.exchange(request.bytes(), dribble).await {
        Ok(reply) => reply,
        Err(outcome) => return outcome.into(),
    };
    wait(context, fate.response_delay).await;
    match fate.response {
        ResponseFate::LostAfterProcessing(seen) => {
            sender.close();
            if seen == LossSeen::Timeout {
                pending::<()>().await;
            }
            AttemptOutcome::Reset.into()
        }
        _ => {
            let stop = sender.asked_to_stop(&context.provider().sending.stop_headers);
            Ending { outcome: AttemptOutcome::Status(reply.status), retry_after: retry_after(context, &reply), stop }
        }
    }
}

fn dribble(context: &Context, request: &Request, fate: &Fate) -> Option<Dribble> {
    let pace = Pace::new(context.clock, fate.bytes_per_s?);
    Some(Dribble { pace, head: request.head_length() })
}

/// The connection was cut on purpose, unless it did not even come to that.
fn broken_after(sent: Result<(), AttemptOutcome>) -> Ending {
    sent.err().unwrap_or(AttemptOutcome::Reset).into()
}

async fn wait(context: &Context, delay: Span) {
    if delay > Span::ZERO {
        context.clock.sleep_until(context.clock.now() + delay).await;
    }
}

fn retry_after(context: &Context, reply: &Reply) -> Option<Span> {
    let asked = wire::parse_retry_after(reply.retry_after.as_deref()?, context.clock.unix_secs())?;
    Some(scaled(context, asked))
}

/// A receiver speaks of scenario time; the run's time passes `time_scale` times faster.
fn scaled(context: &Context, asked: Span) -> Span {
    Span((asked.0 as f64 / context.plan.time_scale) as u64)
}
