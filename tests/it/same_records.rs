//! One seed makes the same records, byte for byte: on every machine, and whatever the program was built with.
//! `tests/records.sha256` holds what they hash to; `.ci/run` holds a release build against the same file.

use std::path::Path;

use crate::support::pushpull;

const TABLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/records.sha256");

/// What virtual time makes of an embedded scenario, as its results say.
fn hash_of(scenario: &str) -> String {
    let work = tempfile::tempdir().unwrap();
    let args = ["run", scenario, "--mode", "virtual", "--out", "out", "--json"];
    let output = pushpull(work.path()).args(args).output().unwrap();
    let results: serde_json::Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("{scenario}: {}", String::from_utf8_lossy(&output.stderr)));
    let hash = results["runs"][0]["records_sha256"].as_str().unwrap_or_default().to_owned();
    let records = work.path().join("out/records/run.records");
    assert_eq!(pushpull::record::sha256_of(&records).ok(), Some(hash.clone()), "{scenario}");
    hash
}

#[test]
fn every_scenario_leaves_the_records_that_it_always_left() {
    let known = std::fs::read_to_string(TABLE).unwrap_or_default();
    let scenarios: Vec<&str> = known.lines().filter_map(|line| scenario_of(line.split_once("  ")?.1)).collect();
    assert!(scenarios.len() >= 10, "{TABLE} names {} scenarios", scenarios.len());
    let line = |scenario: &&str| format!("{}  {scenario}/records/run.records\n", hash_of(scenario));
    let found: String = scenarios.iter().map(line).collect();
    if std::env::var_os("UPDATE_HASHES").is_some() {
        std::fs::write(TABLE, &found).unwrap();
    } else {
        assert_eq!(
            found, known,
            "if that is meant, write them down: UPDATE_HASHES=1 cargo test --test it same_records"
        );
    }
}

/// `herd` of `herd/records/run.records`.
fn scenario_of(path: &str) -> Option<&str> {
    Path::new(path).iter().next()?.to_str()
}
