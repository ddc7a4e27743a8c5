//! Advice: a recommendation from plain numbers, what it rests on, and the scenario that anybody can run again.

use serde_json::Value;

use crate::support::pushpull;

/// What `pushpull advise` says, and its exit code.
fn said(dir: &std::path::Path, args: &[&str]) -> (String, Option<i32>) {
    let output = pushpull(dir).arg("advise").args(args).env("COLUMNS", "100").output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap();
    (text, output.status.code())
}

fn advice(args: &[&str]) -> (String, Option<i32>) {
    said(tempfile::tempdir().unwrap().path(), args)
}

#[test]
fn where_events_are_many_polling_wins_and_the_answer_says_where_it_flips() {
    let (text, code) = advice(&["--events", "4000/day", "--peak-at", "12:00", "--fresh", "60s", "--outage", "10min"]);
    assert_eq!(code, Some(0));
    insta::assert_snapshot!(text, @r#"
    Poll every 60 s: 99 % of the events are in effect within 59.5 s (wanted: 60 s), for $0.0297 a month.
    To take webhooks would cost $0.305, 10.3 times as much. Polling wins here. After 10 min away
    long-poll has caught up within 404 ms, webhook within 29.9 min.

    ┌───────────┬──────────┬──────────┬──────────────┬──────────────┬────────────┬───────────┬──────┐
    │ strategy  ┆ age, p99 ┆ requests ┆     consumer ┆     provider ┆    lost in ┆ caught up ┆ goal │
    │           ┆          ┆    a day ┆ pays a month ┆ pays a month ┆ the outage ┆  after it ┆      │
    ╞═══════════╪══════════╪══════════╪══════════════╪══════════════╪════════════╪═══════════╪══════╡
    │ poll      ┆   59.5 s ┆    1,440 ┆      $0.0297 ┆      $0.0556 ┆          0 ┆    52.9 s ┆ met  │
    │ webhook   ┆  1.23 ms ┆    4,021 ┆       $0.305 ┆       $0.166 ┆          0 ┆  29.9 min ┆ met  │
    │ hybrid    ┆  1.23 ms ┆    4,135 ┆       $0.307 ┆       $0.171 ┆          0 ┆  3.23 min ┆ met  │
    │ long-poll ┆  1.22 ms ┆    5,741 ┆        $5.51 ┆        $5.62 ┆          0 ┆    404 ms ┆ met  │
    └───────────┴──────────┴──────────┴──────────────┴──────────────┴────────────┴───────────┴──────┘

    Where the answer flips
      - at 355 events a day (asked: 4,000): above, polling every 60 s is cheaper for the consumer,
        below, webhooks are
      - at a freshness of 5.32 s (asked: 60 s): polls further apart are cheaper than webhooks, closer
        ones dearer
      - at a poll that costs 2.78 times a webhook (priced: 0.246): a poll brings 2.78 events on average,
        and polling is cheaper while it costs less than they do

    Where the numbers come from
      - ages, requests and bills: a virtual run of 3 d with 12,064 events
      - the outage: the same run once more with the consumer away for 10 min, webhooks refused meanwhile
        and retried by the provider's schedule
      - the flips: closed forms, whose requests lie within 7.73 % of the run's (long-poll)
      - prices: AWS us-east-1, 2026-09-20; a month is 30 days
      - left out: TLS, cold starts, the work of keeping a public endpoint or a scheduler alive

    The scenario that was run: add --save FILE
    "#);
}

#[test]
fn where_events_are_few_and_urgent_webhooks_win() {
    let (text, code) = advice(&["--events", "200/day", "--fresh", "2s", "--api-limit", "30/min", "--clients", "4"]);
    assert_eq!(code, Some(0));
    insta::assert_snapshot!(text, @r#"
    Take webhooks: 99 % of the events are in effect within 1.22 ms (wanted: 2 s), for $0.0153 a month.
    To poll with requests that are held until there is something would cost $21.8, 1,422 times as much.

    ┌───────────┬──────────┬──────────┬──────────────┬──────────────┬──────────────────┐
    │ strategy  ┆ age, p99 ┆ requests ┆     consumer ┆     provider ┆ goal             │
    │           ┆          ┆    a day ┆ pays a month ┆ pays a month ┆                  │
    ╞═══════════╪══════════╪══════════╪══════════════╪══════════════╪══════════════════╡
    │ webhook   ┆  1.22 ms ┆      202 ┆      $0.0153 ┆     $0.00837 ┆ met              │
    │ hybrid    ┆  1.22 ms ┆      586 ┆      $0.0224 ┆      $0.0232 ┆ met              │
    │ poll      ┆    9.9 s ┆   34,560 ┆        $0.64 ┆        $1.33 ┆ not fresh enough │
    │ long-poll ┆  1.22 ms ┆   11,619 ┆        $21.8 ┆          $22 ┆ met              │
    └───────────┴──────────┴──────────┴──────────────┴──────────────┴──────────────────┘

    Where the answer flips
      - at 8,511 events a day (asked: 200): above, polling every 10 s is cheaper for the consumer,
        below, webhooks are
      - at a freshness of 7.09 min (asked: 2 s): polls further apart are cheaper than webhooks, closer
        ones dearer
      - at a poll that costs 0.00579 times a webhook (priced: 0.246): a poll brings 0.00579 events on
        average, and polling is cheaper while it costs less than they do
      - the API's limit allows a poll of each client every 10 s: events that must be fresher have to be
        pushed

    Where the numbers come from
      - ages, requests and bills: a virtual run of 14 d with 2,830 events
      - the flips: closed forms, whose requests lie within 1.07 % of the run's (webhook)
      - prices: AWS us-east-1, 2026-09-20; a month is 30 days
      - left out: TLS, cold starts, the work of keeping a public endpoint or a scheduler alive

    The scenario that was run: add --save FILE
    "#);
}

#[test]
fn where_a_sender_never_repeats_a_webhook_alone_is_not_enough() {
    let args = ["--events", "300/day", "--fresh", "30s", "--outage", "1h", "--retry", "never", "--json"];
    let (text, code) = advice(&args);
    assert_eq!(code, Some(0));
    let advice: Value = serde_json::from_str(&text).unwrap();
    let row = |name: &str| advice["rows"].as_array().unwrap().iter().find(|row| row["strategy"] == name).unwrap();
    assert!(row("webhook")["lost"].as_u64().unwrap() > 0, "{text}");
    assert_eq!(row("hybrid")["lost"], 0);
    assert_eq!(row("hybrid")["misses"], Value::Array(Vec::new()));
}

#[test]
fn millions_of_clients_are_answered_from_a_sample() {
    let (text, code) = advice(&["--events", "1000000/day", "--clients", "1000000", "--fresh", "5min", "--json"]);
    assert_eq!(code, Some(0), "{text}");
    let advice: Value = serde_json::from_str(&text).unwrap();
    assert!(advice["size"]["one_of"].as_f64().unwrap() > 10.0, "{}", advice["size"]);
    for row in advice["rows"].as_array().unwrap() {
        let (run, form) =
            (row["requests_per_day"].as_f64().unwrap(), row["requests_per_day_predicted"].as_f64().unwrap());
        assert!((run / form - 1.0).abs() < 0.05, "{row}");
    }
}

#[test]
fn the_saved_scenario_says_the_same_again() {
    let work = tempfile::tempdir().unwrap();
    let args = ["--events", "500/day", "--fresh", "60s", "--outage", "5min", "--save", "mine.toml", "--json"];
    let (text, code) = said(work.path(), &args);
    assert_eq!(code, Some(0), "{text}");
    let advice: Value = serde_json::from_str(&text).unwrap();
    let output =
        pushpull(work.path()).args(["run", "mine.toml", "--mode", "virtual", "--out", "out"]).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stdout));
    let run = |case: &str| {
        let text = std::fs::read(work.path().join("out").join(case).join("results.json")).expect("results");
        serde_json::from_slice::<Value>(&text).expect("JSON")["runs"][0].clone()
    };
    let (ordinary, outage) = (run("ordinary"), run("outage"));
    for row in advice["rows"].as_array().unwrap() {
        let of = |run: &Value| {
            let consumers = run["consumers"].as_array().unwrap();
            consumers.iter().find(|consumer| consumer["name"] == row["strategy"]).unwrap().clone()
        };
        assert_eq!(of(&ordinary)["age_s"]["p99"], row["age_p99_s"]);
        assert_eq!(of(&ordinary)["cost"]["consumer"]["per_month"], row["consumer_per_month"]);
        assert_eq!(of(&outage)["recovery"]["lag_max_s"], row["caught_up_s"]);
    }
    let (again, code) = said(work.path(), &args);
    assert_eq!(code, Some(2));
    assert!(again.contains("--save mine.toml: the file is there already") && again.contains("fix:"), "{again}");
}

