//! Receivers, pollers and hybrids that are wrong on purpose are caught, each for its own promise. The table
//! in ARCHITECTURE.md is this file's.

use crate::support::{Run, run};

/// One wrong consumer: how it is wrong, what brings it to light, and the promise it breaks.
struct Wrong {
    name: &'static str,
    /// Keys of the consumer that are not wrong: the right one in the same place has them too.
    right: &'static str,
    /// The keys that make it wrong.
    consumer: &'static str,
    /// What the provider and the network do.
    around: &'static str,
    /// The promise that the audit must name.
    promise: &'static str,
    /// The count that shows it: above zero.
    shows_in: &'static str,
}

const RETRY: &str = r#"[[provider]]
retry = { base = "50ms", factor = 1.3, cap = "500ms", retries = 30 }"#;

const RECEIVERS: &[Wrong] = &[
    Wrong {
        name: "no ledger",
        right: "",
        consumer: r#"ledger = "none""#,
        around: "[[fault]]\nkind = \"drop-ack\"\nprobability = 0.1",
        promise: "effect-at-most-once",
        shows_in: "duplicates_applied",
    },
    Wrong {
        // 5 minutes kept, a retry after 305 s: both 1,000 times faster.
        name: "ledger kept 5 minutes",
        right: "",
        consumer: r#"ledger_ttl = "300ms""#,
        around: "[[fault]]\nkind = \"drop-ack\"\nevery = 10\nattempts = [1, 2, 3, 4, 5, 6]",
        promise: "effect-at-most-once",
        shows_in: "duplicates_applied",
    },
    Wrong {
        name: "memory ledger with a restart",
        right: "",
        consumer: r#"ledger = "memory""#,
        around: "[[fault]]\nkind = \"crash\"\npoint = \"after-apply\"\npass = 50\ndown = \"20ms\"",
        promise: "effect-at-most-once",
        shows_in: "duplicates_applied",
    },
    Wrong {
        name: "check then act",
        right: "workers = 8\neffect = { duration = \"20ms\" }",
        consumer: "flaw = \"check-then-act\"",
        around: "[[fault]]\nkind = \"duplicate\"\ncopies = 39\nevent = 10",
        promise: "effect-at-most-once",
        shows_in: "duplicates_applied",
    },
    Wrong {
        name: "ack before store",
        right: "",
        consumer: r#"flaw = "ack-before-store""#,
        around: "[[fault]]\nkind = \"crash\"\npoint = \"before-store\"\npass = 50\ndown = \"20ms\"",
        promise: "acked-is-kept",
        shows_in: "lost",
    },
    Wrong {
        name: "effect before ledger",
        right: "",
        consumer: r#"flaw = "effect-before-ledger""#,
        around: "[[fault]]\nkind = \"crash\"\npoint = \"between-effect-and-ledger\"\npass = 50\ndown = \"20ms\"",
        promise: "effect-at-most-once",
        shows_in: "duplicates_applied",
    },
    Wrong {
        name: "synchronous processing",
        right: "workers = 1\neffect = { duration = \"30ms\" }",
        consumer: "flaw = \"synchronous\"",
        around: "",
        promise: "ack-in-budget",
        shows_in: "duplicates_received",
    },
    Wrong {
        name: "a key that nobody honours",
        right: "effect.kind = \"external\"",
        consumer: "effect.honours_key = false",
        around: "[[fault]]\nkind = \"crash\"\npoint = \"after-call\"\npass = 50\ndown = \"20ms\"",
        promise: "external-once",
        shows_in: "external_repeated",
    },
    Wrong {
        name: "no verification",
        right: "",
        consumer: r#"flaw = "no-verification""#,
        around: "[[fault]]\nkind = \"forge\"\nevery = 10",
        promise: "no-forgery",
        shows_in: "forged_accepted",
    },
    Wrong {
        name: "no verification of what changes on its way",
        right: "",
        consumer: r#"flaw = "no-verification""#,
        around: "[[fault]]\nkind = \"corrupt\"\nevery = 4\nattempts = [1]",
        promise: "spoiled-is-refused",
        shows_in: "spoiled_accepted",
    },
    Wrong {
        name: "unkeyed SHA-256",
        right: "",
        consumer: r#"flaw = "unkeyed-sha256""#,
        around: "[[fault]]\nkind = \"forge\"\nmethod = \"unkeyed-sha256\"\nevery = 10",
        promise: "no-forgery",
        shows_in: "forged_accepted",
    },
    Wrong {
        name: "re-serialised JSON",
        right: "",
        consumer: r#"flaw = "reserialised-json""#,
        around: "",
        promise: "genuine-is-accepted",
        shows_in: "undelivered",
    },
    Wrong {
        name: "no version guard",
        right: "effect = \"set\"",
        consumer: "flaw = \"no-version-guard\"",
        around: "[[fault]]\nkind = \"drop-request\"\nprobability = 0.2",
        promise: "newest-wins",
        shows_in: "stale_overwrites",
    },
    Wrong {
        // Twice as many events as subjects: each has more than one, under ids of their own.
        name: "no business key",
        right: "effect = \"once\"",
        consumer: "flaw = \"no-business-key\"",
        around: "",
        promise: "once-per-subject",
        shows_in: "subject_repeated",
    },
    Wrong {
        name: "a duplicate answered 409",
        right: "",
        consumer: r#"flaw = "duplicate-409""#,
        around: "[[fault]]\nkind = \"drop-ack\"\nprobability = 0.1\nattempts = [1]",
        promise: "genuine-is-accepted",
        shows_in: "gave_up_but_applied",
    },
];

