//! The reference of faults, written from the code: `docs/faults.md`.

use std::fmt::Write as _;

use serde_json::Value;

use super::{FaultKind, Kind, Selector, Way};
use crate::scenario::Mode;

const HEAD: &str = "# Faults

Written from the code (`src/fault/reference.rs`); a test compares the two. `UPDATE_DOCS=1 cargo test --test it
the_reference` writes it anew.

Faults of requests act at pushpull's own end of a connection (the sender's for webhooks, the pull API's for polls), never
inside a receiver, so that they work against anybody's. Faults of processes act from the orchestrator. Where virtual time
does not know a fault yet, a scenario that asks for both is refused with the reason.

";

/// The whole document.
#[must_use]
pub fn reference() -> String {
    let mut out = HEAD.to_owned();
    table(&mut out);
    limits(&mut out);
    let schema = serde_json::to_value(schemars::schema_for!(FaultKind)).unwrap_or_default();
    for kind in FaultKind::TABLE {
        section(&mut out, kind, &schema);
    }
    out
}

// Writing into a String cannot fail, so the results below are not looked at.

fn table(out: &mut String) {
    out.push_str("| fault | push, live | pull, live | process, live | virtual |\n|---|---|---|---|---|\n");
    for kind in FaultKind::TABLE {
        let _ = write!(out, "| `{}` |", kind.name);
        for (way, _) in Way::TABLE {
            let mark = if kind.reaches(way, Mode::Live).is_ok() { "yes" } else { "-" };
            let _ = write!(out, " {mark} |");
        }
        let ever = Way::TABLE.iter().any(|(way, _)| kind.reaches(*way, Mode::Virtual).is_ok());
        let _ = writeln!(out, " {} |", if ever { "yes" } else { "not yet" });
    }
}

fn limits(out: &mut String) {
    out.push_str("\n## Limits\n\nWhich requests a fault hits; all that are given must hold.\n\n");
    let schema = serde_json::to_value(schemars::schema_for!(Selector)).unwrap_or_default();
    keys(out, &schema, &schema);
}

fn section(out: &mut String, kind: &Kind, schema: &Value) {
    let _ = writeln!(out, "\n## {}\n\n{}.", kind.name, kind.summary);
    let why_not = kind.reaches(Way::Pull, Mode::Live).err().filter(|_| kind.hits.webhooks);
    if let Some(why) = why_not {
        let _ = writeln!(out, "Not pull: {why}.");
    }
    if !kind.why_not_virtual.is_empty() {
        let _ = writeln!(out, "Not in virtual time: {}.", kind.why_not_virtual);
    }
    let named = |one: &&Value| one["properties"]["kind"]["const"] == kind.name;
    let variant = schema["oneOf"].as_array().and_then(|all| all.iter().find(named));
    if let Some(variant) = variant {
        let options = variant["$ref"].as_str().map_or(variant, |path| resolve(schema, path));
        if options["properties"].as_object().is_some_and(|keys| keys.len() > usize::from(options == variant)) {
            out.push('\n');
        }
        keys(out, options, schema);
    }
}

/// A line per key: its name, its default and its words.
fn keys(out: &mut String, options: &Value, schema: &Value) {
    let Some(properties) = options["properties"].as_object() else { return };
    for (name, key) in properties.iter().filter(|(name, _)| *name != "kind") {
        let mut words = key["description"].as_str().unwrap_or_default().replace('\n', " ");
        let choices = choices(key, schema);
        if !choices.is_empty() {
            words = format!("{words} One of: {}.", choices.join(", "));
        }
        let given = match &key["default"] {
            Value::Null => String::new(),
            default => format!(" (default {default})"),
        };
        let _ = writeln!(out, "- `{name}`{given}: {words}");
    }
}

fn choices(key: &Value, schema: &Value) -> Vec<String> {
    let inner = key["anyOf"].as_array().and_then(|all| all.iter().find_map(|one| one["$ref"].as_str()));
    let Some(path) = key["$ref"].as_str().or(inner) else { return Vec::new() };
    let all = resolve(schema, path)["oneOf"].as_array().cloned().unwrap_or_default();
    all.iter().filter_map(|one| one["const"].as_str()).map(|name| format!("`\"{name}\"`")).collect()
}

fn resolve<'a>(schema: &'a Value, path: &str) -> &'a Value {
    schema.pointer(path.trim_start_matches('#')).unwrap_or(&Value::Null)
}
