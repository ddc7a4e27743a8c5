//! Providers' profiles in scenarios: whose manners a run has, and what is wrong with a file of one's own.

use std::path::Path;

use pushpull::{
    model::{Event, EventId, RunId, Span, Time, WallClock},
    policy::described::{Described, Surroundings},
    profile::{PROFILES, load_profile},
    rng::Draws,
    scenario::{LoadOptions, Plan, load},
};

use crate::support::{pushpull, run, run_by, run_in};

/// A scenario of one webhook consumer in virtual time, with `provider` as the provider's keys.
fn virtual_scenario(provider: &str) -> String {
    format!(
        "title = 'profiles'\nmodes = ['virtual']\nduration = '20s'\n[workload]\narrivals = {{ kind = 'constant', rate = \
         '5/s' }}\n[[provider]]\n{provider}\n[[consumer]]\nname = 'webhook'\nkind = 'webhook'\n"
    )
}

fn plan(scenario: &str, dir: &Path) -> Result<Plan, String> {
    let options = LoadOptions { dir: dir.to_owned(), ..LoadOptions::new("mine", RunId::from_bits(1)) };
    load(scenario, &options).map_err(|error| error.to_string())
}

#[test]
fn every_profile_is_taken_with_its_manners_and_the_scenarios_keys_come_first() {
    for one in PROFILES {
        let profile = load_profile(one.text, one.name).unwrap();
        let plan = plan(&virtual_scenario(&format!("profile = '{}'", one.name)), Path::new("")).unwrap();
        let provider = &plan.providers[0];
        assert_eq!(provider.profile, one.name);
        let told = profile.delivery["ack_timeout"].as_str().unwrap();
        assert_eq!(format!("{}s", provider.ack_timeout.0 / 1_000_000_000), told, "{}", one.name);
        assert_eq!(provider.described.as_ref().unwrap().read().unwrap().name, one.name);
    }
    let own = "profile = 'stripe'\nack_timeout = '2s'\nrate_limit = { rate = '1/s' }";
    let plan = plan(&virtual_scenario(own), Path::new(""));
    // Nobody polls, and the scenario says so itself here: what a profile says of polls is no mistake.
    assert!(plan.unwrap_err().contains("provider.0.rate_limit: nobody polls this provider"));
    let plan = self::plan(&virtual_scenario("profile = 'stripe'\nack_timeout = '2s'"), Path::new("")).unwrap();
    let (provider, described) = (&plan.providers[0], plan.providers[0].described.as_ref().unwrap());
    assert_eq!((provider.ack_timeout, provider.page_limit), (Span::from_secs(2), 100));
    let assumed = ["delivery.retry", "delivery.on_410", "delivery.retry_after", "delivery.user_agent"];
    assert_eq!(described.assumed, assumed, "what the scenario says is not assumed");
}

#[test]
fn a_run_in_virtual_time_names_its_profile_and_what_nobody_published() {
    let (run, _work) = run(&virtual_scenario("profile = 'stripe'"), &[]);
    run.assert_safe("webhook");
    let told = run.stdout().split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(told.contains("provider follows the profile stripe (Stripe: events of an account)"), "{told}");
    assert!(told.contains("stripe does not publish: delivery.ack_timeout, delivery.retry"), "{told}");
    assert!(told.contains("limits of the API (third-party)"), "{told}");
    let profile = &run.run()["provider"]["profiles"][0];
    assert_eq!((profile["profile"].as_str(), profile["provider"].as_str()), (Some("stripe"), Some("provider")));
    let page = std::fs::read_to_string(run.dir.join("report.html")).unwrap();
    assert!(page.contains("stripe does not publish"));
}

#[test]
fn a_profile_of_ones_own_is_found_beside_the_scenario_and_judged_without_it() {
    let work = tempfile::tempdir().unwrap();
    let stripe = PROFILES.iter().find(|one| one.name == "stripe").unwrap().text;
    std::fs::write(work.path().join("mine.toml"), stripe.replace("name  = \"stripe\"", "name  = \"mine\"")).unwrap();
    let run = run_in(work.path(), "out", &virtual_scenario("profile = 'mine.toml'"), &[]);
    run.assert_safe("webhook");
    assert_eq!(run.run()["provider"]["profiles"][0]["profile"], "mine");
    std::fs::remove_file(work.path().join("mine.toml")).unwrap();
    let judged = pushpull(work.path()).args(["judge", "out"]).output().unwrap();
    assert!(judged.status.success(), "{}", String::from_utf8_lossy(&judged.stderr));
}

