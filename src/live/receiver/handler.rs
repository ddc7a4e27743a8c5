//! One request: read within the limits, decide, store, answer.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::{Body, Incoming};
use tokio::sync::Semaphore;

use super::{
    metrics::{Cut, Metrics},
    server::Limits,
};
use crate::{
    backend::Item,
    fault::CrashPoint,
    live::{
        CrashPoints,
        clock::Clock,
        consumer::{AcceptError, Consumer},
    },
    model::{RejectReason, Span},
    policy::receive::{Accepted, Checks, SignedRequest, decide},
    record::{Record, RecordSink},
    scenario::{ConsumerNo, Flaw},
    wire::{Secret, headers},
};

/// Seconds that a receiver which cannot store asks for.
const RETRY_AFTER_S: &str = "1";

/// What every request needs.
pub(super) struct Handler {
    pub consumer: Arc<Consumer>,
    pub number: ConsumerNo,
    /// Accepted secrets per client.
    pub secrets: Vec<Vec<Secret>>,
    pub tolerance: Span,
    pub flaw: Option<Flaw>,
    /// Places for requests that do their work at once.
    pub busy: Semaphore,
    pub clock: Clock,
    pub records: Arc<dyn RecordSink>,
    pub crash_points: CrashPoints,
    pub metrics: Arc<Metrics>,
}

impl Handler {
    /// Answers one request. `answered`: an earlier one of this connection has been acked.
    pub async fn handle(
        self: &Arc<Self>,
        request: Request<Incoming>,
        limits: Limits,
        answered: &AtomicBool,
    ) -> Response<Full<Bytes>> {
        // A further request on a connection proves that the ack before it is out.
        if answered.load(Ordering::Relaxed) {
            self.crash_points.reach(CrashPoint::AfterAck);
        }
        let began = self.clock.now();
        let result = self.receive(request, limits).await;
        let status = match result {
            Ok(()) => 200,
            Err(Refusal::For(reason)) => {
                self.records.put(Record::Rejected { consumer: self.number, reason, at: self.clock.now() });
                self.metrics.rejected(reason);
                reason.status()
            }
            Err(Refusal::PeerGone) => {
                self.metrics.cut(Cut::PeerGone);
                return respond(StatusCode::BAD_REQUEST.as_u16());
            }
        };
        answered.store(result.is_ok(), Ordering::Relaxed);
        self.metrics.answered(status, self.clock.now().since(began));
        respond(status)
    }

    async fn receive(self: &Arc<Self>, request: Request<Incoming>, limits: Limits) -> Result<(), Refusal> {
        let client = client_of(request.uri().path()).filter(|client| (*client as usize) < self.secrets.len());
        let client = client.ok_or(RejectReason::UnknownEndpoint)?;
        if request.method() != Method::POST {
            return Err(RejectReason::MethodNotAllowed.into());
        }
        let (head, body) = request.into_parts();
        let body = read_body(body, limits).await?;
        let accepted = self.decide(client, &head.headers, &body)?;
        let item = Item {
            client,
            event_id: accepted.id,
            subject: accepted.subject,
            version: accepted.version,
            received_at: self.clock.now(),
        };
        Ok(self.take(item).await?)
    }

    fn decide(&self, client: u32, headers: &HeaderMap, body: &[u8]) -> Result<Accepted, RejectReason> {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let request = SignedRequest {
            id: text(headers::WEBHOOK_ID),
            timestamp: text(headers::WEBHOOK_TIMESTAMP),
            signatures: text(headers::WEBHOOK_SIGNATURE),
            body,
        };
        let checks = Checks {
            secrets: &self.secrets[client as usize],
            tolerance: self.tolerance,
            now_unix_s: self.clock.unix_secs(),
            flaw: self.flaw,
        };
        decide(&request, &checks)
    }

    /// The right way, or the flaw's.
    async fn take(self: &Arc<Self>, item: Item) -> Result<(), RejectReason> {
        match self.flaw {
            None => accepted(self.consumer.accept(item).await),
            Some(Flaw::AckBeforeStore) => {
                self.consumer.accept_before_store(item);
                Ok(())
            }
            Some(Flaw::Synchronous) => {
                // Work that has begun goes on after its sender has left.
                let handler = Arc::clone(self);
                let work = tokio::spawn(async move {
                    let _place = handler.busy.acquire().await;
                    handler.consumer.apply_at_once(item).await
                });
                accepted(work.await.unwrap_or(Err(AcceptError::Ending)))
            }
            Some(Flaw::Duplicate409) => match self.consumer.knows(&item).await {
                Ok(true) => Err(RejectReason::DuplicateRefused),
                Ok(false) => accepted(self.consumer.accept(item).await),
                Err(_) => Err(RejectReason::Overloaded),
            },
            Some(_) => accepted(self.consumer.accept(item).await),
        }
    }
}

/// Why a request is not acked.
enum Refusal {
    For(RejectReason),
    /// The peer hung up within the body: nobody reads an answer, so nobody is refused.
    PeerGone,
}

impl From<RejectReason> for Refusal {
    fn from(reason: RejectReason) -> Refusal {
        Refusal::For(reason)
    }
}

/// Whatever the reason, an event that is not stored is not acked.
fn accepted(result: Result<(), AcceptError>) -> Result<(), RejectReason> {
    result.map_err(|_| RejectReason::Overloaded)
}

/// The client's number in `/webhooks/{client}`.
fn client_of(path: &str) -> Option<u32> {
    let digits = path.strip_prefix("/webhooks/")?;
    // `parse` alone would take "+1" for 1.
    digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok())?
}

async fn read_body(body: Incoming, limits: Limits) -> Result<Bytes, Refusal> {
    // What announces itself as too large is refused before it is sent.
    if body.size_hint().lower() > limits.body_bytes {
        return Err(RejectReason::BodyTooLarge.into());
    }
    let limit = usize::try_from(limits.body_bytes).unwrap_or(usize::MAX);
    let read = Limited::new(body, limit).collect();
    match tokio::time::timeout(limits.body_time, read).await {
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(RejectReason::BodyTooLarge.into()),
        Ok(Err(error)) if error.downcast_ref().is_some_and(is_peer_gone) => Err(Refusal::PeerGone),
        // The peer broke its own framing.
        Ok(Err(_)) => Err(RejectReason::MalformedBody.into()),
        Err(_) => Err(RejectReason::SlowBody.into()),
    }
}

/// Whether the connection ended within the body, rather than carried something malformed.
fn is_peer_gone(error: &hyper::Error) -> bool {
    use std::{error::Error, io::ErrorKind};
    let io = error.source().and_then(|source| source.downcast_ref::<std::io::Error>());
    error.is_incomplete_message()
        || io.is_some_and(|io| {
            matches!(
                io.kind(),
                ErrorKind::UnexpectedEof
                    | ErrorKind::ConnectionReset
                    | ErrorKind::ConnectionAborted
                    | ErrorKind::BrokenPipe
            )
        })
}

fn respond(status: u16) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::new()));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    if status == 503 {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static(RETRY_AFTER_S));
    }
    response
}