const POLLERS: &[Wrong] = &[
    Wrong {
        name: "cursor saved before the effect",
        right: "",
        consumer: r#"flaw = "cursor-before-effect""#,
        around: "[[fault]]\nkind = \"crash\"\npoint = \"after-cursor\"\npass = 3\ndown = \"20ms\"",
        promise: "cursor-skips-nothing",
        shows_in: "lost",
    },
    Wrong {
        name: "cursor by timestamp with ties",
        right: "",
        consumer: r#"flaw = "timestamp-cursor""#,
        around: "",
        promise: "cursor-skips-nothing",
        shows_in: "lost",
    },
    Wrong {
        name: "one page only",
        right: "",
        consumer: r#"flaw = "one-page""#,
        around: "",
        promise: "cursor-skips-nothing",
        shows_in: "lost",
    },
    Wrong {
        name: "a scan without an overlap",
        right: "",
        consumer: r#"flaw = "no-overlap""#,
        around: "",
        promise: "cursor-skips-nothing",
        shows_in: "lost",
    },
    Wrong {
        name: "a scan of one page only",
        right: "",
        consumer: r#"flaw = "one-page""#,
        around: "",
        promise: "cursor-skips-nothing",
        shows_in: "lost",
    },
];

/// One path of a hybrid hides what the other does wrong, as long as it is whole: so webhooks get lost here.
const HYBRIDS: &[Wrong] = &[Wrong {
    name: "one page only, beside webhooks that get lost",
    right: "",
    consumer: r#"flaw = "one-page""#,
    around: "[[fault]]\nkind = \"drop-request\"\npath = \"push\"\nprobability = 0.5",
    promise: "cursor-skips-nothing",
    shows_in: "lost",
}];

fn scenario(kind: &str, wrong: &Wrong, provider: &str, consumer: &str) -> String {
    format!(
        "title = \"{}\"\nduration = \"2s\"\ndrain = \"25s\"\n[workload]\n\
         arrivals = {{ kind = \"constant\", rate = \"100/s\" }}\nsubjects = 10\n{provider}\n\
         [[consumer]]\nname = \"consumer\"\nkind = \"{kind}\"\n{consumer}\n{}\n",
        wrong.name, wrong.around
    )
}

/// Whether the audit names the promise as broken, with an example.
fn broken(run: &Run, promise: &str) -> bool {
    let promises = run.run()["promises"].as_array().cloned().unwrap_or_default();
    promises.iter().any(|p| p["name"] == promise && p["verdict"] == "broken" && !p["example"].is_null())
}

/// What is amiss with the audit's view of a wrong consumer; empty when it is caught and told.
fn not_caught(kind: &str, wrong: &Wrong, provider: &str, common: &str) -> Vec<String> {
    let (run, _work) =
        run(&scenario(kind, wrong, provider, &format!("{common}\n{}\n{}", wrong.right, wrong.consumer)), &[]);
    let told = run.stdout();
    let mut amiss = run.why_void_but_lag();
    if run.count("consumer", wrong.shows_in) == 0 {
        amiss.push(format!("{} is 0", wrong.shows_in));
    }
    if !broken(&run, wrong.promise) {
        amiss.push(format!("{} is not named as broken", wrong.promise));
    }
    if !told.contains("BROKEN consumer") {
        amiss.push("the terminal does not tell".to_owned());
    }
    if amiss.is_empty() { amiss } else { vec![format!("{}: {}\n{told}", wrong.name, amiss.join("; "))] }
}

