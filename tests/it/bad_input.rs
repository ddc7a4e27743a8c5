//! Bad input: one clear error that names the key, the line and the fix, exit 2, nothing half-written.

use std::path::Path;

use crate::support::pushpull;

/// What `pushpull run` says of a scenario; asserts exit 2 and that nothing is left behind.
fn refusal(scenario: &str) -> String {
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

const HEAD: &str = "title = \"t\"\n";
const WEBHOOK: &str = "[[consumer]]\nname = \"webhook\"\nkind = \"webhook\"\n";

#[test]
fn a_scenario_error_names_the_key_the_line_and_the_fix() {
    let cases = [
        format!("{HEAD}durration = \"60s\"\n{WEBHOOK}"),
        format!("{HEAD}duration = \"60\"\n{WEBHOOK}"),
        format!("{HEAD}duration = \"60 parsecs\"\n{WEBHOOK}"),
        format!("{HEAD}time_scale = 0\n{WEBHOOK}"),
        format!("{HEAD}[workload]\narrivals = {{ kind = \"bursty\", rate = \"5/s\" }}\n{WEBHOOK}"),
        format!("{HEAD}[workload]\narrivals = {{ kind = \"poison\", rate = \"5/s\" }}\n{WEBHOOK}"),
        format!("{HEAD}{WEBHOOK}queue = \"kafka\"\n"),
        format!("{HEAD}{WEBHOOK}ledger = \"none\"\nledger_ttl = \"5min\"\n"),
        format!("{HEAD}{WEBHOOK}strategy = {{ kind = \"fixed\", interval = \"5s\" }}\n"),
        format!("{HEAD}{WEBHOOK}url = \"http://example.com/hook\"\n"),
        format!("{HEAD}{WEBHOOK}flaw = \"one-page\"\n"),
        format!("{HEAD}[[consumer]]\nname = \"p\"\nkind = \"polling\"\n"),
        format!("{HEAD}{WEBHOOK}[[fault]]\nkind = \"drop-ack\"\nprobabilty = 0.1\n"),
        format!("{HEAD}{WEBHOOK}[[fault]]\nkind = \"drop-ack\"\nprobability = 1.5\n"),
        format!("{HEAD}{WEBHOOK}[[fault]]\nkind = \"drop-akc\"\n"),
        format!("{HEAD}{WEBHOOK}[[fault]]\nkind = \"outage\"\nfrom = \"5s\"\n"),
        format!("{HEAD}{WEBHOOK}[[fault]]\nkind = \"delay\"\ndelay = \"fast\"\n"),
        format!("{HEAD}{WEBHOOK}[[fault]]\nkind = \"drop-ack\"\nconsumer = \"webhok\"\n"),
        format!("{HEAD}{WEBHOOK}[expect]\n\"webhook.losst\" = 0\n"),
        format!("{HEAD}{WEBHOOK}[expect]\n\"poller.lost\" = 0\n"),
        format!("{HEAD}{WEBHOOK}[expect]\n\"webhook.lost\" = \"none at all\"\n"),
        format!("{HEAD}[[consumer]]\nname = \"a b\"\nkind = \"webhook\"\n"),
        format!("{HEAD}{WEBHOOK}{WEBHOOK}"),
        HEAD.to_owned(),
        "title = \n".to_owned(),
    ];
    let said: Vec<String> = cases.iter().map(|case| refusal(case)).collect();
    insta::assert_snapshot!(said.join(""), @"");
}

#[test]
fn a_command_line_error_names_the_argument_and_the_fix() {
    let work = tempfile::tempdir().unwrap();
    std::fs::write(work.path().join("full"), "a file where a folder should be").unwrap();
    std::fs::create_dir(work.path().join("used")).unwrap();
    std::fs::write(work.path().join("used/something"), "").unwrap();
    let cases: [&[&str]; 9] = [
        &["run", "quickstrat"],
        &["run", "missing.toml"],
        &["run", "quickstart", "--mode", "virtual"],
        &["run", "quickstart", "--set", "seed"],
        &["run", "quickstart", "--set", "consumer.nobody.ledger=none"],
        &["run", "quickstart", "--out", "full"],
        &["run", "quickstart", "--out", "used"],
        &["explain", "nowhere"],
        &["receiver", "quickstart", "--consumer", "poll-2s"],
    ];
    let said: Vec<String> = cases.iter().map(|args| refused(work.path(), args)).collect();
    insta::assert_snapshot!(said.join(""), @"");
}

#[test]
fn a_port_in_use_is_named() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let work = tempfile::tempdir().unwrap();
    let said = refused(work.path(), &["provider", "quickstart", "--listen", &address]);
    assert!(said.contains(&address) && said.contains("in use"), "{said}");
}
