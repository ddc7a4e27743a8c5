//! `strategy = { ... }`: the keys that every way of polling takes, and the kind's own.

use toml::{Table, Value};

use super::{
    Connection, On429, PollingPlan,
    error::{At, Problem},
    load::{Scale, span_or, within},
    names::{Choice, choose, suggest},
    raw::RawPolling,
    tables::deserialize,
};
use crate::{
    model::Span,
    policy::poll::{Ask, Strategy},
};

const EXAMPLE: &str = "write strategy = { kind = \"fixed\", interval = \"5s\" }";

pub(super) fn read_strategy(at: &At, raw: Option<&Table>, scale: Scale) -> Result<PollingPlan, Problem> {
    const ON_429: [(&str, Choice<On429>); 2] =
        [("respect", Choice::Here(On429::Respect)), ("ignore", Choice::Here(On429::Ignore))];
    const CONNECTIONS: [(&str, Choice<Connection>); 2] =
        [("keep-alive", Choice::Here(Connection::KeepAlive)), ("per-request", Choice::Here(Connection::PerRequest))];
    let mut table = raw.cloned().ok_or_else(|| at.problem("a polling consumer needs a strategy", EXAMPLE))?;
    let names: Vec<&str> = Strategy::TABLE.iter().map(|(name, _)| *name).collect();
    let kind_at = at.key("kind");
    let name = match table.get("kind") {
        Some(Value::String(name)) => name.clone(),
        _ => return Err(kind_at.problem("a strategy needs a kind", format!("write one of: {}", names.join(", ")))),
    };
    if !names.contains(&name.as_str()) {
        return Err(kind_at.problem(format!("\"{name}\" is unknown"), suggest(&name, &names)));
    }
    let common = take_common(at, &mut table)?;
    let mut strategy: Strategy = deserialize(at, table, &RawPolling::KEYS)?;
    strategy.scale(scale.0);
    strategy.validate().map_err(|found| at.key(found.key).problem(found.problem, found.fix))?;
    if common.page_size.is_some() && strategy.state().is_some_and(|state| state.ask == Ask::Subject) {
        return Err(at
            .key("page_size")
            .problem("one subject makes no page", "remove it, or write ask = \"updated-since\""));
    }
    Ok(PollingPlan {
        strategy,
        page_size: within(&at.key("page_size"), common.page_size, 100, (1, 10_000))?,
        timeout: span_or(&at.key("timeout"), common.timeout.as_deref(), Span::from_secs(10))?.max(Span::from_millis(1)),
        on_429: choose(&at.key("on_429"), common.on_429.as_deref().unwrap_or("respect"), &ON_429)?,
        cursor_overlap: span_or(&at.key("cursor_overlap"), common.cursor_overlap.as_deref(), Span::ZERO)?,
        connection: choose(&at.key("connection"), common.connection.as_deref().unwrap_or("keep-alive"), &CONNECTIONS)?,
    })
}

/// Takes the keys that every strategy has out of the table.
fn take_common(at: &At, table: &mut Table) -> Result<RawPolling, Problem> {
    let mut common = Table::new();
    for key in RawPolling::KEYS {
        if let Some(value) = table.remove(key) {
            common.insert(key.to_owned(), value);
        }
    }
    deserialize(at, common, &[])
}
