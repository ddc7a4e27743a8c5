//! `[[provider]]`.

use super::{
    ConsumerPlan, DeliveryOrder, DropAbove, ProviderPlan, PullPlan, RateHint, RateLimit, RateScope, SendingPlan,
    WhilePaused,
    answers::read_answers,
    auto_disable::read_auto_disable,
    error::{At, Problem},
    heads,
    load::{Scale, span_or, within},
    names::{Choice, choose},
    profiles::Settled,
    raw_provider::{RawFormula, RawProvider, RawRateLimit, RawRetry},
    stop_headers::read_stop_headers,
    units::{parse_rate, parse_span},
};
use crate::{
    model::{Span, Time},
    policy::{Backoff, RetryRule, RetrySchedule},
};

/// Retries at most: beyond any provider's schedule.
const RETRIES_MAX: usize = 100;

pub(super) fn read_providers(at: &At, settled: &[Settled], scale: Scale) -> Result<Vec<ProviderPlan>, Problem> {
    let mut plans: Vec<ProviderPlan> = Vec::new();
    for (index, one) in settled.iter().enumerate() {
        let at = at.index(index);
        let mut plan = read_provider(&at, &one.raw, scale)?;
        heads::check_profile(&at, &one.raw, one.profile.is_some())?;
        if let Some(profile) = &one.profile {
            plan.profile = profile.name.clone();
            plan.described = one.plan.clone();
        }
        if plans.iter().any(|earlier| earlier.name == plan.name) {
            return Err(at
                .key("name")
                .problem(format!("\"{}\" is there twice", plan.name), "give each provider its own name"));
        }
        plans.push(plan);
    }
    Ok(plans)
}

/// A provider by its keys; whose profile it follows is told by who calls.
pub(super) fn read_provider(at: &At, raw: &RawProvider, scale: Scale) -> Result<ProviderPlan, Problem> {
    let timeout_at = at.key("ack_timeout");
    let ack_timeout = span_or(&timeout_at, raw.ack_timeout.as_deref(), Span::from_secs(3))?;
    if ack_timeout < Span::from_millis(1) {
        return Err(timeout_at.problem("no time to answer in", "write at least \"1ms\"; the default is \"3s\""));
    }
    let name = raw.name.clone().unwrap_or_else(|| "provider".to_owned());
    check_name(&at.key("name"), &name)?;
    let sending = read_sending(at, raw, scale)?;
    Ok(ProviderPlan {
        name,
        profile: "standard-webhooks".to_owned(),
        described: None,
        resign: raw.resign.unwrap_or(true),
        head: heads::read(at, raw)?,
        ack_timeout,
        retry: RetrySchedule {
            delays: read_delays(&at.key("retry"), raw.retry.as_ref(), scale)?,
            jitter: within(&at.key("retry_jitter"), raw.retry_jitter, 0.0, (0.0, 1.0))?,
            backoff: read_backoff(at, raw)?,
        },
        concurrency: within(&at.key("concurrency"), raw.concurrency, sending.sender_pool.unwrap_or(16), (1, 10_000))?,
        sending,
        pull: read_pull(at, raw, scale)?,
        page_limit: within(&at.key("page_limit"), raw.page_limit, 100, (1, 10_000))?,
        timestamp_grain: span_or(&at.key("timestamp_grain"), raw.timestamp_grain.as_deref(), Span::from_millis(1))?
            .max(Span(1)),
    })
}

