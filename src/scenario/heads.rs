//! What the head of a webhook says beside its signature.

use super::{
    HeadPlan,
    error::{At, Problem},
    raw_provider::RawProvider,
};
use crate::{profile::payload::header, wire::scheme::HeaderName};

/// Headers that whoever sends writes itself.
const OWN: [&str; 7] =
    ["host", "content-length", "content-type", "transfer-encoding", "connection", "user-agent", "pushpull-attempt"];

pub(super) fn read(at: &At, raw: &RawProvider) -> Result<HeadPlan, Problem> {
    let agent_at = at.key("user_agent");
    if let Some(agent) = &raw.user_agent
        && (agent.is_empty() || agent.len() > 200 || !agent.bytes().all(|byte| matches!(byte, b' '..=b'~')))
    {
        return Err(agent_at.problem("is no User-Agent", "write up to 200 printable characters, such as \"Acme/1.0\""));
    }
    let mut headers = Vec::new();
    for (name, text) in raw.headers.iter().flatten() {
        let at = at.key("headers");
        header(&at, name, text)?;
        check_name(&at.key(name), name)?;
        headers.push((name.clone(), text.clone()));
    }
    let at = at.key("retry_headers");
    let named = |key: &str, name: Option<&String>| {
        let Some(name) = name else { return Ok(None) };
        check_name(&at.key(key), name)?;
        Ok(Some(name.clone()))
    };
    let retry = raw.retry_headers.as_ref();
    Ok(HeadPlan {
        user_agent: raw.user_agent.clone(),
        headers,
        retry_number: named("number", retry.and_then(|retry| retry.number.as_ref()))?,
        retry_reason: named("reason", retry.and_then(|retry| retry.reason.as_ref()))?,
    })
}

fn check_name(at: &At, name: &str) -> Result<(), Problem> {
    if HeaderName::parse(name).is_none() {
        return Err(at.problem(format!("\"{name}\" is no header name"), "write letters, digits and '-'"));
    }
    if OWN.iter().any(|own| own.eq_ignore_ascii_case(name)) {
        return Err(at.problem("this header is written by itself", "remove it"));
    }
    Ok(())
}

/// Without a profile a webhook is pushpull's own.
pub(super) fn check_profile(at: &At, raw: &RawProvider, has_profile: bool) -> Result<(), Problem> {
    let keys = [
        ("events", raw.events.is_some()),
        ("user_agent", raw.user_agent.is_some()),
        ("headers", raw.headers.is_some()),
        ("retry_headers", raw.retry_headers.is_some()),
    ];
    match keys.iter().find(|(_, given)| *given && !has_profile) {
        None => Ok(()),
        Some((key, _)) => Err(at
            .key(key)
            .problem("without a profile webhooks are pushpull's own", "add profile = \"standard-webhooks\"")),
    }
}