#[test]
fn what_is_wrong_is_told_by_file_key_and_fix() {
    let work = tempfile::tempdir().unwrap();
    std::fs::write(work.path().join("bad.toml"), "name = 'bad'\ntitle = 't'\n[signature]\nalgoritm = 'none'\n")
        .unwrap();
    let long = "x".repeat((1 << 20) + 1);
    std::fs::write(work.path().join("long.toml"), long).unwrap();
    let bad = work.path().join("bad.toml").display().to_string();
    let told = |scenario: &str| plan(scenario, work.path()).unwrap_err().replace(&bad, "bad.toml");
    let stripe = |rest: &str| virtual_scenario("profile = 'stripe'") + rest;
    let without = |name: &str, rest: &str| virtual_scenario(&format!("profile = '{name}'")) + rest;
    let all = [
        virtual_scenario("profile = 'strype'"),
        virtual_scenario("profile = 'none.toml'"),
        virtual_scenario("profile = 'bad.toml'"),
        virtual_scenario("profile = 'long.toml'"),
        virtual_scenario("profile = 'stripe'").replace("[workload]", "[workload]\nevent_type = 'invoice.pade'"),
        stripe("effect = 'set'"),
        stripe("[[fault]]\nkind = 'rotate-secret'\noverlap = true\nfrom = '1s'\n"),
        without("github", "signature_tolerance = '1min'"),
        without("github", "[[fault]]\nkind = 'clock-skew'\nby = '400s'\n"),
        without("github", "[[fault]]\nkind = 'rotate-secret'\noverlap = true\n"),
        without("datadog", "flaw = 'no-verification'"),
        without("gitlab-token", "[[fault]]\nkind = 'corrupt'\nprobability = 0.1\n"),
        without("discord", "flaw = 'unkeyed-sha256'"),
    ];
    let told: Vec<String> = all
        .iter()
        .map(|scenario| match plan(scenario, work.path()) {
            Ok(_) => "nothing".to_owned(),
            Err(_) => told(scenario),
        })
        .collect();
    insta::assert_snapshot!(told.join("\n"), @r#"
    mine.toml:7: provider.0.profile: "strype" is no profile
      fix: did you mean "stripe"?; a file needs its ending, such as "mine.toml"
    mine.toml:7: provider.0.profile: cannot read none.toml: No such file or directory (os error 2)
      fix: write a path from the scenario's folder on, or a name that `pushpull profiles` lists
    bad.toml:4: algoritm: unknown key
      fix: did you mean "algorithm"?
    mine.toml:7: provider.0.profile: long.toml is larger than 1 MiB
      fix: no profile is that long
    mine.toml:5: workload.event_type: the profile "stripe" has no payload for "invoice.pade"
      fix: did you mean "invoice.paid"?
    mine.toml:11: consumer.webhook.effect: a webhook of "stripe" has no version, so that an older one cannot be told from a newer
      fix: write effect = "append", or name another profile
    nothing
    mine.toml:11: consumer.webhook.signature_tolerance: a request of "github" does not say when it was signed
      fix: remove it, and tell copies by their ids
    mine.toml:11: fault.clock-skew.consumer: no consumer here can be hit by "clock-skew": a request of "github" does not say when it was signed
      fix: remove the fault
    mine.toml:11: fault.rotate-secret.consumer: no consumer here can be hit by "rotate-secret": "github" has place for one signature, not for the old secret's beside the new one's
      fix: remove the fault
    mine.toml:11: consumer.webhook.flaw: "datadog" signs nothing that could be verified
      fix: remove the flaw, or name another profile
    mine.toml:11: fault.corrupt.consumer: no consumer here can be hit by "corrupt": "gitlab-token" does not sign the body: whether what is left of it is taken is a matter of bytes, and virtual time makes none
      fix: remove the fault
    mine.toml:11: consumer.webhook.flaw: "discord" does not sign by HMAC-SHA256, which a plain SHA-256 could be taken for
      fix: remove the flaw, or name another profile
    "#);
}

/// A live scenario of one provider and consumer for each of these profiles, with lost acks and forged requests.
fn live_scenario(names: &[&str]) -> String {
    let mut text =
        "title = 'profiles'\nmodes = ['live']\nduration = '1s'\ndrain = '20s'\n[workload]\narrivals = { kind = \
                    'constant', rate = '10/s' }\nsubjects = 5\n"
            .to_owned();
    for name in names {
        text.push_str(&format!(
            "[[provider]]\nname = '{name}'\nprofile = '{name}'\nretry = ['50ms', '100ms', '200ms']\nresign = true\n\
             [[consumer]]\nname = '{name}'\nprovider = '{name}'\nkind = 'webhook'\n"
        ));
    }
    text + "[[fault]]\nkind = 'drop-ack'\nevery = 3\nattempts = [1]\n[[fault]]\nkind = 'forge'\nevery = 4\n"
}

#[test]
fn each_provider_is_received_as_itself_once_and_its_forgeries_are_refused() {
    let names: Vec<&str> = PROFILES.iter().map(|one| one.name).collect();
    for names in names.chunks(5) {
        let (run, _work) = run(&live_scenario(names), &[]);
        for name in names {
            run.assert_safe(name);
            assert_eq!((run.count(name, "due"), run.count(name, "applied")), (9, 9), "{name}");
            assert_eq!(run.count(name, "duplicates_received"), 3, "{name}: an ack in three was lost");
            // Whoever signs nothing cannot be told from whoever says that he is it.
            let taken = if *name == "datadog" { 2 } else { 0 };
            assert_eq!(run.count(name, "forged_accepted"), taken, "{name}\n{}", run.stdout());
        }
    }
}

/// A process that does not outlive its test.
struct Ended(std::process::Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A receiver of `receiver.toml` that has the secret `the-secret` and listens, and its port.
fn receiver_in(work: &Path, out: &str) -> (Ended, u16) {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let receiver = pushpull(work)
        .args(["receiver", "receiver.toml", "--listen", &format!("127.0.0.1:{port}"), "--secret-env", "KNOWN"])
        .args(["--out", out])
        .env("KNOWN", "the-secret")
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn();
    let mut receiver = Ended(receiver.unwrap());
    while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(receiver.0.try_wait().unwrap().is_none(), "the receiver ended");
        std::thread::yield_now();
    }
    (receiver, port)
}

#[test]
fn a_receiver_answers_what_is_asked_before_the_first_delivery_to_whoever_has_the_secret() {
    let work = tempfile::tempdir().unwrap();
    std::fs::write(work.path().join("receiver.toml"), live_scenario(&["slack"]).split("[[fault]]").next().unwrap())
        .unwrap();
    let (_receiver, port) = receiver_in(work.path(), "of-slack");
    let url = format!("http://127.0.0.1:{port}/webhooks/0");
    let send = |secret: &str, more: &[&str]| {
        let mut command = pushpull(work.path());
        command.args(["send", "--profile", "slack", "--to", &url, "--secret-env", "SIGNED"]).args(more);
        let output = command.env("SIGNED", secret).output().unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    };
    let (code, told) = send("the-secret", &["--handshake"]);
    assert_eq!(code, Some(0), "{told}");
    let (code, told) = send("another", &["--handshake"]);
    assert!(code == Some(1) && told.contains("401"), "{told}");
    // An event is no question.
    assert_eq!(send("the-secret", &[]).0, Some(0));
}

#[test]
fn a_receiver_with_another_secret_takes_nothing() {
    let work = tempfile::tempdir().unwrap();
    let text = live_scenario(&["stripe"]).split("[[fault]]").next().unwrap().to_owned();
    std::fs::write(work.path().join("receiver.toml"), &text).unwrap();
    for (secret, taken) in [("the-secret", true), ("another", false)] {
        let (_receiver, port) = receiver_in(work.path(), &format!("of-{secret}"));
        let url = format!("url = 'http://127.0.0.1:{port}/webhooks/{{client}}'\nsecret_env = 'SIGNED'\n");
        let run = run_by(pushpull(work.path()).env("SIGNED", secret), work.path(), secret, &(text.clone() + &url), &[]);
        assert_eq!(run.count("stripe", "acked"), if taken { 9 } else { 0 }, "{}", run.stdout());
    }
}

#[test]
fn a_merge_is_two_events_with_two_ids_about_one_commit() {
    let two = "profile = 'github'\nevents = ['push', 'pull_request']";
    let plan = plan(&virtual_scenario(two), Path::new("")).unwrap();
    let described = Described::of(&plan, 0).unwrap().unwrap();
    let around = Surroundings { wall: WallClock { t0_unix_ns: 1_760_000_000_000_000_000 }, draws: Draws::new(42) };
    let told = |version: u32| {
        let event = Event { seq: 6 + version, subject: 7, version, occurred_at: Time::ZERO };
        let (mut head, mut body) = (Vec::new(), Vec::new());
        let id = EventId::genuine(described.run_id(), event.seq);
        described.head(&mut head, id, &event, 0, around);
        described.body(&mut body, &event, 0, around);
        (String::from_utf8(head).unwrap(), serde_json::from_slice::<serde_json::Value>(&body).unwrap())
    };
    let ((push_head, push), (pull_head, pull)) = (told(1), told(2));
    assert!(push_head.contains("X-GitHub-Event: push\r\n"), "{push_head}");
    assert!(pull_head.contains("X-GitHub-Event: pull_request\r\n"), "{pull_head}");
    assert_ne!(
        push_head.lines().find(|line| line.contains("Delivery")),
        pull_head.lines().find(|line| line.contains("Delivery"))
    );
    assert_eq!(push["after"], pull["pull_request"]["merge_commit_sha"]);
    assert_eq!(push["after"].as_str().map(str::len), Some(40));
    assert_eq!(told(3).1["ref"], push["ref"], "in turn");
    for (keys, problem) in [
        ("events = ['push']", "provider.0.events: without a profile webhooks are pushpull's own"),
        ("profile = 'github'\nevents = []", "provider.0.events: there is no type in it"),
        ("profile = 'github'\nevents = ['push', 'pul']", "provider.0.events.1: the profile \"github\" has no payload"),
    ] {
        let error = self::plan(&virtual_scenario(keys), Path::new("")).unwrap_err().to_string();
        assert!(error.contains(problem), "{error}");
    }
}
