//! `--set key=value`: changes to a scenario before it is read.
//!
//! A key is a path of names; `consumer.webhook.ledger` finds the consumer by its name, and
//! `consumer.0.ledger` by its place. The value is TOML, or else a plain text.

use toml::{Table, Value};

use super::error::{At, Problem};

/// The text with the changes made. Without changes it is the same text, comments and all.
pub(super) fn apply(text: &str, sets: &[String]) -> Result<String, Problem> {
    if sets.is_empty() {
        return Ok(text.to_owned());
    }
    // A broken file is reported by the loader, with its line.
    let Ok(mut table) = text.parse::<Table>() else { return Ok(text.to_owned()) };
    sets.iter().try_for_each(|set| assign_text(&mut table, set))?;
    Ok(written(text, &table))
}

/// Makes one change of the form `key=value`.
pub(super) fn assign_text(table: &mut Table, set: &str) -> Result<(), Problem> {
    let at = At::default().key("--set").key(set);
    let (key, value) =
        set.split_once('=').ok_or_else(|| at.problem("no value", "write --set key=value, such as --set seed=7"))?;
    assign(&at, table, key.trim(), read_value(value.trim()))
}

/// A changed scenario as text, below the comment that `text` begins with.
pub(super) fn written(text: &str, table: &Table) -> String {
    let comments = text.lines().take_while(|line| line.starts_with('#') || line.trim().is_empty());
    let head: String = comments.map(|line| format!("{line}\n")).collect();
    format!("{head}{}", toml::to_string(table).unwrap_or_default())
}

fn read_value(text: &str) -> Value {
    format!("x = {text}")
        .parse::<Table>()
        .ok()
        .and_then(|mut table| table.remove("x"))
        .unwrap_or_else(|| Value::String(text.to_owned()))
}

/// Puts a value under a key of names and places.
pub(super) fn assign(at: &At, table: &mut Table, key: &str, value: Value) -> Result<(), Problem> {
    // Conditions have dots in their keys: "expect.webhook.lost" means expect."webhook.lost".
    if let Some((section @ ("expect" | "goal"), rest)) = key.split_once('.') {
        let entry = table.entry(section).or_insert_with(|| Value::Table(Table::new()));
        if let Value::Table(section) = entry {
            section.insert(rest.to_owned(), value);
        }
        return Ok(());
    }
    let steps: Vec<&str> = key.split('.').collect();
    let Some((last, path)) = steps.split_last().filter(|(last, _)| !last.is_empty()) else {
        return Err(at.problem("an empty key", "write --set key=value, such as --set seed=7"));
    };
    let mut here = table;
    let mut rest = path;
    while let Some((step, after)) = rest.split_first() {
        let next = here.entry(*step).or_insert_with(|| Value::Table(Table::new()));
        (here, rest) = match next {
            Value::Table(inner) => (inner, after),
            Value::Array(items) => {
                let (which, after) =
                    after.split_first().ok_or_else(|| at.problem(format!("{step} is a list"), "name the entry"))?;
                (entry_of(at, items, step, which)?, after)
            }
            _ => return Err(at.problem(format!("{step} has no keys below it"), "see `pushpull schema`")),
        };
    }
    here.insert((*last).to_owned(), value);
    Ok(())
}

fn entry_of<'a>(at: &At, items: &'a mut [Value], list: &str, which: &str) -> Result<&'a mut Table, Problem> {
    let index = which.parse::<usize>().ok().filter(|index| *index < items.len()).or_else(|| {
        let named = |item: &Value| item.get("name").or_else(|| item.get("kind")).and_then(Value::as_str) == Some(which);
        items.iter().position(named)
    });
    index
        .and_then(|index| items[index].as_table_mut())
        .ok_or_else(|| at.problem(format!("there is no {list} \"{which}\""), "write its name, or its number from 0"))
}
