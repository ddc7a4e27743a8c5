//! `[[consumer]]`.

use super::{
    CallLimit, ConsumerPlan, Distribution, EffectKind, EffectPlan, ExternalReceiver, Flaw, Follows, HybridPlan,
    LedgerKind, Path, ProviderPlan, QueueKind, WebhookPlan,
    error::{At, Problem},
    load::{Scale, span_or, within},
    names::{Choice, choose, suggest},
    providers::check_name,
    raw::{RawConsumer, RawEffect, RawEffectTable},
    signatures, states,
    strategies::read_strategy,
    units::parse_rate,
};
use crate::{
    model::Span,
    wire::{NotHere, require_loopback},
};

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Polling,
    Webhook,
    Hybrid,
}

pub(super) fn read_consumers(
    at: &At,
    raw: &[RawConsumer],
    providers: &[ProviderPlan],
    (scale, subjects): (Scale, u32),
) -> Result<Vec<ConsumerPlan>, Problem> {
    if raw.is_empty() {
        return Err(at.problem(
            "a scenario without a consumer measures nothing",
            "add [[consumer]] with name and kind, such as kind = \"webhook\"",
        ));
    }
    let mut plans: Vec<ConsumerPlan> = Vec::new();
    for (index, one) in raw.iter().enumerate() {
        let at = at.index(index);
        let mut plan = read_consumer(&at, one, providers, scale)?;
        states::settle(&at, &mut plan, providers, subjects)?;
        if plans.iter().any(|earlier| earlier.name == plan.name) {
            return Err(at
                .key("name")
                .problem(format!("\"{}\" is there twice", plan.name), "give each consumer its own name"));
        }
        plans.push(plan);
    }
    Ok(plans)
}

fn read_consumer(
    at: &At,
    raw: &RawConsumer,
    providers: &[ProviderPlan],
    scale: Scale,
) -> Result<ConsumerPlan, Problem> {
    const KINDS: [(&str, Choice<Kind>); 3] = [
        ("polling", Choice::Here(Kind::Polling)),
        ("webhook", Choice::Here(Kind::Webhook)),
        ("hybrid", Choice::Here(Kind::Hybrid)),
    ];
    const FOLLOWS: [(&str, Choice<Follows>); 2] =
        [("own", Choice::Here(Follows::Own)), ("all", Choice::Here(Follows::All))];

    check_name(&at.key("name"), &raw.name)?;
    let kind = choose(&at.key("kind"), &raw.kind, &KINDS)?;
    refuse_foreign_keys(at, raw, kind)?;
    let provider = read_provider_name(&at.key("provider"), raw.provider.as_deref(), providers)?;
    let sender = &providers[usize::from(provider)];
    let path = match kind {
        Kind::Polling => Path::Polling(read_strategy(&at.key("strategy"), raw.strategy.as_ref(), scale)?),
        Kind::Webhook => Path::Webhook(read_webhook(at, raw, sender)?),
        Kind::Hybrid => Path::Hybrid(HybridPlan {
            webhook: read_webhook(at, raw, sender)?,
            polling: read_strategy(&at.key("strategy"), raw.strategy.as_ref(), scale)?,
        }),
    };
    let (queue, ledger) = read_engines(at, raw)?;
    let ttl_at = at.key("ledger_ttl");
    let ledger_ttl = raw.ledger_ttl.as_deref().map(|text| span_or(&ttl_at, Some(text), Span::ZERO)).transpose()?;
    if ledger_ttl.is_some() && ledger == LedgerKind::None {
        return Err(
            ttl_at.problem("there is no ledger to forget anything", "drop ledger_ttl, or write ledger = \"sqlite\"")
        );
    }
    // What is read as a state is kept as one.
    let default = if path.polling().is_some_and(|polling| polling.state().is_some()) { "set" } else { "append" };
    let effect = read_effect(&at.key("effect"), raw.effect.as_ref(), default)?;
    let flaw = read_flaw(&at.key("flaw"), raw.flaw.as_deref(), kind, (ledger, effect))?;
    if kind != Kind::Polling {
        signatures::check_effect(&at.key("effect"), effect, sender)?;
        signatures::check_flaw(&at.key("flaw"), flaw, sender)?;
    }
    Ok(ConsumerPlan {
        name: raw.name.clone(),
        provider,
        clients: within(&at.key("clients"), raw.clients, 1, (1, 1_000_000))?,
        follows: choose(&at.key("follows"), raw.follows.as_deref().unwrap_or("own"), &FOLLOWS)?,
        path,
        queue,
        queue_capacity: within(&at.key("queue_capacity"), raw.queue_capacity, 10_000, (1, 1_000_000_000))?,
        ledger,
        ledger_ttl: ledger_ttl.map(|ttl| scale.span(ttl)),
        workers: within(&at.key("workers"), raw.workers, 4, (1, 1_024))?,
        visibility: read_visibility(&at.key("visibility"), raw)?,
        optimistic: read_optimistic(&at.key("optimistic"), raw)?,
        max_tries: within(&at.key("max_tries"), raw.max_tries, 5, (1, 1_000))?,
        effect,
        flaw,
    })
}

