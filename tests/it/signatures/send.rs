//! `send`: what arrives is what the provider would have sent, and what comes of it is told.

use std::process::Output;

use pushpull::wire::scheme::{Check, Request};
use serde_json::Value;

use super::profile;
use crate::{
    control_api::http::{Receiver, Webhook},
    support::pushpull,
};

const SECRET: &str = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
const VARIABLE: &str = "A_SECRET_FOR_A_TEST";

fn send(args: &[&str]) -> Output {
    let mut command = pushpull(std::path::Path::new("."));
    command.arg("send").args(args).env(VARIABLE, SECRET).stdin(std::process::Stdio::null());
    command.output().expect("run the program")
}

/// What the program says of it, without what differs from run to run: ports, times, fresh ids.
fn said(args: &[&str]) -> String {
    let output = send(args);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let all = format!("{} {}{}", output.status.code().unwrap_or(-1), text(&output.stdout), text(&output.stderr));
    let word = |word: &str| match word {
        _ if (word.starts_with("evt_") || word.starts_with("msg_")) && word.ends_with("_0000000001,") => {
            "FRESH,".to_owned()
        }
        _ if word.starts_with("http://127.0.0.1:") && word.ends_with("/hook") => "URL".to_owned(),
        _ => word.to_owned(),
    };
    let line = |line: &str| {
        let words: Vec<String> = line.split(' ').map(word).collect();
        let timed = |at: usize| words.get(at + 1).is_some_and(|next| next.trim_end_matches([':', ',']) == "ms");
        let words = words.iter().enumerate().map(|(at, word)| if timed(at) { "N" } else { word.as_str() });
        words.collect::<Vec<_>>().join(" ") + "\n"
    };
    all.lines().map(line).collect()
}

fn to<'a>(receiver: &'a Receiver, name: &'a str) -> Vec<&'a str> {
    vec!["--profile", name, "--secret-env", VARIABLE, "--to", &receiver.url]
}

/// Whether a receiver of that provider, at that URL, takes it for genuine now.
fn is_genuine(name: &str, url: &str, webhook: &Webhook) -> Result<(), String> {
    let profile = profile(name);
    let scheme = profile.scheme.as_ref().expect("a scheme");
    let headers: Vec<(String, Vec<u8>)> =
        webhook.head.iter().map(|(name, value)| (name.clone(), value.clone().into_bytes())).collect();
    let now_unix_ms = pushpull::live::clock::now_unix_ms();
    let check = Check { now_unix_ms, tolerance: scheme.tolerance };
    let request = Request { url, method: "POST", body: &webhook.body };
    let verdict = scheme.verify(&[scheme.verify_key(SECRET).unwrap()], headers.as_slice(), &request, check);
    verdict.map(|_| ()).map_err(|refusal| refusal.to_string())
}

#[test]
fn what_is_sent_is_genuine_to_a_receiver_of_every_provider() {
    let receiver = Receiver::start();
    for one in pushpull::profile::PROFILES {
        // Discord's key is not of this form; Linear's payload holds a time that has passed.
        if matches!(one.name, "discord" | "datadog" | "linear") {
            continue;
        }
        let output = send(&to(&receiver, one.name));
        assert!(output.status.success(), "{}: {}", one.name, String::from_utf8_lossy(&output.stderr));
        let webhook = receiver.next();
        assert_eq!(is_genuine(one.name, &receiver.url, &webhook), Ok(()), "{}", one.name);
        let profile = profile(one.name);
        assert_eq!(webhook.body, profile.payloads[0].sample(&profile), "{}", one.name);
        assert_eq!(webhook.header("content-type"), "application/json");
    }
    assert!(send(&["--profile", "datadog", "--to", &receiver.url]).status.success());
    assert!(receiver.next().header("content-length").parse::<usize>().is_ok_and(|length| length > 100));
}