#[test]
fn what_cannot_be_asked_is_refused_with_the_option_and_the_fix() {
    let cases: [&[&str]; 9] = [
        &[],
        &["--events", "many"],
        &["--events", "5/parsec"],
        &["--events", "1/s", "--fresh", "60"],
        &["--events", "1/s", "--peak-at", "25:00"],
        &["--events", "1/s", "--peak-to-mean", "0.5"],
        &["--events", "1/s", "--clients", "0"],
        &["--events", "1/s", "--retry", "always"],
        &["--events", "1/s", "--prices", "nowhere.toml"],
    ];
    let mut all = String::new();
    for args in cases {
        let (text, code) = advice(args);
        assert_eq!(code, Some(2), "{args:?}: {text}");
        all += &text;
    }
    insta::assert_snapshot!(all, @r#"
    error: the following required arguments were not provided:
      --events <RATE>

    Usage: pushpull advise --events <RATE>

    For more information, try '--help'.
    error: invalid value 'many' for '--events <RATE>': 'many' is no rate; write a count per unit of time: "20/s", "90/min", "40000/day"

    For more information, try '--help'.
    error: invalid value '5/parsec' for '--events <RATE>': 'parsec' is no unit of time; write a count per unit of time: "20/s", "90/min", "40000/day"

    For more information, try '--help'.
    error: invalid value '60' for '--fresh <TIME>': '60' has no unit; write a number and a unit: "250ms", "60s", "5min", "1h 30min", "3d"

    For more information, try '--help'.
    error: invalid value '25:00' for '--peak-at <HH:MM>': '25:00' is no time of day; write hours and minutes: 12:00

    For more information, try '--help'.
    pushpull: --peak-to-mean: a peak of 0.5 times the mean
      fix: write a number from 1 to 20
    pushpull: --clients: 0 clients
      fix: write a number from 1 to 10000000
    error: invalid value 'always' for '--retry <NAME>': there is no schedule 'always'; write one of: classic, standard-webhooks, never

    For more information, try '--help'.
    pushpull: --prices nowhere.toml: cannot be read; `pushpull prices` prints a list to start from: No such file or directory (os error 2)
    "#);
}