/// A key that means nothing for this kind would silently change nothing.
fn refuse_foreign_keys(at: &At, raw: &RawConsumer, kind: Kind) -> Result<(), Problem> {
    let foreign: &[(&str, bool)] = match kind {
        Kind::Polling => &[
            ("url", raw.url.is_some()),
            ("secret_env", raw.secret_env.is_some()),
            ("signature_tolerance", raw.signature_tolerance.is_some()),
            ("body_limit_bytes", raw.body_limit_bytes.is_some()),
            ("connection_limit", raw.connection_limit.is_some()),
            ("dedupe", raw.dedupe.is_some()),
            ("optimistic", raw.optimistic.is_some()),
        ],
        Kind::Webhook => &[("strategy", raw.strategy.is_some())],
        // We cannot poll in the name of somebody else's receiver, nor leave to a queue what two paths bring.
        Kind::Hybrid => {
            &[("url", raw.url.is_some()), ("secret_env", raw.secret_env.is_some()), ("dedupe", raw.dedupe.is_some())]
        }
    };
    let other = if kind == Kind::Webhook { "polling" } else { "webhook" };
    for (key, given) in foreign {
        if *given {
            return Err(at.key(key).problem(
                format!("means nothing for kind = \"{}\"", raw.kind),
                format!("remove it, or write kind = \"{other}\""),
            ));
        }
    }
    // Somebody else's receiver has its own queue and ledger.
    let inner = [
        ("queue", raw.queue.is_some()),
        ("queue_capacity", raw.queue_capacity.is_some()),
        ("ledger", raw.ledger.is_some()),
        ("ledger_ttl", raw.ledger_ttl.is_some()),
        ("workers", raw.workers.is_some()),
        ("max_tries", raw.max_tries.is_some()),
        ("visibility", raw.visibility.is_some()),
        ("optimistic", raw.optimistic.is_some()),
        ("effect", raw.effect.is_some()),
        ("flaw", raw.flaw.is_some()),
        ("dedupe", raw.dedupe.is_some()),
    ];
    if let Some((key, _)) = inner.iter().find(|(_, given)| *given && raw.url.is_some()) {
        return Err(at
            .key(key)
            .problem("means nothing for a receiver that is somebody else's", "remove it, or remove url"));
    }
    if raw.secret_env.is_some() && raw.url.is_none() {
        return Err(at
            .key("secret_env")
            .problem("only a receiver at a url needs a secret from outside", "add url, or remove it"));
    }
    Ok(())
}

fn read_engines(at: &At, raw: &RawConsumer) -> Result<(QueueKind, LedgerKind), Problem> {
    const LATER_QUEUE: &str = "use \"sqlite\" (durable) or \"memory\"";
    const LATER_LEDGER: &str = "use \"sqlite\" (durable), \"memory\" or \"none\"";
    const QUEUES: [(&str, Choice<QueueKind>); 7] = [
        ("sqlite", Choice::Here(QueueKind::Sqlite)),
        ("memory", Choice::Here(QueueKind::Memory)),
        ("kafka", Choice::NotYet(LATER_QUEUE)),
        ("rabbitmq", Choice::NotYet(LATER_QUEUE)),
        ("sqs", Choice::NotYet(LATER_QUEUE)),
        ("nats", Choice::NotYet(LATER_QUEUE)),
        ("redis", Choice::NotYet(LATER_QUEUE)),
    ];
    const LEDGERS: [(&str, Choice<LedgerKind>); 5] = [
        ("sqlite", Choice::Here(LedgerKind::Sqlite)),
        ("memory", Choice::Here(LedgerKind::Memory)),
        ("none", Choice::Here(LedgerKind::None)),
        ("postgres", Choice::NotYet(LATER_LEDGER)),
        ("redis", Choice::NotYet(LATER_LEDGER)),
    ];
    Ok((
        choose(&at.key("queue"), raw.queue.as_deref().unwrap_or("sqlite"), &QUEUES)?,
        choose(&at.key("ledger"), raw.ledger.as_deref().unwrap_or("sqlite"), &LEDGERS)?,
    ))
}

