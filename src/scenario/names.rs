//! Choosing from a table of names, with a helpful refusal.

use super::error::{At, Problem};

/// What a name stands for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Choice<T> {
    /// It can be had.
    Here(T),
    /// The name is known and the thing is not there yet: why, and what to take instead.
    NotYet(&'static str),
}

/// The value that `name` stands for in `table`.
pub(crate) fn choose<T: Copy>(at: &At, name: &str, table: &[(&str, Choice<T>)]) -> Result<T, Problem> {
    match table.iter().find(|(known, _)| *known == name) {
        Some((_, Choice::Here(value))) => Ok(*value),
        Some((_, Choice::NotYet(why))) => Err(at.problem(format!("\"{name}\" is not implemented yet"), *why)),
        None => {
            let here = table.iter().filter(|(_, choice)| matches!(choice, Choice::Here(_))).map(|(known, _)| *known);
            let here: Vec<&str> = here.collect();
            Err(at.problem(format!("\"{name}\" is unknown"), suggest(name, &here)))
        }
    }
}

/// "did you mean ...?", or the list.
pub(crate) fn suggest(name: &str, known: &[&str]) -> String {
    let nearest = known.iter().map(|k| (strsim::damerau_levenshtein(name, k), *k)).min();
    match nearest {
        Some((distance, nearest)) if distance <= 2.max(name.len() / 3) => format!("did you mean \"{nearest}\"?"),
        _ => format!("write one of: {}", known.join(", ")),
    }
}
