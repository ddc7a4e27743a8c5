//! Bad input: one clear error that names the key, the line and the fix, exit 2, nothing half-written.

use std::path::Path;

use crate::support::pushpull;

/// What `pushpull run` says of a scenario; asserts exit 2 and that nothing is left behind.
pub fn refusal(scenario: &str) -> String {
    let work = tempfile::tempdir().unwrap();
    std::fs::write(work.path().join("s.toml"), scenario).unwrap();
    let said = refused(work.path(), &["run", "s.toml"]);
    let left: Vec<_> = std::fs::read_dir(work.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["s.toml"], "something was left behind");
    said
}

fn refused(dir: &Path, args: &[&str]) -> String {
    let output = pushpull(dir).args(args).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{args:?}: {said}");
    assert_eq!(output.stdout, b"", "an error says nothing on stdout");
    said
}

pub const HEAD: &str = "title = \"t\"\n";
pub const POLLING: &str = "[[consumer]]\nname = \"p\"\nkind = \"polling\"\n";
pub const POLLER: &str =
    "[[consumer]]\nname = \"p\"\nkind = \"polling\"\nstrategy = { kind = \"fixed\", interval = \"1s\" }\n";
pub const WEBHOOK: &str = "[[consumer]]\nname = \"webhook\"\nkind = \"webhook\"\n";