fn read_optimistic(at: &At, raw: &RawConsumer) -> Result<bool, Problem> {
    let optimistic = raw.optimistic.unwrap_or(false);
    if optimistic && raw.flaw.is_some() {
        return Err(at.problem("a request that reads and writes a row has no room for a flaw", "remove one of the two"));
    }
    if optimistic && (raw.dedupe.is_some() || raw.visibility.is_some()) {
        return Err(at.problem("it does not use its queue", "remove dedupe and visibility, or optimistic"));
    }
    Ok(optimistic)
}

fn read_visibility(at: &At, raw: &RawConsumer) -> Result<Option<Span>, Problem> {
    let Some(text) = &raw.visibility else { return Ok(None) };
    if raw.flaw.as_deref() == Some("synchronous") {
        return Err(at.problem("a synchronous receiver does not use its queue", "remove visibility, or the flaw"));
    }
    match span_or(at, Some(text), Span::ZERO)? {
        Span::ZERO => Err(at.problem("no time to work in", "write a duration such as \"30s\", or remove it")),
        limit => Ok(Some(limit)),
    }
}

fn read_webhook(at: &At, raw: &RawConsumer, provider: &ProviderPlan) -> Result<WebhookPlan, Problem> {
    if let Some(url) = &raw.url {
        check_url(&at.key("url"), url)?;
    }
    Ok(WebhookPlan {
        external: raw.url.clone().map(|url| ExternalReceiver { url, secret_env: raw.secret_env.clone() }),
        signature_tolerance: signatures::tolerance(
            &at.key("signature_tolerance"),
            raw.signature_tolerance.as_deref(),
            provider,
        )?,
        body_limit: within(&at.key("body_limit_bytes"), raw.body_limit_bytes, 1 << 20, (1, 64 << 20))?,
        connection_limit: within(&at.key("connection_limit"), raw.connection_limit, 1_024, (1, 100_000))?,
        dedupe: read_dedupe(&at.key("dedupe"), raw)?,
    })
}

fn read_dedupe(at: &At, raw: &RawConsumer) -> Result<bool, Problem> {
    let dedupe = raw.dedupe.unwrap_or(false);
    if dedupe && raw.queue.as_deref() == Some("memory") {
        return Err(at.problem(
            "what a queue in memory knows of earlier events is gone with its process",
            "write queue = \"sqlite\", or remove dedupe: the ledger suppresses duplicates in any case",
        ));
    }
    if dedupe && raw.flaw.as_deref() == Some("synchronous") {
        return Err(at.problem("a synchronous receiver does not use its queue", "remove dedupe, or the flaw"));
    }
    Ok(dedupe)
}

fn check_url(at: &At, url: &str) -> Result<(), Problem> {
    require_loopback(url).map_err(|why| at.problem(format!("\"{url}\" {why}"), NotHere::FIX))
}

fn read_effect(at: &At, raw: Option<&RawEffect>, default: &str) -> Result<EffectPlan, Problem> {
    const KINDS: [(&str, Choice<EffectKind>); 4] = [
        ("append", Choice::Here(EffectKind::Append)),
        ("set", Choice::Here(EffectKind::Set)),
        ("once", Choice::Here(EffectKind::Once)),
        ("external", Choice::Here(EffectKind::External { honours_key: true, limit: None })),
    ];
    const DISTRIBUTIONS: [(&str, Choice<Distribution>); 2] =
        [("constant", Choice::Here(Distribution::Constant)), ("exponential", Choice::Here(Distribution::Exponential))];
    let nothing = RawEffectTable {
        kind: None,
        duration: None,
        distribution: None,
        rate_limit: None,
        honours_key: None,
        poison_every: None,
    };
    let (table, kind_at) = match raw {
        None => (nothing, at.clone()),
        Some(RawEffect::Kind(kind)) => (RawEffectTable { kind: Some(kind.clone()), ..nothing }, at.clone()),
        Some(RawEffect::Table(table)) => (table.clone(), at.key("kind")),
    };
    let mut kind = choose(&kind_at, table.kind.as_deref().unwrap_or(default), &KINDS)?;
    read_other_side(at, &table, &mut kind)?;
    Ok(EffectPlan {
        kind,
        duration: span_or(&at.key("duration"), table.duration.as_deref(), Span::ZERO)?,
        distribution: choose(
            &at.key("distribution"),
            table.distribution.as_deref().unwrap_or("constant"),
            &DISTRIBUTIONS,
        )?,
        poison_every: table
            .poison_every
            .map(|every| within(&at.key("poison_every"), Some(every), 1, (1, u32::MAX)))
            .transpose()?,
    })
}

