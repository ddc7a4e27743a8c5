//! Every vector is taken for what it is, by the library and on the command line.

use std::collections::BTreeMap;

use pushpull::wire::scheme::{Message, PartPlace, TimePlace};

use super::{Vector, profile, vectors};

/// The headers that our sender would send, at the time that the vector was signed.
fn signed(vector: &Vector, key: &str) -> BTreeMap<String, String> {
    let scheme = profile(&vector.scheme).scheme.expect("a scheme that signs");
    let header = |name: &str| vector.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, v)| v);
    let id = match &scheme.id {
        Some(PartPlace::Header(names)) => names.iter().find_map(header).cloned().unwrap_or_default(),
        _ => String::new(),
    };
    let time = match scheme.timestamp.as_ref().map(|time| &time.place) {
        Some(TimePlace::Header(names)) => names.iter().find_map(header).cloned(),
        Some(TimePlace::Entry(entry)) => header(scheme.ways[0].header.sent())
            .and_then(|value| value.split([',', ';']).find_map(|text| text.strip_prefix(entry.as_str())))
            .map(str::to_owned),
        _ => None,
    };
    let time = time.and_then(|text| text.parse::<u64>().ok()).unwrap_or(vector.now_unix);
    let unix_ms = if time > 100_000_000_000 { time } else { time * 1_000 };
    let body = vector.body();
    let message = Message { id: &id, unix_ms, url: &vector.url, method: &vector.method, body: &body };
    let mut headers = BTreeMap::new();
    let keys = [scheme.sign_key(key).expect("a key")];
    scheme
        .sign(&keys, &message, |name, value| drop(headers.insert(name.to_lowercase(), value.to_owned())))
        .expect("signed");
    headers
}

/// What an official library signed we sign the same, byte for byte, wherever there is one signature and one header.
#[test]
fn our_signature_is_the_vectors() {
    let mut equal = BTreeMap::<String, usize>::new();
    for vector in vectors().iter().filter(|vector| vector.is_valid()) {
        let keys = vector.signing_key.iter().chain(&vector.secrets).filter(|key| !key.starts_with("whpk_"));
        let headers: BTreeMap<String, &String> = vector.headers.iter().map(|(k, v)| (k.to_lowercase(), v)).collect();
        let same = keys.filter(|_| vector.scheme != "discord" || vector.signing_key.is_some()).any(|key| {
            let ours = signed(vector, key);
            let theirs = ours.keys().filter(|name| headers.contains_key(*name)).count();
            theirs > 0 && ours.iter().all(|(name, value)| headers.get(name).is_none_or(|theirs| *theirs == value))
        });
        *equal.entry(vector.scheme.clone()).or_default() += usize::from(same);
    }
    for (scheme, count) in &equal {
        assert!(*count > 0, "no vector of {scheme} comes out: {equal:?}");
    }
    assert!(equal.len() == 14 && equal.values().sum::<usize>() >= 45, "{equal:?}");
}

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