fn read_sending(at: &At, raw: &RawProvider, scale: Scale) -> Result<SendingPlan, Problem> {
    const ORDERS: [(&str, Choice<DeliveryOrder>); 3] = [
        ("none", Choice::Here(DeliveryOrder::None)),
        ("subject", Choice::Here(DeliveryOrder::Subject)),
        ("endpoint", Choice::Here(DeliveryOrder::Endpoint)),
    ];
    let replay_at = at.key("replay_dead_letters_at");
    let replay = raw.replay_dead_letters_at.as_deref().map(|text| span_or(&replay_at, Some(text), Span::ZERO));
    let pool = raw.sender_pool.map(|pool| within(&at.key("sender_pool"), Some(pool), 1, (1, 10_000)));
    let drop_above = raw.drop_above.as_deref().map(|text| read_drop_above(&at.key("drop_above"), text, scale));
    Ok(SendingPlan {
        answers: read_answers(at, raw, scale)?,
        ordering: choose(&at.key("ordering"), raw.ordering.as_deref().unwrap_or("none"), &ORDERS)?,
        sender_pool: pool.transpose()?,
        auto_disable: raw
            .auto_disable
            .as_ref()
            .map(|raw| read_auto_disable(&at.key("auto_disable"), raw, scale))
            .transpose()?,
        while_paused: choose(
            &at.key("while_paused"),
            raw.while_paused.as_deref().unwrap_or("give-up"),
            &[("give-up", Choice::Here(WhilePaused::GiveUp)), ("skip", Choice::Here(WhilePaused::Skip))],
        )?,
        stop_headers: read_stop_headers(&at.key("stop_headers"), raw.stop_headers.as_ref())?,
        drop_above: drop_above.transpose()?,
        replay_dead_letters_at: replay.transpose()?.map(|at| Time::ZERO + scale.span(at)),
    })
}

fn read_drop_above(at: &At, text: &str, scale: Scale) -> Result<DropAbove, Problem> {
    let (events, per) = parse_rate(text).map_err(|error| at.problem(error.problem, error.fix))?;
    Ok(DropAbove { events, per: scale.span(per).max(Span(1)) })
}

fn read_pull(at: &At, raw: &RawProvider, scale: Scale) -> Result<PullPlan, Problem> {
    let positive = |key: &str, text: &Option<String>| {
        let at = at.key(key);
        let span = text.as_deref().map(|text| span_or(&at, Some(text), Span::ZERO)).transpose()?;
        match span.map(|span| scale.span(span)) {
            Some(Span::ZERO) => Err(at.problem("no time at all", "write a duration such as \"10min\", or remove it")),
            span => Ok(span),
        }
    };
    let unscaled = |key, text: &Option<String>| {
        text.as_deref().map(|text| span_or(&at.key(key), Some(text), Span::ZERO)).transpose()
    };
    let limit = raw.rate_limit.as_ref().map(|raw| read_rate_limit(&at.key("rate_limit"), raw, scale));
    Ok(PullPlan {
        rate_limit: limit.transpose()?,
        poll_interval_hint: positive("poll_interval_hint", &raw.poll_interval_hint)?,
        retention: positive("retention", &raw.retention)?,
        view_lag: span_or(&at.key("view_lag"), raw.view_lag.as_deref(), Span::ZERO)?,
        commit_lag: unscaled("commit_lag", &raw.commit_lag)?,
        service_time: unscaled("service_time", &raw.service_time)?,
    })
}

fn read_rate_limit(at: &At, raw: &RawRateLimit, scale: Scale) -> Result<RateLimit, Problem> {
    const SCOPES: [(&str, Choice<RateScope>); 3] = [
        ("client", Choice::Here(RateScope::Client)),
        ("address", Choice::Here(RateScope::Address)),
        ("all", Choice::Here(RateScope::All)),
    ];
    const HINTS: [(&str, Choice<RateHint>); 4] = [
        ("retry-after", Choice::Here(RateHint::RetryAfter)),
        ("reset-at", Choice::Here(RateHint::ResetAt)),
        ("reset-in", Choice::Here(RateHint::ResetIn)),
        ("none", Choice::Here(RateHint::None)),
    ];
    let status = raw.status.unwrap_or(429);
    if ![429, 403].contains(&status) {
        return Err(at.key("status").problem(format!("{status} tells nobody of a limit"), "write 429 or 403"));
    }
    let rate_at = at.key("rate");
    let (count, per) = parse_rate(&raw.rate).map_err(|error| rate_at.problem(error.problem, error.fix))?;
    Ok(RateLimit {
        count,
        per: scale.span(per).max(Span(1)),
        burst: within(&at.key("burst"), raw.burst, 1, (1, 1_000_000))?,
        scope: choose(&at.key("per"), raw.per.as_deref().unwrap_or("client"), &SCOPES)?,
        status,
        hint: choose(&at.key("hint"), raw.hint.as_deref().unwrap_or("retry-after"), &HINTS)?,
        free_304: raw.free_304.unwrap_or(false),
    })
}

