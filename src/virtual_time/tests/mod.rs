//! What a virtual run promises, held against random scenarios; and what its parts do, each in a scenario of
//! its own.

/// What providers do beside retrying.
mod manners;

/// What sends, and what receives.
mod push;

/// What polls, and what answers.
mod pull;

/// When a provider sends again what nobody takes.
mod schedules;

use proptest::prelude::*;

use super::{Pace, run_at};
use crate::{
    measure::{RunResult, judge},
    model::RunId,
    record::{MemoryLog, Record, read_memory},
    scenario::{LoadOptions, Mode, Plan, load},
};

fn plan(text: &str) -> Plan {
    let options = LoadOptions { mode: Some(Mode::Virtual), ..LoadOptions::new("random", RunId::from_bits(1)) };
    load(text, &options).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

fn records(plan: &Plan) -> Vec<Record> {
    records_at(Pace::Skip, plan)
}

fn records_at(pace: Pace, plan: &Plan) -> Vec<Record> {
    let memory = MemoryLog::default();
    run_at(pace, plan, &memory);
    memory.into_records()
}

/// In an order that does not tell what came first within one instant.
fn sorted(records: Vec<Record>) -> Vec<String> {
    let mut lines: Vec<String> = records.iter().map(|record| format!("{record:?}")).collect();
    lines.sort_unstable();
    lines
}

fn judged(plan: &Plan, records: &[Record]) -> RunResult {
    judge(plan, &|each| read_memory(records, each)).expect("records in memory can be read")
}

fn run(text: &str) -> RunResult {
    let plan = plan(text);
    judged(&plan, &records(&plan))
}

fn one_of(choices: &'static [&'static str]) -> impl Strategy<Value = String> {
    proptest::sample::select(choices).prop_map(str::to_owned)
}

fn provider() -> impl Strategy<Value = String> {
    let manners = [
        "",
        "ordering = \"subject\"\n",
        "sender_pool = 2\n",
        "view_lag = \"300ms\"\n",
        "rate_limit = { rate = \"20/s\", per = \"client\" }\n",
        "page_limit = 2\n",
        "concurrency = 1\n",
        "poll_interval_hint = \"400ms\"\n",
        "service_time = \"8ms\"\n",
    ];
    let manners = proptest::sample::subsequence(manners.to_vec(), 0..4).prop_map(|some| some.concat());
    let retry = one_of(&[
        "[\"50ms\", \"1s\", \"20s\"]",
        "\"never\"",
        "[\"10ms\"]",
        "{ base = \"20ms\", retries = 6, jitter = \"full\" }",
        "{ base = \"20ms\", retries = 6, jitter = \"decorrelated\" }",
    ]);
    (manners, retry).prop_map(|(manners, retry)| format!("[[provider]]\nretry = {retry}\n{manners}"))
}

/// The first one is told and asks, so that whatever the provider does has somebody to do it to.
fn consumer(no: usize, kinds: &'static [&'static str]) -> impl Strategy<Value = String> {
    let strategy = one_of(&[
        "{ kind = \"fixed\", interval = \"700ms\", jitter = 0.3 }",
        "{ kind = \"fixed\", interval = \"300ms\" }",
        "{ kind = \"conditional\", interval = \"500ms\" }",
        "{ kind = \"adaptive\", min = \"200ms\", max = \"3s\" }",
        "{ kind = \"long-poll\", hold = \"2s\" }",
        "{ kind = \"cron\", interval = \"1s\", spread = \"200ms\" }",
        "{ kind = \"cron\", interval = \"1s\" }",
        "{ kind = \"feed\", interval = \"900ms\" }",
        "{ kind = \"ping\", precision = 0.5, in_vain_after = \"300ms\" }",
    ]);
    let kind = one_of(kinds);
    let effect = one_of(&[
        "",
        "effect = { kind = \"set\", duration = \"5ms\", distribution = \"exponential\" }\n",
        "effect = { kind = \"append\", duration = \"30ms\" }\n",
        "effect = \"once\"\n",
        "effect = { kind = \"append\", poison_every = 7 }\n",
    ]);
    let more =
        one_of(&["", "queue = \"memory\"\n", "queue_capacity = 3\n", "workers = 1\n", "visibility = \"10ms\"\n"]);
    let follows = one_of(&["own", "all"]);
    (kind, strategy, effect, more, follows, 1u32..4).prop_map(move |(kind, strategy, effect, more, follows, clients)| {
        let strategy = if kind == "webhook" { String::new() } else { format!("strategy = {strategy}\n") };
        format!(
            "[[consumer]]\nname = \"c{no}\"\nkind = \"{kind}\"\nclients = {clients}\nfollows = \"{follows}\"\n{strategy}{effect}{more}"
        )
    })
}

fn fault() -> impl Strategy<Value = String> {
    let kind = one_of(&[
        "kind = \"drop-ack\"\nprobability = 0.3\n",
        "kind = \"drop-ack\"\nwhen = \"before\"\nprobability = 0.2\n",
        "kind = \"drop-request\"\nevery = 3\nseen_as = \"timeout\"\n",
        "kind = \"delay\"\ndelay = \"400ms\"\nprobability = 0.2\n",
        "kind = \"reset\"\nprobability = 0.2\n",
        "kind = \"respond\"\nstatus = 503\nretry_after_s = 2\nfirst = 3\n",
        "kind = \"duplicate\"\nevery = 2\n",
        "kind = \"reorder\"\nprobability = 0.2\n",
        "kind = \"corrupt\"\nprobability = 0.2\n",
        "kind = \"outage\"\nfrom = \"1s\"\nuntil = \"3s\"\n",
    ]);
    kind.prop_map(|kind| format!("[[fault]]\n{kind}"))
}

