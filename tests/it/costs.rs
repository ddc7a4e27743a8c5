//! Bills: made from a dated price list that a user's own replaces, and refused with the line where it is wrong.

use crate::support::{pushpull, run, run_in};

/// Pollers and a webhook for a virtual hour: 3,599 events, 360 polls of each of two clients.
const BOTH: &str = r#"
title    = "An hour of both"
modes    = ["virtual"]
duration = "1h"
[workload]
arrivals = { kind = "constant", rate = "1/s" }
[[provider]]
retry = ["1s", "2s", "4s", "8s", "16s", "32s"]
[[consumer]]
name     = "poll"
kind     = "polling"
clients  = 2
ledger   = "none"
strategy = { kind = "fixed", interval = "10s" }
[[consumer]]
name     = "held"
kind     = "polling"
ledger   = "none"
strategy = { kind = "long-poll", hold = "10s" }
[[consumer]]
name       = "webhook"
kind       = "webhook"
ledger_ttl = "1d"
[[fault]]
kind     = "drop-request"
consumer = "webhook"
every    = 4
attempts = [1]
"#;

/// One cent for everything, and no assumption but a second.
const CENTS: &str = r#"
name     = "Cents"
currency = "EUR"
dated    = "2026-01-01"
[[price]]
name   = "call"
unit   = "request"
amount = 0.01
source = "us"
dated  = "2026-01-01"
[[price]]
name   = "room"
unit   = "GB-s"
amount = 0.01
source = "us"
dated  = "2026-01-01"
[[price]]
name   = "shelf"
unit   = "GB-month"
amount = 0.01
source = "us"
dated  = "2026-01-01"
[[price]]
name   = "rent"
unit   = "month"
amount = 7
source = "us"
dated  = "2026-01-01"
[consumer]
webhook = [{ price = "call", times = 2 }]
poll    = [{ price = "room", memory_gb = 1, duration = "1s" }]
month   = [{ price = "rent" }]
ledger  = [{ price = "shelf", bytes = 1e9 }]
[provider]
webhook = [{ price = "call" }]
poll    = [{ price = "call" }]
"#;

fn paid(run: &crate::support::Run, consumer: &str, side: &str) -> f64 {
    run.consumer(consumer)["cost"][side]["per_month"].as_f64().expect("a bill")
}

#[test]
fn a_bill_is_the_counts_of_a_month_times_the_prices_of_ones_own_list() {
    let work = tempfile::tempdir().unwrap();
    std::fs::write(work.path().join("cents.toml"), CENTS).unwrap();
    let named = format!("{BOTH}\n[cost]\nprices = \"cents.toml\"\n[expect]\n\"poll.cost_per_month.provider\" = 5184\n");
    let run = run_in(work.path(), "out", &named, &[]);
    assert_eq!(run.output.status.code(), Some(0), "{}", run.stdout());
    let near = |found: f64, wanted: f64| assert!((found - wanted).abs() < 1e-6 * wanted, "{found}, not {wanted}");
    // 720 hours of 720 polls, a cent each; the consumer's run a second each, and it pays its rent.
    near(paid(&run, "poll", "provider"), 5_184.0);
    near(paid(&run, "poll", "consumer"), 5_184.0 + 7.0);
    // 3,599 events an hour, every fourth sent once more, which is not the consumer's concern: two calls each,
    // and a day's worth of ids on the shelf.
    near(paid(&run, "webhook", "provider"), 720.0 * (3_599.0 + 899.0) * 0.01);
    near(paid(&run, "webhook", "consumer"), 720.0 * 3_599.0 * 0.02 + 24.0 * 3_599.0 * 0.01 + 7.0);
    // A long poll is held all month, beside the second that each takes.
    let polls = paid(&run, "held", "provider") / 0.01;
    near(paid(&run, "held", "consumer"), (polls + 2_592_000.0) * 0.01 + 7.0);
    assert_eq!(run.consumer("poll")["cost"]["prices_dated"], "2026-01-01");
    let said = run.stdout();
    assert!(said.contains("What a month costs (Cents, 2026-01-01)") && said.contains("€5,184"), "{said}");
    // The option goes before the scenario's own list, and into the command that runs it again.
    let other = run_in(work.path(), "other", &named, &["--prices", "aws-us-east-1"]);
    assert_eq!(other.consumer("poll")["cost"]["prices"], "AWS us-east-1");
    assert!(other.results["reproduce"].as_str().unwrap().contains("--prices aws-us-east-1"), "{}", other.results);
}

