//! `[signature]`: from what is written to a scheme that holds together.

use super::{
    fields::{entry, headers, place, pointer},
    raw::{RawAlso, RawKey, RawSignature, RawTimestamp},
};
use crate::{
    scenario::{
        error::{At, Problem},
        names::{Choice, choose},
        units::parse_span,
    },
    wire::scheme::{
        Algorithm, Encoding, KeyForm, KeyShape, Placeholder, Scheme, Sides, Template, TemplateError, TimePlace,
        TimeUnit, Timestamp, Tolerance, Way,
    },
};

const ALGORITHMS: [(&str, Choice<Option<Algorithm>>); 5] = [
    ("hmac-sha256", Choice::Here(Some(Algorithm::HmacSha256))),
    ("hmac-sha1", Choice::Here(Some(Algorithm::HmacSha1))),
    ("ed25519", Choice::Here(Some(Algorithm::Ed25519))),
    ("token", Choice::Here(Some(Algorithm::Token))),
    ("none", Choice::Here(None)),
];

const ENCODINGS: [(&str, Choice<Encoding>); 3] = [
    ("hex", Choice::Here(Encoding::Hex)),
    ("hex-any-case", Choice::Here(Encoding::HexAnyCase)),
    ("base64", Choice::Here(Encoding::Base64)),
];

/// The scheme; `None`: nothing is signed.
pub(super) fn read(at: &At, raw: &RawSignature) -> Result<Option<Scheme>, Problem> {
    let algorithm = algorithm(at, raw.algorithm.as_deref())?;
    let Some(algorithm) = algorithm else {
        return match unwanted(raw) {
            Some(key) => Err(at.key(key).problem("nothing is signed", "remove it, or name an algorithm")),
            None => Ok(None),
        };
    };
    let id = raw.id.as_ref().map(|raw| place(&at.key("id"), raw)).transpose()?;
    let timestamp = raw.timestamp.as_ref().map(|time| read_timestamp(&at.key("timestamp"), time, raw)).transpose()?;
    let mut ways = vec![main_way(at, raw, algorithm)?];
    for (index, also) in raw.also.iter().enumerate() {
        let way = also_way(&at.key("also").index(index), also, &ways[0])?;
        ways.push(way);
    }
    let tolerance = read_tolerance(at, raw, timestamp.is_some())?;
    let scheme = Scheme { ways, id, timestamp, tolerance };
    hold_together(at, raw, &scheme)?;
    Ok(Some(scheme))
}

fn algorithm(at: &At, name: Option<&str>) -> Result<Option<Algorithm>, Problem> {
    let at = at.key("algorithm");
    let Some(name) = name else {
        return Err(at.problem("is missing", "write hmac-sha256, hmac-sha1, ed25519, token or none"));
    };
    choose(&at, name, &ALGORITHMS)
}

/// A key that means something only where something is signed.
fn unwanted(raw: &RawSignature) -> Option<&'static str> {
    let keys = [
        ("key", raw.key.is_some()),
        ("signed", raw.signed.is_some()),
        ("header", raw.header.is_some()),
        ("separator", raw.separator.is_some()),
        ("entry", raw.entry.is_some()),
        ("encoding", raw.encoding.is_some()),
        ("id", raw.id.is_some()),
        ("timestamp", raw.timestamp.is_some()),
        ("tolerance", raw.tolerance.is_some()),
        ("sides", raw.sides.is_some()),
        ("also", !raw.also.is_empty()),
    ];
    keys.iter().find(|(_, given)| *given).map(|(key, _)| *key)
}

fn main_way(at: &At, raw: &RawSignature, algorithm: Algorithm) -> Result<Way, Problem> {
    let header_at = at.key("header");
    let Some(header) = &raw.header else {
        return Err(header_at.problem("is missing", "name the header that the signature stands in"));
    };
    let separator = raw.separator.clone();
    if separator.as_deref() == Some("") {
        return Err(at.key("separator").problem("nothing lies between entries", "write \",\", or remove it"));
    }
    Ok(Way {
        algorithm,
        key: read_key(at, raw.key.as_ref(), algorithm)?,
        signed: read_signed(at, raw.signed.as_deref(), algorithm)?,
        header: headers(&header_at, header)?,
        separator,
        entry: entry(&at.key("entry"), raw.entry.as_deref().unwrap_or("{signature}"), "signature")?,
        encoding: read_encoding(at, raw.encoding.as_deref(), algorithm)?,
        accepted: true,
    })
}

