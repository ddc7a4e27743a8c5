//! Captured events of any JSON shape: reading one, and sending it again as an event of ours.
//!
//! A captured event is one JSON object with an instant somewhere in it. Sent again, it keeps its
//! bytes but for what would be a lie (its id and its instant) and what a consumer needs to find at
//! the top (`id`, `sequence`, `subject`, `version`). The values that gave way stand at the end, under
//! `"replayed"`, so that nothing of the capture is lost.

use std::{borrow::Cow, fmt, ops::Range};

use serde::{Deserialize, Deserializer, Serialize, de};
use serde_json::value::RawValue;

use crate::model::{Event, EventId, WallClock};

/// Which keys of a captured event hold what. Dots lead into inner objects: `data.object.id`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct CaptureKeys {
    /// The instant; `None`: the first of [`TIME_KEYS`] that is there.
    pub time: Option<String>,
    /// The id; `None`: `id`, where it is there.
    pub id: Option<String>,
    /// What changed; `None`: nobody says.
    pub subject: Option<String>,
}

/// Where an instant is looked for, in this order, where nobody says.
pub const TIME_KEYS: [&str; 5] = ["timestamp", "time", "created", "created_at", "occurred_at"];

/// The member that holds what gave way.
const KEPT: &str = "replayed";

/// What is wrong with a captured event, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{problem}; {fix}")]
pub struct CaptureProblem {
    /// What is wrong.
    pub problem: String,
    /// What to write.
    pub fix: String,
}

/// A captured event, as far as its schedule needs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Captured<'a> {
    /// Its instant in Unix time.
    pub unix_ns: u64,
    /// The JSON text of what changed.
    pub subject: Option<&'a str>,
}

/// Reads a captured event. What this accepts, [`render_captured`] can send again.
pub fn read_captured<'a>(line: &'a str, keys: &CaptureKeys) -> Result<Captured<'a>, CaptureProblem> {
    let parts = Parts::of(line, keys)?;
    let subject = match &keys.subject {
        Some(path) => Some(find(&parts.members, path).filter(|raw| is_scalar(raw)).ok_or_else(|| {
            problem(format!("no \"{path}\" with a text or a number"), "name another subject_key, or mend the line")
        })?),
        None => None,
    };
    Ok(Captured { unix_ns: parts.instant.unix_ns, subject: subject.map(RawValue::get) })
}

/// Appends the captured event as an event of ours.
pub fn render_captured(
    out: &mut Vec<u8>,
    line: &str,
    keys: &CaptureKeys,
    id: EventId,
    event: &Event,
    wall: WallClock,
) -> Result<(), CaptureProblem> {
    let parts = Parts::of(line, keys)?;
    let ours = |what| match what {
        What::Id => format!("\"{id}\""),
        What::Sequence => event.seq.to_string(),
        What::Subject => event.subject.to_string(),
        What::Version => event.version.to_string(),
        What::Time => parts.instant.form.write(wall.unix_ns(event.occurred_at)),
    };
    out.push(b'{');
    for (name, what) in TOP {
        if !parts.members.iter().any(|(key, _)| key == name) {
            out.extend_from_slice(format!("\"{name}\":{},", ours(what)).as_bytes());
        }
    }
    let mut written = parts.first;
    for place in &parts.places {
        out.extend_from_slice(&line.as_bytes()[written..place.range.start]);
        out.extend_from_slice(ours(place.what).as_bytes());
        written = place.range.end;
    }
    out.extend_from_slice(&line.as_bytes()[written..parts.last]);
    keep(out, line, &parts.places);
    out.push(b'}');
    Ok(())
}

/// The values that gave way, under their paths.
fn keep(out: &mut Vec<u8>, line: &str, places: &[Place<'_>]) {
    out.extend_from_slice(format!(",\"{KEPT}\":{{").as_bytes());
    for (number, place) in places.iter().enumerate() {
        let path = serde_json::to_string(place.path).expect("a text is JSON");
        let comma = if number == 0 { "" } else { "," };
        out.extend_from_slice(format!("{comma}{path}:{}", &line[place.range.clone()]).as_bytes());
    }
    out.push(b'}');
}

/// Something of ours that takes a captured value's place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    Id,
    Sequence,
    Subject,
    Version,
    Time,
}

/// What a consumer finds at the top of every event.
const TOP: [(&str, What); 4] =
    [("id", What::Id), ("sequence", What::Sequence), ("subject", What::Subject), ("version", What::Version)];

/// A value that gives way.
#[derive(Debug)]
struct Place<'a> {
    path: &'a str,
    range: Range<usize>,
    what: What,
}

/// A captured event, taken apart.
struct Parts<'a, 'k> {
    members: Members<'a>,
    instant: Stamp,
    /// In the order of the text, none within another.
    places: Vec<Place<'k>>,
    /// Behind the opening brace.
    first: usize,
    /// At the closing brace.
    last: usize,
}