#[test]
fn what_nobody_priced_is_not_observed() {
    let text = format!("{BOTH}\n[cost]\nprices = \"none\"\n[expect]\n\"poll.cost_per_month.consumer\" = \"< 1e9\"\n");
    let (run, _work) = run(&text, &[]);
    assert!(run.consumer("poll")["cost"].is_null());
    assert_eq!(run.output.status.code(), Some(1), "{}", run.stdout());
    assert!(!run.stdout().contains("What a month costs"));
}

#[test]
fn the_list_in_the_binary_is_printed_and_reads_back() {
    let work = tempfile::tempdir().unwrap();
    let output = pushpull(work.path()).arg("prices").output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let list = pushpull::scenario::price_list(&text, "printed").unwrap();
    assert_eq!((list.name.as_str(), list.currency.as_str()), ("AWS us-east-1", "USD"));
}

#[test]
fn a_wrong_price_list_is_refused_with_key_line_and_fix() {
    let work = tempfile::tempdir().unwrap();
    let scenario = format!("{BOTH}\n[cost]\nprices = \"mine.toml\"\n");
    std::fs::write(work.path().join("s.toml"), &scenario).unwrap();
    let refused = |args: &[&str]| {
        let output = pushpull(work.path()).arg("run").arg("s.toml").args(args).output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        assert!(output.stdout.is_empty() && !work.path().join("pushpull-out").exists());
        String::from_utf8(output.stderr).unwrap()
    };
    let mut said = refused(&[]).replace("No such file or directory (os error 2)", "it is not there");
    said += &refused(&["--prices", "gold"]);
    for (from, to) in [
        ("amount = 7", "amount = -7"),
        ("amount = 7", "amuont = 7"),
        ("unit   = \"month\"", "unit   = \"fortnight\""),
        ("price = \"room\"", "price = \"roam\""),
        ("memory_gb = 1, ", ""),
        ("duration = \"1s\"", "duration = \"1\""),
        ("price = \"call\", times = 2", "price = \"call\", bytes = 2"),
        ("price = \"rent\"", "price = \"shelf\", bytes = 1"),
        ("name   = \"rent\"", "name   = \"call\""),
        ("dated    = \"2026-01-01\"\n", ""),
        ("amount = 7", "amount = 7\nbeyond = [{ from = 0, amount = 1 }]"),
    ] {
        std::fs::write(work.path().join("mine.toml"), CENTS.replacen(from, to, 1)).unwrap();
        said += &refused(&[]);
    }
    insta::assert_snapshot!(said, @r#"
    pushpull: s.toml:31: cost.prices: cannot read mine.toml: it is not there
      fix: name a price file; `pushpull prices` prints one to start from
    pushpull: --prices: gold: "gold" is no price list
      fix: write a file such as "mine.toml", "aws-us-east-1" or "none"
    pushpull: mine.toml:26: price.rent.amount: -7 is no amount
      fix: write a number from 0
    pushpull: mine.toml:26: amuont: unknown key
      fix: did you mean "amount"?
    pushpull: mine.toml:25: price.rent.unit: "fortnight" is unknown
      fix: write one of: request, GB-s, GB, GB-month, month
    pushpull: mine.toml:31: consumer.poll.0.price: there is no price "roam"
      fix: did you mean "room"?
    pushpull: mine.toml:31: consumer.poll.0.memory_gb: is missing
      fix: a price per GB-s needs memory_gb and duration
    pushpull: mine.toml:31: consumer.poll.0.duration: '1' has no unit
      fix: write a number and a unit: "250ms", "60s", "5min", "1h 30min", "3d"
    pushpull: mine.toml:30: consumer.webhook.0.bytes: a price per request has no use for it
      fix: remove it
    pushpull: mine.toml:32: consumer.month.0.price: a price per GB-month does not fit under month
      fix: use a price whose unit is request or month
    pushpull: mine.toml:24: price.call.name: "call" is there twice
      fix: give each price its own name
    pushpull: mine.toml:1: missing field `dated`
      fix: `pushpull prices` prints one to start from
    pushpull: mine.toml:27: price.rent.beyond.0.from: 0 units do not lie above the tier before
      fix: write the tiers in ascending order, each from a number of units a month
    "#);
}
