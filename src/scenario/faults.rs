//! `[[fault]]`: the common keys (consumer, provider, limits) and the kind's own.

use serde::Deserialize;
use toml::{Table, Value};

use super::{
    ConsumerNo, ConsumerPlan, DeliveryOrder, EffectKind, LedgerKind, Mode, ProviderPlan, QueueKind,
    error::{At, Problem},
    load::Scale,
    names::suggest,
    raw::OneOrMany,
    signatures,
    tables::deserialize,
};
use crate::{
    fault::{Crash, CrashPoint, FaultKind, FaultPlan, Respond, Selector, StallTarget, TargetPath, Way},
    model::{Span, Time},
};

pub(super) fn read_faults(
    at: &At,
    raw: &[Table],
    providers: &[ProviderPlan],
    consumers: &[ConsumerPlan],
    (scale, mode): (Scale, Mode),
) -> Result<Vec<FaultPlan>, Problem> {
    let read = |(index, table): (usize, &Table)| {
        read_fault(&at.index(index), index as u16, table.clone(), providers, consumers, (scale, mode))
    };
    let faults: Vec<FaultPlan> = raw.iter().enumerate().map(read).collect::<Result<_, _>>()?;
    refuse_two_crash_points(at, &faults)?;
    Ok(faults)
}

/// A process has one armed point at a time.
fn refuse_two_crash_points(at: &At, faults: &[FaultPlan]) -> Result<(), Problem> {
    let at_point = |fault: &&FaultPlan| matches!(&fault.kind, FaultKind::Crash(crash) if crash.point.is_some());
    let mut armed: Vec<ConsumerNo> = Vec::new();
    for fault in faults.iter().filter(at_point) {
        if fault.consumers.iter().any(|consumer| armed.contains(consumer)) {
            return Err(at
                .index(usize::from(fault.index))
                .key("point")
                .problem("a consumer has two crash points", "keep one, or give each crash its own consumer"));
        }
        armed.extend(&fault.consumers);
    }
    Ok(())
}

fn read_fault(
    at: &At,
    index: u16,
    mut table: Table,
    providers: &[ProviderPlan],
    consumers: &[ConsumerPlan],
    (scale, mode): (Scale, Mode),
) -> Result<FaultPlan, Problem> {
    let names: Vec<&str> = FaultKind::TABLE.iter().map(|kind| kind.name).collect();
    let kind_at = at.key("kind");
    let name = match table.get("kind") {
        Some(Value::String(name)) => name.clone(),
        _ => return Err(kind_at.problem("a fault needs a kind", format!("write one of: {}", names.join(", ")))),
    };
    if !names.contains(&name.as_str()) {
        return Err(kind_at.problem(format!("\"{name}\" is unknown"), suggest(&name, &names)));
    }
    let named = table.remove("consumer");
    let provider = read_provider(&at.key("provider"), table.remove("provider"), providers)?;
    let mut selector = read_selector(at, &mut table)?;
    let mut kind: FaultKind = deserialize(at, table, &COMMON_KEYS)?;
    kind.validate(&selector).map_err(|found| at.key(found.key).problem(found.problem, found.fix))?;
    check_limits(at, &selector)?;
    let consumers = read_targets(
        &at.key("consumer"),
        named,
        &|consumer| refusal((&kind, selector.path), consumer, providers, mode),
        &name,
        consumers,
        provider,
    )?;
    kind.scale(scale.0);
    let scale_time = |time: Time| Time(scale.span(Span(time.0)).0);
    selector.from = selector.from.map(scale_time);
    selector.until = selector.until.map(scale_time);
    Ok(FaultPlan { index, kind, consumers, selector })
}

fn read_selector(at: &At, table: &mut Table) -> Result<Selector, Problem> {
    let mut limits = Table::new();
    for key in Selector::KEYS {
        if let Some(value) = table.remove(key) {
            limits.insert(key.to_owned(), value);
        }
    }
    if let Some(attempt) = table.remove("attempt") {
        if limits.contains_key("attempts") {
            return Err(at.key("attempt").problem("attempt and attempts both", "keep attempts"));
        }
        limits.insert("attempts".to_owned(), Value::Array(vec![attempt]));
    }
    deserialize(at, limits, &COMMON_KEYS)
}

/// The keys that every fault takes.
const COMMON_KEYS: [&str; 12] = [
    "probability",
    "every",
    "first",
    "from",
    "until",
    "event",
    "attempts",
    "attempt",
    "clients",
    "path",
    "consumer",
    "provider",
];

fn check_limits(at: &At, selector: &Selector) -> Result<(), Problem> {
    if let Some(p) = selector.probability.filter(|p| !(0.0..=1.0).contains(p)) {
        return Err(at.key("probability").problem(format!("{p} is no probability"), "write a number from 0 to 1"));
    }
    for (key, value) in [("every", selector.every), ("event", selector.event)] {
        if value == Some(0) {
            return Err(at.key(key).problem("counts from 1", "write 1 or more"));
        }
    }
    if selector.attempts.contains(&0) {
        return Err(at.key("attempts").problem("attempts count from 1", "write 1 or more"));
    }
    match (selector.from, selector.until) {
        (Some(from), Some(until)) if from >= until => {
            Err(at.key("until").problem("the window ends before it begins", "write an until that is later than from"))
        }
        _ => Ok(()),
    }
}

