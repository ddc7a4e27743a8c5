//! `[[provider]]`.

use super::{
    ProviderPlan,
    error::{At, Problem},
    load::{Scale, span_or, within},
    names::{Choice, choose},
    raw::{RawFormula, RawProvider, RawRetry},
    units::parse_span,
};
use crate::{
    model::Span,
    policy::{RetryRule, RetrySchedule},
};

/// Retries at most: beyond any provider's schedule.
const RETRIES_MAX: usize = 100;

pub(super) fn read_providers(at: &At, raw: &[RawProvider], scale: Scale) -> Result<Vec<ProviderPlan>, Problem> {
    let default = [RawProvider::default()];
    let raw = if raw.is_empty() { &default } else { raw };
    let mut plans: Vec<ProviderPlan> = Vec::new();
    for (index, one) in raw.iter().enumerate() {
        let at = at.index(index);
        let plan = read_provider(&at, one, scale)?;
        if plans.iter().any(|earlier| earlier.name == plan.name) {
            return Err(at
                .key("name")
                .problem(format!("\"{}\" is there twice", plan.name), "give each provider its own name"));
        }
        plans.push(plan);
    }
    Ok(plans)
}

fn read_provider(at: &At, raw: &RawProvider, scale: Scale) -> Result<ProviderPlan, Problem> {
    const LATER: &str = "use \"standard-webhooks\"; what sets a provider apart can be set by its keys here";
    const PROFILES: [(&str, Choice<&str>); 10] = [
        ("standard-webhooks", Choice::Here("standard-webhooks")),
        ("svix", Choice::NotYet(LATER)),
        ("stripe", Choice::NotYet(LATER)),
        ("github", Choice::NotYet(LATER)),
        ("gitlab", Choice::NotYet(LATER)),
        ("gitlab-token", Choice::NotYet(LATER)),
        ("shopify", Choice::NotYet(LATER)),
        ("slack", Choice::NotYet(LATER)),
        ("discord", Choice::NotYet(LATER)),
        ("datadog", Choice::NotYet(LATER)),
    ];
    let profile = choose(&at.key("profile"), raw.profile.as_deref().unwrap_or("standard-webhooks"), &PROFILES)?;
    let timeout_at = at.key("ack_timeout");
    let ack_timeout = span_or(&timeout_at, raw.ack_timeout.as_deref(), Span::from_secs(3))?;
    if ack_timeout < Span::from_millis(1) {
        return Err(timeout_at.problem("no time to answer in", "write at least \"1ms\"; the default is \"3s\""));
    }
    let name = raw.name.clone().unwrap_or_else(|| "provider".to_owned());
    check_name(&at.key("name"), &name)?;
    Ok(ProviderPlan {
        name,
        profile: profile.to_owned(),
        ack_timeout,
        retry: RetrySchedule {
            delays: read_delays(&at.key("retry"), raw.retry.as_ref(), scale)?,
            jitter: within(&at.key("retry_jitter"), raw.retry_jitter, 0.0, (0.0, 1.0))?,
        },
        concurrency: within(&at.key("concurrency"), raw.concurrency, 16, (1, 10_000))?,
        page_limit: within(&at.key("page_limit"), raw.page_limit, 100, (1, 10_000))?,
        timestamp_grain: span_or(&at.key("timestamp_grain"), raw.timestamp_grain.as_deref(), Span::from_millis(1))?
            .max(Span(1)),
    })
}

/// Names go into file names, keys and headers.
pub(super) fn check_name(at: &At, name: &str) -> Result<(), Problem> {
    let plain = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    if plain && (1..=40).contains(&name.len()) {
        return Ok(());
    }
    Err(at.problem(format!("\"{name}\" is no name"), "write up to 40 letters, digits, '-' and '_'"))
}

fn read_delays(at: &At, raw: Option<&RawRetry>, scale: Scale) -> Result<Vec<Span>, Problem> {
    let delays = match raw {
        None => RetryRule::StandardWebhooks.delays(),
        Some(RawRetry::Name(name)) => {
            choose(at, name, &RetryRule::TABLE.map(|(name, rule)| (name, Choice::Here(rule))))?.delays()
        }
        Some(RawRetry::Delays(texts)) => {
            let read = |(index, text): (usize, &String)| {
                parse_span(text).map_err(|error| at.index(index).problem(error.problem, error.fix))
            };
            texts.iter().enumerate().map(read).collect::<Result<_, _>>()?
        }
        Some(RawRetry::Formula(formula)) => read_formula(at, formula)?,
    };
    if delays.len() > RETRIES_MAX {
        return Err(at.problem(format!("{} retries", delays.len()), format!("write {RETRIES_MAX} at most")));
    }
    Ok(delays.into_iter().map(|delay| scale.span(delay)).collect())
}

fn read_formula(at: &At, formula: &RawFormula) -> Result<Vec<Span>, Problem> {
    let base = span_or(&at.key("base"), Some(&formula.base), Span::ZERO)?;
    let factor = within(&at.key("factor"), formula.factor, 2.0, (1.0, 1_000.0))?;
    let cap = span_or(&at.key("cap"), formula.cap.as_deref(), Span::from_secs(86_400))?;
    let retries = within(&at.key("retries"), Some(formula.retries), 0, (0, RETRIES_MAX as u32))?;
    Ok(RetrySchedule::exponential(base, factor, cap, retries))
}
