//! Bad strategies: each key of each way of polling is refused by name, with the fix.

use crate::bad_input::refusal;

const HEAD: &str = "title = \"t\"\n";
const POLLING: &str = "[[consumer]]\nname = \"p\"\nkind = \"polling\"\n";

/// What is said of a polling consumer with these keys of its strategy, and more keys of its own.
fn said(strategies: &[(&str, &str)]) -> String {
    let scenario = |(strategy, more): &(&str, &str)| format!("{HEAD}{POLLING}strategy = {{ {strategy} }}\n{more}\n");
    strategies.iter().map(|case| refusal(&scenario(case))).collect()
}

fn with_nothing_else<'a>(strategies: &[&'a str]) -> Vec<(&'a str, &'a str)> {
    strategies.iter().map(|strategy| (*strategy, "")).collect()
}

#[test]
fn what_every_strategy_takes_is_checked() {
    let cases = [
        "interval = \"5s\"",
        "kind = \"fixed\", interval = \"5s\", page_size = 0",
        "kind = \"fixed\", interval = \"5s\", timeout = \"soon\"",
        "kind = \"fixed\", interval = \"5s\", on_429 = \"wait\"",
        "kind = \"fixed\", interval = \"5s\", connection = \"keepalive\"",
        "kind = \"fixed\", interval = \"5s\", jitter = 1.5",
        "kind = \"fixed\", interval = \"5s\", phase = \"together\"",
        "kind = \"conditional\", interval = \"5s\", hold = \"30s\"",
    ];
    insta::assert_snapshot!(said(&with_nothing_else(&cases)), @r#"
    pushpull: s.toml:5: consumer.p.strategy.kind: a strategy needs a kind
      fix: write one of: fixed, conditional, cron, adaptive, long-poll, state, feed, ping
    pushpull: s.toml:5: consumer.p.strategy.page_size: 0 is out of bounds
      fix: write a number from 1 to 10000
    pushpull: s.toml:5: consumer.p.strategy.timeout: 'soon' is no duration
      fix: write a number and a unit: "250ms", "60s", "5min", "1h 30min", "3d"
    pushpull: s.toml:5: consumer.p.strategy.on_429: "wait" is unknown
      fix: write one of: respect, ignore
    pushpull: s.toml:5: consumer.p.strategy.connection: "keepalive" is unknown
      fix: did you mean "keep-alive"?
    pushpull: s.toml:5: consumer.p.strategy.jitter: 1.5 is out of bounds
      fix: write a number from 0 to 1
    pushpull: s.toml:5: consumer.p.strategy.phase: "together" is unknown
      fix: write one of: random, aligned
    pushpull: s.toml:5: consumer.p.strategy.hold: unknown key
      fix: write one of: interval, jitter, phase, page_size, timeout, on_429, connection, cursor_overlap
    "#);
}

#[test]
fn timers_that_cannot_be_kept_are_refused() {
    let cases = [
        "kind = \"cron\"",
        "kind = \"cron\", interval = \"1us\"",
        "kind = \"cron\", interval = \"1min\", spread = \"2min\"",
        "kind = \"cron\", interval = \"1min\", spred = \"2s\"",
        "kind = \"adaptive\", min = \"1s\"",
        "kind = \"adaptive\", min = \"1us\", max = \"1s\"",
        "kind = \"adaptive\", min = \"10s\", max = \"1s\"",
        "kind = \"adaptive\", min = \"1s\", max = \"10s\", factor = 0.5",
        "kind = \"adaptive\", min = \"1s\", max = \"10s\", interval = \"5s\"",
        "kind = \"long-poll\", hold = \"1us\"",
        "kind = \"long-poll\", retry = \"0s\"",
        "kind = \"long-poll\", hold = \"for ever\"",
        "kind = \"long-poll\", interval = \"5s\"",
    ];
    insta::assert_snapshot!(said(&with_nothing_else(&cases)), @r#"
    pushpull: s.toml:5: consumer.p.strategy.interval: is missing
      fix: add it; `pushpull schema` says what it takes
    pushpull: s.toml:5: consumer.p.strategy.interval: polls 1us apart (after time_scale) are below the timer's grain
      fix: write at least "1ms" of driver time
    pushpull: s.toml:5: consumer.p.strategy.spread: polls spread beyond the interval would overtake each other
      fix: write a spread of at most the interval
    pushpull: s.toml:5: consumer.p.strategy.spred: unknown key
      fix: did you mean "spread"?
    pushpull: s.toml:5: consumer.p.strategy.max: is missing
      fix: add it; `pushpull schema` says what it takes
    pushpull: s.toml:5: consumer.p.strategy.min: polls 1us apart (after time_scale) are below the timer's grain
      fix: write at least "1ms" of driver time
    pushpull: s.toml:5: consumer.p.strategy.max: the longest gap is shorter than the shortest
      fix: write a max that is longer than min
    pushpull: s.toml:5: consumer.p.strategy.factor: 0.5 is out of bounds
      fix: write a number from 1 to 1000
    pushpull: s.toml:5: consumer.p.strategy.interval: unknown key
      fix: write one of: min, max, factor, page_size, timeout, on_429, connection, cursor_overlap
    pushpull: s.toml:5: consumer.p.strategy.hold: polls 1us apart (after time_scale) are below the timer's grain
      fix: write at least "1ms" of driver time
    pushpull: s.toml:5: consumer.p.strategy.retry: polls 0ns apart (after time_scale) are below the timer's grain
      fix: write at least "1ms" of driver time
    pushpull: s.toml:5: consumer.p.strategy.hold: 'for ever' is no duration
      fix: write a number and a unit: "250ms", "60s", "5min", "1h 30min", "3d"
    pushpull: s.toml:5: consumer.p.strategy.interval: unknown key
      fix: write one of: hold, retry, page_size, timeout, on_429, connection, cursor_overlap
    "#);
}

#[test]
fn a_state_poller_is_refused_what_makes_no_sense_for_states() {
    let scan = "kind = \"state\", ask = \"updated-since\", interval = \"5s\"";
    let lagging = "[[provider]]\ntimestamp_grain = \"1s\"\nview_lag = \"1234ms\"";
    let short = "kind = \"state\", ask = \"updated-since\", interval = \"5s\", overlap = \"2s\"";
    let long = "kind = \"state\", ask = \"updated-since\", interval = \"5s\", overlap = \"3s\"";
    let look = "kind = \"state\", interval = \"5s\"";
    let flawed = format!("flaw = \"no-overlap\"\n{lagging}");
    let cases = [
        ("kind = \"state\"", ""),
        ("kind = \"state\", interval = \"1us\"", ""),
        ("kind = \"state\", interval = \"5s\", jitter = 2", ""),
        ("kind = \"state\", interval = \"5s\", ask = \"changes\"", ""),
        ("kind = \"state\", interval = \"5s\", overlap = \"5s\"", ""),
        ("kind = \"state\", ask = \"updated-since\", interval = \"5s\", overlap = \"a while\"", ""),
        ("kind = \"state\", interval = \"5s\", conditional = \"yes\"", ""),
        ("kind = \"state\", interval = \"5s\", hold = \"30s\"", ""),
        ("kind = \"state\", interval = \"5s\", page_size = 10", ""),
        (short, lagging),
        (long, flawed.as_str()),
        (scan, "flaw = \"timestamp-cursor\""),
        (look, "flaw = \"no-overlap\""),
        (look, "flaw = \"one-page\""),
        ("kind = \"fixed\", interval = \"5s\"", "flaw = \"no-overlap\""),
        (scan, "effect = \"append\""),
        (scan, "effect = \"external\""),
        (look, "clients = 51"),
        (look, "[workload]\nsubjects = 1000000"),
    ];
    insta::assert_snapshot!(said(&cases), @r#"
    pushpull: s.toml:5: consumer.p.strategy.interval: is missing
      fix: add it; `pushpull schema` says what it takes
    pushpull: s.toml:5: consumer.p.strategy.interval: polls 1us apart (after time_scale) are below the timer's grain
      fix: write at least "1ms" of driver time
    pushpull: s.toml:5: consumer.p.strategy.jitter: 2 is out of bounds
      fix: write a number from 0 to 1
    pushpull: s.toml:5: consumer.p.strategy.ask: "changes" is unknown
      fix: write one of: subject, updated-since
    pushpull: s.toml:5: consumer.p.strategy.overlap: who asks after one subject has no cursor to set back
      fix: remove it, or write ask = "updated-since"
    pushpull: s.toml:5: consumer.p.strategy.overlap: 'a while' is no duration
      fix: write a number and a unit: "250ms", "60s", "5min", "1h 30min", "3d"
    pushpull: s.toml:5: consumer.p.strategy.conditional: invalid type: string "yes", expected a boolean
      fix: see `pushpull schema`
    pushpull: s.toml:5: consumer.p.strategy.hold: unknown key
      fix: write one of: interval, jitter, phase, ask, overlap, conditional, page_size, timeout, on_429, connection, cursor_overlap
    pushpull: s.toml:5: consumer.p.strategy.page_size: one subject makes no page
      fix: remove it, or write ask = "updated-since"
    pushpull: s.toml:5: consumer.p.strategy.overlap: 2s is shorter than timestamp_grain + view_lag (1s + 1.23s): changes would be passed
      fix: write "2234ms" or more, leave it out for that, or add flaw = "no-overlap" to measure what it loses
    pushpull: s.toml:6: consumer.p.flaw: an overlap of 3s is all that this provider asks for (2234ms), and no flaw
      fix: remove the flaw, or write a shorter overlap
    pushpull: s.toml:6: consumer.p.flaw: a scan by time is no cursor over events
      fix: write flaw = "no-overlap" for what goes wrong with it, or remove it
    pushpull: s.toml:6: consumer.p.flaw: who asks after one subject has neither pages nor a cursor to get wrong
      fix: write ask = "updated-since" in its strategy, or remove the flaw
    pushpull: s.toml:6: consumer.p.flaw: who asks after one subject has neither pages nor a cursor to get wrong
      fix: write ask = "updated-since" in its strategy, or remove the flaw
    pushpull: s.toml:6: consumer.p.flaw: "no-overlap" is a flaw of one who asks for what has changed since an instant
      fix: write strategy = { kind = "state", ask = "updated-since", interval = "5s" }, or remove it
    pushpull: s.toml:6: consumer.p.effect: it appends an entry per event, and who polls for states never sees those between two polls
      fix: write effect = "set", or follow the events: strategy = { kind = "fixed", interval = "5s" }
    pushpull: s.toml:6: consumer.p.effect: it calls somebody else's system per event, and who polls for states never sees those between two polls
      fix: write effect = "set", or follow the events: strategy = { kind = "fixed", interval = "5s" }
    pushpull: s.toml:5: consumer.p.strategy.ask: 51 clients share 50 subjects, so some have none to ask after
      fix: write clients = 50 at most, or more workload.subjects
    pushpull: s.toml:5: consumer.p.strategy.ask: asks after 1000000 subjects one by one; at most 100000 are indexed
      fix: write ask = "updated-since", or fewer workload.subjects
    "#);
}
