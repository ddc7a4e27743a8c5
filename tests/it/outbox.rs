//! Effects in somebody else's system: at least once, audited apart, and what a crash repeats.

use crate::support::{Run, run};

/// A short run with an external effect and further keys.
fn external(kind: &str, effect: &str, around: &str) -> (Run, tempfile::TempDir) {
    let strategy = if kind == "polling" { "strategy = { kind = \"fixed\", interval = \"100ms\" }\n" } else { "" };
    let scenario = format!(
        "title = \"outbox\"\nduration = \"3s\"\ndrain = \"25s\"\n[workload]\n\
         arrivals = {{ kind = \"constant\", rate = \"100/s\" }}\nsubjects = 10\n[[provider]]\n\
         retry = {{ base = \"50ms\", factor = 1.2, cap = \"500ms\", retries = 60 }}\n\
         [[consumer]]\nname = \"consumer\"\nkind = \"{kind}\"\n{strategy}\
         effect = {{ kind = \"external\", duration = \"2ms\", {effect} }}\n{around}\n"
    );
    run(&scenario, &[])
}

/// Everything that was due has happened over there, and nothing is left to be called.
fn assert_all_happened(run: &Run) {
    assert_eq!(run.why_void_but_lag(), Vec::<String>::new(), "{}", run.stdout());
    for key in ["lost", "undelivered", "dead_lettered", "pending", "outbox_pending"] {
        assert_eq!(run.count("consumer", key), 0, "{key}\n{}", run.stdout());
    }
    assert_eq!(run.count("consumer", "applied"), run.count("consumer", "due"), "{}", run.stdout());
}

fn verdict(run: &Run, promise: &str) -> String {
    let promises = run.run()["promises"].as_array().cloned().unwrap_or_default();
    let found = promises.iter().find(|p| p["consumer"] == "consumer" && p["name"] == promise);
    found.map_or_else(String::new, |p| p["verdict"].as_str().unwrap_or_default().to_owned())
}

fn crash(point: &str) -> String {
    format!("[[fault]]\nkind = \"crash\"\npoint = \"{point}\"\npass = 20\ntimes = 3\ndown = \"50ms\"")
}

#[test]
fn without_a_crash_each_event_is_called_for_once() {
    let (run, _work) = external("webhook", "honours_key = false", "[[fault]]\nkind = \"drop-ack\"\nprobability = 0.1");
    assert_all_happened(&run);
    assert_eq!(run.count("consumer", "external_calls"), run.count("consumer", "due"));
    assert_eq!(run.count("consumer", "external_repeated"), 0);
    assert_eq!(verdict(&run, "external-once"), "kept");
    // Audited apart: nothing here says that an effect happened once.
    assert_eq!(verdict(&run, "effect-at-most-once"), "not-observed");
    assert!(run.consumer("consumer")["duplicates_applied"].is_null());
    let window = run.consumer("consumer")["external_window_s"]["mean"].as_f64().expect("a window");
    assert!(window > 0.0);
    let repeats = run.consumer("consumer")["external_repeats_per_crash"].as_f64().expect("a prediction");
    // 299 calls in 3 s.
    assert!((repeats / (window * 299.0 / 3.0) - 1.0).abs() < 1e-6, "{repeats}");
}

#[cfg(unix)]
#[test]
fn a_crash_after_the_call_repeats_it_and_a_key_makes_that_harmless() {
    for (effect, repeated) in [("honours_key = true", false), ("honours_key = false", true)] {
        let (run, _work) = external("webhook", effect, &crash("after-call"));
        assert_all_happened(&run);
        assert_eq!(run.deaths(), 3, "{}", run.stdout());
        // The one that dies is called again; so may be those that were under way beside it.
        assert!(run.count("consumer", "external_calls") >= run.count("consumer", "due") + 3, "{}", run.stdout());
        assert_eq!(run.count("consumer", "external_repeated") >= 3, repeated, "{}", run.stdout());
        assert_eq!(run.count("consumer", "external_repeated") == 0, !repeated, "{}", run.stdout());
        assert_eq!(verdict(&run, "external-once"), if repeated { "broken" } else { "kept" });
    }
}

#[cfg(unix)]
#[test]
fn a_crash_before_the_call_loses_nothing() {
    for kind in ["webhook", "polling"] {
        let (run, _work) = external(kind, "honours_key = true", &crash("before-call"));
        assert_all_happened(&run);
        assert_eq!(run.deaths(), 3, "{}", run.stdout());
        assert_eq!(run.count("consumer", "external_repeated"), 0);
    }
}

#[cfg(unix)]
#[test]
fn kills_at_random_instants_are_held_against_the_closed_form() {
    let around = "[[fault]]\nkind = \"crash\"\nat = [\"500ms\", \"1100ms\", \"1700ms\", \"2300ms\"]\ndown = \"50ms\"";
    let (run, _work) = external("webhook", "honours_key = false", around);
    assert_all_happened(&run);
    let rows = run.run()["model"].as_array().cloned().unwrap_or_default();
    let row = rows.iter().find(|row| row["quantity"].as_str().unwrap_or_default().contains("per crash"));
    let measured = row.unwrap_or_else(|| panic!("no row: {}", run.stdout()))["measured"].as_f64();
    assert_eq!(measured, Some(run.count("consumer", "external_repeated") as f64 / 4.0));
}

#[test]
fn what_still_waits_in_the_outbox_is_pending_and_told() {
    // Four calls at a time of 0.4 s each: 299 would take half a minute.
    let scenario = "title = \"slow\"\nduration = \"3s\"\ndrain = \"1s\"\n[workload]\n\
                    arrivals = { kind = \"constant\", rate = \"100/s\" }\n[[consumer]]\nname = \"consumer\"\n\
                    kind = \"webhook\"\neffect = { kind = \"external\", duration = \"400ms\" }\n";
    let (slow, _work) = run(scenario, &[]);
    assert_eq!(slow.why_void_but_lag(), Vec::<String>::new(), "{}", slow.stdout());
    let waiting = slow.count("consumer", "outbox_pending");
    assert!(waiting > 100, "{}", slow.stdout());
    assert_eq!(slow.count("consumer", "pending"), waiting);
    assert_eq!(slow.count("consumer", "applied") + waiting, slow.count("consumer", "due"));
}
