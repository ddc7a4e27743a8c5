//! Single values of a profile: header names, pointers, entries, places.

use super::raw::{OneOrMany, RawPlace};
use crate::{
    scenario::error::{At, Problem},
    wire::scheme::{HeaderName, HeaderNames, PartPlace, Pointer},
};

/// One header name or several.
pub(super) fn headers(at: &At, raw: &OneOrMany) -> Result<HeaderNames, Problem> {
    let read = |(at, text): (At, &String)| {
        HeaderName::parse(text).ok_or_else(|| {
            at.problem(
                format!("\"{text}\" is no header name"),
                "write letters, digits and '-', such as \"X-Signature\"",
            )
        })
    };
    let names = raw.each(at).map(read).collect::<Result<Vec<_>, _>>()?;
    HeaderNames::new(names).ok_or_else(|| at.problem("there is no name in it", "write one name, or several"))
}

/// A JSON pointer.
pub(super) fn pointer(at: &At, text: &str) -> Result<Pointer, Problem> {
    Pointer::parse(text).map_err(|error| {
        at.problem(format!("\"{text}\" is no JSON pointer: {error}"), "write \"/data/object/id\" for data.object.id")
    })
}

/// What an entry begins with: the text before its placeholder, which stands at its end.
pub(super) fn entry(at: &At, text: &str, placeholder: &str) -> Result<String, Problem> {
    let wanted = format!("{{{placeholder}}}");
    let before = text.strip_suffix(&wanted).filter(|before| !before.contains(['{', '}']));
    before.map(str::to_owned).ok_or_else(|| {
        at.problem(
            format!("\"{text}\" does not end in {wanted}, its only placeholder"),
            format!("write \"v1={wanted}\""),
        )
    })
}

/// A place that is a header or lies in the body, and not both.
pub(super) fn place(at: &At, raw: &RawPlace) -> Result<PartPlace, Problem> {
    let mut places = places(at, raw)?;
    match (places.pop(), places.is_empty()) {
        (Some(place), true) => Ok(place),
        _ => Err(at.key("body").problem("this stands in one place", "keep one JSON pointer")),
    }
}

/// The places of what stands elsewhere in other payloads.
pub(super) fn places(at: &At, raw: &RawPlace) -> Result<Vec<PartPlace>, Problem> {
    match (&raw.header, &raw.body) {
        (Some(header), None) => Ok(vec![PartPlace::Header(headers(&at.key("header"), header)?)]),
        (None, Some(OneOrMany::Many(none))) if none.is_empty() => {
            Err(at.key("body").problem("there is no place in it", "write \"/id\", a JSON pointer"))
        }
        (None, Some(body)) => {
            let read = |(at, text): (At, &String)| pointer(&at, text).map(PartPlace::Body);
            body.each(&at.key("body")).map(read).collect()
        }
        (Some(_), Some(_)) => Err(at.key("body").problem("there are two places", "keep one of header and body")),
        (None, None) => {
            Err(at.problem("no place is named", "write { header = \"X-Id\" }, or { body = \"/id\" }, a JSON pointer"))
        }
    }
}
