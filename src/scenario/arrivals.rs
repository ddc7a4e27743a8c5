//! `workload.arrivals`: the process's kind and its keys.

use super::{
    error::{At, Problem},
    load::Scale,
    names::{Choice, choose},
    raw::RawArrivals,
    units::parse_rate,
};
use crate::{
    model::Span,
    workload::{Arrivals, Constant, Poisson},
};

#[derive(Clone, Copy)]
enum Kind {
    Constant,
    Poisson,
}

pub(super) fn read_arrivals(at: &At, raw: Option<&RawArrivals>, scale: Scale) -> Result<Arrivals, Problem> {
    const LATER: &str = "use \"poisson\" or \"constant\"";
    const TABLE: [(&str, Choice<Kind>); 5] = [
        ("constant", Choice::Here(Kind::Constant)),
        ("poisson", Choice::Here(Kind::Poisson)),
        ("bursty", Choice::NotYet(LATER)),
        ("diurnal", Choice::NotYet(LATER)),
        ("replay", Choice::NotYet(LATER)),
    ];
    let (kind, rate) = match raw {
        None => (Kind::Poisson, None),
        Some(raw) => (choose(&at.key("kind"), &raw.kind, &TABLE)?, raw.rate.as_deref()),
    };
    let (count, per) = read_rate(&at.key("rate"), rate, scale)?;
    Ok(match kind {
        Kind::Constant => Constant { count, per }.into(),
        Kind::Poisson => Poisson { count, per }.into(),
    })
}

fn read_rate(at: &At, text: Option<&str>, scale: Scale) -> Result<(u64, Span), Problem> {
    let (count, per) = parse_rate(text.unwrap_or("10/s")).map_err(|error| at.problem(error.problem, error.fix))?;
    let per = scale.span(per);
    if per.0 < count {
        return Err(at.problem("more than an event per nanosecond", "lower the rate, or time_scale"));
    }
    Ok((count, per))
}