impl<'a, 'k> Parts<'a, 'k> {
    fn of(line: &'a str, keys: &'k CaptureKeys) -> Result<Parts<'a, 'k>, CaptureProblem> {
        let members = members_of(line)
            .map_err(|error| problem(format!("no JSON object ({error})"), "write one event per line, as one object"))?;
        let name_taken = |name: &str| members.iter().filter(|(key, _)| key == name).count();
        if name_taken(KEPT) > 0 || TOP.iter().any(|(name, _)| name_taken(name) > 1) {
            let names = "id, sequence, subject and version may stand once at the top, and replayed not at all";
            return Err(problem("a key in the way", names));
        }
        let (time_path, instant) = find_instant(&members, keys)?;
        let mut places: Vec<Place<'k>> = TOP
            .iter()
            .filter_map(|(name, what)| {
                Some(Place { path: name, range: place_of(line, find(&members, name)?), what: *what })
            })
            .collect();
        places.push(Place { path: time_path.0, range: place_of(line, time_path.1), what: What::Time });
        if let Some(path) = &keys.id {
            let raw = find(&members, path).filter(|raw| is_scalar(raw)).ok_or_else(|| {
                problem(format!("no \"{path}\" with a text or a number"), "name another id_key, or mend the line")
            })?;
            places.push(Place { path, range: place_of(line, raw), what: What::Id });
        }
        // The outer one of two that lie in each other, and the first of two that are the same.
        places.sort_by_key(|place| (place.range.start, usize::MAX - place.range.end));
        let mut end = 0;
        places.retain(|place| {
            let apart = place.range.start >= end;
            end = end.max(place.range.end);
            apart
        });
        // An object begins and ends with its braces, whatever blanks lie around them.
        let first = line.find('{').map_or(0, |at| at + 1);
        let last = line.rfind('}').unwrap_or(line.len());
        Ok(Parts { members, instant, places, first, last })
    }
}

type Members<'a> = Vec<(Cow<'a, str>, &'a RawValue)>;

/// The members of an object, in its order.
fn members_of(text: &str) -> Result<Members<'_>, serde_json::Error> {
    struct InOrder<'a>(Members<'a>);

    impl<'de> Deserialize<'de> for InOrder<'de> {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<InOrder<'de>, D::Error> {
            struct Visitor;
            impl<'de> de::Visitor<'de> for Visitor {
                type Value = InOrder<'de>;

                fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    f.write_str("an object")
                }

                fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<InOrder<'de>, A::Error> {
                    let mut members = Vec::new();
                    while let Some(Key(key)) = map.next_key()? {
                        members.push((key, map.next_value()?));
                    }
                    Ok(InOrder(members))
                }
            }
            deserializer.deserialize_map(Visitor)
        }
    }

    #[derive(Deserialize)]
    struct Key<'a>(#[serde(borrow)] Cow<'a, str>);

    serde_json::from_str::<InOrder<'_>>(text).map(|object| object.0)
}

/// The value at a dotted path; the first, where there are several.
fn find<'a>(members: &Members<'a>, path: &str) -> Option<&'a RawValue> {
    let (name, rest) = path.split_once('.').map_or((path, None), |(name, rest)| (name, Some(rest)));
    let raw = members.iter().find(|(key, _)| key == name)?.1;
    match rest {
        None => Some(raw),
        Some(rest) => find(&members_of(raw.get()).ok()?, rest),
    }
}

/// Where a borrowed value stands in the text from which it was borrowed.
fn place_of(line: &str, raw: &RawValue) -> Range<usize> {
    let start = raw.get().as_ptr() as usize - line.as_ptr() as usize;
    start..start + raw.get().len()
}

fn is_scalar(raw: &RawValue) -> bool {
    raw.get().starts_with(|c: char| c == '"' || c == '-' || c.is_ascii_digit())
}

fn find_instant<'a, 'k>(
    members: &Members<'a>,
    keys: &'k CaptureKeys,
) -> Result<((&'k str, &'a RawValue), Stamp), CaptureProblem> {
    const FIX: &str = "write RFC 3339 (\"2026-01-31T09:30:00Z\") or Unix seconds; time_key names the key";
    let found = match &keys.time {
        Some(path) => find(members, path).map(|raw| (path.as_str(), raw)),
        None => TIME_KEYS.into_iter().find_map(|name| Some((name, find(members, name)?))),
    };
    let Some((path, raw)) = found else {
        let wanted = keys.time.clone().unwrap_or_else(|| TIME_KEYS.join(" or "));
        return Err(problem(format!("no instant under {wanted}"), FIX));
    };
    let shown: String = raw.get().chars().take(40).collect();
    let instant = Stamp::read(raw.get()).ok_or_else(|| problem(format!("\"{path}\" is no instant: {shown}"), FIX))?;
    Ok(((path, raw), instant))
}

