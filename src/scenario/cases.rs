//! `[[case]]`: one file, several plans that differ in a few keys and in what is expected of them.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use toml::{Table, Value};

use super::{
    error::{At, Problem, Step},
    names::suggest,
    raw::RawBound,
    set,
};

/// A plan of its own: the file's tables with a few keys changed.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawCase {
    /// Its name in results and folders: up to 40 letters, digits, '-' and '_'.
    pub name: String,
    /// What sets it apart, in a line. Default: nothing is said.
    #[serde(default)]
    pub title: String,
    /// Keys and their values, named as with `--set`: { "workload.arrivals.rate" = "5/s" }. Default: none.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, serde_json::Value>")]
    pub set: Table,
    /// What is expected of this case, beside the file's `[expect]`; of two with the same key this one
    /// counts.
    #[serde(default)]
    pub expect: BTreeMap<String, RawBound>,
    /// Its number of seeds. Default: the file's.
    pub seeds: Option<u32>,
}

/// Which case of a scenario a plan is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CasePlan {
    /// Its name.
    pub name: String,
    /// What sets it apart; may be empty.
    pub title: String,
}

/// The cases that are meant, with their places: all, or the one of that name.
pub(super) fn chosen<'a>(
    at: &At,
    cases: &'a [RawCase],
    name: Option<&str>,
) -> Result<Vec<(usize, &'a RawCase)>, Problem> {
    for (index, case) in cases.iter().enumerate() {
        let at = at.index(index).key("name");
        let letters = case.name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
        if case.name.is_empty() || case.name.len() > 40 || !letters {
            return Err(
                at.problem(format!("\"{}\" is no name", case.name), "write up to 40 letters, digits, '-' and '_'")
            );
        }
        if cases[..index].iter().any(|earlier| earlier.name == case.name) {
            return Err(at.problem(format!("\"{}\" is there twice", case.name), "give each case its own name"));
        }
    }
    let Some(name) = name else { return Ok(cases.iter().enumerate().collect()) };
    let names: Vec<&str> = cases.iter().map(|case| case.name.as_str()).collect();
    let found: Vec<_> = cases.iter().enumerate().filter(|(_, case)| case.name == name).collect();
    match (found.is_empty(), names.is_empty()) {
        (false, _) => Ok(found),
        (true, false) => Err(at.problem(format!("there is no case \"{name}\""), suggest(name, &names))),
        (true, true) => Err(at.problem(format!("there is no case \"{name}\""), "leave --case out: it has no cases")),
    }
}

/// The file as it stands for one case: its keys set, its expectations among the file's, no cases. `sets` of
/// the command line have the last word.
pub(super) fn text_of(source: &str, index: usize, case: &RawCase, sets: &[String]) -> Result<String, Problem> {
    let at = At::default().key("case").index(index);
    let mut table: Table = source.parse().map_err(|_| at.problem("cannot be read", "see `pushpull schema`"))?;
    let cases = table.remove("case");
    for (key, value) in &case.set {
        let at = at.key("set").key(key);
        if value.is_table() && !key.contains('.') {
            return Err(at.problem(
                format!("would replace all of {key}"),
                format!("quote the whole key: \"{key}.KEY\" = VALUE"),
            ));
        }
        set::assign(&at, &mut table, key, value.clone())?;
    }
    let own = cases.as_ref().and_then(|cases| cases.get(index)?.get("expect")?.as_table());
    if let Some(own) = own
        && let Value::Table(expect) = table.entry("expect").or_insert_with(|| Value::Table(Table::new()))
    {
        own.iter().for_each(|(key, value)| drop(expect.insert(key.clone(), value.clone())));
    }
    if let Some(seeds) = case.seeds {
        table.insert("seeds".to_owned(), Value::Integer(seeds.into()));
    }
    sets.iter()
        .filter(|set| !set.trim_start().starts_with("case."))
        .try_for_each(|text| set::assign_text(&mut table, text))?;
    Ok(set::written(source, &table))
}

/// A problem of a case's plan, told where it was written: at the case's own key, or in the file.
pub(super) fn relocate(mut problem: Problem, shown: &str, index: usize, case: &RawCase) -> Problem {
    let own = |keys: [&str; 2]| {
        let steps = ["case".into(), index.into()].into_iter();
        steps.chain(keys.into_iter().map(Step::from)).collect::<Vec<Step>>()
    };
    // The list's entries may be named or numbered.
    let numbered: Vec<String> = problem.path.iter().map(Step::to_string).collect();
    let names = [shown.to_owned(), numbered.join(".")];
    let touches = |key: &str| {
        names.iter().any(|name| {
            let below = |a: &str, b: &str| a == b || a.strip_prefix(b).is_some_and(|rest| rest.starts_with('.'));
            below(name, key) || below(key, name)
        })
    };
    if let [Step::Key(section), Step::Key(key)] = problem.path.as_slice()
        && section == "expect"
        && case.expect.contains_key(key)
    {
        problem.path = own(["expect", key]);
    } else if let Some((key, _)) = case.set.iter().find(|(key, _)| touches(key)) {
        problem.path = own(["set", key]);
    } else if case.seeds.is_some() && shown == "seeds" {
        problem.path = vec!["case".into(), index.into(), "seeds".into()];
    } else {
        problem.problem = format!("in case \"{}\": {}", case.name, problem.problem);
    }
    problem
}
