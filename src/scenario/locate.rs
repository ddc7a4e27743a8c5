//! From a path into a file to the line it stands on, and to what is said of it.

use std::ops::Range;

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::{
    error::{Problem, ScenarioError, Step},
    load::unknown_field,
    names::suggest,
};

/// A file that something is wrong with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct File<'a> {
    /// Its text.
    pub source: &'a str,
    /// What errors call it.
    pub name: &'a str,
    /// Whether the text is as it stands in the file, so that its lines are the file's.
    pub exact: bool,
    /// Where its writer finds out more.
    pub help: &'a str,
}

/// Says where a problem stands.
pub(crate) fn locate(problem: Problem, file: &File<'_>) -> ScenarioError {
    let key = shown_path(&problem.path, file.source);
    ScenarioError {
        file: file.name.to_owned(),
        line: if file.exact { line_of(file.source, &problem.path) } else { None },
        key,
        problem: problem.problem,
        fix: problem.fix,
    }
}

/// A path as people would say it: entries of a list by their name where they have one.
pub(crate) fn shown_path(path: &[Step], source: &str) -> String {
    if let [Step::Key(flag), Step::Key(set)] = path
        && flag == "--set"
    {
        return format!("--set {set}");
    }
    let table = source.parse::<toml::Table>().map(toml::Value::Table).ok();
    let mut here = table.as_ref();
    let mut words = Vec::new();
    for step in path {
        match step {
            Step::Key(key) => {
                here = here.and_then(|value| value.get(key.as_str()));
                words.push(if key.contains('.') { format!("\"{key}\"") } else { key.clone() });
            }
            Step::Index(index) => {
                here = here.and_then(|value| value.get(*index));
                let name = here.and_then(|value| value.get("name").or_else(|| value.get("kind")));
                words.push(name.and_then(toml::Value::as_str).map_or_else(|| index.to_string(), str::to_owned));
            }
        }
    }
    words.join(".")
}

/// An error of the TOML parser or of the raw structure.
pub(crate) fn syntax_error(error: &toml::de::Error, file: &File<'_>) -> ScenarioError {
    let message = error.message().lines().next().unwrap_or("cannot be read").to_owned();
    let (key, known) = unknown_field(&message).unwrap_or_default();
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    let line = error.span().map(|span| {
        // For a key inside a table the parser points at the table: look for the key itself.
        let within = file.source.get(span.clone()).filter(|_| !key.is_empty()).and_then(|text| text.find(key.as_str()));
        line_at(file.source, span.start + within.unwrap_or(0))
    });
    let problem = match key.is_empty() {
        true => message,
        false => "unknown key".to_owned(),
    };
    let fix = if known.is_empty() { file.help.to_owned() } else { suggest(&key, &known) };
    ScenarioError { file: file.name.to_owned(), line: line.filter(|_| file.exact), key, problem, fix }
}

/// The line (from 1) of the deepest part of `path` that the text has.
fn line_of(source: &str, path: &[Step]) -> Option<usize> {
    let table = DeTable::parse(source).ok()?;
    let span = deepest(table.get_ref(), path)?;
    Some(line_at(source, span.start))
}

/// The line of a byte offset.
fn line_at(source: &str, offset: usize) -> usize {
    source.as_bytes().iter().take(offset).filter(|&&byte| byte == b'\n').count() + 1
}

fn deepest(table: &DeTable<'_>, path: &[Step]) -> Option<Range<usize>> {
    let Some(Step::Key(wanted)) = path.first() else { return None };
    let (key, value) = table.iter().find(|(key, _)| key.get_ref() == wanted)?;
    Some(deeper(value, &path[1..]).unwrap_or_else(|| key.span()))
}

fn deeper(value: &Spanned<DeValue<'_>>, path: &[Step]) -> Option<Range<usize>> {
    match (value.get_ref(), path.first()?) {
        (DeValue::Table(table), Step::Key(_)) => deepest(table, path),
        (DeValue::Array(items), Step::Index(index)) => {
            let item = items.get(*index)?;
            Some(deeper(item, &path[1..]).unwrap_or_else(|| item.span()))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str =
        "title = \"x\"\n\n[[consumer]]\nname = \"a\"\n\n[[consumer]]\nname = \"b\"\nstrategy = { kind = \"fixed\" }\n";

    #[test]
    fn a_path_leads_to_its_line() {
        let line = |path: &[Step]| line_of(TEXT, path);
        assert_eq!(line(&["title".into()]), Some(1));
        assert_eq!(line(&["consumer".into(), 1.into(), "name".into()]), Some(7));
        assert_eq!(line(&["consumer".into(), 1.into(), "strategy".into(), "kind".into()]), Some(8));
        // What is missing is reported where it should stand.
        assert_eq!(line(&["consumer".into(), 0.into(), "queue".into()]), Some(3));
        assert_eq!(line(&["nothing".into()]), None);
    }
}
