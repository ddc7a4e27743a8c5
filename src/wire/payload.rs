//! What a provider's requests say: text with `{{placeholders}}` that an event fills in.
//!
//! The text is JSON once it is filled in, and its writer chooses every byte: nothing is parsed or ordered anew. Two
//! braces in a row cannot begin anything in JSON but a text, where `\u007b` stands for one.

use std::io::Write;

use crate::model::{Event, WallClock};

/// What stands for something of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Slot {
    /// Its id, in the provider's form.
    Id,
    /// Its type.
    Type,
    /// Its sequence, from 1.
    Seq,
    /// The number of what changed.
    Subject,
    /// The same with ten digits.
    SubjectPadded,
    /// To which version.
    Version,
    /// Its instant in Unix seconds.
    UnixS,
    /// The same in milliseconds.
    UnixMs,
    /// The same as RFC 3339, of seconds.
    Rfc3339,
    /// The same of milliseconds.
    Rfc3339Ms,
    /// The same of nanoseconds.
    Rfc3339Ns,
    /// The instant of signing in Unix seconds.
    SentS,
    /// The same in milliseconds.
    SentMs,
    /// An amount of money, such as 12.30.
    Amount,
    /// The same in cents.
    AmountCents,
    /// As many dots as make the body as long as the scenario wants it.
    Padding,
}

impl Slot {
    /// Every slot by its name.
    pub const TABLE: [(&'static str, Slot); 16] = [
        ("id", Slot::Id),
        ("type", Slot::Type),
        ("seq", Slot::Seq),
        ("subject", Slot::Subject),
        ("subject_padded", Slot::SubjectPadded),
        ("version", Slot::Version),
        ("unix_s", Slot::UnixS),
        ("unix_ms", Slot::UnixMs),
        ("rfc3339", Slot::Rfc3339),
        ("rfc3339_ms", Slot::Rfc3339Ms),
        ("rfc3339_ns", Slot::Rfc3339Ns),
        ("sent_s", Slot::SentS),
        ("sent_ms", Slot::SentMs),
        ("amount", Slot::Amount),
        ("amount_cents", Slot::AmountCents),
        ("padding", Slot::Padding),
    ];
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    Slot(Slot),
}

/// A text with placeholders.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PayloadTemplate(Vec<Piece>);

/// A text that is no template.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PayloadError {
    /// Nothing of that name is known of an event.
    #[error("{{{{{0}}}}} is no placeholder")]
    Unknown(String),
    /// No closing braces.
    #[error("{{{{ without }}}} behind it")]
    Open,
    /// One more than once.
    #[error("{{{{padding}}}} is there twice")]
    TwicePadded,
}

/// What is told of an event.
#[derive(Debug, Clone, Copy)]
pub struct Telling<'a> {
    /// Its id as the provider writes it.
    pub id: &'a str,
    /// Its type.
    pub event_type: &'a str,
    /// The event.
    pub event: &'a Event,
    /// Where t0 lies on the wall clock.
    pub wall: WallClock,
    /// When the request is signed, in Unix milliseconds.
    pub sent_unix_ms: u64,
    /// How much money it is about.
    pub amount_cents: u64,
}

impl PayloadTemplate {
    /// Reads `{"id":"{{id}}"}`.
    pub fn parse(text: &str) -> Result<PayloadTemplate, PayloadError> {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some((before, behind)) = rest.split_once("{{") {
            let (name, behind) = behind.split_once("}}").ok_or(PayloadError::Open)?;
            let known = Slot::TABLE.iter().find(|(known, _)| *known == name);
            let (_, slot) = known.ok_or_else(|| PayloadError::Unknown(name.chars().take(40).collect()))?;
            if !before.is_empty() {
                pieces.push(Piece::Text(before.to_owned()));
            }
            if *slot == Slot::Padding && pieces.contains(&Piece::Slot(Slot::Padding)) {
                return Err(PayloadError::TwicePadded);
            }
            pieces.push(Piece::Slot(*slot));
            rest = behind;
        }
        if !rest.is_empty() {
            pieces.push(Piece::Text(rest.to_owned()));
        }
        Ok(PayloadTemplate(pieces))
    }

    /// Whether something of an event stands in it.
    #[must_use]
    pub fn has(&self, slot: Slot) -> bool {
        self.0.contains(&Piece::Slot(slot))
    }

    /// Whether it says when it is sent: each attempt's text is another one then.
    #[must_use]
    pub fn says_when_sent(&self) -> bool {
        self.has(Slot::SentS) || self.has(Slot::SentMs)
    }

