//! When a provider switches an endpoint off by itself, and what becomes of events meanwhile.

use serde::{Deserialize, Serialize};

use super::{
    error::{At, Problem},
    load::{Scale, span_or, within},
    raw_provider::{RawAutoDisable, RawFailureRatio},
};
use crate::model::Span;

/// When an endpoint is switched off by itself: as soon as one of these holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct AutoDisable {
    /// After this many failed attempts in a row, for a pause where there is one.
    pub failures: Option<u32>,
    /// For how long; `None` is for good. The first failure after a pause begins the next one, twice
    /// as long; an ack forgets them all.
    pub pause: Option<Pause>,
    /// For good after this many failed attempts in a row, pauses in between or not.
    pub permanent_after: Option<u32>,
    /// For good after this many deliveries in a row that were given up.
    pub events: Option<u32>,
    /// For good when nothing but failures has come for so long, at the first failure behind that.
    pub failing_for: Option<Span>,
    /// For good when too many of the last attempts have failed.
    pub ratio: Option<FailureRatio>,
}

/// How long an endpoint stays switched off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pause {
    /// The first time.
    pub first: Span,
    /// At most.
    pub max: Span,
}

/// Too many of the last attempts have failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailureRatio {
    /// More than this share, in millionths.
    pub above_millionths: u32,
    /// Of the attempts of the last so long.
    pub window: Span,
    /// Where fewer events than this were sent within that, nothing happens.
    pub least_events: u32,
}

/// What becomes of an event that comes while its endpoint is switched off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WhilePaused {
    /// It is given up, as a dead letter that a replay sends again.
    #[default]
    GiveUp,
    /// It is skipped: the provider does not keep it.
    Skip,
}

/// Reads `auto_disable`.
pub(super) fn read_auto_disable(at: &At, raw: &RawAutoDisable, scale: Scale) -> Result<AutoDisable, Problem> {
    let count = |key: &str, value: Option<u32>| {
        value.map(|value| within(&at.key(key), Some(value), 1, (1, 1_000_000))).transpose()
    };
    let failures = count("failures", raw.failures)?;
    let permanent_after = count("permanent_after", raw.permanent_after)?;
    let pause = read_pause(at, raw, scale)?;
    let permanent_at = at.key("permanent_after");
    match (permanent_after, failures) {
        (Some(_), _) if pause.is_none() => {
            return Err(
                permanent_at.problem("there is no pause that it would end", "write failures alone, or add a pause")
            );
        }
        (Some(permanent), Some(failures)) if permanent <= failures => {
            let fix = format!("write more than {failures}, or remove the pause");
            return Err(permanent_at.problem("comes before the first pause", fix));
        }
        _ => {}
    }
    let failing_at = at.key("failing_for");
    let failing_for = raw.failing_for.as_deref().map(|text| positive(&failing_at, text, "5d")).transpose()?;
    let rule = AutoDisable {
        failures,
        pause,
        permanent_after,
        events: count("events", raw.events)?,
        failing_for: failing_for.map(|span| scale.span(span)),
        ratio: raw.ratio.as_ref().map(|raw| read_ratio(&at.key("ratio"), raw, scale)).transpose()?,
    };
    if rule == AutoDisable::default() {
        return Err(at.problem("nothing switches an endpoint off", "write failures = 8, or remove it"));
    }
    Ok(rule)
}

fn read_pause(at: &At, raw: &RawAutoDisable, scale: Scale) -> Result<Option<Pause>, Problem> {
    let max_at = at.key("pause_max");
    let Some(pause) = raw.pause.as_deref() else {
        return match raw.pause_max {
            None => Ok(None),
            Some(_) => Err(max_at.problem("there is no pause to limit", "add pause = \"1min\", or remove it")),
        };
    };
    let pause_at = at.key("pause");
    if raw.failures.is_none() {
        return Err(pause_at.problem("a pause follows failures in a row", "add failures = 4, or remove it"));
    }
    let first = span_or(&pause_at, Some(pause), Span::ZERO)?;
    let max = span_or(&max_at, raw.pause_max.as_deref(), Span::from_secs(86_400).max(first))?;
    if max < first {
        return Err(max_at.problem("is shorter than the first pause", format!("write \"{pause}\" or more")));
    }
    Ok(Some(Pause { first: scale.span(first), max: scale.span(max) }))
}

fn read_ratio(at: &At, raw: &RawFailureRatio, scale: Scale) -> Result<FailureRatio, Problem> {
    let above_at = at.key("above");
    if !(0.0..1.0).contains(&raw.above) {
        let problem = format!("{} is no share that could be exceeded", raw.above);
        return Err(above_at.problem(problem, "write a number from 0 to less than 1, such as 0.95"));
    }
    Ok(FailureRatio {
        above_millionths: (raw.above * 1e6).round() as u32,
        window: scale.span(positive(&at.key("window"), &raw.window, "60min")?).max(Span(1)),
        least_events: within(&at.key("least_events"), raw.least_events, 1, (1, 1_000_000_000))?,
    })
}

fn positive(at: &At, text: &str, example: &str) -> Result<Span, Problem> {
    match span_or(at, Some(text), Span::ZERO)? {
        Span::ZERO => Err(at.problem("no time at all", format!("write a duration such as \"{example}\""))),
        span => Ok(span),
    }
}