/// The same surroundings do a correct consumer no harm: the faults alone break no promise.
fn assert_right_is_safe(kind: &str, wrong: &Wrong, provider: &str, common: &str) {
    let (run, _work) = run(&scenario(kind, wrong, provider, common), &[]);
    run.assert_safe("consumer");
    for promise in run.run()["promises"].as_array().expect("promises") {
        assert_ne!(promise["verdict"], "broken", "{}: {promise}\n{}", wrong.name, run.stdout());
    }
}

fn provider_of(wrong: &Wrong) -> String {
    match wrong.name {
        // The receiver must turn events away for good, within the test's patience.
        "re-serialised JSON" | "a duplicate answered 409" => {
            "[[provider]]\nretry = [\"50ms\", \"100ms\", \"100ms\"]".to_owned()
        }
        "synchronous processing" => {
            "[[provider]]\nack_timeout = \"100ms\"\nretry = [\"50ms\", \"100ms\", \"500ms\", \"2s\", \"4s\"]".to_owned()
        }
        "cursor by timestamp with ties" => "[[provider]]\ntimestamp_grain = \"500ms\"".to_owned(),
        "one page only" => "[[provider]]\npage_limit = 5".to_owned(),
        "a scan of one page only" => "[[provider]]\npage_limit = 2".to_owned(),
        "a scan without an overlap" => "[[provider]]\ntimestamp_grain = \"100ms\"\nview_lag = \"100ms\"".to_owned(),
        "one page only, beside webhooks that get lost" => "[[provider]]\npage_limit = 5\nretry = \"never\"".to_owned(),
        _ => RETRY.to_owned(),
    }
}

const POLL: &str = r#"strategy = { kind = "fixed", interval = "200ms" }"#;
const SCAN: &str = r#"strategy = { kind = "state", ask = "updated-since", interval = "200ms" }"#;

fn poll_of(wrong: &Wrong) -> &'static str {
    if wrong.name.starts_with("a scan") { SCAN } else { POLL }
}

#[cfg(unix)]
#[test]
fn every_wrong_receiver_is_caught_for_its_promise() {
    let missed: Vec<String> =
        RECEIVERS.iter().flat_map(|wrong| not_caught("webhook", wrong, &provider_of(wrong), "")).collect();
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}

#[cfg(unix)]
#[test]
fn every_wrong_poller_is_caught_for_its_promise() {
    let missed: Vec<String> =
        POLLERS.iter().flat_map(|wrong| not_caught("polling", wrong, &provider_of(wrong), poll_of(wrong))).collect();
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}

#[test]
fn every_wrong_hybrid_is_caught_for_its_promise() {
    let missed: Vec<String> =
        HYBRIDS.iter().flat_map(|wrong| not_caught("hybrid", wrong, &provider_of(wrong), POLL)).collect();
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}

/// What the judge cannot see, because it does no harm: every event that the wrong poll passes comes by
/// webhook.
#[test]
fn a_wrong_poll_is_hidden_by_webhooks_that_all_arrive() {
    for wrong in HYBRIDS {
        let hidden = Wrong { around: "", ..*wrong };
        assert_right_is_safe("hybrid", &hidden, &provider_of(wrong), &format!("{POLL}\n{}", wrong.consumer));
    }
}

#[cfg(unix)]
#[test]
fn the_same_surroundings_do_a_right_consumer_no_harm() {
    for wrong in RECEIVERS {
        assert_right_is_safe("webhook", wrong, &provider_of(wrong), wrong.right);
    }
    for wrong in POLLERS {
        assert_right_is_safe("polling", wrong, &provider_of(wrong), poll_of(wrong));
    }
    for wrong in HYBRIDS {
        assert_right_is_safe("hybrid", wrong, &provider_of(wrong), POLL);
    }
}

#[test]
fn forty_simultaneous_copies_give_one_effect() {
    let scenario = format!(
        "title = \"forty copies\"\nduration = \"1s\"\ndrain = \"10s\"\n[workload]\n\
         arrivals = {{ kind = \"constant\", rate = \"10/s\" }}\n{RETRY}\nconcurrency = 64\n\
         [[consumer]]\nname = \"consumer\"\nkind = \"webhook\"\nworkers = 8\n\
         effect = {{ duration = \"10ms\" }}\n\
         [[fault]]\nkind = \"duplicate\"\ncopies = 39\n"
    );
    let (run, _work) = run(&scenario, &[]);
    run.assert_safe("consumer");
    assert_eq!(run.count("consumer", "receipts"), 40 * run.count("consumer", "due"));
}
