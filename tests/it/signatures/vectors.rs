//! Every vector is taken for what it is, by the library and on the command line.

use std::collections::BTreeMap;

use super::{profile, vectors};

#[test]
fn every_vector_is_taken_for_what_it_is() {
    let mut counts: BTreeMap<String, [usize; 2]> = BTreeMap::new();
    let mut wrong = Vec::new();
    for vector in vectors() {
        let verdict = vector.verdict(&profile(&vector.scheme));
        counts.entry(vector.scheme.clone()).or_default()[usize::from(vector.is_valid())] += 1;
        if verdict.is_ok() != vector.is_valid() {
            wrong.push(format!("{} {} ({}): {verdict:?}", vector.scheme, vector.name, vector.tier));
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
    assert_eq!(counts.len(), 14, "schemes: {counts:?}");
    assert!(counts.values().all(|[invalid, valid]| *invalid > 0 && *valid > 0), "each both ways: {counts:?}");
}

#[test]
fn the_command_says_the_same_of_every_vector_and_why() {
    for vector in vectors() {
        let output = vector.on_the_command_line();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let what = format!("{} {}: {said}{}", vector.scheme, vector.name, String::from_utf8_lossy(&output.stderr));
        assert_eq!(output.status.code(), Some(i32::from(!vector.is_valid())), "{what}");
        let (genuine, refused) = (said.starts_with("genuine: "), said.starts_with("refused: "));
        assert_eq!((genuine, refused), (vector.is_valid(), !vector.is_valid()), "{what}");
        assert!(!vector.secrets.iter().any(|secret| said.contains(secret.as_str())), "a secret shows: {what}");
    }
}
