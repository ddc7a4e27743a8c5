//! The scenario that a question becomes: a file like any other, which can be saved, read and run again.

use std::fmt::Write as _;

use super::{
    Question,
    size::{HOLD_S, Size, Window},
    volume::{PAGE, Strategy, safety_s},
};
use crate::{model::Span, scenario::units::span_to_text};

/// The cases of the scenario: a day like others, and one with an outage in it.
pub(super) const ORDINARY: &str = "ordinary";
/// The case with the outage.
pub(super) const OUTAGE: &str = "outage";

/// Writes the file.
pub(super) fn text(question: &Question, size: &Size) -> String {
    let mut out = String::new();
    let told = head(&mut out, question, size).and_then(|()| consumers(&mut out, question, size));
    // Writing into a string cannot fail.
    let _ = told.and_then(|()| foot(&mut out, question, size));
    out
}

/// What is left of a number where one of so many is run.
fn clients(question: &Question, size: &Size) -> u32 {
    ((f64::from(question.clients) / size.one_of).round() as u32).max(1)
}

fn head(out: &mut String, question: &Question, size: &Size) -> std::fmt::Result {
    let fresh = span_to_text(question.fresh);
    let per_day = question.per_day;
    writeln!(out, "# {per_day} events a day, in effect within {fresh}: poll, or take webhooks?")?;
    writeln!(out, "#")?;
    writeln!(out, "# Written by `pushpull advise`; `pushpull run FILE --mode virtual` runs it again.")?;
    if size.window == Window::Peak {
        writeln!(out, "# It is a stretch as busy as the busiest time of the day.")?;
    }
    if size.one_of > 1.0 {
        writeln!(
            out,
            "# It is a sample: one of {:.1} of what there is, with a limit on the API to match.",
            size.one_of
        )?;
    }
    writeln!(out, "title    = \"{per_day} events a day, fresh within {fresh}\"")?;
    writeln!(out, "seed     = {}", question.seed)?;
    writeln!(out, "modes    = [\"virtual\", \"live\"]")?;
    writeln!(out, "duration = \"{}\"", whole_seconds(size.window_s))?;
    writeln!(out, "drain    = \"1d\"\n\n[workload]")?;
    match (&question.peak, size.window) {
        (Some(peak), Window::Whole) => writeln!(
            out,
            "arrivals = {{ kind = \"diurnal\", per_day = {}, peak_at = \"{}\", peak_to_mean = {:?} }}",
            per_day.round().max(1.0),
            peak.at,
            peak.to_mean,
        )?,
        _ => {
            let rate = if size.window == Window::Peak { question.peak_rate() } else { question.rate() };
            let per_day = rate * 86_400.0 / size.one_of;
            writeln!(out, "arrivals = {{ kind = \"poisson\", rate = \"{}/day\" }}", decimal(per_day))?;
        }
    }
    // As many things as make equal shares.
    let clients = clients(question, size);
    writeln!(
        out,
        "subjects = {}\n\n[[provider]]\nretry      = \"{}\"",
        clients * 50u32.div_ceil(clients),
        question.retry
    )?;
    writeln!(out, "page_limit = {PAGE}")?;
    if let Some(limit) = question.limit_per_s() {
        // Each strategy asks from an address of its own: they are alternatives, and do not share the limit.
        let (rate, burst) = (limit / size.one_of, (10.0 * limit / size.one_of).clamp(1.0, 1e6).ceil());
        writeln!(
            out,
            "rate_limit = {{ rate = \"{}/h\", burst = {burst}, per = \"address\" }}",
            decimal(rate * 3_600.0)
        )?;
    }
    writeln!(out)
}

fn consumers(out: &mut String, question: &Question, size: &Size) -> std::fmt::Result {
    let clients = clients(question, size);
    let every = millis(question.poll_every_s(question.fresh.as_secs_f64()));
    for (name, strategy) in Strategy::TABLE {
        let kind = match strategy {
            Strategy::Poll | Strategy::LongPoll => "polling",
            Strategy::Webhook => "webhook",
            Strategy::Hybrid => "hybrid",
        };
        writeln!(out, "[[consumer]]\nname     = \"{name}\"\nkind     = \"{kind}\"\nclients  = {clients}")?;
        match strategy {
            Strategy::Poll => writeln!(out, "strategy = {{ kind = \"fixed\", interval = \"{every}\" }}\n")?,
            Strategy::LongPoll => writeln!(out, "strategy = {{ kind = \"long-poll\", hold = \"{HOLD_S}s\" }}\n")?,
            Strategy::Webhook => writeln!(out)?,
            Strategy::Hybrid => {
                writeln!(out, "strategy = {{ kind = \"fixed\", interval = \"{}\" }}\n", millis(safety_s(question)))?;
            }
        }
    }
    Ok(())
}

fn foot(out: &mut String, question: &Question, size: &Size) -> std::fmt::Result {
    writeln!(out, "[goal]\n\"age_s.p99\" = \"< {}\"\n", span_to_text(question.fresh))?;
    writeln!(out, "[cost]\nprices    = {:?}\nfree_tier = {}", question.prices_name, question.cost.free_tier)?;
    let Some(outage) = question.outage else { return Ok(()) };
    let from = outage_from_s(question, size);
    writeln!(out, "\n[[case]]\nname  = \"{ORDINARY}\"\ntitle = \"a day like others\"")?;
    writeln!(out, "\n[[case]]\nname  = \"{OUTAGE}\"\ntitle = \"the consumer is away for {outage}\"")?;
    let until = whole_seconds(from + outage.as_secs_f64());
    let from = whole_seconds(from);
    writeln!(out, "set   = {{ fault = [{{ kind = \"outage\", from = \"{from}\", until = \"{until}\" }}] }}")
}

/// When the consumer goes away: at the peak, or a third into the window.
fn outage_from_s(question: &Question, size: &Size) -> f64 {
    let clock = |at: &str| {
        let (hours, minutes) = at.split_once(':')?;
        Some(hours.parse::<f64>().ok()? * 3_600.0 + minutes.parse::<f64>().ok()? * 60.0)
    };
    let peak = question.peak.as_ref().filter(|_| size.window == Window::Whole).and_then(|peak| clock(&peak.at));
    peak.unwrap_or((size.window_s / 3.0).floor())
}

/// As many decimals as a rate can be read with, and no more than it has.
fn decimal(value: f64) -> String {
    let text = format!("{:.4}", value.max(0.0001));
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn whole_seconds(seconds: f64) -> String {
    span_to_text(Span::from_secs(seconds.round().max(1.0) as u64))
}

fn millis(seconds: f64) -> String {
    span_to_text(Span::from_millis((seconds * 1e3).round().max(1.0) as u64))
}