#[test]
fn a_captured_body_is_sent_byte_for_byte_with_the_headers_that_are_asked_for() {
    let work = tempfile::tempdir().unwrap();
    let file = work.path().join("body");
    std::fs::write(&file, b"{ \"a\" : 1.0 }\n\xff").unwrap();
    let receiver = Receiver::start();
    let body = ["--body", file.to_str().unwrap()];
    let extra = ["--event", "issues", "--id", "guid-1", "--header", "User-Agent: mine", "--header", "X-More: 1"];
    let output = send(&[to(&receiver, "github").as_slice(), &body, &extra].concat());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let webhook = receiver.next();
    assert_eq!(webhook.body, b"{ \"a\" : 1.0 }\n\xff");
    assert_eq!(is_genuine("github", &receiver.url, &webhook), Ok(()));
    for (name, value) in
        [("x-github-event", "issues"), ("x-github-delivery", "guid-1"), ("user-agent", "mine"), ("x-more", "1")]
    {
        assert_eq!(webhook.header(name), value);
    }
    // An id in a header is signed where the scheme signs it; GitLab says it twice.
    let id = ["--header", "webhook-id: msg_7", "--event", "Push Hook"];
    assert!(send(&[to(&receiver, "gitlab").as_slice(), &body, &id].concat()).status.success());
    let webhook = receiver.next();
    assert_eq!((webhook.header("webhook-id"), webhook.header("idempotency-key")), ("msg_7", "msg_7"));
    assert_eq!(is_genuine("gitlab", &receiver.url, &webhook), Ok(()));
    // Behind a proxy a receiver knows itself by another URL.
    let url = "https://example.com/hook";
    assert!(send(&[to(&receiver, "square").as_slice(), &body, &["--url", url]].concat()).status.success());
    assert_eq!(is_genuine("square", url, &receiver.next()), Ok(()));
}

