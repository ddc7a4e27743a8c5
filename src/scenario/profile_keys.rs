//! What a profile says of a provider's manners: keys of `[[provider]]`, with the values that they take there.

use super::{
    ProviderPlan,
    error::{At, Problem},
    load::{Scale, unknown_field},
    names::suggest,
    providers::read_provider,
    raw_provider::RawProvider,
};

/// Reads a table of a profile, `[delivery]` or `[pull]`, as `[[provider]]` would.
pub(crate) fn read_profile_keys(at: &At, table: &toml::Table) -> Result<ProviderPlan, Problem> {
    // A profile has a name of its own, and is no variant of another.
    if let Some(key) = ["name", "profile"].into_iter().find(|key| table.contains_key(*key)) {
        return Err(at.key(key).problem("is no manner of sending or of serving", "remove it"));
    }
    let raw: RawProvider = table.clone().try_into().map_err(|error: toml::de::Error| {
        let message = error.message().lines().next().unwrap_or("cannot be read");
        match unknown_field(message) {
            Some((key, known)) => {
                let known: Vec<&str> = known.iter().map(String::as_str).collect();
                at.key(&key).problem("unknown key", suggest(&key, &known))
            }
            None => {
                let culprit = table.keys().find(|key| !reads_alone(table, key));
                let at = culprit.map_or_else(|| at.clone(), |key| at.key(key));
                // Of a value with several forms serde says no more than that it is none of them.
                let forms = message.starts_with("data did not match");
                let message = if forms { "is written in none of the ways that it can be" } else { message };
                at.problem(message, "write it as in a scenario's [[provider]]; `pushpull schema` says what it takes")
            }
        }
    })?;
    read_provider(at, &raw, Scale(1.0))
}

/// Whether one key by itself can be read: what is wrong with a table is not told by its error.
fn reads_alone(table: &toml::Table, key: &str) -> bool {
    let one: toml::Table =
        table.iter().filter(|(known, _)| *known == key).map(|(k, v)| (k.clone(), v.clone())).collect();
    one.try_into::<RawProvider>().is_ok()
}
