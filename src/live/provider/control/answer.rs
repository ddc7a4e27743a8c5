//! What the control API answers, in JSON. The only secret in here is a new one, told this once.

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use http_body_util::Full;
use serde::Serialize;

use super::journal::{Delivery, Standing};
use crate::{
    fault::{FaultKind, FaultPlan, Selector},
    live::provider::context::Context,
    model::{AttemptOutcome, ClientNo, Event, EventId, Subject, Time, Version},
    scenario::ConsumerNo,
    wire::control::{DeliveryId, EndpointId, Refusal},
};

/// A status, and what to say.
#[derive(Debug)]
pub(super) struct Answer {
    status: StatusCode,
    body: Option<(String, &'static str)>,
    /// Where what was made is found.
    location: Option<String>,
}

impl Answer {
    pub fn ok(said: &impl Serialize) -> Answer {
        let mut text = serde_json::to_string(said).expect("an answer is plain data");
        text.push('\n');
        Answer { status: StatusCode::OK, body: Some((text, "application/json")), location: None }
    }

    pub fn text(text: String) -> Answer {
        Answer { status: StatusCode::OK, body: Some((text, "text/plain; charset=utf-8")), location: None }
    }

    pub fn created(location: String, said: &impl Serialize) -> Answer {
        Answer { status: StatusCode::CREATED, location: Some(location), ..Answer::ok(said) }
    }

    pub fn accepted(said: &impl Serialize) -> Answer {
        Answer { status: StatusCode::ACCEPTED, ..Answer::ok(said) }
    }

    pub fn gone() -> Answer {
        Answer { status: StatusCode::NO_CONTENT, body: None, location: None }
    }

    /// As it goes over the wire. Nothing of it is to be kept by anybody, or taken for a page.
    pub fn response(self) -> Response<Full<Bytes>> {
        let (text, kind) = self.body.unzip();
        let mut response = Response::new(Full::from(text.unwrap_or_default()));
        *response.status_mut() = self.status;
        let head = response.headers_mut();
        if let Some(kind) = kind {
            head.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
        }
        head.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        head.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        if let Some(location) = self.location.and_then(|location| HeaderValue::try_from(location).ok()) {
            head.insert(header::LOCATION, location);
        }
        response
    }
}

/// A refusal as it goes over the wire.
pub(super) fn refused(refusal: Refusal) -> Response<Full<Bytes>> {
    #[derive(Serialize)]
    struct Refused {
        error: String,
        fix: String,
    }
    let Refusal { status, error, fix, allow } = refusal;
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
    let mut response = Answer { status, ..Answer::ok(&Refused { error, fix }) }.response();
    if let Some(allow) = allow.and_then(|allow| HeaderValue::try_from(allow).ok()) {
        response.headers_mut().insert(header::ALLOW, allow);
    }
    response
}

/// Several of something.
#[derive(Serialize)]
pub(super) struct List<T> {
    pub data: Vec<T>,
}

/// An endpoint that was just added.
#[derive(Serialize)]
pub(super) struct Added<'a> {
    pub id: String,
    pub url: &'a str,
    pub enabled: bool,
    pub secret: &'a str,
}

/// A secret that was just rotated.
#[derive(Serialize)]
pub(super) struct Rotated {
    pub id: String,
    pub secret: String,
    pub former_valid_until: String,
}

/// An event that was just emitted.
#[derive(Serialize)]
pub(super) struct Emitted {
    id: String,
    sequence: u32,
    subject: Subject,
    version: Version,
}

impl Emitted {
    pub fn of(context: &Context, event: &Event) -> Emitted {
        let Event { seq, subject, version, .. } = *event;
        let id = EventId::genuine(context.plan.run_id, seq).to_string();
        Emitted { id, sequence: seq, subject, version }
    }
}

/// What a reset has done.
#[derive(Serialize)]
pub(super) struct WasReset {
    pub endpoints_removed: usize,
}

