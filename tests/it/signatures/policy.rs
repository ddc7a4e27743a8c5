//! Where implementations differ, `docs/signatures.md` says what is done here, and it is.

use super::{profile, vectors};

/// Rows of the table of decisions: scheme, vector, and whether it is accepted.
fn decisions() -> Vec<(String, String, bool)> {
    let text =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/signatures.md")).expect("the document");
    let cells = |line: &str| line.split('|').map(|cell| cell.trim().trim_matches('`').to_owned()).collect::<Vec<_>>();
    let rows = text.lines().filter(|line| line.starts_with("| `")).map(cells);
    rows.filter(|cells| matches!(cells.get(3).map(String::as_str), Some("accepted" | "refused")))
        .map(|cells| (cells[1].clone(), cells[2].clone(), cells[3] == "accepted"))
        .collect()
}

#[test]
fn every_vector_on_which_implementations_differ_has_a_decision_that_holds() {
    let decisions = decisions();
    let open: Vec<_> = vectors().into_iter().filter(|vector| vector.tier != "core").collect();
    assert!(open.len() >= 20, "{}", open.len());
    for vector in &open {
        let row = decisions.iter().find(|(scheme, name, _)| *scheme == vector.scheme && *name == vector.name);
        let (_, _, accepted) = row.unwrap_or_else(|| panic!("no decision on {} {}", vector.scheme, vector.name));
        let verdict = vector.verdict(&profile(&vector.scheme));
        assert_eq!(verdict.is_ok(), *accepted, "{} {}: {verdict:?}", vector.scheme, vector.name);
    }
    for (scheme, name, _) in &decisions {
        let known = open.iter().any(|vector| vector.scheme == *scheme && vector.name == *name);
        assert!(known, "a decision on nothing: {scheme} {name}");
    }
}