/// What somebody else's system does with calls; of use only where there is one.
fn read_other_side(at: &At, table: &RawEffectTable, kind: &mut EffectKind) -> Result<(), Problem> {
    let EffectKind::External { honours_key, limit } = kind else {
        let given = [("honours_key", table.honours_key.is_some()), ("rate_limit", table.rate_limit.is_some())];
        return match given.iter().find(|(_, given)| *given) {
            None => Ok(()),
            Some((key, _)) => Err(at
                .key(key)
                .problem("only somebody else's system is called", "remove it, or write kind = \"external\"")),
        };
    };
    *honours_key = table.honours_key.unwrap_or(*honours_key);
    if let Some(text) = &table.rate_limit {
        let at = at.key("rate_limit");
        let (count, per) = parse_rate(text).map_err(|error| at.problem(error.problem, error.fix))?;
        *limit = Some(CallLimit {
            count: within(&at, Some(u32::try_from(count).unwrap_or(u32::MAX)), 1, (1, 1_000_000))?,
            per,
        });
    }
    Ok(())
}

/// The names of the flaws.
const FLAWS: [(&str, Flaw); 14] = [
    ("check-then-act", Flaw::CheckThenAct),
    ("ack-before-store", Flaw::AckBeforeStore),
    ("effect-before-ledger", Flaw::EffectBeforeLedger),
    ("synchronous", Flaw::Synchronous),
    ("no-verification", Flaw::NoVerification),
    ("unkeyed-sha256", Flaw::UnkeyedSha256),
    ("reserialised-json", Flaw::ReserialisedJson),
    ("no-version-guard", Flaw::NoVersionGuard),
    ("no-business-key", Flaw::NoBusinessKey),
    ("duplicate-409", Flaw::Duplicate409),
    ("cursor-before-effect", Flaw::CursorBeforeEffect),
    ("timestamp-cursor", Flaw::TimestampCursor),
    ("one-page", Flaw::OnePage),
    ("no-overlap", Flaw::NoOverlap),
];

fn read_flaw(
    at: &At,
    name: Option<&str>,
    kind: Kind,
    (ledger, effect): (LedgerKind, EffectPlan),
) -> Result<Option<Flaw>, Problem> {
    let Some(name) = name else { return Ok(None) };
    let flaw = choose(at, name, &FLAWS.map(|(name, flaw)| (name, Choice::Here(flaw))))?;
    let fits = if flaw.is_polling() { kind != Kind::Webhook } else { kind != Kind::Polling };
    if !fits && !matches!(flaw, Flaw::NoVersionGuard | Flaw::NoBusinessKey) {
        let whose = if flaw.is_polling() { "a polling" } else { "a webhook" };
        return Err(at.problem(format!("\"{name}\" is a flaw of {whose} consumer"), "move it, or remove it"));
    }
    if flaw == Flaw::NoBusinessKey && effect.kind != EffectKind::Once {
        return Err(at.problem(
            "there is no business key to forget: each event has an effect of its own",
            "write effect = \"once\", or remove it",
        ));
    }
    let bypasses_outbox = matches!(flaw, Flaw::CheckThenAct | Flaw::EffectBeforeLedger | Flaw::NoVersionGuard);
    if bypasses_outbox && matches!(effect.kind, EffectKind::External { .. }) {
        return Err(at.problem(
            format!("\"{name}\" is a way of applying effects here, and these happen elsewhere"),
            "write effect = \"append\" or \"set\", or remove it",
        ));
    }
    let needs_ledger = matches!(flaw, Flaw::CheckThenAct | Flaw::EffectBeforeLedger | Flaw::Duplicate409);
    if needs_ledger && ledger == LedgerKind::None {
        return Err(at.problem(format!("\"{name}\" needs a ledger to get wrong"), "write ledger = \"sqlite\""));
    }
    Ok(Some(flaw))
}

fn read_provider_name(at: &At, name: Option<&str>, providers: &[ProviderPlan]) -> Result<u16, Problem> {
    let names: Vec<&str> = providers.iter().map(|provider| provider.name.as_str()).collect();
    match name {
        None if providers.len() == 1 => Ok(0),
        None => Err(at.problem("there are several providers", format!("write one of: {}", names.join(", ")))),
        Some(name) => match names.iter().position(|known| *known == name) {
            Some(index) => Ok(index as u16),
            None => Err(at.problem(format!("\"{name}\" is no provider of this scenario"), suggest(name, &names))),
        },
    }
}