/// How an endpoint is.
#[derive(Serialize)]
pub(super) struct EndpointView<'a> {
    id: String,
    url: String,
    /// `None` where it was added.
    consumer: Option<&'a str>,
    client: ClientNo,
    enabled: bool,
    off_until: Option<String>,
    deliveries: Counts,
    attempts: u64,
}

#[derive(Serialize)]
struct Counts {
    pending: u64,
    delivered: u64,
    failed: u64,
}

impl EndpointView<'_> {
    pub fn of<'a>(context: &'a Context, id: EndpointId, url: &str, standing: Standing) -> EndpointView<'a> {
        let Standing { enabled, off_until, pending, delivered, failed, attempts } = standing;
        EndpointView {
            id: id.to_string(),
            url: url.to_owned(),
            consumer: name_of(context, id.consumer),
            client: id.client,
            enabled,
            off_until: off_until.map(|at| instant(context, at)),
            deliveries: Counts { pending, delivered, failed },
            attempts,
        }
    }
}

/// How a delivery is.
#[derive(Serialize)]
pub(super) struct DeliveryView {
    id: String,
    endpoint: String,
    event: String,
    /// `None` where a capture says it, in whatever way.
    #[serde(rename = "type")]
    event_type: Option<String>,
    subject: Subject,
    occurred_at: String,
    state: &'static str,
    attempts: u32,
    last_attempt_at: Option<String>,
    last_outcome: Option<String>,
    why_failed: Option<&'static str>,
}

impl DeliveryView {
    pub fn of(context: &Context, id: DeliveryId, delivery: &Delivery) -> DeliveryView {
        let Delivery { event, state, attempts, last, why_failed } = delivery;
        DeliveryView {
            id: id.to_string(),
            endpoint: id.endpoint.to_string(),
            event: EventId::genuine(context.plan.run_id, event.seq).to_string(),
            event_type: context.event_type(event),
            subject: event.subject,
            occurred_at: instant(context, event.occurred_at),
            state: state.name(),
            attempts: *attempts,
            last_attempt_at: last.map(|(at, _)| instant(context, at)),
            last_outcome: last.map(|(_, outcome)| in_words(outcome)),
            why_failed: why_failed.map(|why| why.in_words()),
        }
    }
}

/// A fault, and whether it is on.
#[derive(Serialize)]
pub(super) struct FaultView<'a> {
    index: u16,
    enabled: bool,
    does: &'a FaultKind,
    when: &'a Selector,
    consumers: Vec<&'a str>,
    /// Whether endpoints that are added are under it.
    added_endpoints: bool,
}

impl FaultView<'_> {
    pub fn of<'a>(context: &'a Context, fault: &'a FaultPlan, enabled: bool) -> FaultView<'a> {
        let FaultPlan { index, kind, consumers, selector } = fault;
        FaultView {
            index: *index,
            enabled,
            does: kind,
            when: selector,
            consumers: consumers.iter().filter_map(|consumer| name_of(context, *consumer)).collect(),
            added_endpoints: consumers.contains(&context.by_hand()),
        }
    }
}

fn name_of(context: &Context, consumer: ConsumerNo) -> Option<&str> {
    context.plan.consumers.get(usize::from(consumer)).map(|consumer| consumer.name.as_str())
}

fn in_words(outcome: AttemptOutcome) -> String {
    match outcome {
        AttemptOutcome::Status(status) | AttemptOutcome::Accepted(status) | AttemptOutcome::NotAccepted(status) => {
            status.to_string()
        }
        AttemptOutcome::Timeout => "timeout".to_owned(),
        AttemptOutcome::Refused => "refused".to_owned(),
        AttemptOutcome::Reset => "reset".to_owned(),
        AttemptOutcome::BadResponse => "bad response".to_owned(),
    }
}

/// An instant of the run on the wall clock.
pub(super) fn instant(context: &Context, at: Time) -> String {
    let since_epoch = std::time::Duration::from_nanos(context.clock.wall().unix_ns(at));
    humantime::format_rfc3339_millis(std::time::UNIX_EPOCH + since_epoch).to_string()
}
