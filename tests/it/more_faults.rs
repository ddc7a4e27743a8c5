//! Each fault does what it says in a real run, and the books balance.

use pushpull::fault::FaultKind;

use crate::support::{Run, run, rust_files};

/// A short run under `faults`, against a webhook consumer with further keys.
fn pushed(consumer: &str, faults: &str) -> Run {
    let scenario = format!(
        "title = \"faults\"\nduration = \"3s\"\ndrain = \"25s\"\n[workload]\n\
         arrivals = {{ kind = \"constant\", rate = \"100/s\" }}\nsubjects = 10\n[[provider]]\n\
         retry = {{ base = \"50ms\", factor = 1.5, cap = \"500ms\", retries = 30 }}\n\
         [[consumer]]\nname = \"consumer\"\nkind = \"webhook\"\n{consumer}\n{faults}\n"
    );
    run(&scenario, &[]).0
}

fn polled(faults: &str) -> Run {
    let scenario = format!(
        "title = \"faults\"\nduration = \"3s\"\ndrain = \"25s\"\n[workload]\n\
         arrivals = {{ kind = \"constant\", rate = \"100/s\" }}\nsubjects = 10\n\
         [[consumer]]\nname = \"consumer\"\nkind = \"polling\"\nclients = 2\n\
         strategy = {{ kind = \"fixed\", interval = \"100ms\" }}\n{faults}\n"
    );
    run(&scenario, &[]).0
}

fn assert_no_promise_broken(run: &Run) {
    for promise in run.run()["promises"].as_array().expect("promises") {
        assert_ne!(promise["verdict"], "broken", "{promise}\n{}", run.stdout());
    }
}

fn verdict(run: &Run, promise: &str) -> String {
    let promises = run.run()["promises"].as_array().cloned().unwrap_or_default();
    let found = promises.iter().find(|p| p["consumer"] == "consumer" && p["name"] == promise);
    found.map_or_else(String::new, |p| p["verdict"].as_str().unwrap_or_default().to_owned())
}

#[test]
fn what_is_changed_on_its_way_is_refused_and_comes_again() {
    let run = pushed(
        "",
        "[[fault]]\nkind = \"corrupt\"\nevery = 5\nattempts = [1]\n\
         [[fault]]\nkind = \"corrupt\"\nwhat = \"signature\"\nevery = 7\nattempts = [1]",
    );
    run.assert_safe("consumer");
    assert_no_promise_broken(&run);
    assert_eq!(verdict(&run, "spoiled-is-refused"), "kept");
    // Of 299 events every 5th and every 7th, once where both hit.
    assert_eq!(run.count("consumer", "rejected"), 59 + 42 - 8);
    assert_eq!(run.count("consumer", "attempts"), 299 + 59 + 42 - 8);

    let polls = polled("[[fault]]\nkind = \"corrupt\"\nevery = 3");
    polls.assert_safe("consumer");
    assert!(polls.count("consumer", "failed_requests") > 5, "{}", polls.stdout());
}

#[test]
fn a_body_that_dribbles_is_late_and_whole() {
    let run = pushed("", "[[fault]]\nkind = \"slow-body\"\nbytes_per_s = 5000\nevery = 10");
    run.assert_safe("consumer");
    assert_no_promise_broken(&run);
    // Of 512 bytes the last one comes after 0.1 s.
    let slowest = run.consumer("consumer")["age_s"]["max"].as_f64().expect("a largest age");
    assert!(slowest > 0.1, "{slowest}");
    polled("[[fault]]\nkind = \"slow-body\"\nbytes_per_s = 20000\nevery = 4").assert_safe("consumer");
}

#[test]
fn a_secret_rotated_too_early_is_an_outage_unless_both_sign() {
    let window = "from = \"1s\"\nuntil = \"2s\"";
    let early = pushed("", &format!("[[fault]]\nkind = \"rotate-secret\"\n{window}"));
    early.assert_safe("consumer");
    assert_no_promise_broken(&early);
    assert!(early.count("consumer", "rejected") >= 100, "{}", early.stdout());
    let both = pushed("", &format!("[[fault]]\nkind = \"rotate-secret\"\noverlap = true\n{window}"));
    both.assert_safe("consumer");
    assert_eq!(both.count("consumer", "rejected"), 0);
}

