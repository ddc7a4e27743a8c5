//! From a path to the line it stands on.

use std::ops::Range;

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::error::Step;

/// The line (from 1) of the deepest part of `path` that the text has.
pub(super) fn line_of(source: &str, path: &[Step]) -> Option<usize> {
    let table = DeTable::parse(source).ok()?;
    let span = deepest(table.get_ref(), path)?;
    Some(line_at(source, span.start))
}

/// The line of a byte offset.
pub(super) fn line_at(source: &str, offset: usize) -> usize {
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
