//! Bad input: what one mode knows and the other does not.

use crate::bad_input::{HEAD, POLLER, POLLING, WEBHOOK, refusal};

#[test]
fn what_only_virtual_time_knows_is_refused_in_a_live_run() {
    let cases = [
        format!("{HEAD}[[provider]]\nservice_time = \"2ms\"\n{POLLER}"),
        format!("{HEAD}modes = [\"virtual\"]\n[[provider]]\nservice_time = \"2ms\"\n{WEBHOOK}"),
        format!("{HEAD}{WEBHOOK}visibility = \"5s\"\n"),
        format!("{HEAD}{WEBHOOK}visibility = \"5s\"\nflaw = \"synchronous\"\n"),
        format!("{HEAD}{WEBHOOK}visibility = \"0s\"\n"),
        format!("{HEAD}{WEBHOOK}optimistic = true\n"),
        format!("{HEAD}{WEBHOOK}optimistic = true\nflaw = \"synchronous\"\n"),
        format!("{HEAD}{POLLER}optimistic = true\n"),
        format!("{HEAD}{WEBHOOK}[virtual]\ndelay_spread = \"2ms\"\n"),
        format!(
            "{HEAD}[[provider]]\nretry_jitter = 0.1\nretry = {{ base = \"1s\", retries = 3, jitter = \"full\" }}\n{WEBHOOK}"
        ),
        format!("{HEAD}[[provider]]\nretry = {{ base = \"1s\", retries = 3, jitter = \"ful\" }}\n{WEBHOOK}"),
        format!("{HEAD}{WEBHOOK}[[fault]]\nkind = \"crash\"\nspaced = \"1s\"\ndown = \"2s\"\n"),
        format!("{HEAD}{WEBHOOK}[[fault]]\nkind = \"crash\"\nspaced = \"1s\"\nat = [\"2s\"]\n"),
        format!("{HEAD}modes = [\"virtual\"]\n{POLLER}[[fault]]\nkind = \"crash\"\nat = [\"2s\"]\n"),
        format!("{HEAD}[[provider]]\ncommit_lag = \"200ms\"\n{POLLER}"),
        format!("{HEAD}{POLLING}strategy = {{ kind = \"fixed\", interval = \"1s\", cursor_overlap = \"2s\" }}\n"),
        format!(
            "{HEAD}modes = [\"virtual\"]\n[[provider]]\ncommit_lag = \"200ms\"\n{POLLING}strategy = {{ kind = \"long-poll\" }}\n"
        ),
    ];
    let said: Vec<String> = cases.iter().map(|case| refusal(case)).collect();
    insta::assert_snapshot!(said.join(""), @r#"
    pushpull: s.toml:3: provider.0.service_time: a live pull API takes as long as it takes
      fix: remove it, or run it virtually: --mode virtual
    pushpull: s.toml:4: provider.0.service_time: nobody polls this provider
      fix: remove it, or add a consumer of kind = "polling"
    pushpull: s.toml:5: consumer.webhook.visibility: the queues that are built in let a worker hold an event until its process ends
      fix: remove it, or run it virtually: --mode virtual
    pushpull: s.toml:5: consumer.webhook.visibility: a synchronous receiver does not use its queue
      fix: remove visibility, or the flaw
    pushpull: s.toml:5: consumer.webhook.visibility: no time to work in
      fix: write a duration such as "30s", or remove it
    pushpull: s.toml:5: consumer.webhook.optimistic: a live receiver applies in a transaction and does not read first
      fix: remove it, or run it virtually: --mode virtual
    pushpull: s.toml:5: consumer.webhook.optimistic: a request that reads and writes a row has no room for a flaw
      fix: remove one of the two
    pushpull: s.toml:6: consumer.p.optimistic: means nothing for kind = "polling"
      fix: remove it, or write kind = "webhook"
    pushpull: s.toml:6: virtual.delay_spread: only normal delays have a spread
      fix: write delay_distribution = "normal", or remove it
    pushpull: s.toml:3: provider.0.retry_jitter: the formula has a jitter of its own
      fix: remove one of the two
    pushpull: s.toml:3: provider.0.retry.jitter: "ful" is unknown
      fix: did you mean "full"?
    pushpull: s.toml:7: fault.crash.spaced: it would be killed again before it is back, 2s later
      fix: write a longer spacing, or a shorter down
    pushpull: s.toml:8: fault.crash.at: a crash needs instants, a spacing or a point, and one of them only
      fix: write at = ["5s"], spaced = "10s", or point = "after-store"
    pushpull: s.toml:7: fault.crash.consumer: no consumer here can be hit by "crash": virtual time kills and stops receivers so far, and no process that polls
      fix: remove the fault
    pushpull: s.toml:3: provider.0.commit_lag: the live log is in the order in which events come
      fix: remove it, or run it virtually: --mode virtual
    pushpull: s.toml:5: consumer.p.strategy.cursor_overlap: a live client goes on where its cursor stands
      fix: remove it, or run it virtually: --mode virtual
    pushpull: s.toml:8: consumer.p.strategy.kind: it would have to be told when a transaction commits, and its provider has a commit_lag
      fix: poll at intervals: strategy = { kind = "fixed", interval = "5s" }, or remove commit_lag
    "#);
}