#[test]
fn a_clock_that_is_off_beyond_the_tolerance_gets_nothing_through() {
    for (by, refused) in [("310s", true), ("-310s", true), ("290s", false), ("-290s", false)] {
        let run = pushed("", &format!("[[fault]]\nkind = \"clock-skew\"\nby = \"{by}\"\nuntil = \"2s\""));
        run.assert_safe("consumer");
        assert_no_promise_broken(&run);
        assert_eq!(run.count("consumer", "rejected") >= 199, refused, "{by}: {}", run.stdout());
        assert_eq!(run.count("consumer", "rejected") == 0, !refused, "{by}: {}", run.stdout());
    }
}

#[test]
fn events_that_are_overtaken_meet_the_version_guard() {
    let reorder = "[[fault]]\nkind = \"reorder\"\nby = 20\nevery = 10\n";
    let guarded = pushed("effect = \"set\"", reorder);
    guarded.assert_safe("consumer");
    assert_no_promise_broken(&guarded);
    // Ten subjects take turns at random: twenty later events hold a newer version of most.
    assert!(guarded.count("consumer", "superseded") > 10, "{}", guarded.stdout());
    assert_eq!(guarded.count("consumer", "attempts"), 299);
    let unguarded = pushed("effect = \"set\"\nflaw = \"no-version-guard\"", reorder);
    assert!(unguarded.count("consumer", "stale_overwrites") > 10, "{}", unguarded.stdout());
}

#[cfg(unix)]
#[test]
fn a_database_that_is_locked_up_is_waited_for() {
    for what in ["queue", "ledger"] {
        let stall = format!("[[fault]]\nkind = \"stall\"\nwhat = \"{what}\"\nfrom = \"1s\"\nuntil = \"2s\"");
        let run = pushed("", &stall);
        run.assert_safe("consumer");
        assert_no_promise_broken(&run);
        let slowest = run.consumer("consumer")["age_s"]["max"].as_f64().expect("a largest age");
        assert!(slowest > 0.8, "{what}: {slowest}");
        polled(&stall).assert_safe("consumer");
    }
    // Longer than the ack timeout: the provider sends again, and the ledger knows it.
    let scenario = "title = \"long\"\nduration = \"3s\"\ndrain = \"30s\"\n[workload]\n\
                    arrivals = { kind = \"constant\", rate = \"50/s\" }\n[[provider]]\nack_timeout = \"500ms\"\n\
                    retry = { base = \"50ms\", factor = 1.5, cap = \"500ms\", retries = 60 }\n\
                    [[consumer]]\nname = \"consumer\"\nkind = \"webhook\"\n\
                    [[fault]]\nkind = \"stall\"\nwhat = \"queue\"\nfrom = \"500ms\"\nuntil = \"2500ms\"\n";
    let (run, _work) = run(scenario, &[]);
    run.assert_safe("consumer");
    assert!(run.count("consumer", "duplicates_received") > 0, "{}", run.stdout());
}

#[test]
fn delays_with_a_tail_are_late_and_nothing_more() {
    for distribution in ["exponential", "pareto"] {
        let delay = format!(
            "[[fault]]\nkind = \"delay\"\ndelay = \"1ms\"\nspread = \"5ms\"\ndistribution = \"{distribution}\"\nat_most = \"400ms\""
        );
        let run = pushed("", &delay);
        run.assert_safe("consumer");
        polled(&delay).assert_safe("consumer");
    }
}

/// What the documents and the code promise: every kind of fault is used by a scenario or a test here.
#[test]
fn every_fault_is_used() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut texts = String::new();
    let scenarios = std::fs::read_dir(root.join("scenarios")).unwrap().map(|entry| entry.unwrap().path());
    let scenarios = scenarios.filter(|path| path.is_file());
    for file in scenarios.chain(rust_files(&root.join("tests/it"))) {
        texts += &std::fs::read_to_string(file).unwrap().replace('\\', "");
    }
    let squeezed = texts.split_whitespace().collect::<Vec<_>>().join(" ");
    for kind in FaultKind::TABLE {
        assert!(squeezed.contains(&format!("kind = \"{}\"", kind.name)), "nobody uses {}", kind.name);
    }
}

#[test]
fn the_reference_says_what_the_code_says() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/faults.md");
    let wanted = pushpull::fault::reference();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, &wanted).unwrap();
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(found, wanted, "docs/faults.md: UPDATE_DOCS=1 cargo test --test it the_reference writes it anew");
}