/// A further kind: what it leaves out is as in the main one.
fn also_way(at: &At, raw: &RawAlso, main: &Way) -> Result<Way, Problem> {
    let algorithm = match &raw.algorithm {
        None => main.algorithm,
        Some(name) => match choose(&at.key("algorithm"), name, &ALGORITHMS)? {
            Some(algorithm) => algorithm,
            None => {
                return Err(at.key("algorithm").problem("is no kind of signature", "remove this [[signature.also]]"));
            }
        },
    };
    let own = |key: Option<&RawKey>| read_key(at, key, algorithm);
    let key = if raw.key.is_some() { own(raw.key.as_ref())? } else { main.key.clone() };
    check_key(at, &key, algorithm)?;
    let encoding = match &raw.encoding {
        None => main.encoding,
        given => read_encoding(at, given.as_deref(), algorithm)?,
    };
    Ok(Way {
        algorithm,
        key,
        signed: match &raw.signed {
            None => main.signed.clone(),
            given => read_signed(at, given.as_deref(), algorithm)?,
        },
        header: match &raw.header {
            None => main.header.clone(),
            Some(header) => headers(&at.key("header"), header)?,
        },
        separator: main.separator.clone(),
        entry: match &raw.entry {
            None => main.entry.clone(),
            Some(text) => entry(&at.key("entry"), text, "signature")?,
        },
        encoding,
        accepted: raw.accepted.unwrap_or(true),
    })
}

fn read_key(at: &At, raw: Option<&RawKey>, algorithm: Algorithm) -> Result<KeyShape, Problem> {
    let Some(raw) = raw else {
        // A text is a key for whatever takes keys of any length.
        let shape = KeyShape { form: KeyForm::Text, prefix: None, signing_prefix: None };
        check_key(at, &shape, algorithm)?;
        return Ok(shape);
    };
    let form =
        choose(&at.key("key").key("form"), &raw.form, &KeyForm::TABLE.map(|(name, form)| (name, Choice::Here(form))))?;
    let shape = KeyShape { form, prefix: raw.prefix.clone(), signing_prefix: raw.signing_prefix.clone() };
    check_key(at, &shape, algorithm)?;
    Ok(shape)
}

/// What stands before the base64 of Standard Webhooks' keys.
const BEFORE_BASE64: [&str; 3] = ["whsec_", "whpk_", "whsk_"];

fn check_key(at: &At, key: &KeyShape, algorithm: Algorithm) -> Result<(), Problem> {
    let at = at.key("key");
    let form_at = at.key("form");
    match (algorithm, key.form) {
        (Algorithm::Ed25519, KeyForm::Text) => {
            return Err(form_at.problem(
                "an Ed25519 key is 32 bytes, which no text is",
                "write key = { form = \"hex\" }, or \"base64\"",
            ));
        }
        (Algorithm::Token, KeyForm::Base64 | KeyForm::Hex) => {
            return Err(form_at.problem("a token is sent as it is, so it is a text", "write form = \"text\""));
        }
        _ => {}
    }
    let prefixes = [("prefix", &key.prefix), ("signing_prefix", &key.signing_prefix)];
    for (name, prefix) in prefixes {
        let Some(prefix) = prefix else { continue };
        if prefix.is_empty() {
            return Err(at.key(name).problem("nothing stands before the key", "remove it"));
        }
        if key.form == KeyForm::Hex && BEFORE_BASE64.contains(&prefix.as_str()) {
            return Err(form_at.problem(
                format!("\"{prefix}\" stands before base64, not before hex"),
                "write form = \"base64\", or another prefix",
            ));
        }
    }
    if key.signing_prefix.is_some() && algorithm != Algorithm::Ed25519 {
        return Err(at
            .key("signing_prefix")
            .problem("who verifies and who signs have the same key", "remove it, or write algorithm = \"ed25519\""));
    }
    Ok(())
}

fn read_signed(at: &At, text: Option<&str>, algorithm: Algorithm) -> Result<Template, Problem> {
    let at = at.key("signed");
    match (text, algorithm) {
        (None, Algorithm::Token) => Ok(Template::default()),
        (Some(_), Algorithm::Token) => Err(at.problem("a token signs nothing", "remove it, or name another algorithm")),
        (None, _) => Err(at.problem("is missing", "write what is signed, such as \"{timestamp}.{body}\"")),
        (Some(text), _) => Template::parse(text).map_err(|error| {
            let fix = match &error {
                TemplateError::Unknown(name) => {
                    let known = Placeholder::TABLE.map(|(known, _)| known);
                    crate::scenario::names::suggest(name, &known)
                }
                TemplateError::Unpaired => "write {body}, or {{ and }} for the braces themselves".to_owned(),
            };
            at.problem(error.to_string(), fix)
        }),
    }
}

fn read_encoding(at: &At, name: Option<&str>, algorithm: Algorithm) -> Result<Encoding, Problem> {
    let at = at.key("encoding");
    match (name, algorithm) {
        (None, Algorithm::Token) => Ok(Encoding::Hex),
        (Some(_), Algorithm::Token) => Err(at.problem("a token is sent as it is", "remove it")),
        (None, _) => Err(at.problem("is missing", "write \"hex\", \"hex-any-case\" or \"base64\"")),
        (Some(name), _) => choose(&at, name, &ENCODINGS),
    }
}