#[test]
fn a_scenario_error_names_the_key_the_line_and_the_fix() {
    let cases = [
        format!("{HEAD}durration = \"60s\"\n{WEBHOOK}"),
        format!("{HEAD}duration = \"60\"\n{WEBHOOK}"),
        format!("{HEAD}duration = \"60 parsecs\"\n{WEBHOOK}"),
        format!("{HEAD}time_scale = 0\n{WEBHOOK}"),
        format!("{HEAD}[workload]\narrivals = {{ kind = \"poison\", rate = \"5/s\" }}\n{WEBHOOK}"),
        format!("{HEAD}{WEBHOOK}queue = \"kafka\"\n"),
        format!("{HEAD}{WEBHOOK}ledger = \"none\"\nledger_ttl = \"5min\"\n"),
        format!("{HEAD}{WEBHOOK}strategy = {{ kind = \"fixed\", interval = \"5s\" }}\n"),
        format!("{HEAD}{WEBHOOK}url = \"http://example.com/hook\"\n"),
        format!("{HEAD}{WEBHOOK}flaw = \"one-page\"\n"),
        format!("{HEAD}[[consumer]]\nname = \"p\"\nkind = \"polling\"\n"),
        format!("{HEAD}{POLLING}strategy = {{ kind = \"fixed\" }}\n"),
        format!("{HEAD}{POLLING}strategy = {{ kind = \"fixed\", interval = \"5s\", jiter = 0.1 }}\n"),
        format!("{HEAD}{POLLING}strategy = {{ kind = \"fixed\", interval = \"1us\" }}\n"),
        format!("{HEAD}{POLLING}strategy = {{ kind = \"fixd\", interval = \"5s\" }}\n"),
        format!("{HEAD}{WEBHOOK}[[fault]]\nkind = \"drop-ack\"\nprobabilty = 0.1\n"),
        format!("{HEAD}{WEBHOOK}[[fault]]\nkind = \"drop-ack\"\nprobability = 1.5\n"),
        format!("{HEAD}{WEBHOOK}[[fault]]\nkind = \"drop-akc\"\n"),
        format!("{HEAD}{WEBHOOK}[[fault]]\nkind = \"outage\"\nfrom = \"5s\"\n"),
        format!("{HEAD}{WEBHOOK}[[fault]]\nkind = \"delay\"\ndelay = \"fast\"\n"),
        format!("{HEAD}{WEBHOOK}[[fault]]\nkind = \"drop-ack\"\nconsumer = \"webhok\"\n"),
        format!("{HEAD}{WEBHOOK}[expect]\n\"webhook.losst\" = 0\n"),
        format!("{HEAD}{WEBHOOK}[expect]\n\"webhook.attempts / webhook.dew\" = 2\n"),
        format!("{HEAD}{WEBHOOK}[goal]\n\"attempts / due\" = 2\n"),
        format!("{HEAD}{WEBHOOK}[expect]\n\"poller.lost\" = 0\n"),
        format!("{HEAD}{WEBHOOK}[expect]\n\"webhook.lost\" = \"none at all\"\n"),
        format!("{HEAD}{WEBHOOK}[expect]\n\"webhook.age_s.mean\" = \"60s +- 2\"\n"),
        format!("{HEAD}{WEBHOOK}[expect]\n\"webhook.lost\" = \"0 +- 5%\"\n"),
        format!("{HEAD}{WEBHOOK}[expect]\n\"webhook.lost\" = \"< 5 +- 1\"\n"),
        format!("{HEAD}{WEBHOOK}[goal]\n\"age_s.p99\" = \"60s +- 1s\"\n"),
        format!("{HEAD}[[consumer]]\nname = \"a b\"\nkind = \"webhook\"\n"),
        format!("{HEAD}{WEBHOOK}{WEBHOOK}"),
        format!("{HEAD}conclude = \"{{webhok.lost}} lost\"\n{WEBHOOK}"),
        format!("{HEAD}conclude = \"{{webhook.losst}} lost\"\n{WEBHOOK}"),
        format!("{HEAD}conclude = \"{{webhook.lost\"\n{WEBHOOK}"),
        HEAD.to_owned(),
        "title = \n".to_owned(),
    ];
    let said: Vec<String> = cases.iter().map(|case| refusal(case)).collect();
    insta::assert_snapshot!(said.join(""), @r#"
    pushpull: s.toml:2: durration: unknown key
      fix: did you mean "duration"?
    pushpull: s.toml:2: duration: '60' has no unit
      fix: write a number and a unit: "250ms", "60s", "5min", "1h 30min", "3d"
    pushpull: s.toml:2: duration: 'parsecs' is no unit of time
      fix: write a number and a unit: "250ms", "60s", "5min", "1h 30min", "3d"
    pushpull: s.toml:2: time_scale: 0 is no speed
      fix: write a number above 0, such as 60
    pushpull: s.toml:3: workload.arrivals.kind: "poison" is unknown
      fix: did you mean "poisson"?
    pushpull: s.toml:5: consumer.webhook.queue: "kafka" is not implemented yet
      fix: use "sqlite" (durable) or "memory"
    pushpull: s.toml:6: consumer.webhook.ledger_ttl: there is no ledger to forget anything
      fix: drop ledger_ttl, or write ledger = "sqlite"
    pushpull: s.toml:5: consumer.webhook.strategy: means nothing for kind = "webhook"
      fix: remove it, or write kind = "polling"
    pushpull: s.toml:5: consumer.webhook.url: "http://example.com/hook" is not on this machine
      fix: write http://127.0.0.1:PORT/PATH (localhost and [::1] do as well)
    pushpull: s.toml:5: consumer.webhook.flaw: "one-page" is a flaw of a polling consumer
      fix: move it, or remove it
    pushpull: s.toml:2: consumer.p.strategy: a polling consumer needs a strategy
      fix: write strategy = { kind = "fixed", interval = "5s" }
    pushpull: s.toml:5: consumer.p.strategy.interval: is missing
      fix: add it; `pushpull schema` says what it takes
    pushpull: s.toml:5: consumer.p.strategy.jiter: unknown key
      fix: did you mean "jitter"?
    pushpull: s.toml:5: consumer.p.strategy.interval: polls 1us apart (after time_scale) are below the timer's grain
      fix: write at least "1ms" of driver time
    pushpull: s.toml:5: consumer.p.strategy.kind: "fixd" is unknown
      fix: did you mean "fixed"?
    pushpull: s.toml:7: fault.drop-ack.probabilty: unknown key
      fix: did you mean "probability"?
    pushpull: s.toml:7: fault.drop-ack.probability: 1.5 is no probability
      fix: write a number from 0 to 1
    pushpull: s.toml:6: fault.drop-akc.kind: "drop-akc" is unknown
      fix: did you mean "drop-ack"?
    pushpull: s.toml:7: fault.outage.from: an outage needs both ends of its window
      fix: write from = "10s" and until = "20s"
    pushpull: s.toml:7: fault.delay.delay: 'fast' is no duration
      fix: write a number and a unit: "250ms", "60s", "5min", "1h 30min", "3d"
    pushpull: s.toml:7: fault.drop-ack.consumer: "webhok" is no consumer of this scenario
      fix: did you mean "webhook"?
    pushpull: s.toml:6: expect."webhook.losst": "losst" is no quantity of a result
      fix: did you mean "lost"?
    pushpull: s.toml:6: expect."webhook.attempts / webhook.dew": "dew" is no quantity of a result
      fix: did you mean "due"?
    pushpull: s.toml:6: goal.attempts / due: a goal is about one quantity
      fix: write a ratio in [expect]
    pushpull: s.toml:6: expect."poller.lost": "poller" is no consumer of this scenario
      fix: write one of: webhook; a key is "<consumer>.<quantity>", or a ratio of two: "<...> / <...>"
    pushpull: s.toml:6: expect."webhook.lost": "none at all" is no condition
      fix: write a number, or a comparison with a number or a duration: 0, "< 60s", ">= 100", "150 +- 2"
    pushpull: s.toml:6: expect."webhook.age_s.mean": "60s +- 2" holds a number against a duration
      fix: write a value and how far off it may be: "150 +- 2", "60s +- 500ms", "150.05s +- 0.6%"
    pushpull: s.toml:6: expect."webhook.lost": 5% of nothing is nothing
      fix: write a value and how far off it may be: "150 +- 2", "60s +- 500ms", "150.05s +- 0.6%"
    pushpull: s.toml:6: expect."webhook.lost": "< 5 +- 1" has both a comparison and a tolerance
      fix: write a value and how far off it may be: "150 +- 2", "60s +- 500ms", "150.05s +- 0.6%"
    pushpull: s.toml:6: goal."age_s.p99": a goal is met or missed at a bound
      fix: write a comparison, such as "< 60s"
    pushpull: s.toml:3: consumer.a b.name: "a b" is no name
      fix: write up to 40 letters, digits, '-' and '_'
    pushpull: s.toml:6: consumer.webhook.name: "webhook" is there twice
      fix: give each consumer its own name
    pushpull: s.toml:2: conclude: {webhok.lost}: "webhok" is no consumer of this scenario
      fix: did you mean "webhook"?; a placeholder is {consumer.quantity}
    pushpull: s.toml:2: conclude: {webhook.losst}: "losst" is no quantity of a result
      fix: did you mean "lost"?
    pushpull: s.toml:2: conclude: a { without its }
      fix: close it: {webhook.duplicates_applied}
    pushpull: s.toml: consumer: a scenario without a consumer measures nothing
      fix: add [[consumer]] with name and kind, such as kind = "webhook"
    pushpull: s.toml:1: string values must be quoted, expected literal string
      fix: see `pushpull schema`, or an example: `pushpull scenarios show quickstart`
    "#);
}

#[test]
fn what_is_wrong_in_a_case_is_told_by_the_files_own_line() {
    let with = |cases: &str| format!("{HEAD}{WEBHOOK}{cases}");
    let case = |keys: &str| with(&format!("[[case]]\nname = \"far\"\n{keys}"));
    let cases = [
        format!("{HEAD}seeds = 0\n{WEBHOOK}"),
        case("seeds = 20000\n"),
        case("set = { \"workload.arrivals.rat\" = \"5/s\" }\n"),
        case("set = { \"workload.arrivals\" = { kind = \"poisson\", rate = \"5/parsec\" } }\n"),
        case("set = { \"consumer.nobody.queue\" = \"memory\" }\n"),
        case("set = { \"consumer.webhook.queue\" = \"kafka\" }\n"),
        case("set = { \"consumer.0.queue\" = \"kafka\" }\n"),
        case("set = { workload = { subjects = 5 } }\n"),
        case("set = { \"consumer.webhook.ledger\" = \"none\" }\n")
            .replace("[[case]]", "ledger_ttl = \"5min\"\n[[case]]"),
        case("expect = { \"webhook.losst\" = 0 }\n"),
        case("sett = {}\n"),
        with("[[case]]\nname = \"a b\"\n"),
        case("[[case]]\nname = \"far\"\n"),
    ];
    let said: Vec<String> = cases.iter().map(|case| refusal(case)).collect();
    insta::assert_snapshot!(said.join(""), @r#"
    pushpull: s.toml:2: seeds: 0 is out of bounds
      fix: write a number from 1 to 10000
    pushpull: s.toml:7: case.far.seeds: 20000 is out of bounds
      fix: write a number from 1 to 10000
    pushpull: s.toml:7: case.far.set."workload.arrivals.rat": unknown key
      fix: did you mean "rate"?
    pushpull: s.toml:7: case.far.set."workload.arrivals": 'parsec' is no unit of time
      fix: write a count per unit of time: "20/s", "90/min", "40000/day"
    pushpull: s.toml:7: case.far.set."consumer.nobody.queue": there is no consumer "nobody"
      fix: write its name, or its number from 0
    pushpull: s.toml:7: case.far.set."consumer.webhook.queue": "kafka" is not implemented yet
      fix: use "sqlite" (durable) or "memory"
    pushpull: s.toml:7: case.far.set."consumer.0.queue": "kafka" is not implemented yet
      fix: use "sqlite" (durable) or "memory"
    pushpull: s.toml:7: case.far.set.workload: would replace all of workload
      fix: quote the whole key: "workload.KEY" = VALUE
    pushpull: s.toml:5: consumer.webhook.ledger_ttl: in case "far": there is no ledger to forget anything
      fix: drop ledger_ttl, or write ledger = "sqlite"
    pushpull: s.toml:7: case.far.expect."webhook.losst": "losst" is no quantity of a result
      fix: did you mean "lost"?
    pushpull: s.toml:7: sett: unknown key
      fix: did you mean "set"?
    pushpull: s.toml:6: case.a b.name: "a b" is no name
      fix: write up to 40 letters, digits, '-' and '_'
    pushpull: s.toml:8: case.far.name: "far" is there twice
      fix: give each case its own name
    "#);
    let work = tempfile::tempdir().unwrap();
    std::fs::write(work.path().join("s.toml"), case("[[case]]\nname = \"near\"\n")).unwrap();
    let said = [
        &["run", "s.toml", "--case", "fer"][..],
        &["run", "quickstart", "--case", "far"],
        &["provider", "s.toml"],
        &["run", "quickstart", "--mode", "both", "--state", "stores"],
        &["run", "quickstart", "--seeds", "2", "--state", "stores"],
        &["run", "quickstart", "--set", "duration=1d", "--seeds", "3"],
        &["run", "quickstart", "--calibrate"],
    ]
    .map(|args| refused(work.path(), args));
    insta::assert_snapshot!(said.join(""), @r#"
    pushpull: s.toml:5: case: there is no case "fer"
      fix: did you mean "far"?
    pushpull: quickstart: case: there is no case "far"
      fix: leave --case out: it has no cases
    pushpull: s.toml:5: case: this takes one case
      fix: name one: --case far, --case near
    pushpull: --state: a virtual run keeps no stores
      fix: leave --state out, or run it live: --mode live
    pushpull: --state: several runs cannot share their stores
      fix: leave --state out, or run one case with one seed
    pushpull: 3 live runs of real time: up to 3 d, arrivals and drain together
      fix: add --yes if that is meant, run it in virtual time (--mode virtual), or shorten duration
    pushpull: --calibrate: there is no live run to measure
      fix: add --mode both
    "#);
}

#[test]
fn a_providers_key_is_refused_by_name() {
    let keys = |keys: &str| format!("{HEAD}[[provider]]\n{keys}\n{WEBHOOK}");
    let pull = |keys: &str| format!("{HEAD}[[provider]]\n{keys}\n{POLLER}");
    let two = "[[provider]]\nname = \"a\"\n[[provider]]\nname = \"b\"\n";
    let cases = [
        format!("{HEAD}[[provider]]\n[[provider]]\n{WEBHOOK}"),
        format!("{HEAD}{two}{WEBHOOK}"),
        format!("{HEAD}{two}{WEBHOOK}provider = \"c\"\n"),
        format!("{HEAD}{two}{WEBHOOK}provider = \"a\"\n[[fault]]\nkind = \"reset\"\nprovider = \"c\"\n"),
        format!(
            "{HEAD}{two}{WEBHOOK}provider = \"a\"\n[[fault]]\nkind = \"reset\"\nprovider = \"b\"\nconsumer = \"webhook\"\n"
        ),
        keys("ordering = \"subjet\""),
        keys("sender_pool = 0"),
        keys("success = []"),
        keys("success = [\"200\", \"timeout\"]"),
        keys("success = [\"6xx\"]"),
        keys("retry_on = [\"5xx\", \"conection\"]"),
        keys("on_410 = \"disabel\""),
        keys("retry_after = \"honour\""),
        keys("least_delay = { delay = \"0s\" }"),
        keys("least_delay = { delay = \"60s\", on = [] }"),
        keys("give_up_after = \"0s\""),
        format!("{HEAD}[[provider]]\nretry_on = [\"5xx\"]\n{POLLER}"),
        keys("auto_disable = { failures = 0 }"),
        keys("auto_disable = { failures = 3, pause_max = \"1h\" }"),
        keys("auto_disable = { failures = 3, pause = \"1min\", pause_max = \"1s\" }"),
        keys("auto_disable = { failure = 3 }"),
        keys("auto_disable = {}"),
        keys("auto_disable = { events = 0 }"),
        keys("auto_disable = { pause = \"1min\", events = 3 }"),
        keys("auto_disable = { failures = 4, permanent_after = 40 }"),
        keys("auto_disable = { failures = 4, pause = \"1min\", permanent_after = 4 }"),
        keys("auto_disable = { failing_for = \"0s\" }"),
        keys("auto_disable = { ratio = { above = 1.0, window = \"60min\" } }"),
        keys("auto_disable = { ratio = { above = 0.9, window = \"0s\" } }"),
        keys("while_paused = \"wait\""),
        keys("stop_headers = {}"),
        keys("stop_headers = { give_up = [\"x-no-retry\"] }"),
        keys("drop_above = \"lots\""),
        keys("[[fault]]\nkind = \"respond\"\nstatus = 500\nstop = \"give-up\""),
        keys("replay_dead_letters_at = \"soon\""),
        keys("replay_dead_letters_at = \"2h\""),
        format!("{HEAD}[[provider]]\nordering = \"subject\"\n{POLLER}"),
        pull("rate_limit = { rate = \"fast\" }"),
        pull("rate_limit = { rate = \"2/s\", burst = 0 }"),
        pull("rate_limit = { rate = \"2/s\", per = \"adress\" }"),
        pull("rate_limit = { rate = \"2/s\", status = 418 }"),
        pull("rate_limit = { rate = \"2/s\", hint = \"reset\" }"),
        pull("poll_interval_hint = \"0s\""),
        pull("retention = \"10\""),
        keys("retention = \"10min\""),
    ];
    let said: Vec<String> = cases.iter().map(|case| refusal(case)).collect();
    insta::assert_snapshot!(said.join(""), @r#"
    pushpull: s.toml:3: provider.1.name: "provider" is there twice
      fix: give each provider its own name
    pushpull: s.toml:6: consumer.webhook.provider: there are several providers
      fix: write one of: a, b
    pushpull: s.toml:9: consumer.webhook.provider: "c" is no provider of this scenario
      fix: did you mean "a"?
    pushpull: s.toml:12: fault.reset.provider: "c" is no provider of this scenario
      fix: did you mean "a"?
    pushpull: s.toml:13: fault.reset.consumer: "webhook" is not served by the provider that this fault names
      fix: drop provider, or name one of its consumers
    pushpull: s.toml:3: provider.0.ordering: "subjet" is unknown
      fix: did you mean "subject"?
    pushpull: s.toml:3: provider.0.sender_pool: 0 is out of bounds
      fix: write a number from 1 to 10000
    pushpull: s.toml:3: provider.0.success: no status is an ack
      fix: write ["2xx"], or remove it
    pushpull: s.toml:3: provider.0.success.1: "timeout" is no status
      fix: write a status such as "204", or a class: "2xx"
    pushpull: s.toml:3: provider.0.success.0: "6xx" is no status
      fix: write a status such as "204", or a class: "2xx"
    pushpull: s.toml:3: provider.0.retry_on.1: "conection" is no end of an attempt
      fix: did you mean "connection"?
    pushpull: s.toml:3: provider.0.on_410: "disabel" is unknown
      fix: did you mean "disable"?
    pushpull: s.toml:3: provider.0.retry_after: "honour" is unknown
      fix: write one of: clamp, respect, ignore
    pushpull: s.toml:3: provider.0.least_delay.delay: no time at all
      fix: write a duration such as "60s", or remove it
    pushpull: s.toml:3: provider.0.least_delay.on: after nothing
      fix: write ["timeout", "429"], or remove it
    pushpull: s.toml:3: provider.0.give_up_after: no time at all
      fix: write a duration such as "2h", or remove it
    pushpull: s.toml:3: provider.0.retry_on: this provider has no webhook to send
      fix: remove it, or add a consumer of kind = "webhook"
    pushpull: s.toml:3: provider.0.auto_disable.failures: 0 is out of bounds
      fix: write a number from 1 to 1000000
    pushpull: s.toml:3: provider.0.auto_disable.pause_max: there is no pause to limit
      fix: add pause = "1min", or remove it
    pushpull: s.toml:3: provider.0.auto_disable.pause_max: is shorter than the first pause
      fix: write "1min" or more
    pushpull: s.toml:3: failure: unknown key
      fix: did you mean "failures"?
    pushpull: s.toml:3: provider.0.auto_disable: nothing switches an endpoint off
      fix: write failures = 8, or remove it
    pushpull: s.toml:3: provider.0.auto_disable.events: 0 is out of bounds
      fix: write a number from 1 to 1000000
    pushpull: s.toml:3: provider.0.auto_disable.pause: a pause follows failures in a row
      fix: add failures = 4, or remove it
    pushpull: s.toml:3: provider.0.auto_disable.permanent_after: there is no pause that it would end
      fix: write failures alone, or add a pause
    pushpull: s.toml:3: provider.0.auto_disable.permanent_after: comes before the first pause
      fix: write more than 4, or remove the pause
    pushpull: s.toml:3: provider.0.auto_disable.failing_for: no time at all
      fix: write a duration such as "5d"
    pushpull: s.toml:3: provider.0.auto_disable.ratio.above: 1 is no share that could be exceeded
      fix: write a number from 0 to less than 1, such as 0.95
    pushpull: s.toml:3: provider.0.auto_disable.ratio.window: no time at all
      fix: write a duration such as "60min"
    pushpull: s.toml:3: provider.0.while_paused: "wait" is unknown
      fix: write one of: give-up, skip
    pushpull: s.toml:3: provider.0.stop_headers: no header stops anything
      fix: write { give_up = ["x-no-retry: 1"] }, or remove it
    pushpull: s.toml:3: provider.0.stop_headers.give_up.0: "x-no-retry" is no header with its value
      fix: write it as it is sent, such as "x-slack-no-retry: 1"
    pushpull: s.toml:3: provider.0.drop_above: 'lots' is no rate
      fix: write a count per unit of time: "20/s", "90/min", "40000/day"
    pushpull: s.toml:3: fault.respond.consumer: no consumer here can be hit by "respond": its provider listens to no header that says `stop`: add stop_headers to it
      fix: remove the fault
    pushpull: s.toml:3: provider.0.replay_dead_letters_at: 'soon' is no duration
      fix: write a number and a unit: "250ms", "60s", "5min", "1h 30min", "3d"
    pushpull: s.toml:3: provider.0.replay_dead_letters_at: lies behind the run's end
      fix: write an instant before duration + drain
    pushpull: s.toml:3: provider.0.ordering: this provider has no webhook to send
      fix: remove it, or add a consumer of kind = "webhook"
    pushpull: s.toml:3: provider.0.rate_limit.rate: 'fast' is no rate
      fix: write a count per unit of time: "20/s", "90/min", "40000/day"
    pushpull: s.toml:3: provider.0.rate_limit.burst: 0 is out of bounds
      fix: write a number from 1 to 1000000
    pushpull: s.toml:3: provider.0.rate_limit.per: "adress" is unknown
      fix: did you mean "address"?
    pushpull: s.toml:3: provider.0.rate_limit.status: 418 tells nobody of a limit
      fix: write 429 or 403
    pushpull: s.toml:3: provider.0.rate_limit.hint: "reset" is unknown
      fix: write one of: retry-after, reset-at, reset-in, none
    pushpull: s.toml:3: provider.0.poll_interval_hint: no time at all
      fix: write a duration such as "10min", or remove it
    pushpull: s.toml:3: provider.0.retention: '10' has no unit
      fix: write a number and a unit: "250ms", "60s", "5min", "1h 30min", "3d"
    pushpull: s.toml:3: provider.0.retention: nobody polls this provider
      fix: remove it, or add a consumer of kind = "polling"
    "#);
}

#[test]
fn each_arrival_process_refuses_what_it_does_not_take() {
    let arrivals = [
        "kind = \"bursty\", rate = \"5/s\", gap = \"10s\"",
        "kind = \"bursty\", burst = \"10us\", gap = \"10s\"",
        "kind = \"bursty\", burst = \"1s\", gap = \"10s\", distribution = \"pareto\"",
        "kind = \"bursty\", burst = \"1s\", gap = \"10s\", per_day = 5",
        "kind = \"diurnal\", per_day = 40000, rate = \"5/s\"",
        "kind = \"diurnal\"",
        "kind = \"diurnal\", per_day = 40000, peak_at = \"noon\"",
        "kind = \"diurnal\", per_day = 40000, peak_to_mean = 0.5",
        "kind = \"pairs\", rate = \"5/s\"",
        "kind = \"pairs\", rate = \"5 a second\", gap = \"1s\"",
    ];
    let said: Vec<String> =
        arrivals.iter().map(|keys| refusal(&format!("{HEAD}[workload]\narrivals = {{ {keys} }}\n{WEBHOOK}"))).collect();
    insta::assert_snapshot!(said.join(""), @r#"
    pushpull: s.toml:3: workload.arrivals.burst: "bursty" needs a burst
      fix: write burst = "5s"
    pushpull: s.toml:3: workload.arrivals.burst: a burst of 10us (after time_scale) is below the timer's grain
      fix: write at least "1ms" of driver time
    pushpull: s.toml:3: workload.arrivals.distribution: "pareto" is unknown
      fix: write one of: constant, exponential
    pushpull: s.toml:3: workload.arrivals.per_day: means nothing for kind = "bursty"
      fix: remove it; "bursty" takes rate, burst, gap, distribution
    pushpull: s.toml:3: workload.arrivals.rate: means nothing for kind = "diurnal"
      fix: remove it; "diurnal" takes per_day, peak_at, peak_to_mean, starts_at
    pushpull: s.toml:3: workload.arrivals.per_day: how many events has a day?
      fix: write per_day = 40000
    pushpull: s.toml:3: workload.arrivals.peak_at: 'noon' is no time of day
      fix: write hours and minutes: "09:30"
    pushpull: s.toml:3: workload.arrivals.peak_to_mean: 0.5 is out of bounds
      fix: write a number from 1 to 20
    pushpull: s.toml:3: workload.arrivals.gap: "pairs" needs a gap
      fix: write gap = "300ms"
    pushpull: s.toml:3: workload.arrivals.rate: '5 a second' is no rate
      fix: write a count per unit of time: "20/s", "90/min", "40000/day"
    "#);
}

#[test]
fn a_command_line_error_names_the_argument_and_the_fix() {
    let work = tempfile::tempdir().unwrap();
    std::fs::write(work.path().join("full"), "a file where a folder should be").unwrap();
    std::fs::create_dir(work.path().join("used")).unwrap();
    std::fs::write(work.path().join("used/something"), "").unwrap();
    let cases: [&[&str]; 11] = [
        &["run", "quickstrat"],
        &["run", "missing.toml"],
        &["run", "quickstart", "--mode", "virtual", "--state", "kept"],
        &["run", "quickstart", "--set", "seed"],
        &["run", "quickstart", "--set", "consumer.nobody.ledger=none"],
        &["run", "quickstart", "--out", "full"],
        &["run", "quickstart", "--out", "used"],
        &["explain", "nowhere"],
        &["receiver", "quickstart", "--consumer", "poll-2s"],
        &["poller", "quickstart", "--from", "http://example.com:4000"],
        &["provider", "quickstart", "--to", "webhook=https://127.0.0.1/", "--secret-env", "HOOK_SECRET"],
    ];
    let said: Vec<String> = cases.iter().map(|args| refused(work.path(), args)).collect();
    insta::assert_snapshot!(said.join(""), @r#"
    pushpull: "quickstrat" is no scenario
      fix: did you mean "quickstart"?
    pushpull: cannot read the scenario missing.toml; `pushpull scenarios` lists those in the binary: No such file or directory (os error 2)
    pushpull: --state: a virtual run keeps no stores
      fix: leave --state out, or run it live: --mode live
    pushpull: quickstart: --set seed: no value
      fix: write --set key=value, such as --set seed=7
    pushpull: quickstart: --set consumer.nobody.ledger=none: there is no consumer "nobody"
      fix: write its name, or its number from 0
    pushpull: --out full: the run's folder cannot be made; name another with --out: File exists (os error 17)
    pushpull: --out used: the folder is not empty
      fix: name a new one, or remove it first
    pushpull: nowhere: not a run's folder: cannot read nowhere/plan.json: No such file or directory (os error 2)
    pushpull: quickstart has no webhook consumer "poll-2s"
    pushpull: --from: "http://example.com:4000" is not on this machine
      fix: write http://127.0.0.1:PORT/PATH (localhost and [::1] do as well)
    pushpull: --to: "https://127.0.0.1/" is not plain HTTP
      fix: write http://127.0.0.1:PORT/PATH (localhost and [::1] do as well)
    "#);
}

#[test]
fn a_port_in_use_is_named() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let work = tempfile::tempdir().unwrap();
    let said = refused(work.path(), &["provider", "quickstart", "--listen", &address]);
    assert!(said.contains(&address) && said.contains("in use"), "{said}");
}

#[test]
fn dedupe_is_refused_where_it_would_mean_nothing() {
    let cases = [
        format!("{HEAD}{WEBHOOK}dedupe = true\nqueue = \"memory\"\n"),
        format!("{HEAD}{WEBHOOK}dedupe = true\nflaw = \"synchronous\"\n"),
        format!("{HEAD}{WEBHOOK}dedupe = true\nurl = \"http://127.0.0.1:1/\"\n"),
        format!("{HEAD}{POLLING}dedupe = true\nstrategy = {{ kind = \"fixed\", interval = \"5s\" }}\n"),
    ];
    let said: Vec<String> = cases.iter().map(|case| refusal(case)).collect();
    insta::assert_snapshot!(said.join(""), @r#"
    pushpull: s.toml:5: consumer.webhook.dedupe: what a queue in memory knows of earlier events is gone with its process
      fix: write queue = "sqlite", or remove dedupe: the ledger suppresses duplicates in any case
    pushpull: s.toml:5: consumer.webhook.dedupe: a synchronous receiver does not use its queue
      fix: remove dedupe, or the flaw
    pushpull: s.toml:5: consumer.webhook.dedupe: means nothing for a receiver that is somebody else's
      fix: remove it, or remove url
    pushpull: s.toml:5: consumer.p.dedupe: means nothing for kind = "polling"
      fix: remove it, or write kind = "webhook"
    "#);
}

#[test]
fn a_fault_or_an_effect_that_does_not_fit_is_refused_with_the_reason() {
    let poll =
        "[[consumer]]\nname = \"poll\"\nkind = \"polling\"\nstrategy = { kind = \"fixed\", interval = \"1s\" }\n";
    let fault = |kind: &str, keys: &str| format!("[[fault]]\nkind = \"{kind}\"\n{keys}\n");
    let window = "from = \"1s\"\nuntil = \"2s\"";
    let cases = [
        format!("{HEAD}{poll}{}", fault("reorder", "consumer = \"poll\"")),
        format!("{HEAD}{poll}{}", fault("corrupt", "what = \"signature\"")),
        format!("{HEAD}{WEBHOOK}{}", fault("reorder", "by = 0")),
        format!("{HEAD}{WEBHOOK}{}", fault("reorder", "attempts = [2]")),
        format!("{HEAD}{WEBHOOK}{}", fault("slow-body", "bytes_per_s = 0")),
        format!("{HEAD}{WEBHOOK}{}", fault("clock-skew", "by = \"0s\"")),
        format!("{HEAD}{WEBHOOK}{}", fault("clock-skew", "by = \"-soon\"")),
        format!("{HEAD}{WEBHOOK}{}", fault("delay", "delay = \"1ms\"\ndistribution = \"pareto\"")),
        format!("{HEAD}{WEBHOOK}{}", fault("delay", "delay = \"1ms\"\nat_most = \"1s\"")),
        format!("{HEAD}{WEBHOOK}queue = \"memory\"\n{}", fault("stall", &format!("what = \"queue\"\n{window}"))),
        format!("{HEAD}{WEBHOOK}ledger = \"none\"\n{}", fault("stall", &format!("what = \"ledger\"\n{window}"))),
        format!("{HEAD}{WEBHOOK}{}", fault("crash", "point = \"after-call\"")),
        format!("{HEAD}{WEBHOOK}effect = {{ honours_key = false }}\n"),
        format!("{HEAD}{WEBHOOK}effect = \"external\"\nflaw = \"check-then-act\"\n"),
    ];
    let said: Vec<String> = cases.iter().map(|case| refusal(case)).collect();
    insta::assert_snapshot!(said.join(""), @r#"
    pushpull: s.toml:8: fault.reorder.consumer: "reorder" cannot hit "poll": a page lists events in the log's order, and a client asks for one page at a time
      fix: name another consumer, or remove the fault
    pushpull: s.toml:6: fault.corrupt.consumer: no consumer here can be hit by "corrupt": a page carries no signature
      fix: remove the fault
    pushpull: s.toml:7: fault.reorder.by: an event that nobody overtakes keeps its place
      fix: write 1 or more
    pushpull: s.toml:7: fault.reorder.attempts: it is the first attempt that is held back
      fix: remove it
    pushpull: s.toml:7: fault.slow-body.bytes_per_s: a body that never comes is a hanging connection
      fix: write 1 or more, or kind = "outage" with how = "hang"
    pushpull: s.toml:7: fault.clock-skew.by: a clock that is off by nothing is right
      fix: write by = "310s", or by = "-310s"
    pushpull: s.toml:7: fault.clock-skew.by: '-soon' is no duration
      fix: write a number and a unit: "250ms", "60s", "5min", "1h 30min", "3d"
    pushpull: s.toml:5: fault.delay.spread: a distribution of what comes on top needs a size
      fix: write spread = "50ms"
    pushpull: s.toml:8: fault.delay.at_most: a uniform spread is its own bound
      fix: write a smaller spread instead
    pushpull: s.toml:6: fault.stall.consumer: no consumer here can be hit by "stall": that store of its is no SQLite database, and only those can be locked
      fix: remove the fault
    pushpull: s.toml:6: fault.stall.consumer: no consumer here can be hit by "stall": that store of its is no SQLite database, and only those can be locked
      fix: remove the fault
    pushpull: s.toml:5: fault.crash.consumer: no consumer here can be hit by "crash": it calls nobody: its effect is not "external"
      fix: remove the fault
    pushpull: s.toml:5: consumer.webhook.effect.honours_key: only somebody else's system is called
      fix: remove it, or write kind = "external"
    pushpull: s.toml:6: consumer.webhook.flaw: "check-then-act" is a way of applying effects here, and these happen elsewhere
      fix: write effect = "append" or "set", or remove it
    "#);
}