#[test]
fn copies_are_the_same_request_and_a_lost_ack_is_followed_by_a_retry() {
    let receiver = Receiver::start();
    let copies: [&[&str]; 2] = [&["--copies", "3"], &["--copies", "40", "--concurrent"]];
    for args in copies {
        let count: usize = args[1].parse().unwrap();
        assert!(send(&[to(&receiver, "svix").as_slice(), args].concat()).status.success());
        let first = receiver.next();
        for _ in 1..count {
            let copy = receiver.next();
            assert_eq!((&copy.head, &copy.body), (&first.head, &first.body));
        }
        assert!(!receiver.has_more());
    }
    let lost = said(&[to(&receiver, "svix").as_slice(), &["--drop-ack"]].concat());
    insta::assert_snapshot!(lost, @r#"
    0 invoice.paid FRESH, 126 bytes, signed in svix-signature, to URL
    attempt 1: answered in N ms, and left unread
    attempt 2: 200 in N ms
    acked when it was sent again
    "#);
    let (first, second) = (receiver.next(), receiver.next());
    assert_eq!((first.header("svix-id"), &first.body), (second.header("svix-id"), &second.body));
    for webhook in [&first, &second] {
        assert_eq!(is_genuine("svix", &receiver.url, webhook), Ok(()));
    }
}

#[test]
fn what_came_of_it_is_told() {
    let receiver = Receiver::start();
    let stripe = |more: &[&str]| said(&[to(&receiver, "stripe").as_slice(), more].concat());
    let mut told = stripe(&[]);
    receiver.answers(500);
    told += &stripe(&["--copies", "2"]);
    told += &stripe(&["--drop-ack"]);
    receiver.answers(302);
    told += &stripe(&[]);
    insta::assert_snapshot!(told, @r#"
    0 invoice.paid evt_00c0ffee0001_0000000007, 353 bytes, signed in Stripe-Signature, to URL
    attempt 1: 200 in N ms
    acked
    1 invoice.paid evt_00c0ffee0001_0000000007, 353 bytes, signed in Stripe-Signature, to URL
    attempt 1: 500 in N ms: not an ack
    attempt 2: 500 in N ms: not an ack
    not acked: 2 of 2
    1 invoice.paid evt_00c0ffee0001_0000000007, 353 bytes, signed in Stripe-Signature, to URL
    attempt 1: answered in N ms, and left unread
    attempt 2: 500 in N ms: not an ack
    not acked: 1 of 2
    1 invoice.paid evt_00c0ffee0001_0000000007, 353 bytes, signed in Stripe-Signature, to URL
    attempt 1: 302 in N ms: not an ack
    not acked
    "#);
    let output = send(&[to(&receiver, "stripe").as_slice(), &["--copies", "2", "--json"]].concat());
    assert_eq!(output.status.code(), Some(1));
    let json: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(
        (&json["profile"], &json["id"], &json["acked"]),
        (&"stripe".into(), &"evt_00c0ffee0001_0000000007".into(), &false.into())
    );
    let attempts = json["attempts"].as_array().unwrap();
    assert!(attempts.len() == 2 && attempts.iter().all(|attempt| attempt["status"] == 302), "{json:#}");
}

/// What an ack is the profile says: GitLab takes a redirect for one, Discord's events nothing but 204.
#[test]
fn each_provider_takes_for_an_ack_what_it_takes_for_one() {
    let receiver = Receiver::start();
    let key = "798d579d6622992213605a39c6ac84e85af3f85b217bc844f0a288ccd6f9bd3a";
    let code = |name: &str, status: u16| {
        receiver.answers(status);
        let secret = if name == "discord" { key } else { SECRET };
        let mut command = pushpull(std::path::Path::new("."));
        command.arg("send").args(to(&receiver, name)).env(VARIABLE, secret).output().unwrap().status.code().unwrap()
    };
    assert_eq!([code("gitlab", 302), code("gitlab", 404), code("svix", 302)], [0, 1, 1]);
    assert_eq!([code("discord", 204), code("discord", 200), code("svix", 200)], [0, 1, 0]);
}

/// A first contact is signed, and the answer must be the one that is asked for; the tests' receiver echoes nothing.
#[test]
fn a_handshake_is_signed_and_its_answer_is_checked() {
    let receiver = Receiver::start();
    let discord = |status: u16| {
        receiver.answers(status);
        let key = "798d579d6622992213605a39c6ac84e85af3f85b217bc844f0a288ccd6f9bd3a";
        let mut command = pushpull(std::path::Path::new("."));
        command.arg("send").args(to(&receiver, "discord")).arg("--handshake").env(VARIABLE, key);
        command.output().unwrap().status.code().unwrap()
    };
    assert_eq!([discord(204), discord(200)], [0, 1]);
    let pings: Vec<Value> = (0..2).map(|_| receiver.next().json()).collect();
    assert!(pings.iter().all(|ping| ping["type"] == 0), "{pings:?}");
    receiver.answers(200);
    let mut told = said(&[to(&receiver, "slack").as_slice(), &["--handshake"]].concat());
    let webhook = receiver.next();
    assert_eq!(is_genuine("slack", &receiver.url, &webhook), Ok(()));
    assert!(webhook.json()["challenge"].as_str().is_some_and(|challenge| challenge.len() > 10));
    told += &said(&[to(&receiver, "stripe").as_slice(), &["--handshake"]].concat());
    insta::assert_snapshot!(told, @r#"
    1 a handshake, which asks for the challenge at /challenge back, 81 bytes, signed in X-Slack-Signature, to URL
    attempt 1: the answer does not hold the challenge, neither by itself nor in JSON at /challenge
    not acked
    2 pushpull: --handshake: stripe asks nothing before its first delivery
      fix: remove it
    "#);
}

/// Nobody listens on port 1; somebody who never answers is cut off in time.
#[test]
fn nobody_there_and_no_answer_are_told() {
    let work = tempfile::tempdir().unwrap();
    let quick = pushpull::profile::embedded_profile("datadog").unwrap().text.replace("\"15s\"", "\"20ms\"");
    let file = work.path().join("quick.toml");
    std::fs::write(&file, quick).unwrap();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    let args = ["--profile", file.to_str().unwrap(), "--to", &url];
    let mut told = said(&args);
    told += &said(&[args.as_slice(), &["--drop-ack"]].concat());
    told += &said(&[args.as_slice(), &["--copies", "2", "--concurrent"]].concat());
    told += &said(&["--profile", "datadog", "--to", "http://127.0.0.1:1/hook"]);
    insta::assert_snapshot!(told, @r#"
    1 query_alert_monitor evt_00c0ffee0001_0000000007, 283 bytes, unsigned, to URL
    attempt 1: no whole answer within 20ms
    not acked
    1 query_alert_monitor evt_00c0ffee0001_0000000007, 283 bytes, unsigned, to URL
    attempt 1: no whole answer within 20ms
    attempt 2: no whole answer within 20ms
    not acked: 2 of 2
    1 query_alert_monitor evt_00c0ffee0001_0000000007, 283 bytes, unsigned, to URL
    attempt 1: no whole answer within 20ms
    attempt 2: no whole answer within 20ms
    not acked: 2 of 2
    1 query_alert_monitor evt_00c0ffee0001_0000000007, 283 bytes, unsigned, to URL
    attempt 1: no connection after N ms: nobody answers there
    not acked
    "#);
}

#[test]
fn bad_usage_of_send_names_the_key_and_the_fix() {
    let work = tempfile::tempdir().unwrap();
    let bare = pushpull::profile::embedded_profile("github").unwrap().text.split("[[payload]]").next().unwrap();
    let file = work.path().join("bare.toml");
    std::fs::write(&file, bare).unwrap();
    let bare = file.to_str().unwrap();
    let here = "http://127.0.0.1:1/hook";
    let stripe =
        |more: &[&str]| said(&[&["--profile", "stripe", "--secret-env", VARIABLE, "--to", here], more].concat());
    let other = |name: &str, more: &[&str]| {
        said(&[&["--profile", name, "--secret-env", VARIABLE, "--to", here], more].concat()).replace(bare, "bare.toml")
    };
    let target = |to: &str, more: &[&str]| {
        said(&[&["--profile", "stripe", "--secret-env", VARIABLE, "--to", to], more].concat())
    };
    let cases = [
        target("http://192.0.2.1/hook", &[]),
        target("http://[2001:db8::1]/hook", &[]),
        target("https://127.0.0.1/hook", &[]),
        target("127.0.0.1:8080", &[]),
        target("http://me:hunter2@127.0.0.1/hook", &[]),
        target("http://127.0.0.1:99999/hook", &[]),
        target(here, &["--allow-target", "example.com"]),
        said(&["--profile", "stripe", "--to", here]),
        said(&["--profile", "stripe", "--to", here, "--secret-env", "NO_SUCH_VARIABLE_9"]),
        stripe(&["--event", "invoice.pai"]),
        stripe(&["--body", "no-such-file"]),
        stripe(&["--body", "Cargo.toml", "--event", "x"]),
        stripe(&["--id", "evt_1"]),
        other("svix", &["--id", "two words"]),
        stripe(&["--header", "Stripe-Signature: t=1,v1=00"]),
        stripe(&["--header", "Content-Length: 3"]),
        stripe(&["--header", "X-A: 1", "--header", "x-a: 2"]),
        stripe(&["--header", "X-A: 1\r\nX-B: 2"]),
        other("github", &["--body", "Cargo.toml"]),
        other(bare, &[]),
        other("strype", &[]),
    ];
    insta::assert_snapshot!(cases.join(""), @r#"
    2 pushpull: --to: 192.0.2.1 is not this machine: load goes to loopback only
      fix: write http://127.0.0.1:PORT/PATH; or add --allow-target 192.0.2.1, where whoever runs it has agreed
    2 pushpull: --to: 2001:db8::1 is not this machine: load goes to loopback only
      fix: write http://127.0.0.1:PORT/PATH; or add --allow-target 2001:db8::1, where whoever runs it has agreed
    2 pushpull: --to: "https://127.0.0.1/hook" is not plain HTTP
      fix: write http://127.0.0.1:PORT/PATH; what speaks TLS needs a proxy that ends it
    2 pushpull: --to: "127.0.0.1:8080" is not plain HTTP
      fix: write http://127.0.0.1:PORT/PATH; what speaks TLS needs a proxy that ends it
    2 pushpull: --to: the URL has a user or a password before the host
      fix: remove them, and add --header 'Authorization: ...'
    2 pushpull: --to: "http://127.0.0.1:99999/hook" is no URL (its port is no number from 1 to 65535)
      fix: write http://127.0.0.1:PORT/PATH
    2 pushpull: --allow-target example.com: --to goes to another host
      fix: write --allow-target 127.0.0.1, or remove it
    2 pushpull: no secret
      fix: add --secret-env VARIABLE
    2 pushpull: --secret-env NO_SUCH_VARIABLE_9: there is no such environment variable
      fix: set it for this command: NO_SUCH_VARIABLE_9=... pushpull ...
    2 pushpull: stripe has no [[payload]] for the event "invoice.pai"
      fix: did you mean "invoice.paid"?; or add --body FILE
    2 pushpull: --body: cannot read no-such-file: No such file or directory (os error 2)
    2 pushpull: --event: stripe says the type in the body, at /type
      fix: write it there and remove --event
    2 pushpull: --id: stripe says the id in the body, at /id
      fix: write it there and remove --id
    2 pushpull: --id: no receiver reads it
      fix: write 1 to 256 ASCII letters, digits and signs
    2 pushpull: --header Stripe-Signature: is made by signing, anew for each attempt
      fix: remove it
    2 pushpull: --header Content-Length: is written for the request that is sent
      fix: remove it
    2 pushpull: --header x-a: is there twice
      fix: keep one of them
    2 pushpull: the header X-A cannot hold what is to stand in it: a line end, or another control character
    2 pushpull: github says the type in the header X-GitHub-Event
      fix: add --event TYPE, such as --event "push"
    2 pushpull: github has no [[payload]] to send
      fix: add --body FILE
    2 pushpull: "strype" is no profile
      fix: did you mean "stripe"?; a file needs its ending, such as mine.toml
    "#);
}
