//! Headers of an answer with which a receiver tells its provider to stop.

use serde::{Deserialize, Serialize};

use super::{
    error::{At, Problem},
    raw_provider::RawStopHeaders,
};
use crate::{fault::Stop, wire::scheme::HeaderName};

/// What a provider listens to. The default: nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct StopHeaders {
    /// Any of these on an answer that is no ack ends the delivery.
    pub give_up: Vec<HeaderLine>,
    /// Any of these on any answer switches the endpoint off.
    pub disable: Vec<HeaderLine>,
}

/// A header and its whole value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeaderLine {
    /// In any case.
    pub name: String,
    /// Exactly so, blanks around it aside.
    pub value: String,
}

impl StopHeaders {
    /// Whether there is nothing to listen to.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.give_up.is_empty() && self.disable.is_empty()
    }

    /// Whether some header says so.
    #[must_use]
    pub fn can_say(&self, stop: Stop) -> bool {
        match stop {
            Stop::GiveUp => !self.give_up.is_empty(),
            Stop::Disable => !self.disable.is_empty(),
        }
    }

    /// What these headers of an answer ask for, the strongest first.
    #[must_use]
    pub fn asked_for<'a>(&self, headers: impl Iterator<Item = (&'a str, &'a [u8])> + Clone) -> Option<Stop> {
        let there = |lines: &[HeaderLine]| {
            headers.clone().any(|(name, value)| {
                let is = |line: &HeaderLine| {
                    name.eq_ignore_ascii_case(&line.name) && value.trim_ascii() == line.value.as_bytes()
                };
                lines.iter().any(is)
            })
        };
        let disable = there(&self.disable).then_some(Stop::Disable);
        disable.or_else(|| there(&self.give_up).then_some(Stop::GiveUp))
    }
}

/// Reads `stop_headers`.
pub(super) fn read_stop_headers(at: &At, raw: Option<&RawStopHeaders>) -> Result<StopHeaders, Problem> {
    let Some(raw) = raw else { return Ok(StopHeaders::default()) };
    let read = |key: &str, texts: &Option<Vec<String>>| {
        let at = at.key(key);
        let line = |(index, text): (usize, &String)| read_line(&at.index(index), text);
        texts.iter().flatten().enumerate().map(line).collect::<Result<Vec<_>, _>>()
    };
    let headers = StopHeaders { give_up: read("give_up", &raw.give_up)?, disable: read("disable", &raw.disable)? };
    if headers.is_empty() {
        return Err(at.problem("no header stops anything", "write { give_up = [\"x-no-retry: 1\"] }, or remove it"));
    }
    Ok(headers)
}

fn read_line(at: &At, text: &str) -> Result<HeaderLine, Problem> {
    let parts = text.split_once(':').map(|(name, value)| (name.trim(), value.trim()));
    match parts.filter(|(name, value)| HeaderName::parse(name).is_some() && !value.is_empty()) {
        Some((name, value)) => Ok(HeaderLine { name: name.to_owned(), value: value.to_owned() }),
        None => Err(at.problem(
            format!("\"{text}\" is no header with its value"),
            "write it as it is sent, such as \"x-slack-no-retry: 1\"",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_stops_by_its_name_in_any_case_and_its_value_to_the_letter() {
        let line = |text| read_line(&At::default(), text).unwrap();
        let headers = StopHeaders {
            give_up: vec![line("x-slack-no-retry: 1"), line("webhook-delivery: abort-message")],
            disable: vec![line("webhook-delivery:disable")],
        };
        let asked = |all: &[(&str, &str)]| headers.asked_for(all.iter().map(|(name, value)| (*name, value.as_bytes())));
        assert_eq!(asked(&[("X-Slack-No-Retry", " 1 ")]), Some(Stop::GiveUp));
        assert_eq!(asked(&[("webhook-delivery", "disable")]), Some(Stop::Disable));
        let both = [("webhook-delivery", "abort-message"), ("Webhook-Delivery", "disable")];
        assert_eq!(asked(&both), Some(Stop::Disable));
        for none in [("x-slack-no-retry", "0"), ("webhook-delivery", "Disable"), ("x-other", "1")] {
            assert_eq!(asked(&[none]), None, "{none:?}");
        }
        for bad in ["", "x-slack-no-retry", "x-slack-no-retry:", ": 1", "two words: 1"] {
            assert!(read_line(&At::default(), bad).is_err(), "{bad}");
        }
    }
}