/// Why this fault cannot hit this consumer, if it cannot.
fn refusal(
    (kind, path): (&FaultKind, Option<TargetPath>),
    consumer: &ConsumerPlan,
    providers: &[ProviderPlan],
    mode: Mode,
) -> Option<String> {
    if let FaultKind::Stall(stall) = kind {
        let in_file = match stall.what {
            StallTarget::Process => true,
            StallTarget::Queue => consumer.queue == QueueKind::Sqlite,
            StallTarget::Ledger => consumer.ledger == LedgerKind::Sqlite,
        };
        if !in_file {
            return Some("that store of its is no SQLite database, and only those can be locked".to_owned());
        }
    }
    if let FaultKind::Crash(Crash { point: Some(CrashPoint::BeforeCall | CrashPoint::AfterCall), .. }) = kind
        && !matches!(consumer.effect.kind, EffectKind::External { .. })
    {
        return Some("it calls nobody: its effect is not \"external\"".to_owned());
    }
    if mode == Mode::Virtual && kind.can_hit().process && consumer.polls() {
        return Some("virtual time kills and stops receivers so far, and no process that polls".to_owned());
    }
    let provider = &providers[usize::from(consumer.provider)];
    if consumer.is_pushed()
        && path != Some(TargetPath::Poll)
        && let Some(why) = signatures::why_not(kind, provider, mode)
    {
        return Some(why);
    }
    if matches!(kind, FaultKind::Reorder(_)) && provider.sending.ordering != DeliveryOrder::None {
        return Some("its provider delivers in order, and nothing overtakes".to_owned());
    }
    if let FaultKind::Respond(Respond { stop: Some(stop), .. }) = kind
        && !(consumer.is_pushed() && provider.sending.stop_headers.can_say(*stop))
    {
        return Some("its provider listens to no header that says `stop`: add stop_headers to it".to_owned());
    }
    if kind.can_hit().process && consumer.is_external() {
        return Some("its process is somebody else's".to_owned());
    }
    let aims = |aim: TargetPath| path.is_none_or(|path| path == aim);
    let ways = [
        (Way::Push, consumer.is_pushed() && aims(TargetPath::Webhook)),
        (Way::Pull, consumer.polls() && aims(TargetPath::Poll)),
        (Way::Process, path.is_none()),
    ];
    let mut reasons = ways.iter().filter(|(_, has)| *has).map(|(way, _)| kind.reaches(*way, mode));
    if ways.iter().any(|(way, has)| *has && kind.reaches(*way, mode).is_ok()) {
        return None;
    }
    // Its first way says why; that it is no process fault explains nothing.
    if path.is_some() && ways.iter().all(|(_, has)| !has) {
        return Some("it has no such path".to_owned());
    }
    reasons.next().and_then(Result::err).map(str::to_owned)
}

fn read_targets(
    at: &At,
    named: Option<Value>,
    refusal: &dyn Fn(&ConsumerPlan) -> Option<String>,
    kind: &str,
    consumers: &[ConsumerPlan],
    provider: Option<u16>,
) -> Result<Vec<ConsumerNo>, Problem> {
    let served = |consumer: &ConsumerPlan| provider.is_none_or(|provider| consumer.provider == provider);
    let all: Vec<&str> = consumers.iter().map(|consumer| consumer.name.as_str()).collect();
    let Some(named) = named else {
        let targets: Vec<ConsumerNo> = consumers
            .iter()
            .enumerate()
            .filter(|(_, c)| refusal(c).is_none() && served(c))
            .map(|(i, _)| i as ConsumerNo)
            .collect();
        if targets.is_empty() {
            let why = consumers.iter().find_map(refusal).map_or_else(String::new, |why| format!(": {why}"));
            return Err(at.problem(format!("no consumer here can be hit by \"{kind}\"{why}"), "remove the fault"));
        }
        return Ok(targets);
    };
    let named: OneOrMany = deserialize_names(at, named)?;
    let find = |name: &str| {
        let index = all.iter().position(|known| *known == name);
        let index = index
            .ok_or_else(|| at.problem(format!("\"{name}\" is no consumer of this scenario"), suggest(name, &all)))?;
        if let Some(why) = refusal(&consumers[index]) {
            return Err(at.problem(
                format!("\"{kind}\" cannot hit \"{name}\": {why}"),
                "name another consumer, or remove the fault",
            ));
        }
        if !served(&consumers[index]) {
            return Err(at.problem(
                format!("\"{name}\" is not served by the provider that this fault names"),
                "drop provider, or name one of its consumers",
            ));
        }
        Ok(index as ConsumerNo)
    };
    named.names().into_iter().map(find).collect()
}

fn deserialize_names(at: &At, value: Value) -> Result<OneOrMany, Problem> {
    OneOrMany::deserialize(value)
        .map_err(|_| at.problem("no name and no list of names", "write consumer = \"webhook\""))
}

/// The provider whose consumers are meant, where one is named.
fn read_provider(at: &At, named: Option<Value>, providers: &[ProviderPlan]) -> Result<Option<u16>, Problem> {
    let Some(value) = named else { return Ok(None) };
    let names: Vec<&str> = providers.iter().map(|provider| provider.name.as_str()).collect();
    let shown = value.as_str().unwrap_or("?");
    match names.iter().position(|name| *name == shown) {
        Some(index) => Ok(Some(index as u16)),
        None => Err(at.problem(format!("\"{shown}\" is no provider of this scenario"), suggest(shown, &names))),
    }
}
