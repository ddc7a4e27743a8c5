//! Reads bodies and queries to commands.

use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{error::Category, value::RawValue};

use super::{Command, DeliveryState, Filter, Refusal, route::Asked};
use crate::{
    model::Span,
    wire::{NotHere, is_event_type, require_loopback},
};

/// How long former secrets sign as well, where nobody says: as Stripe's and Svix's do.
const OVERLAP_DEFAULT: Span = Span::from_secs(24 * 3_600);
/// And the longest that somebody may say.
const OVERLAP_MAX_MS: u64 = 7 * 24 * 3_600 * 1_000;

const URL_BYTES_MAX: usize = 2_048;

/// Deliveries listed where nobody says how many, and at most.
const LIMIT_DEFAULT: usize = 100;
const LIMIT_MAX: usize = 1_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AddEndpoint {
    url: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rotate {
    overlap_ms: Option<u64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Emit {
    #[serde(rename = "type")]
    event_type: Option<String>,
    #[serde(default)]
    subject: u32,
    data: Option<Box<RawValue>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SwitchFault {
    enabled: bool,
}

/// For routes that take no body; an empty object does no harm.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

/// Reads a body. One that is no JSON is a bad request; one that is JSON of another shape cannot be processed.
fn read<T: DeserializeOwned>(asked: &Asked<'_>) -> Result<T, Refusal> {
    // No body says nothing, as an empty object does: what must be said is missed by name.
    let body = if asked.body.is_empty() { b"{}" } else { asked.body };
    serde_json::from_slice(body).map_err(|error| {
        let status = if error.classify() == Category::Data { 422 } else { 400 };
        let what = if status == 422 { "the body does not fit" } else { "the body is no JSON" };
        let fix = match asked.example {
            "" => "send no body".to_owned(),
            example => format!("send a body such as {example}"),
        };
        Refusal::new(status, format!("{what}: {error}"), fix)
    })
}

pub(super) fn add_endpoint(asked: &Asked<'_>) -> Result<Command, Refusal> {
    let AddEndpoint { url } = read(asked)?;
    if url.len() > URL_BYTES_MAX {
        return Err(Refusal::new(422, "the URL is too long", format!("send at most {URL_BYTES_MAX} bytes")));
    }
    require_loopback(&url).map_err(|why| Refusal::new(422, format!("\"{url}\" {why}"), NotHere::FIX))?;
    Ok(Command::AddEndpoint { url })
}

pub(super) fn rotate(asked: &Asked<'_>) -> Result<Command, Refusal> {
    let endpoint = asked.id.parse()?;
    let Rotate { overlap_ms } = read(asked)?;
    let overlap = match overlap_ms {
        None => OVERLAP_DEFAULT,
        Some(ms) if ms <= OVERLAP_MAX_MS => Span::from_millis(ms),
        Some(ms) => {
            let error = format!("an overlap of {ms} ms would keep two secrets for more than a week");
            return Err(Refusal::new(422, error, format!("send an overlap_ms of 0 to {OVERLAP_MAX_MS}")));
        }
    };
    Ok(Command::Rotate { endpoint, overlap })
}

pub(super) fn enable(asked: &Asked<'_>) -> Result<Command, Refusal> {
    let Nothing {} = read(asked)?;
    Ok(Command::Enable(asked.id.parse()?))
}

pub(super) fn redeliver(asked: &Asked<'_>) -> Result<Command, Refusal> {
    let Nothing {} = read(asked)?;
    Ok(Command::Redeliver(asked.id.parse()?))
}

pub(super) fn reset(asked: &Asked<'_>) -> Result<Command, Refusal> {
    let Nothing {} = read(asked)?;
    Ok(Command::Reset)
}

pub(super) fn emit(asked: &Asked<'_>) -> Result<Command, Refusal> {
    let Emit { event_type, subject, data } = read(asked)?;
    if let Some(bad) = event_type.as_deref().filter(|text| !is_event_type(text)) {
        let error = format!("\"{}\" is no event type", bad.chars().take(80).collect::<String>());
        return Err(Refusal::new(422, error, "send letters, digits, '.', '_' and '-', such as \"invoice.paid\""));
    }
    let data = data.unwrap_or_else(empty_object);
    if !data.get().starts_with('{') {
        return Err(Refusal::new(422, "data is no object", "send an object, such as \"data\": {\"amount\": 12}"));
    }
    Ok(Command::Emit { event_type, subject, data })
}

fn empty_object() -> Box<RawValue> {
    RawValue::from_string("{}".to_owned()).expect("an object is JSON")
}

pub(super) fn switch_fault(asked: &Asked<'_>) -> Result<Command, Refusal> {
    let number = || asked.id.bytes().all(|byte| byte.is_ascii_digit()).then(|| asked.id.parse().ok())?;
    let index = number().ok_or_else(|| {
        let error = format!("\"{}\" is no fault's index", asked.id.chars().take(80).collect::<String>());
        Refusal::new(404, error, "GET /faults lists those that there are")
    })?;
    let SwitchFault { enabled } = read(asked)?;
    Ok(Command::SwitchFault { index, enabled })
}

pub(super) fn deliveries(asked: &Asked<'_>) -> Result<Command, Refusal> {
    let mut filter = Filter { endpoint: None, state: None, limit: LIMIT_DEFAULT };
    for pair in asked.query.split('&').filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        match key {
            // `?endpoint=&state=` asks for everything.
            "endpoint" | "state" | "limit" if value.is_empty() => {}
            "endpoint" => filter.endpoint = Some(value.parse()?),
            "state" => filter.state = Some(read_state(value)?),
            "limit" => filter.limit = read_limit(value)?,
            _ => {
                let error = format!("\"{}\" is nothing to ask for", key.chars().take(80).collect::<String>());
                return Err(Refusal::new(400, error, "ask for endpoint, state or limit"));
            }
        }
    }
    Ok(Command::Deliveries(filter))
}

fn read_state(value: &str) -> Result<DeliveryState, Refusal> {
    DeliveryState::ALL.into_iter().find(|state| state.name() == value).ok_or_else(|| {
        let error = format!("\"{}\" is no state of a delivery", value.chars().take(80).collect::<String>());
        let names: Vec<&str> = DeliveryState::ALL.into_iter().map(DeliveryState::name).collect();
        Refusal::new(400, error, format!("write one of: {}", names.join(", ")))
    })
}

fn read_limit(value: &str) -> Result<usize, Refusal> {
    let limit = value.parse().ok().filter(|limit| (1..=LIMIT_MAX).contains(limit));
    limit.ok_or_else(|| {
        let error = format!("a limit of \"{}\" will not do", value.chars().take(80).collect::<String>());
        Refusal::new(400, error, format!("write a number from 1 to {LIMIT_MAX}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::control::{EndpointId, route_of};

    fn asked(method: &str, target: &str, body: &str) -> Result<Command, Refusal> {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let (route, id) = route_of(method, path)?;
        route.read(id, query, body.as_bytes())
    }

    fn refused(method: &str, target: &str, body: &str) -> (u16, String) {
        let refusal = asked(method, target, body).unwrap_err();
        assert!(!refusal.fix.is_empty());
        (refusal.status, refusal.error)
    }

    #[test]
    fn an_endpoint_is_on_this_machine() {
        let added = asked("POST", "/endpoints", r#"{"url":"http://127.0.0.1:80/x"}"#);
        assert!(matches!(added, Ok(Command::AddEndpoint { url }) if url == "http://127.0.0.1:80/x"));
        let (status, error) = refused("POST", "/endpoints", r#"{"url":"http://example.com/"}"#);
        assert_eq!((status, error.as_str()), (422, "\"http://example.com/\" is not on this machine"));
        let long = format!(r#"{{"url":"http://127.0.0.1/{}"}}"#, "x".repeat(3_000));
        assert_eq!(refused("POST", "/endpoints", &long).0, 422);
    }

    #[test]
    fn what_is_no_json_and_what_does_not_fit_are_told_apart() {
        assert_eq!(refused("POST", "/endpoints", "url=http").0, 400);
        assert_eq!(refused("POST", "/endpoints", "{\"url\":").0, 400);
        for body in ["", "{}", "[]", "7", r#"{"url":7}"#, r#"{"url":"http://127.0.0.1/","ulr":1}"#] {
            assert_eq!(refused("POST", "/endpoints", body).0, 422, "{body}");
        }
        assert!(refused("POST", "/endpoints", "").1.contains("missing field `url`"));
        assert_eq!(refused("POST", "/reset", r#"{"all":true}"#).0, 422);
    }

    #[test]
    fn an_overlap_has_a_default_and_an_end() {
        let overlap = |body| match asked("POST", "/endpoints/ep_1_0/rotate", body) {
            Ok(Command::Rotate { endpoint: EndpointId { consumer: 1, client: 0 }, overlap }) => Ok(overlap),
            other => Err(other.unwrap_err().status),
        };
        assert_eq!(overlap(""), Ok(Span::from_secs(86_400)));
        assert_eq!(overlap(r#"{"overlap_ms":0}"#), Ok(Span::ZERO));
        assert_eq!(overlap(r#"{"overlap_ms":1500}"#), Ok(Span::from_millis(1_500)));
        assert_eq!(overlap(r#"{"overlap_ms":-1}"#), Err(422));
        assert_eq!(overlap(r#"{"overlap_ms":604800001}"#), Err(422));
    }

    #[test]
    fn an_event_has_a_plain_type_and_an_object_for_its_content() {
        let Ok(Command::Emit { event_type: None, subject: 0, data }) = asked("POST", "/events", "{}") else { panic!() };
        assert_eq!(data.get(), "{}");
        let body = r#"{"type":"a.b","subject":4,"data": {"x": 1.10} }"#;
        let Ok(Command::Emit { event_type: Some(kind), subject: 4, data }) = asked("POST", "/events", body) else {
            panic!()
        };
        assert_eq!((kind.as_str(), data.get()), ("a.b", r#"{"x": 1.10}"#), "the bytes are kept");
        for body in [
            r#"{"type":"a b"}"#,
            r#"{"type":""}"#,
            r#"{"data":[1]}"#,
            r#"{"data":"x"}"#,
            r#"{"subject":-1}"#,
            r#"{"subject":"order_1"}"#,
        ] {
            assert_eq!(refused("POST", "/events", body).0, 422, "{body}");
        }
    }

    #[test]
    fn a_list_is_asked_for_by_endpoint_state_and_length() {
        let filter = |query: &str| match asked("GET", &format!("/deliveries?{query}"), "") {
            Ok(Command::Deliveries(Filter { endpoint, state, limit })) => Ok((endpoint.is_some(), state, limit)),
            other => Err(other.unwrap_err().status),
        };
        assert_eq!(filter(""), Ok((false, None, 100)));
        assert_eq!(filter("endpoint=&state=&limit="), Ok((false, None, 100)));
        assert_eq!(filter("endpoint=ep_0_3&state=failed&limit=5"), Ok((true, Some(DeliveryState::Failed), 5)));
        for (query, status) in [
            ("limit=0", 400),
            ("limit=1001", 400),
            ("limit=x", 400),
            ("state=lost", 400),
            ("size=1", 400),
            ("endpoint=7", 404),
        ] {
            assert_eq!(filter(query), Err(status), "{query}");
        }
    }

    #[test]
    fn a_fault_is_switched_by_its_index() {
        let switched = asked("POST", "/faults/3", r#"{"enabled":true}"#);
        assert!(matches!(switched, Ok(Command::SwitchFault { index: 3, enabled: true })));
        for index in ["x", "+1", "-1", "70000"] {
            assert_eq!(refused("POST", &format!("/faults/{index}"), r#"{"enabled":true}"#).0, 404, "{index}");
        }
        assert_eq!(refused("POST", "/faults/0", "").0, 422);
    }
}