    /// Appends the text, padded to `bytes` where it is shorter and has a place for that.
    pub fn render(&self, out: &mut Vec<u8>, telling: &Telling<'_>, bytes: Option<u32>) {
        let start = out.len();
        let mut padding_at = None;
        for piece in &self.0 {
            match piece {
                Piece::Text(text) => out.extend_from_slice(text.as_bytes()),
                Piece::Slot(Slot::Padding) => padding_at = Some(out.len()),
                Piece::Slot(slot) => telling.write(*slot, out),
            }
        }
        let missing = (bytes.unwrap_or(0) as usize).saturating_sub(out.len() - start);
        if let Some(at) = padding_at.filter(|_| missing > 0) {
            out.splice(at..at, std::iter::repeat_n(b'.', missing));
        }
    }
}

impl Telling<'_> {
    fn write(&self, slot: Slot, out: &mut Vec<u8>) {
        let Telling { id, event_type, event, wall, sent_unix_ms, amount_cents } = *self;
        let unix_ns = wall.unix_ns(event.occurred_at);
        let at = std::time::UNIX_EPOCH + std::time::Duration::from_nanos(unix_ns);
        // Writing into a Vec cannot fail.
        let _ = match slot {
            Slot::Id => out.write_all(id.as_bytes()),
            Slot::Type => out.write_all(event_type.as_bytes()),
            Slot::Seq => write!(out, "{}", event.seq),
            Slot::Subject => write!(out, "{}", event.subject),
            Slot::SubjectPadded => write!(out, "{:010}", event.subject),
            Slot::Version => write!(out, "{}", event.version),
            Slot::UnixS => write!(out, "{}", unix_ns / 1_000_000_000),
            Slot::UnixMs => write!(out, "{}", unix_ns / 1_000_000),
            Slot::Rfc3339 => write!(out, "{}", humantime::format_rfc3339_seconds(at)),
            Slot::Rfc3339Ms => write!(out, "{}", humantime::format_rfc3339_millis(at)),
            Slot::Rfc3339Ns => write!(out, "{}", humantime::format_rfc3339_nanos(at)),
            Slot::SentS => write!(out, "{}", sent_unix_ms / 1_000),
            Slot::SentMs => write!(out, "{sent_unix_ms}"),
            Slot::Amount => write!(out, "{}.{:02}", amount_cents / 100, amount_cents % 100),
            Slot::AmountCents => write!(out, "{amount_cents}"),
            Slot::Padding => Ok(()),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Time;

    fn render(text: &str, bytes: Option<u32>) -> String {
        let event = Event { seq: 7, subject: 3, version: 2, occurred_at: Time(1_500_000_000) };
        let wall = WallClock { t0_unix_ns: 1_760_000_000_000_000_000 };
        let sent_unix_ms = 1_760_000_009_250;
        let telling = Telling { id: "evt_1", event_type: "a.b", event: &event, wall, sent_unix_ms, amount_cents: 1230 };
        let mut out = b"before ".to_vec();
        PayloadTemplate::parse(text).unwrap().render(&mut out, &telling, bytes);
        String::from_utf8(out).unwrap().split_off("before ".len())
    }

    #[test]
    fn every_placeholder_says_what_it_stands_for_and_braces_of_json_are_none() {
        let all: Vec<String> = Slot::TABLE.iter().map(|(name, _)| format!("{name}={{{{{name}}}}}")).collect();
        insta::assert_snapshot!(render(&all.join("\n"), None), @r"
        id=evt_1
        type=a.b
        seq=7
        subject=3
        subject_padded=0000000003
        version=2
        unix_s=1760000001
        unix_ms=1760000001500
        rfc3339=2025-10-09T08:53:21Z
        rfc3339_ms=2025-10-09T08:53:21.500Z
        rfc3339_ns=2025-10-09T08:53:21.500000000Z
        sent_s=1760000009
        sent_ms=1760000009250
        amount=12.30
        amount_cents=1230
        padding=
        ");
        assert_eq!(render(r#"{"a":{"b":{{seq}}}}"#, None), r#"{"a":{"b":7}}"#);
        assert_eq!(render(r#"{"a":{"b":{"c":1}}}"#, None), r#"{"a":{"b":{"c":1}}}"#);
    }

    #[test]
    fn padding_makes_the_size_exact_and_never_shorter() {
        assert_eq!(render(r#"{"p":"{{padding}}"}"#, Some(12)), r#"{"p":"...."}"#);
        assert_eq!(render(r#"{"p":"{{padding}}"}"#, Some(3)), r#"{"p":""}"#);
        assert_eq!(render("{{seq}}", Some(9)), "7");
    }

    #[test]
    fn what_is_no_template_is_refused() {
        assert_eq!(PayloadTemplate::parse("{{nonsense}}"), Err(PayloadError::Unknown("nonsense".to_owned())));
        assert_eq!(PayloadTemplate::parse("a {{id"), Err(PayloadError::Open));
        assert_eq!(PayloadTemplate::parse("{{padding}}{{padding}}"), Err(PayloadError::TwicePadded));
        let error = PayloadError::Unknown("x".to_owned()).to_string();
        assert_eq!(error, "{{x}} is no placeholder");
    }
}
