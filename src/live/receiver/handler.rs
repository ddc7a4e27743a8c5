//! One request: read within the limits, decide, store, answer.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::Full;
use hyper::body::Incoming;
use tokio::sync::Semaphore;

use super::{
    bodies::{Bodies, read_body},
    door::{Door, Entry},
    metrics::{Cut, Metrics},
    places::Place,
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
    model::RejectReason,
    policy::receive::Accepted,
    record::{Record, RecordSink},
    scenario::{ConsumerNo, Flaw},
};

/// Seconds that a receiver which cannot store asks for.
const RETRY_AFTER_S: &str = "1";

/// What every request needs.
pub(super) struct Handler {
    pub consumer: Arc<Consumer>,
    pub number: ConsumerNo,
    pub door: Door,
    /// The address that it listens on, which some providers sign.
    pub address: String,
    pub flaw: Option<Flaw>,
    /// What its provider takes for an ack.
    pub ack_status: u16,
    /// Room for requests that do their work at once.
    pub busy: Semaphore,
    pub bodies: Bodies,
    pub clock: Clock,
    pub records: Arc<dyn RecordSink>,
    pub crash_points: CrashPoints,
    pub metrics: Arc<Metrics>,
}

impl Handler {
    /// Answers one request of the connection at `place`.
    pub async fn handle(
        self: &Arc<Self>,
        request: Request<Incoming>,
        limits: Limits,
        place: &Place,
    ) -> Response<Full<Bytes>> {
        // A further request on a connection proves that the ack before it is out.
        if place.acked() {
            self.crash_points.reach(CrashPoint::AfterAck);
        }
        let began = self.clock.now();
        place.body_begins(began);
        let result = self.receive(request, limits, place).await;
        let status = match result {
            Ok(()) => self.ack_status,
            Err(Refusal::Handshake { status, body }) => {
                place.answered(false, self.clock.now());
                return say(status, body);
            }
            Err(Refusal::For(reason)) => {
                self.records.put(Record::Rejected { consumer: self.number, reason, at: self.clock.now() });
                self.metrics.rejected(reason);
                reason.status()
            }
            Err(Refusal::PeerGone) => {
                self.metrics.cut(Cut::PeerGone);
                place.answered(false, self.clock.now());
                return respond(StatusCode::BAD_REQUEST.as_u16());
            }
        };
        let now = self.clock.now();
        place.answered(result.is_ok(), now);
        self.metrics.answered(status, result.is_ok().then(|| now.since(began)));
        respond(status)
    }

    async fn receive(
        self: &Arc<Self>,
        request: Request<Incoming>,
        limits: Limits,
        place: &Place,
    ) -> Result<(), Refusal> {
        let client = client_of(request.uri().path()).filter(|client| (*client as usize) < self.door.clients());
        let client = client.ok_or(RejectReason::UnknownEndpoint)?;
        if request.method() != Method::POST {
            return Err(RejectReason::MethodNotAllowed.into());
        }
        let item = {
            let (head, body) = request.into_parts();
            let body = read_body(body, &limits, &self.bodies, place).await?;
            let received_at = self.clock.now();
            place.our_turn(received_at);
            let asked = (&head.method, &head.uri, &head.headers);
            let at = (self.clock, self.address.as_str());
            let Accepted { id, subject, version } = match self.door.decide(client, asked, &body, at)? {
                Entry::Event(event) => event,
                Entry::Handshake { status, body } => return Err(Refusal::Handshake { status, body }),
            };
            // Head and body go before the wait for the store: they share the connection's buffer, which
            // then has to be made anew for each request.
            Item { client, event_id: id, subject, version, received_at }
        };
        Ok(self.take(item).await?)
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

/// What is answered instead of an ack.
pub(super) enum Refusal {
    For(RejectReason),
    /// The peer hung up within the body: nobody reads an answer, so nobody is refused.
    PeerGone,
    /// It is no event: a provider asks before its first delivery.
    Handshake {
        status: u16,
        body: String,
    },
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

/// An answer that somebody reads.
fn say(status: u16, body: String) -> Response<Full<Bytes>> {
    let mut response = respond(status);
    *response.body_mut() = Full::new(body.into());
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}

fn respond(status: u16) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::new()));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    if status == 503 {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static(RETRY_AFTER_S));
    }
    response
}
