//! The rooms import only what they may: ARCHITECTURE.md's invariants 1 to 3, enforced.

use std::path::{Path, PathBuf};

use crate::support::rust_files;

const SRC: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src");

/// Every Rust file below a room (a folder, or a file).
fn files(room: &str) -> Vec<PathBuf> {
    let folder = Path::new(SRC).join(room);
    let found = rust_files(&if folder.exists() { folder } else { Path::new(SRC).join(format!("{room}.rs")) });
    assert!(!found.is_empty(), "no such room: {room}");
    found
}

/// Code lines of `room` that name one of `banned`; comments may.
fn breaches(room: &str, banned: &[&str]) -> Vec<String> {
    let mut breaches = Vec::new();
    for file in files(room) {
        let text = std::fs::read_to_string(&file).expect("read a file");
        // Tests at a file's end may use what they like.
        let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
        for (number, line) in code.lines().enumerate() {
            let line = line.split("//").next().unwrap_or_default();
            if let Some(word) = banned.iter().find(|word| line.contains(**word)) {
                breaches.push(format!("{}:{}: {word}", file.display(), number + 1));
            }
        }
    }
    breaches
}

#[test]
fn the_core_knows_no_runtime_socket_file_environment_or_clock() {
    const OUTSIDE: [&str; 9] =
        ["tokio", "hyper", "reqwest", "std::net", "std::fs", "std::env", "SystemTime::now", "Instant", "crate::live"];
    for room in ["model", "rng", "wire", "policy", "profile", "fault", "workload", "cost"] {
        assert_eq!(breaches(room, &OUTSIDE), Vec::<String>::new());
    }
}

#[test]
fn the_drivers_do_not_know_each_other_and_virtual_time_knows_no_outside() {
    const OUTSIDE: [&str; 9] =
        ["tokio", "hyper", "reqwest", "std::net", "std::fs", "std::env", "SystemTime", "Instant", "crate::live"];
    assert_eq!(breaches("virtual_time", &OUTSIDE), Vec::<String>::new());
    // A hash's order would decide what happens first.
    assert_eq!(breaches("virtual_time", &["HashMap", "HashSet"]), Vec::<String>::new());
    assert_eq!(breaches("live", &["virtual_time"]), Vec::<String>::new());
}

#[test]
fn the_judge_sees_records_and_the_plan_only() {
    const DRIVERS: [&str; 5] = ["crate::live", "crate::backend", "tokio", "hyper", "reqwest"];
    for room in ["measure", "audit", "cost", "report"] {
        assert_eq!(breaches(room, &DRIVERS), Vec::<String>::new());
    }
}

#[test]
fn the_live_driver_does_not_know_how_a_run_is_judged() {
    const JUDGES: [&str; 4] = ["crate::measure", "crate::audit", "crate::report", "crate::cli"];
    for room in ["live", "virtual_time", "backend", "policy", "profile", "fault", "cost", "scenario", "record"] {
        assert_eq!(breaches(room, &JUDGES), Vec::<String>::new());
    }
}

#[test]
fn only_the_command_line_prints_or_reads_the_environment() {
    for room in [
        "model", "wire", "policy", "profile", "fault", "workload", "scenario", "record", "backend", "measure", "audit",
        "cost", "report",
    ] {
        assert_eq!(breaches(room, &["println!", "eprintln!", "std::env::var"]), Vec::<String>::new());
    }
}

#[test]
fn files_stay_small() {
    for room in [
        "model",
        "wire",
        "policy",
        "profile",
        "fault",
        "workload",
        "scenario",
        "record",
        "backend",
        "live",
        "virtual_time",
        "measure",
        "advise",
        "audit",
        "cost",
        "report",
        "cli",
    ] {
        for file in files(room) {
            let lines = std::fs::read_to_string(&file).expect("read a file").lines().count();
            assert!(lines <= 500, "{} has {lines} lines: is there a second room inside?", file.display());
        }
    }
}
