//! Pollers in line, starved, asleep, told where to look and too late: each against what must come of it.

use super::{plan, run};
use crate::{
    record::MemoryLog,
    virtual_time::{Pace, outbox::Outbox, world::World},
};

/// A hundred clients at the full minute, and an API that takes 100 ms for each.
const HERD: &str = r#"
title = "Herd"
modes = ["virtual"]
duration = "59s"
[virtual]
one_way_delay = "0s"
[workload]
arrivals = { kind = "poisson", rate = "1/s" }
subjects = 100
[[provider]]
service_time = "100ms"
[[consumer]]
name = "patient"
kind = "polling"
clients = 100
strategy = { kind = "cron", interval = "1min", timeout = "30s" }
[[provider]]
name = "other"
service_time = "100ms"
[[consumer]]
name = "impatient"
provider = "other"
kind = "polling"
clients = 100
strategy = { kind = "cron", interval = "1min", timeout = "4s" }
"#;

#[test]
fn who_comes_to_an_api_that_takes_its_time_stands_in_line_and_may_lose_patience_there() {
    let text = HERD.replacen("[[provider]]\n", "[[provider]]\nname = \"one\"\n", 1);
    let result = run(&text.replacen("name = \"patient\"\n", "name = \"patient\"\nprovider = \"one\"\n", 1));
    assert!(result.valid, "{:?}", result.why_void);
    let [patient, impatient] = &result.consumers[..] else { panic!("two consumers") };
    // The first hundred are answered after 0.1, 0.2, ... 10 s; whoever got something asks again a minute later.
    assert_eq!(patient.load.poll_max_s, Some(10.0));
    assert_eq!((patient.failed_requests, patient.applied), (0, Some(patient.due)));
    assert!(impatient.failed_requests >= 61, "the 40th answer comes when its client has just given up");
    assert_eq!(impatient.load.poll_max_s, Some(4.0));
}

