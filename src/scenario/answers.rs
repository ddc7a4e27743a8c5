//! What a provider makes of the end of an attempt: which statuses are an ack, what is tried again, and when.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{
    error::{At, Problem},
    load::{Scale, span_or},
    names::{Choice, choose, suggest},
    raw_provider::{RawLeastDelay, RawProvider},
};
use crate::model::{AttemptOutcome, Span};

/// How a provider takes the end of an attempt. The default: 2xx is the ack, a 410 switches the endpoint off, and
/// everything else is tried again.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct AnswersPlan {
    /// Statuses that are an ack; empty: 2xx.
    pub success: Vec<Ends>,
    /// What is tried again; `None`: every failure.
    pub retry_on: Option<Vec<Ends>>,
    /// What a 410 does.
    pub on_410: On410,
    /// What a receiver's `Retry-After` is worth.
    pub retry_after: RetryAfter,
    /// The next attempt is not due earlier after some ends.
    pub least_delay: Option<LeastDelay>,
    /// No attempt begins longer after its event than this; `None`: the schedule alone is the limit.
    pub give_up_after: Option<Span>,
}

/// Ends of attempts that are treated alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum Ends {
    /// A class of statuses by its first digit, 2 to 5.
    Class(u8),
    /// One status, 200 to 599.
    Status(u16),
    /// No complete answer in time.
    Timeout,
    /// The connection was refused, or broke.
    Connection,
    /// What came was no answer.
    Unreadable,
}

/// What a 410 does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum On410 {
    /// It ends the delivery and switches the endpoint off, as Standard Webhooks 1.0 says.
    #[default]
    Disable,
    /// What any other status does.
    Retry,
}

/// What a receiver's `Retry-After` is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RetryAfter {
    /// It counts between the schedule's own delay and twice that, as with Svix's server: a receiver can ask for
    /// patience, not for oblivion.
    #[default]
    Clamp,
    /// It counts where it is later than the schedule's own delay.
    Respect {
        /// But for no longer than this.
        at_most: Span,
    },
    /// Nothing.
    Ignore,
}

/// The next attempt after some ends is not due earlier.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeastDelay {
    /// After which.
    pub on: Vec<Ends>,
    /// Than this after the end.
    pub delay: Span,
}

impl AnswersPlan {
    /// An attempt's end as this provider takes it.
    #[must_use]
    #[inline]
    pub fn taken(&self, seen: AttemptOutcome) -> AttemptOutcome {
        let AttemptOutcome::Status(status) = seen else { return seen };
        if self.success.is_empty() {
            return seen;
        }
        match (Ends::among(&self.success, seen), seen.is_ack()) {
            (true, false) => AttemptOutcome::Accepted(status),
            (false, true) => AttemptOutcome::NotAccepted(status),
            _ => seen,
        }
    }
}

impl AnswersPlan {
    /// What a receiver in here answers, so that this provider takes it for an ack: 200 if it can be.
    #[must_use]
    pub fn ack_status(&self) -> u16 {
        let first = self.success.first().filter(|_| !self.taken(AttemptOutcome::Status(200)).is_ack());
        match first {
            Some(Ends::Status(status)) => *status,
            Some(Ends::Class(digit)) => 100 * u16::from(*digit),
            _ => 200,
        }
    }

    /// Whether the schedule alone says when an attempt follows a failure: the closed forms know nothing else.
    #[must_use]
    pub fn leave_the_schedule_alone(&self) -> bool {
        let AnswersPlan { success: _, retry_on, on_410: _, retry_after: _, least_delay, give_up_after } = self;
        retry_on.is_none() && least_delay.is_none() && give_up_after.is_none()
    }
}