fn read_timestamp(at: &At, raw: &RawTimestamp, signature: &RawSignature) -> Result<Timestamp, Problem> {
    let places = [raw.header.is_some(), raw.entry.is_some(), raw.body.is_some()];
    if places.iter().filter(|given| **given).count() != 1 {
        return Err(at.problem(
            "a time stands in one place",
            "write one of header = \"X-Timestamp\", entry = \"t={timestamp}\" and body = \"/timestamp\"",
        ));
    }
    let place = if let Some(header) = &raw.header {
        TimePlace::Header(headers(&at.key("header"), header)?)
    } else if let Some(text) = &raw.entry {
        if signature.separator.is_none() {
            return Err(at.key("entry").problem(
                "the signature's header has one entry only",
                "say what lies between its entries: separator = \",\"",
            ));
        }
        let before = entry(&at.key("entry"), text, "timestamp")?;
        if before.is_empty() {
            return Err(at.key("entry").problem("nothing tells it from a signature", "write \"t={timestamp}\""));
        }
        TimePlace::Entry(before)
    } else {
        TimePlace::Body(pointer(&at.key("body"), raw.body.as_deref().unwrap_or_default())?)
    };
    let unit_at = at.key("unit");
    let Some(unit) = &raw.unit else {
        return Err(unit_at.problem("is missing", "write \"s\", \"ms\" or \"rfc3339\""));
    };
    let unit = choose(&unit_at, unit, &TimeUnit::TABLE.map(|(name, unit)| (name, Choice::Here(unit))))?;
    Ok(Timestamp { place, unit, opaque: raw.opaque })
}

fn read_tolerance(at: &At, raw: &RawSignature, has_time: bool) -> Result<Option<Tolerance>, Problem> {
    const SIDES: [(&str, Choice<Sides>); 2] =
        [("both", Choice::Here(Sides::Both)), ("past", Choice::Here(Sides::Past))];
    let sides = raw.sides.as_deref().map(|sides| choose(&at.key("sides"), sides, &SIDES)).transpose()?;
    let Some(text) = raw.tolerance.as_deref() else {
        return match sides {
            None => Ok(None),
            Some(_) => Err(at.key("sides").problem("there is no tolerance to have sides", "add one, or remove it")),
        };
    };
    let at = at.key("tolerance");
    if !has_time {
        return Err(at.problem("there is no time to hold against it", "say where it stands: timestamp = { ... }"));
    }
    let span = parse_span(text).map_err(|error| at.problem(error.problem, error.fix))?;
    let ms = span.0 / 1_000_000;
    if ms == 0 {
        return Err(at.problem("no request is that quick", "write \"300s\", or remove it: any time will do"));
    }
    Ok(Some(Tolerance { ms, sides: sides.unwrap_or(Sides::Both) }))
}

/// What is signed must be somewhere, and what is somewhere must be told apart.
fn hold_together(at: &At, raw: &RawSignature, scheme: &Scheme) -> Result<(), Problem> {
    let signed = |part| scheme.ways.iter().any(|way| way.signed.has(part));
    if signed(Placeholder::Id) && scheme.id.is_none() {
        return Err(at
            .key("id")
            .problem("{id} is signed and nobody says where it stands", "add id = { header = ... }"));
    }
    if !signed(Placeholder::Id) && scheme.id.is_some() {
        return Err(at.key("id").problem("{id} is not signed", "move it to [event], or sign it"));
    }
    if signed(Placeholder::Timestamp) && scheme.timestamp.is_none() {
        return Err(at.key("timestamp").problem(
            "{timestamp} is signed and nobody says where it stands",
            "add timestamp = { header = \"X-Timestamp\", unit = \"s\" }",
        ));
    }
    let in_body = matches!(scheme.timestamp.as_ref().map(|time| &time.place), Some(TimePlace::Body(_)));
    let covered = signed(Placeholder::Timestamp) || in_body && signed(Placeholder::Body);
    if scheme.timestamp.is_some() && !covered {
        return Err(at.key("timestamp").problem(
            "the time is not signed, so that anybody can write a new one",
            "sign it: {timestamp}, or {body} where it stands in there; or remove it",
        ));
    }
    for (no, way) in scheme.ways.iter().enumerate() {
        let twin = |other: &Way| other.header == way.header && other.entry == way.entry;
        if scheme.ways[..no].iter().any(twin) {
            let at = at.key("also").index(no - 1);
            return Err(at.key("entry").problem("another kind of signature begins so", "give it a mark of its own"));
        }
    }
    if raw.separator.is_none() && scheme.ways.iter().skip(1).any(|way| way.header == scheme.ways[0].header) {
        return Err(at.key("separator").problem(
            "two kinds of signature share a header that has one entry only",
            "say what lies between entries, or give each a header",
        ));
    }
    Ok(())
}
