//! Tables whose keys depend on their kind: each kind refuses what it does not know, by name.

use serde::Deserialize;
use toml::{Table, Value};

use super::{
    error::{At, Problem},
    load::{unknown_field, unknown_variant},
    names::suggest,
};

/// Reads a table; `common` are the keys that were taken out of it before and are known all the same.
pub(super) fn deserialize<'de, T: Deserialize<'de>>(at: &At, table: Table, common: &[&str]) -> Result<T, Problem> {
    let given = table.clone();
    T::deserialize(Value::Table(table)).map_err(|error| {
        let message = error.message().lines().next().unwrap_or_default().to_owned();
        if let Some((key, known)) = unknown_field(&message) {
            let known: Vec<&str> = known.iter().map(String::as_str).chain(common.iter().copied()).collect();
            return at.key(&key).problem("unknown key", suggest(&key, &known));
        }
        if let Some(key) = message.strip_prefix("missing field `").and_then(|rest| rest.strip_suffix('`')) {
            return at.key(key).problem("is missing", "add it; `pushpull schema` says what it takes");
        }
        // A tagged structure does not say which of its keys it stumbled over; its value does.
        let named = |value: &Value| match value.as_str() {
            Some(text) => ["'", "`", "\""].iter().any(|quote| message.contains(&format!("{quote}{text}{quote}"))),
            None => message.contains(&format!("`{value}`")),
        };
        let culprit = given.iter().find(|(_, value)| named(value)).map(|(key, _)| key);
        let at = culprit.map_or_else(|| at.clone(), |key| at.key(key));
        if let Some((name, known)) = unknown_variant(&message) {
            let known: Vec<&str> = known.iter().map(String::as_str).collect();
            return at.problem(format!("\"{name}\" is unknown"), suggest(&name, &known));
        }
        let (problem, fix) = message.split_once("; ").unwrap_or((&message, "see `pushpull schema`"));
        at.problem(problem, fix)
    })
}