impl Ends {
    /// Ends that are no status, by name.
    const NAMED: [(&'static str, Ends); 3] =
        [("timeout", Ends::Timeout), ("connection", Ends::Connection), ("unreadable", Ends::Unreadable)];

    /// Whether an attempt ended so.
    #[must_use]
    pub fn covers(self, outcome: AttemptOutcome) -> bool {
        match self {
            Ends::Class(digit) => outcome.status().is_some_and(|status| status / 100 == u16::from(digit)),
            Ends::Status(one) => outcome.status() == Some(one),
            Ends::Timeout => outcome == AttemptOutcome::Timeout,
            Ends::Connection => matches!(outcome, AttemptOutcome::Refused | AttemptOutcome::Reset),
            Ends::Unreadable => outcome == AttemptOutcome::BadResponse,
        }
    }

    /// Whether an attempt ended in one of these ways.
    #[must_use]
    pub fn among(these: &[Ends], outcome: AttemptOutcome) -> bool {
        these.iter().any(|one| one.covers(outcome))
    }

    fn is_status(self) -> bool {
        matches!(self, Ends::Class(_) | Ends::Status(_))
    }

    fn parse(text: &str) -> Option<Ends> {
        if let Some((_, named)) = Ends::NAMED.iter().find(|(name, _)| *name == text) {
            return Some(*named);
        }
        if let Some(digit) = text.strip_suffix("xx") {
            return digit.parse().ok().filter(|digit| digit_of_a_status(*digit)).map(Ends::Class);
        }
        let status = text.parse().ok().filter(|status| (200..=599).contains(status) && text.len() == 3);
        status.map(Ends::Status)
    }
}

fn digit_of_a_status(digit: u8) -> bool {
    (2..=5).contains(&digit)
}

impl fmt::Display for Ends {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Ends::Class(digit) => write!(f, "{digit}xx"),
            Ends::Status(status) => write!(f, "{status}"),
            named => f.write_str(Ends::NAMED.iter().find(|(_, one)| one == named).map_or("", |(name, _)| name)),
        }
    }
}

impl From<Ends> for String {
    fn from(ends: Ends) -> String {
        ends.to_string()
    }
}

impl TryFrom<String> for Ends {
    type Error = String;
    fn try_from(text: String) -> Result<Ends, String> {
        Ends::parse(&text).ok_or_else(|| format!("\"{text}\" is no end of an attempt"))
    }
}

/// No receiver is waited for longer than this because it asks for it.
const PATIENCE: Span = Span::from_secs(86_400);

/// Reads the keys of `[[provider]]` that say so.
pub(super) fn read_answers(at: &At, raw: &RawProvider, scale: Scale) -> Result<AnswersPlan, Problem> {
    const ON_410: [(&str, Choice<On410>); 2] =
        [("disable", Choice::Here(On410::Disable)), ("retry", Choice::Here(On410::Retry))];
    let retry_after: [(&str, Choice<RetryAfter>); 3] = [
        ("clamp", Choice::Here(RetryAfter::Clamp)),
        ("respect", Choice::Here(RetryAfter::Respect { at_most: scale.span(PATIENCE) })),
        ("ignore", Choice::Here(RetryAfter::Ignore)),
    ];
    let window_at = at.key("give_up_after");
    let window = raw.give_up_after.as_deref().map(|text| positive(&window_at, text, "2h")).transpose()?;
    Ok(AnswersPlan {
        success: read_success(&at.key("success"), raw.success.as_deref())?,
        retry_on: raw.retry_on.as_deref().map(|texts| read_ends(&at.key("retry_on"), texts)).transpose()?,
        on_410: choose(&at.key("on_410"), raw.on_410.as_deref().unwrap_or("disable"), &ON_410)?,
        retry_after: choose(&at.key("retry_after"), raw.retry_after.as_deref().unwrap_or("clamp"), &retry_after)?,
        least_delay: raw
            .least_delay
            .as_ref()
            .map(|raw| read_least_delay(&at.key("least_delay"), raw, scale))
            .transpose()?,
        give_up_after: window.map(|window| scale.span(window)),
    })
}

fn read_success(at: &At, texts: Option<&[String]>) -> Result<Vec<Ends>, Problem> {
    let Some(texts) = texts else { return Ok(Vec::new()) };
    let read = |(index, text): (usize, &String)| {
        Ends::parse(text).filter(|ends| ends.is_status()).ok_or_else(|| {
            at.index(index)
                .problem(format!("\"{text}\" is no status"), "write a status such as \"204\", or a class: \"2xx\"")
        })
    };
    let success: Vec<Ends> = texts.iter().enumerate().map(read).collect::<Result<_, _>>()?;
    match success[..] {
        [] => Err(at.problem("no status is an ack", "write [\"2xx\"], or remove it")),
        [Ends::Class(2)] => Ok(Vec::new()),
        _ => Ok(success),
    }
}