/// What becomes of the third consumer's process.
fn life() -> impl Strategy<Value = String> {
    let kind = one_of(&[
        "kind = \"crash\"\nat = [\"1s\", \"2500ms\"]\n",
        "kind = \"crash\"\nspaced = \"700ms\"\ndown = \"300ms\"\n",
        "kind = \"crash\"\npoint = \"before-store\"\npass = 3\ntimes = 4\n",
        "kind = \"crash\"\npoint = \"after-store\"\npass = 2\ntimes = 5\n",
        "kind = \"crash\"\npoint = \"after-ack\"\ntimes = 2\n",
        "kind = \"crash\"\npoint = \"before-apply\"\npass = 4\n",
        "kind = \"crash\"\npoint = \"between-effect-and-ledger\"\npass = 2\ntimes = 3\n",
        "kind = \"crash\"\npoint = \"after-apply\"\npass = 5\ntimes = 3\n",
        "kind = \"stall\"\nfrom = \"1s\"\nuntil = \"4s\"\n",
        "kind = \"stall\"\nwhat = \"queue\"\nfrom = \"1s\"\nuntil = \"2s\"\n",
        "kind = \"stall\"\nwhat = \"ledger\"\nfrom = \"500ms\"\nuntil = \"2s\"\n",
    ]);
    proptest::collection::vec(kind.prop_map(|kind| format!("[[fault]]\nconsumer = \"c3\"\n{kind}")), 0..3)
        .prop_map(|kinds| if kinds.concat().matches("point").count() > 1 { String::new() } else { kinds.concat() })
}

/// The network: quick, slow enough for requests to overtake each other, and without any chance, so that
/// much happens in one instant.
fn network() -> impl Strategy<Value = String> {
    one_of(&[
        "",
        "[virtual]\none_way_delay = \"20ms\"\n",
        "[virtual]\none_way_delay = \"10ms\"\ndelay_distribution = \"normal\"\ncommit_time = \"5ms\"\n",
        "[virtual]\none_way_delay = \"2ms\"\ndelay_distribution = \"constant\"\ncommit_time = \"2ms\"\n",
    ])
}

prop_compose! {
    /// A scenario with a right receiver, whatever befalls it.
    fn scenario()(
        seed in 0u32..1_000_000,
        arrivals in one_of(&["poisson", "constant"]),
        rate in 1u32..40,
        drain in one_of(&["30s", "0s"]),
        network in network(),
        provider in provider(),
        first in consumer(1, &["hybrid"]),
        second in consumer(2, &["polling", "webhook", "hybrid"]),
        third in consumer(3, &["webhook"]),
        life in life(),
        faults in proptest::collection::vec(fault(), 0..3),
    ) -> String {
        // What a process forgets that dies is lost for certain.
        let third = third.replace("queue = \"memory\"\n", "");
        let faults = faults.concat();
        // What is delivered in order cannot be reordered, and a scenario that wants both is refused.
        let provider = if faults.contains("reorder") { provider.replace("ordering = \"subject\"\n", "") } else { provider };
        format!(
            "title = \"Random\"\nseed = {seed}\nduration = \"5s\"\ndrain = \"{drain}\"\n[workload]\nsubjects = 6\n\
             arrivals = {{ kind = \"{arrivals}\", rate = \"{rate}/s\" }}\n{network}{provider}{first}{second}{third}{life}{faults}"
        )
    }
}

proptest! {
    #[test]
    fn whatever_befalls_a_right_consumer_its_books_balance_and_nothing_is_lost_or_done_twice(text in scenario()) {
        let result = run(&text);
        prop_assert!(result.valid, "{:?}\n{text}", result.why_void);
        for consumer in &result.consumers {
            let of = |value: Option<u64>| value.unwrap_or(u64::MAX);
            let classes = [consumer.applied, consumer.superseded, consumer.dead_lettered, consumer.pending, consumer.undelivered];
            prop_assert_eq!(consumer.due, classes.into_iter().map(of).sum::<u64>(), "{}", text);
            let wrong = [consumer.duplicates_applied, consumer.lost, consumer.stale_overwrites, consumer.subject_repeated];
            prop_assert_eq!(wrong.map(of), [0, 0, 0, 0], "{}", text);
        }
    }

    #[test]
    fn passing_polls_over_writes_the_same_records_as_taking_each_step(text in scenario()) {
        let plan = plan(&text);
        let stepped = records_at(Pace::Step, &plan);
        prop_assert!(records_at(Pace::Skip, &plan) == stepped, "{}", text);
        // What happens at one instant may be told in another order.
        prop_assert!(sorted(records_at(Pace::StepByStep, &plan)) == sorted(stepped), "{}", text);
    }

    #[test]
    fn a_seed_always_makes_the_same_records(text in scenario()) {
        let plan = plan(&text);
        prop_assert!(records(&plan) == records(&plan), "{}", text);
    }
}

proptest! {
    // Each takes as long as many of the others.
    #![proptest_config(ProptestConfig { cases: ProptestConfig::default().cases.div_ceil(16), ..ProptestConfig::default() })]

    /// A few polls wait in a heap: so there are enough here for the calendar, whose days are swept.
    #[test]
    fn a_crowd_writes_the_same_records_swept_passed_over_or_step_by_step(text in scenario(), clients in 33u32..44) {
        let crowd = |text: String, few| text.replace(&format!("clients = {few}\n"), &format!("clients = {clients}\n"));
        let plan = plan(&(1..4).fold(text.replace("follows = \"all\"", "follows = \"own\""), crowd));
        let stepped = records_at(Pace::Step, &plan);
        prop_assert!(records_at(Pace::Skip, &plan) == stepped);
        prop_assert!(sorted(records_at(Pace::StepByStep, &plan)) == sorted(stepped));
    }
}
