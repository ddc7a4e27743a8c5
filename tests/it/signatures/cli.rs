//! `verify`, `sign` and `profiles` as people see them.

use std::process::Output;

use super::{vectors, with_body};
use crate::support::pushpull;

const NOW: &str = "1760000000";
const SECRET: &str = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

fn said(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    format!("{} {}{}", output.status.code().unwrap_or(-1), text(&output.stdout), text(&output.stderr))
}

fn verify(args: &[&str]) -> String {
    said(&with_body(&[&["verify", "--now", NOW], args].concat(), br#"{"amount":1299}"#))
}

#[test]
fn a_refusal_says_exactly_what_is_wrong() {
    let stripe = |header: &str| verify(&["--profile", "stripe", "--secret", SECRET, "--header", header]);
    let many = format!("Stripe-Signature: t={NOW}{}", ",v1=00".repeat(70));
    let long = format!("Stripe-Signature: t={NOW},v1={}", "0".repeat(9_000));
    let twice = ["--header", "X-Slack-Signature: v0=00", "--header", "x-slack-signature: v0=00"];
    let slack = ["--profile", "slack", "--secret", "s", "--header", "X-Slack-Request-Timestamp: 1760000000"];
    let cases = [
        verify(&["--profile", "svix", "--secret", SECRET]),
        stripe("Stripe-Signature: "),
        stripe("Stripe-Signature: v1=00"),
        stripe("Stripe-Signature: t=17600000OO,v1=00"),
        stripe("Stripe-Signature: t=1760000000,t=1760000000,v1=00"),
        stripe("Stripe-Signature: t=1760000000,v0=00"),
        stripe("Stripe-Signature: t=1760000000,v1=00"),
        stripe("Stripe-Signature: t=1760000000,v1=é"),
        stripe(&many),
        stripe(&long),
        verify(&[slack.as_slice(), &twice].concat()),
        verify(&["--profile", "gitlab-token", "--secret", "a", "--secret", "b", "--header", "x-gitlab-token: c"]),
        verify(&["--profile", "datadog", "--secret", "a"]),
    ];
    insta::assert_snapshot!(cases.join(""), @r#"
    1 refused: the header svix-id or webhook-id is missing
    1 refused: the header Stripe-Signature is empty
    1 refused: the header Stripe-Signature has no entry that begins with "t="
    1 refused: the timestamp is not a whole number of Unix seconds
    1 refused: the header Stripe-Signature has two timestamps
    1 refused: the header Stripe-Signature has no entry that begins with "v1="
    1 refused: no signature in the header Stripe-Signature is written as 64 lowercase hex digits
    1 refused: the header Stripe-Signature is not printable ASCII
    1 refused: the header Stripe-Signature has more than 64 entries
    1 refused: the header Stripe-Signature has 9016 bytes; 8192 are read
    1 refused: the header X-Slack-Signature is there more than once
    1 refused: the token differs from each of 2
    1 refused: datadog signs nothing, so that nothing tells who sent this
    "#);
}

#[test]
fn bad_usage_is_told_from_a_bad_signature() {
    let cases = [
        verify(&["--profile", "strype", "--secret", SECRET]),
        verify(&["--profile", "stripe"]),
        verify(&["--profile", "stripe", "--secret", " "]),
        verify(&["--profile", "stripe", "--secret-env", "NO_SUCH_VARIABLE_9"]),
        verify(&["--profile", "svix", "--secret", "whsec_!!"]),
        verify(&["--profile", "svix", "--secret", "whsk_AAAA"]),
        verify(&["--profile", "discord", "--secret", "00"]),
        verify(&["--profile", "discord", "--secret", "zz"]),
        verify(&["--profile", "square", "--secret", "s", "--header", "x-square-hmacsha256-signature: AA=="]),
        verify(&["--profile", "github", "--secret", "s", "--tolerance", "300"]),
        verify(&["--profile", "github", "--secret", "s", "--header", "no colon"]),
    ];
    insta::assert_snapshot!(cases.join(""), @r#"
    2 pushpull: "strype" is no profile
      fix: did you mean "stripe"?; a file needs its ending, such as mine.toml
    2 pushpull: no secret
      fix: add --secret-env VARIABLE, or --secret SECRET
    2 pushpull: secret 1 of 1: the secret is empty
    2 pushpull: --secret-env NO_SUCH_VARIABLE_9: there is no such environment variable
      fix: set it for this command: NO_SUCH_VARIABLE_9=... pushpull ...
    2 pushpull: secret 1 of 1: the secret is not base64 behind "whsec_"
    2 pushpull: secret 1 of 1: "whsk_..." is the key that signs: a receiver holds the public key
    2 pushpull: secret 1 of 1: an Ed25519 key has 32 bytes, this one has 1
    2 pushpull: secret 1 of 1: the key is not hex
    2 pushpull: square signs the URL
      fix: add --url, as the sender knows it
    2 pushpull: --tolerance: github does not say when a request was signed
      fix: remove it, and tell copies by their ids
    2 pushpull: --header: no name and value
      fix: write --header 'Name: value'
    "#);
}

#[test]
fn what_is_signed_is_verified_by_every_profile() {
    let body = "{\"webhookTimestamp\":1760000000000,\"text\":\"Zażółć\"}".as_bytes();
    // Seeds and public keys of Ed25519, from the published vectors.
    let pairs = [
        (
            "discord",
            "798d579d6622992213605a39c6ac84e85af3f85b217bc844f0a288ccd6f9bd3a",
            "c5c5f8e6a081f7b5548015b4df18071b6494c23d22db466c3837c2d5573e9816",
        ),
        (
            "standard-webhooks",
            "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg==",
            "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=",
        ),
    ];
    let mut cases = pairs.to_vec();
    for one in pushpull::profile::PROFILES {
        if !matches!(one.name, "discord" | "datadog") {
            cases.push((one.name, SECRET, SECRET));
        }
    }
    for (profile, signing, verifying) in cases {
        let common = ["--profile", profile, "--now", NOW, "--url", "https://example.com/hook"];
        let signed = with_body(&[&["sign", "--secret", signing], common.as_slice()].concat(), body);
        assert_eq!(signed.status.code(), Some(0), "{profile}: {}", said(&signed));
        let lines = String::from_utf8(signed.stdout).unwrap();
        assert!(lines.lines().count() >= 1, "{profile}");
        let mut args = [&["verify", "--secret", verifying], common.as_slice()].concat();
        lines.lines().for_each(|line| args.extend(["--header", line]));
        let genuine = with_body(&args, body);
        assert_eq!(genuine.status.code(), Some(0), "{profile}: {lines}{}", said(&genuine));
        // A token says nothing of the body.
        let other = with_body(&args, b"{\"webhookTimestamp\":1760000000000}");
        assert_eq!(other.status.code(), Some(i32::from(profile != "gitlab-token")), "{profile}: {}", said(&other));
    }
}

#[test]
fn secrets_may_come_from_the_environment_and_a_rotation_signs_with_each() {
    let args =
        ["sign", "--profile", "stripe", "--now", NOW, "--secret", "old", "--secret-env", "NEW_SECRET_FOR_A_TEST"];
    let mut sign = pushpull(std::path::Path::new("."));
    let signed = sign.args(args).env("NEW_SECRET_FOR_A_TEST", "new").output().unwrap();
    let header = String::from_utf8(signed.stdout).unwrap();
    assert_eq!(header.matches("v1=").count(), 2, "{header}");
    for secret in ["old", "new"] {
        let args = ["verify", "--now", NOW, "--profile", "stripe", "--secret", secret, "--header", header.trim_end()];
        assert_eq!(with_body(&args, b"").status.code(), Some(0), "{secret}");
    }
}

#[test]
fn every_scheme_of_the_vectors_is_the_name_of_a_profile() {
    for vector in vectors() {
        let shown = pushpull(std::path::Path::new(".")).args(["profiles", "show", &vector.scheme]).output().unwrap();
        assert!(shown.status.success(), "{}", vector.scheme);
    }
}

#[test]
fn profiles_are_listed_with_source_and_confidence_and_shown() {
    let run = |args: &[&str]| {
        let output = pushpull(std::path::Path::new(".")).arg("profiles").args(args).output().unwrap();
        assert!(output.status.success(), "{args:?}: {}", said(&output));
        String::from_utf8(output.stdout).unwrap()
    };
    let list = run(&[]);
    for one in pushpull::profile::PROFILES {
        assert!(list.lines().any(|line| line.starts_with(&format!("{} ", one.name))), "{} in {list}", one.name);
        assert_eq!(run(&["show", one.name, "--toml"]), one.text);
        let shown = run(&["show", one.name]);
        for part in ["Signature", "Event", "Sources"] {
            assert!(shown.lines().any(|line| line == part), "{}: no {part} in {shown}", one.name);
        }
    }
    for word in ["documented: docs.stripe.com", "third-party: linear.app", "assumed: delivery.ack_timeout"] {
        assert!(list.contains(word), "{word} in {list}");
    }
    assert!(run(&["show", "stripe"]).contains("(assumed: not published)"));
    insta::assert_snapshot!(run(&["show", "slack"]), @r#"
    slack
    Slack: Events API

    Signature
      HMAC-SHA256: X-Slack-Signature: v0={signature}
        of v0:{timestamp}:{body}, as lowercase hex; key: the whole text
      time: header X-Slack-Request-Timestamp, in s; off by 5min at most, either way

    Event
      id           body /event_id
      type         body /event/type
      subject      body /event/channel
      version      not told
      occurred_at  body /event_time
      copies       by id

    Delivery
      ack_timeout        "3s"
      auto_disable       { ratio = { above = 0.95, least_events = 1000, window = "60min" } }
      drop_above         "30000/h"
      give_up_after      "2h"
      retry              ["0s", "1min", "5min"]
      retry_headers      { number = "x-slack-retry-num", reason = "x-slack-retry-reason" }
      stop_headers       { give_up = ["x-slack-no-retry: 1"] }
      user_agent         "Slackbot 1.0 (+https://api.slack.com/robots)"

    Pull API
      rate_limit         { burst = 50, per = "client", rate = "50/min" }

    Handshake
      before the first delivery; asks for the challenge at /challenge back

    Payloads
      message

    Sources
      documented: signature
        docs.slack.dev on verifying requests; slack_sdk 3.47.0 and @slack/bolt 5.1.0, read and run
      documented: three seconds, retries at once, after 1 min and 5 min, redirects, disabling
        docs.slack.dev/apis/events-api
      documented: conversations.history: tier 3
        docs.slack.dev/apis/web-api/rate-limits; reference/methods/conversations.history
    "#);
}