/// What a provider is told to do must have somebody to do it to, within the run.
pub(super) fn check_against(
    at: &At,
    raw: &[RawProvider],
    providers: &[ProviderPlan],
    consumers: &[ConsumerPlan],
    end: Time,
) -> Result<(), Problem> {
    for (index, (raw, plan)) in raw.iter().zip(providers).enumerate() {
        let at = at.index(index);
        let served = || consumers.iter().filter(|consumer| usize::from(consumer.provider) == index);
        let (pushes, polled) = (served().any(ConsumerPlan::is_pushed), served().any(ConsumerPlan::polls));
        let pulling = [
            ("rate_limit", raw.rate_limit.is_some()),
            ("poll_interval_hint", raw.poll_interval_hint.is_some()),
            ("retention", raw.retention.is_some()),
            ("view_lag", raw.view_lag.is_some()),
            ("commit_lag", raw.commit_lag.is_some()),
            ("service_time", raw.service_time.is_some()),
        ];
        if let Some((key, _)) = pulling.iter().find(|(_, given)| *given && !polled) {
            return Err(at
                .key(key)
                .problem("nobody polls this provider", "remove it, or add a consumer of kind = \"polling\""));
        }
        let pushing = [
            ("success", raw.success.is_some()),
            ("retry_on", raw.retry_on.is_some()),
            ("on_410", raw.on_410.is_some()),
            ("retry_after", raw.retry_after.is_some()),
            ("least_delay", raw.least_delay.is_some()),
            ("give_up_after", raw.give_up_after.is_some()),
            ("sender_pool", raw.sender_pool.is_some()),
            ("ordering", raw.ordering.is_some()),
            ("auto_disable", raw.auto_disable.is_some()),
            ("while_paused", raw.while_paused.is_some()),
            ("stop_headers", raw.stop_headers.is_some()),
            ("drop_above", raw.drop_above.is_some()),
            ("replay_dead_letters_at", raw.replay_dead_letters_at.is_some()),
        ];
        if let Some((key, _)) = pushing.iter().find(|(_, given)| *given && !pushes) {
            return Err(at.key(key).problem(
                "this provider has no webhook to send",
                "remove it, or add a consumer of kind = \"webhook\"",
            ));
        }
        if plan.sending.replay_dead_letters_at.is_some_and(|at| at >= end) {
            return Err(at
                .key("replay_dead_letters_at")
                .problem("lies behind the run's end", "write an instant before duration + drain"));
        }
    }
    Ok(())
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

fn read_backoff(at: &At, raw: &RawProvider) -> Result<Backoff, Problem> {
    const KINDS: [(&str, Choice<Backoff>); 4] = [
        ("none", Choice::Here(Backoff::Plain)),
        ("full", Choice::Here(Backoff::Full)),
        ("equal", Choice::Here(Backoff::Equal)),
        ("decorrelated", Choice::Here(Backoff::Decorrelated)),
    ];
    let Some(RawRetry::Formula(RawFormula { jitter: Some(name), .. })) = &raw.retry else {
        return Ok(Backoff::Plain);
    };
    let backoff = choose(&at.key("retry").key("jitter"), name, &KINDS)?;
    if backoff != Backoff::Plain && raw.retry_jitter.is_some() {
        return Err(at.key("retry_jitter").problem("the formula has a jitter of its own", "remove one of the two"));
    }
    Ok(backoff)
}

fn read_formula(at: &At, formula: &RawFormula) -> Result<Vec<Span>, Problem> {
    let base = span_or(&at.key("base"), Some(&formula.base), Span::ZERO)?;
    let factor = within(&at.key("factor"), formula.factor, 2.0, (1.0, 1_000.0))?;
    let cap = span_or(&at.key("cap"), formula.cap.as_deref(), Span::from_secs(86_400))?;
    let retries = within(&at.key("retries"), Some(formula.retries), 0, (0, RETRIES_MAX as u32))?;
    Ok(RetrySchedule::exponential(base, factor, cap, retries))
}