/// A limit that lets one request an hour pass leaves one of the two behind, and who holds a request is answered
/// again and again: neither is a reason to go on for ever.
#[test]
fn a_client_that_is_starved_for_good_is_given_up() {
    let result = run(r#"
title = "Starved"
modes = ["virtual"]
duration = "4h"
drain = "1h"
[workload]
arrivals = { kind = "poisson", rate = "300/day" }
[[provider]]
rate_limit = { rate = "1/h", per = "all" }
[[consumer]]
name = "held"
kind = "polling"
strategy = { kind = "long-poll", hold = "30s" }
[[consumer]]
name = "starved"
kind = "polling"
strategy = { kind = "fixed", interval = "75min" }
"#);
    assert!(result.valid, "{:?}", result.why_void);
    assert!(result.consumers.iter().any(|consumer| consumer.pending > Some(0)));
    assert!(result.consumers.iter().all(|consumer| consumer.lost == Some(0)));
}

/// What the property above would not notice: that nothing is passed over at all.
#[test]
fn a_million_polls_that_find_nothing_cost_a_few_thousand_steps() {
    let text = "title = \"Idle\"\nduration = \"1000s\"\n[workload]\narrivals = { kind = \"constant\", rate = \"1/s\" }\n\
                subjects = 1000\n[[consumer]]\nname = \"c\"\nkind = \"polling\"\nclients = 1000\n\
                strategy = { kind = \"fixed\", interval = \"1s\" }\n";
    let plan = plan(text);
    let steps = |pace| {
        let memory = MemoryLog::default();
        let outbox = Outbox::new(&memory);
        let mut world = World::new(&plan, &outbox, pace);
        world.run();
        (world.pull.stepped, world.pull.undisturbed.most() > 0)
    };
    assert!(matches!(steps(Pace::Step), (1_000_000.., true)));
    assert!(matches!(steps(Pace::Skip), (..20_000, true)));
    assert!(matches!(steps(Pace::StepByStep), (1_000_000.., false)));
}

/// One reader of a feed for sixty subjects, and sixty clients that are pinged.
const TOLD: &str = r#"
title = "Told where to look"
duration = "2000s"
[virtual]
one_way_delay = "10ms"
delay_distribution = "constant"
commit_time = "0s"
[workload]
arrivals = { kind = "poisson", rate = "1/s" }
subjects = 60
[[consumer]]
name = "feed"
kind = "polling"
strategy = { kind = "feed", interval = "10s" }
[[consumer]]
name = "pinged"
kind = "polling"
clients = 60
strategy = { kind = "ping", precision = 0.5 }
"#;

#[test]
fn a_feed_and_pings_bring_everything_for_few_requests() {
    let result = run(TOLD);
    assert!(result.valid, "{:?}", result.why_void);
    let [feed, pinged] = &result.consumers[..] else { panic!("two consumers") };
    for consumer in [feed, pinged] {
        assert_eq!(consumer.applied, Some(consumer.due));
        assert_eq!(consumer.duplicates_received, Some(0));
    }
    // A look every 10 s, and a fetch for each of the 60 that has changed: 60 x (1 - e^(-1/6)) = 9.2.
    let per_look = feed.requests as f64 / feed.window_polls.unwrap() as f64;
    assert!((per_look - 10.2).abs() < 0.6, "{per_look}");
    // The event, the ping, the request, the answer: three ways of 10 ms.
    assert_eq!(pinged.age_s.as_ref().and_then(|age| age.p50), Some(0.03));
    let (found, in_vain) = (pinged.useful_requests as f64, pinged.wasted_requests as f64);
    assert!((found / (found + in_vain) - 0.5).abs() < 0.04, "{found} and {in_vain}");
    let forms = ["fetches per look = subjects x (1 - e^-x)", "requests per find = 1 / precision"];
    let rows = result.model.iter().filter(|row| forms.contains(&row.quantity.as_str()));
    assert_eq!(rows.clone().count(), 2);
    for row in rows {
        assert!(row.standard_errors.is_none_or(|errors| errors.abs() < 4.0), "{row:?}");
    }
}

/// Rows that commit 0.2 s after they are stamped, on average.
const LATE: &str = r#"
title = "Late"
modes = ["virtual"]
duration = "20000s"
[virtual]
one_way_delay = "0s"
commit_time = "0s"
[workload]
arrivals = { kind = "poisson", rate = "50/s" }
[[provider]]
commit_lag = "200ms"
page_limit = 1000
[[consumer]]
name = "cursor"
kind = "polling"
strategy = { kind = "fixed", interval = "10s", page_size = 1000 }
[[consumer]]
name = "overlap"
kind = "polling"
strategy = { kind = "fixed", interval = "10s", page_size = 1000, cursor_overlap = "8s" }
"#;

#[test]
fn a_cursor_passes_over_what_commits_behind_it_unless_its_client_looks_back() {
    let result = run(LATE);
    assert!(result.valid, "{:?}", result.why_void);
    let [cursor, overlap] = &result.consumers[..] else { panic!("two consumers") };
    let share = cursor.lost.unwrap_or(0) as f64 / cursor.due as f64;
    // 1.33 % by the closed form; 2,000 polls miss 6.7 events each, with a spread of less than that.
    assert!((share / 0.0133 - 1.0).abs() < 0.06, "{share}");
    assert_eq!(cursor.applied.zip(cursor.lost).map(|(applied, lost)| applied + lost), Some(cursor.due));
    // No lag is longer than 37 means, 7.4 s.
    assert_eq!((overlap.lost, overlap.applied), (Some(0), Some(overlap.due)));
    assert!(overlap.duplicates_received > Some(0) && overlap.duplicates_applied == Some(0));
    let row = result.model.iter().find(|row| row.quantity.starts_with("share lost behind the cursor"));
    assert!(row.is_some_and(|row| row.difference.is_some_and(|difference| difference.abs() < 0.06)), "{row:?}");
}