fn read_least_delay(at: &At, raw: &RawLeastDelay, scale: Scale) -> Result<LeastDelay, Problem> {
    let delay = positive(&at.key("delay"), &raw.delay, "60s")?;
    let on_at = at.key("on");
    let on = match raw.on.as_deref() {
        None => vec![Ends::Timeout, Ends::Status(429)],
        Some([]) => return Err(on_at.problem("after nothing", "write [\"timeout\", \"429\"], or remove it")),
        Some(texts) => read_ends(&on_at, texts)?,
    };
    Ok(LeastDelay { on, delay: scale.span(delay) })
}

fn positive(at: &At, text: &str, example: &str) -> Result<Span, Problem> {
    match span_or(at, Some(text), Span::ZERO)? {
        Span::ZERO => {
            Err(at.problem("no time at all", format!("write a duration such as \"{example}\", or remove it")))
        }
        span => Ok(span),
    }
}

fn read_ends(at: &At, texts: &[String]) -> Result<Vec<Ends>, Problem> {
    let read = |(index, text): (usize, &String)| {
        Ends::parse(text).ok_or_else(|| {
            let named: Vec<&str> = Ends::NAMED.iter().map(|(name, _)| *name).collect();
            let digits = text.starts_with(|first: char| first.is_ascii_digit());
            let fix = match suggest(text, &named) {
                near if !digits && near.starts_with("did") => near,
                _ => {
                    format!("write a status such as \"429\", a class such as \"5xx\", or one of: {}", named.join(", "))
                }
            };
            at.index(index).problem(format!("\"{text}\" is no end of an attempt"), fix)
        })
    };
    texts.iter().enumerate().map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_are_written_as_they_are_read_and_cover_what_they_name() {
        use AttemptOutcome::{Accepted, BadResponse, NotAccepted, Refused, Reset, Status, Timeout};
        for text in ["2xx", "5xx", "410", "timeout", "connection", "unreadable"] {
            assert_eq!(Ends::parse(text).map(|ends| ends.to_string()).as_deref(), Some(text));
        }
        for bad in ["", "1xx", "6xx", "xx", "22xx", "99", "600", "0200", "+200", "2XX", "time"] {
            assert_eq!(Ends::parse(bad), None, "{bad}");
        }
        let covered = |text: &str| {
            let ends = Ends::parse(text).unwrap();
            [Status(204), NotAccepted(200), Accepted(302), Status(429), Timeout, Refused, Reset, BadResponse]
                .map(|outcome| u8::from(ends.covers(outcome)))
        };
        assert_eq!(covered("2xx"), [1, 1, 0, 0, 0, 0, 0, 0]);
        assert_eq!(covered("302"), [0, 0, 1, 0, 0, 0, 0, 0]);
        assert_eq!(covered("4xx"), [0, 0, 0, 1, 0, 0, 0, 0]);
        assert_eq!(covered("timeout"), [0, 0, 0, 0, 1, 0, 0, 0]);
        assert_eq!(covered("connection"), [0, 0, 0, 0, 0, 1, 1, 0]);
        assert_eq!(covered("unreadable"), [0, 0, 0, 0, 0, 0, 0, 1]);
    }

    #[test]
    fn an_ack_is_what_the_provider_takes_for_one() {
        use AttemptOutcome::{Accepted, NotAccepted, Status, Timeout};
        let taken = |success: &[Ends]| {
            let answers = AnswersPlan { success: success.to_vec(), ..AnswersPlan::default() };
            [Status(200), Status(204), Status(302), Status(500), Timeout].map(|seen| answers.taken(seen))
        };
        assert_eq!(taken(&[]), [Status(200), Status(204), Status(302), Status(500), Timeout]);
        let lax = taken(&[Ends::Class(2), Ends::Class(3)]);
        assert_eq!(lax, [Status(200), Status(204), Accepted(302), Status(500), Timeout]);
        let strict = taken(&[Ends::Status(204)]);
        assert_eq!(strict, [NotAccepted(200), Status(204), Status(302), Status(500), Timeout]);
        assert_eq!(strict.map(AttemptOutcome::is_ack), [false, true, false, false, false]);
        assert_eq!(lax.map(AttemptOutcome::is_ack), [true, true, true, false, false]);
        let ack = |success: &[Ends]| AnswersPlan { success: success.to_vec(), ..AnswersPlan::default() }.ack_status();
        assert_eq!([ack(&[]), ack(&[Ends::Class(3), Ends::Class(2)]), ack(&[Ends::Status(204)])], [200, 200, 204]);
    }
}
