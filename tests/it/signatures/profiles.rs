//! Profiles that are not right are refused with the file, the key, the line and the fix; ones of one's own work.

use super::{profile, vectors, with_body};
use crate::support::pushpull;

const HEAD: &str =
    "name = \"mine\"\ntitle = \"t\"\n[[source]]\nwhat = \"w\"\nwhere = \"x\"\nconfidence = \"assumed\"\n";
const PLAIN: &str =
    "[signature]\nalgorithm = \"hmac-sha256\"\nsigned = \"{body}\"\nheader = \"X-S\"\nencoding = \"hex\"\n";

fn refusal(text: &str) -> String {
    let work = tempfile::tempdir().unwrap();
    std::fs::write(work.path().join("mine.toml"), text).unwrap();
    let output = pushpull(work.path()).args(["profiles", "show", "mine.toml"]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{said}{}", String::from_utf8_lossy(&output.stdout));
    assert_eq!(output.stdout, b"");
    said
}

#[test]
fn a_profile_error_names_the_file_the_key_the_line_and_the_fix() {
    let signature = |text: &str| format!("{HEAD}[signature]\n{text}");
    let hmac = "algorithm = \"hmac-sha256\"\nheader = \"X-S\"\nencoding = \"hex\"\n";
    let with = |more: &str| format!("{HEAD}{PLAIN}{more}");
    let cases = [
        format!("{HEAD}{PLAIN}sined = \"x\"\n"),
        format!("name = \"Mine!\"\ntitle = \"t\"\n{PLAIN}"),
        format!("name = \"mine\"\ntitle = \"t\"\n{PLAIN}"),
        signature("header = \"X-S\"\n"),
        signature("algorithm = \"hmac-md5\"\n"),
        signature("algorithm = \"none\"\nheader = \"X-S\"\n"),
        signature(&format!("{hmac}signed = \"{{timestmp}}.{{body}}\"\n")),
        signature(&format!("{hmac}signed = \"{{body\"\n")),
        signature(&format!("{hmac}signed = \"{{timestamp}}.{{body}}\"\n")),
        signature(&format!("{hmac}signed = \"{{id}}.{{body}}\"\n")),
        signature(hmac),
        signature("algorithm = \"ed25519\"\nsigned = \"{body}\"\nheader = \"X-S\"\nencoding = \"hex\"\n"),
        signature(
            "algorithm = \"ed25519\"\nsigned = \"{body}\"\nheader = \"X-S\"\nencoding = \"hex\"\nkey = { form = \"text\" }\n",
        ),
        signature("algorithm = \"token\"\nheader = \"X-S\"\nkey = { form = \"hex\" }\n"),
        signature("algorithm = \"token\"\nheader = \"X-S\"\nsigned = \"{body}\"\n"),
        with("key = { form = \"hex\", prefix = \"whsec_\" }\n"),
        with("key = { form = \"base46\" }\n"),
        with("key = { form = \"base64\", signing_prefix = \"whsk_\" }\n"),
        with("tolerance = \"300s\"\n"),
        with("sides = \"past\"\n"),
        with("entry = \"v1=\"\n"),
        with("timestamp = { header = \"X-T\", unit = \"s\" }\n"),
        with("timestamp = { body = \"/t\", unit = \"h\" }\n"),
        with("timestamp = { body = \"t\", unit = \"s\" }\n"),
        with("timestamp = { body = \"/t\", header = \"X-T\", unit = \"s\" }\n"),
        with("timestamp = { entry = \"t={timestamp}\", unit = \"s\" }\n"),
        with("timestamp = { body = \"/t\", unit = \"s\" }\ntolerance = \"5 parsecs\"\n"),
        with("[[signature.also]]\nalgorithm = \"hmac-sha1\"\n"),
        with("[[signature.also]]\nentry = \"v2={signature}\"\n"),
        signature("algorithm = \"hmac-sha256\"\nsigned = \"{body}\"\nheader = \"X S\"\nencoding = \"hex\"\n"),
        with("[event]\nid = {}\n"),
        with("[event]\ndedupe = \"id\"\n"),
        with("[delivery]\nretry = [\"5s\", \"soon\"]\n"),
        with("[delivery]\nretry = { base = \"5s\", factor = 0.5, retries = 3 }\n"),
        with("[delivery]\nretry = { base = \"5s\" }\n"),
        with("[delivery]\nack_timout = \"5s\"\n"),
        with("[pull]\nrate_limit = { rate = \"2\" }\n"),
        with("[handshake]\nmark = { body = \"/type\", is = \"ping\" }\nbody = '{}'\nstatus = 204\n"),
        with("[handshake]\nmark = { body = \"/t\", is = \"0\" }\nbody = '{\"t\":0}'\n"),
        with("[handshake]\nmark = { body = \"/t\", is = \"0\" }\nbody = '{\"t\":0}'\necho = \"/challenge\"\n"),
        with("[handshake]\nmark = { body = \"/t\", is = \"0\" }\nbody = '{\"t\":0}'\nstatus = 404\n"),
        format!("assumed = [\"delivery.retry\"]\n{HEAD}{PLAIN}"),
    ];
    let said: Vec<String> = cases.iter().map(|case| refusal(case)).collect();
    insta::assert_snapshot!(said.join(""), @r#"
    pushpull: mine.toml:12: sined: unknown key
      fix: did you mean "signed"?
    pushpull: mine.toml:1: name: "Mine!" is no name
      fix: write up to 40 lowercase letters, digits and '-'
    pushpull: mine.toml: source: nobody says where these facts come from
      fix: add [[source]] what = "..." where = "..." confidence = "documented"
    pushpull: mine.toml:7: signature.algorithm: is missing
      fix: write hmac-sha256, hmac-sha1, ed25519, token or none
    pushpull: mine.toml:8: signature.algorithm: "hmac-md5" is unknown
      fix: write one of: hmac-sha256, hmac-sha1, ed25519, token, none
    pushpull: mine.toml:9: signature.header: nothing is signed
      fix: remove it, or name an algorithm
    pushpull: mine.toml:11: signature.signed: {timestmp} is no placeholder
      fix: did you mean "timestamp"?
    pushpull: mine.toml:11: signature.signed: a brace without its other half
      fix: write {body}, or {{ and }} for the braces themselves
    pushpull: mine.toml:7: signature.timestamp: {timestamp} is signed and nobody says where it stands
      fix: add timestamp = { header = "X-Timestamp", unit = "s" }
    pushpull: mine.toml:7: signature.id: {id} is signed and nobody says where it stands
      fix: add id = { header = ... }
    pushpull: mine.toml:7: signature.signed: is missing
      fix: write what is signed, such as "{timestamp}.{body}"
    pushpull: mine.toml:7: signature.key.form: an Ed25519 key is 32 bytes, which no text is
      fix: write key = { form = "hex" }, or "base64"
    pushpull: mine.toml:12: signature.key.form: an Ed25519 key is 32 bytes, which no text is
      fix: write key = { form = "hex" }, or "base64"
    pushpull: mine.toml:10: signature.key.form: a token is sent as it is, so it is a text
      fix: write form = "text"
    pushpull: mine.toml:10: signature.signed: a token signs nothing
      fix: remove it, or name another algorithm
    pushpull: mine.toml:12: signature.key.form: "whsec_" stands before base64, not before hex
      fix: write form = "base64", or another prefix
    pushpull: mine.toml:12: signature.key.form: "base46" is unknown
      fix: did you mean "base64"?
    pushpull: mine.toml:12: signature.key.signing_prefix: who verifies and who signs have the same key
      fix: remove it, or write algorithm = "ed25519"
    pushpull: mine.toml:12: signature.tolerance: there is no time to hold against it
      fix: say where it stands: timestamp = { ... }
    pushpull: mine.toml:12: signature.sides: there is no tolerance to have sides
      fix: add one, or remove it
    pushpull: mine.toml:12: signature.entry: "v1=" does not end in {signature}, its only placeholder
      fix: write "v1={signature}"
    pushpull: mine.toml:12: signature.timestamp: the time is not signed, so that anybody can write a new one
      fix: sign it: {timestamp}, or {body} where it stands in there; or remove it
    pushpull: mine.toml:12: signature.timestamp.unit: "h" is unknown
      fix: did you mean "s"?
    pushpull: mine.toml:12: signature.timestamp.body: "t" is no JSON pointer: a JSON pointer begins with '/', and has '~' only in '~0' and '~1'
      fix: write "/data/object/id" for data.object.id
    pushpull: mine.toml:12: signature.timestamp: a time stands in one place
      fix: write one of header = "X-Timestamp", entry = "t={timestamp}" and body = "/timestamp"
    pushpull: mine.toml:12: signature.timestamp.entry: the signature's header has one entry only
      fix: say what lies between its entries: separator = ","
    pushpull: mine.toml:13: signature.tolerance: 'parsecs' is no unit of time
      fix: write a number and a unit: "250ms", "60s", "5min", "1h 30min", "3d"
    pushpull: mine.toml:12: signature.also.0.entry: another kind of signature begins so
      fix: give it a mark of its own
    pushpull: mine.toml:7: signature.separator: two kinds of signature share a header that has one entry only
      fix: say what lies between entries, or give each a header
    pushpull: mine.toml:10: signature.header: "X S" is no header name
      fix: write letters, digits and '-', such as "X-Signature"
    pushpull: mine.toml:13: event.id: no place is named
      fix: write { header = "X-Id" }, or { body = "/id" }, a JSON pointer
    pushpull: mine.toml:13: event.dedupe: there is no id
      fix: say where it is, or write "digest"
    pushpull: mine.toml:13: delivery.retry.1: 'soon' is no duration
      fix: write a number and a unit: "250ms", "60s", "5min", "1h 30min", "3d"
    pushpull: mine.toml:13: delivery.retry.factor: 0.5 is out of bounds
      fix: write a number from 1 to 1000
    pushpull: mine.toml:13: delivery.retry: is written in none of the ways that it can be
      fix: write it as in a scenario's [[provider]]; `pushpull schema` says what it takes
    pushpull: mine.toml:13: delivery.ack_timout: unknown key
      fix: did you mean "ack_timeout"?
    pushpull: mine.toml:13: pull.rate_limit.rate: '2' is no rate
      fix: write a count per unit of time: "20/s", "90/min", "40000/day"
    pushpull: mine.toml:14: handshake.body: is no JSON with "ping" at /type
      fix: write it there, or change mark
    pushpull: mine.toml:12: handshake: no answer is named
      fix: add echo = "/challenge", a JSON pointer, or status = 204
    pushpull: mine.toml:14: handshake.body: the challenge is not at /challenge
      fix: write "{{challenge}}" there
    pushpull: mine.toml:15: handshake.status: is no success
      fix: write 200 to 299
    pushpull: mine.toml:1: assumed.0: "delivery.retry" is no key of this file
      fix: write it as "delivery.retry", or remove it
    "#);
}

/// A provider that is none of ours, as a file and nothing else.
#[test]
fn a_profile_of_ones_own_verifies_what_it_should() {
    let work = tempfile::tempdir().unwrap();
    for name in ["square", "hubspot", "linear", "paddle"] {
        let text = pushpull::profile::embedded_profile(name).unwrap().text;
        std::fs::write(work.path().join(format!("{name}.toml")), text.replacen(name, "mine", 1)).unwrap();
        let path = work.path().join(format!("{name}.toml"));
        for vector in vectors().into_iter().filter(|vector| vector.scheme == name) {
            let mut mine = vector.clone();
            mine.scheme = path.to_str().unwrap().to_owned();
            let output = mine.on_the_command_line();
            let what = String::from_utf8_lossy(&output.stderr).into_owned();
            assert_eq!(output.status.code(), Some(i32::from(!vector.is_valid())), "{name} {}: {what}", vector.name);
        }
    }
}

#[test]
fn github_sends_sha1_as_well_and_never_takes_it_for_enough() {
    let signed = with_body(&["sign", "--profile", "github", "--secret", "s"], b"{}");
    let lines = String::from_utf8(signed.stdout).unwrap();
    let old = lines.lines().find(|line| line.starts_with("X-Hub-Signature: sha1=")).expect("the older header");
    let verdict = with_body(&["verify", "--profile", "github", "--secret", "s", "--header", old], b"{}");
    assert_eq!(verdict.status.code(), Some(1));
    assert!(profile("github").scheme.unwrap().ways.iter().any(|way| !way.accepted));
}