fn problem(problem: impl Into<String>, fix: impl Into<String>) -> CaptureProblem {
    CaptureProblem { problem: problem.into(), fix: fix.into() }
}

/// An instant and how it was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    unix_ns: u64,
    form: TimeForm,
}

/// How an instant is written, with so many digits behind the point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum TimeForm {
    Rfc3339(usize),
    UnixSeconds(usize),
    UnixMillis(usize),
}

/// Unix numbers from here on are milliseconds: as seconds they would lie in the year 5138.
const MILLIS_FROM: u64 = 100_000_000_000;

/// Unix nanoseconds of an RFC 3339 time.
pub(super) fn unix_ns_of_rfc3339(text: &str) -> Option<u64> {
    Stamp::read_rfc3339(text).map(|stamp| stamp.unix_ns)
}

impl Stamp {
    /// Reads the JSON text of an instant.
    fn read(json: &str) -> Option<Stamp> {
        match json.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
            Some(text) => Self::read_rfc3339(text),
            None => Self::read_unix(json),
        }
    }

    /// RFC 3339 with `Z` or an offset.
    fn read_rfc3339(text: &str) -> Option<Stamp> {
        let (local, offset_s) = match text.strip_suffix(['Z', 'z']) {
            Some(local) => (local, 0),
            None => {
                let (local, offset) = text.split_at_checked(text.len().checked_sub(6)?)?;
                (local, read_offset(offset)?)
            }
        };
        let local = humantime::parse_rfc3339(&format!("{local}Z")).ok()?;
        let local_ns = i128::try_from(local.duration_since(std::time::UNIX_EPOCH).ok()?.as_nanos()).ok()?;
        let unix_ns = u64::try_from(local_ns - i128::from(offset_s) * 1_000_000_000).ok()?;
        let decimals = text.split_once('.').map_or(0, |(_, rest)| rest.bytes().take_while(u8::is_ascii_digit).count());
        Some(Stamp { unix_ns, form: TimeForm::Rfc3339(decimals.min(9)) })
    }

    fn read_unix(number: &str) -> Option<Stamp> {
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
        if whole.is_empty() || !digits(whole) || !digits(fraction) {
            return None;
        }
        let whole: u64 = whole.parse().ok()?;
        let decimals = fraction.len().min(9);
        let billionths: u64 = format!("{:0<9}", &fraction[..decimals]).parse().ok()?;
        let (unit_ns, form) = if whole < MILLIS_FROM {
            (1_000_000_000, TimeForm::UnixSeconds(decimals))
        } else {
            (1_000_000, TimeForm::UnixMillis(decimals))
        };
        let unix_ns = whole.checked_mul(unit_ns)?.checked_add(billionths * unit_ns / 1_000_000_000)?;
        Some(Stamp { unix_ns, form })
    }
}

/// `+02:00` in seconds.
fn read_offset(text: &str) -> Option<i64> {
    let (sign, rest) = match text.split_at_checked(1)? {
        ("+", rest) => (1, rest),
        ("-", rest) => (-1, rest),
        _ => return None,
    };
    let (hours, minutes) = rest.split_once(':')?;
    let number = |text: &str, below: i64| {
        let digits = text.len() == 2 && text.bytes().all(|b| b.is_ascii_digit());
        text.parse().ok().filter(|number: &i64| digits && *number < below)
    };
    Some(sign * (number(hours, 24)? * 3_600 + number(minutes, 60)? * 60))
}

impl TimeForm {
    /// The JSON text of another instant, in the same form; what lies behind its digits is cut off.
    fn write(self, unix_ns: u64) -> String {
        let in_units = |unit_ns: u64, decimals: usize| {
            let fraction = format!("{:09}", unix_ns % unit_ns * (1_000_000_000 / unit_ns));
            let point = if decimals == 0 { "" } else { "." };
            format!("{}{point}{}", unix_ns / unit_ns, &fraction[..decimals])
        };
        match self {
            TimeForm::UnixSeconds(decimals) => in_units(1_000_000_000, decimals),
            TimeForm::UnixMillis(decimals) => in_units(1_000_000, decimals),
            TimeForm::Rfc3339(decimals) => {
                let at = std::time::UNIX_EPOCH + std::time::Duration::from_nanos(unix_ns);
                let text = humantime::format_rfc3339_nanos(at).to_string();
                let cut = if decimals == 0 { 19 } else { 20 + decimals };
                format!("\"{}Z\"", &text[..cut])
            }
        }
    }
}

#[cfg(test)]
#[path = "captured_tests.rs"]
mod tests;
