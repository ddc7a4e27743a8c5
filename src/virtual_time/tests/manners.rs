//! What providers do beside retrying: switch endpoints off, skip, drop and listen to what a receiver asks for, each as
//! its profile says, over the hours and days that it takes.

use super::{judged, plan, records};
use crate::{
    measure::RunResult,
    model::{DisabledBy, GiveUp, Span, Time},
    record::Record,
};

/// A provider with a receiver that answers 500, and what happened.
struct Run {
    records: Vec<Record>,
    result: RunResult,
}

impl Run {
    fn of(profile: &str, rate: &str, duration: &str, fault: &str) -> Run {
        let plan = plan(&format!(
            "title = \"Manners\"\nmodes = [\"virtual\"]\nduration = \"{duration}\"\n\
             [virtual]\none_way_delay = \"0s\"\ndelay_distribution = \"constant\"\ncommit_time = \"0s\"\n\
             [workload]\narrivals = {{ kind = \"constant\", rate = \"{rate}\" }}\n\
             [[provider]]\nprofile = \"{profile}\"\n[[consumer]]\nname = \"webhook\"\nkind = \"webhook\"\n\
             [[fault]]\nkind = \"respond\"\n{fault}\n"
        ));
        let records = records(&plan);
        let result = judged(&plan, &records);
        assert!(result.valid, "{:?}", result.why_void);
        Run { records, result }
    }

    /// When and how the endpoint was switched off: the minutes of a pause, or nothing.
    fn switched_off(&self) -> Vec<(Time, Option<u64>, DisabledBy)> {
        let of = |record: &Record| match *record {
            Record::EndpointDisabled { at, until, why, .. } => {
                Some((at, until.map(|until| until.since(at).0 / 60_000_000_000), why))
            }
            _ => None,
        };
        self.records.iter().filter_map(of).collect()
    }

    fn gave_up(&self, why: GiveUp) -> u64 {
        let is = |record: &&Record| matches!(record, Record::GaveUp { why: given, .. } if *given == why);
        self.records.iter().filter(is).count() as u64
    }

    fn attempts(&self) -> u64 {
        self.result.consumers[0].attempts
    }

    fn due(&self) -> u64 {
        self.result.consumers[0].due
    }
}

fn hours(hours: u64) -> Span {
    Span::from_secs(hours * 3_600)
}

#[test]
fn gitlab_pauses_after_four_failures_for_longer_each_time_and_stops_at_the_fortieth() {
    let run = Run::of("gitlab", "1/min", "40d", "status = 500");
    let off = run.switched_off();
    let pauses: Vec<u64> = off.iter().filter_map(|(_, pause, _)| *pause).collect();
    assert_eq!(pauses[..12], [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1_024, 1_440]);
    assert_eq!((off.len(), pauses.len()), (37, 36));
    assert_eq!(off[36].2, DisabledBy::Failures(40));
    assert_eq!((run.attempts(), run.gave_up(GiveUp::Exhausted)), (40, 40), "nothing is sent again");
    assert_eq!(run.gave_up(GiveUp::Skipped), run.due() - 40, "nothing is queued in a pause");
}

#[test]
fn gitlab_drops_what_is_beyond_500_a_minute() {
    let run = Run::of("gitlab", "600/min", "5min", "status = 500\nfirst = 1");
    let per_minute = run.due() / 5;
    assert!((599..=600).contains(&per_minute), "{per_minute}");
    assert!(run.gave_up(GiveUp::Dropped).abs_diff(5 * 100) <= 1, "{}", run.gave_up(GiveUp::Dropped));
    let calm = Run::of("gitlab", "500/min", "5min", "status = 500\nfirst = 1");
    assert_eq!(calm.gave_up(GiveUp::Dropped), 0);
}

#[test]
fn slack_stops_where_nineteen_of_twenty_fail_and_spares_who_has_few_events() {
    let busy = Run::of("slack", "1200/h", "3h", "status = 500");
    let [(at, None, DisabledBy::Ratio { failed, attempts })] = busy.switched_off()[..] else {
        panic!("{:?}", busy.switched_off())
    };
    assert_eq!(failed, attempts);
    let minutes = at.as_secs_f64() / 60.0;
    assert!((49.0..51.0).contains(&minutes), "1000 events take 50 minutes: {minutes}");
    let calm = Run::of("slack", "900/h", "6h", "status = 500");
    assert_eq!(calm.switched_off(), []);
    // Nine in ten fail.
    let partly = Run::of("slack", "1200/h", "3h", "status = 500\nprobability = 0.9");
    assert_eq!(partly.switched_off(), []);
}

#[test]
fn slack_drops_what_is_beyond_30000_an_hour() {
    let run = Run::of("slack", "40000/h", "90min", "status = 500\nfirst = 1\nattempt = 1");
    let dropped = run.gave_up(GiveUp::Dropped);
    assert!(
        dropped.abs_diff(10_000) <= 1,
        "of the first hour's 40,000, and none of the half hour behind it: {dropped}"
    );
    assert_eq!(run.result.consumers[0].undelivered, Some(dropped));
}

#[test]
fn slack_stops_sending_an_event_again_when_it_is_told_to() {
    let asked = Run::of("slack", "1/min", "10min", "status = 500\nstop = \"give-up\"");
    assert_eq!((asked.attempts(), asked.gave_up(GiveUp::Stopped)), (asked.due(), asked.due()));
    let not_asked = Run::of("slack", "1/min", "10min", "status = 500");
    assert_eq!(not_asked.attempts(), 4 * not_asked.due());
    // On an answer that is an ack there is nothing to stop.
    let acked = Run::of("slack", "1/min", "10min", "status = 200\nstop = \"give-up\"");
    assert_eq!((acked.gave_up(GiveUp::Stopped), acked.result.consumers[0].acked), (0, acked.due()));
}

#[test]
fn svix_stops_after_five_days_of_failures_and_at_once_when_it_is_told_to() {
    let failing = Run::of("svix", "1/h", "7d", "status = 500");
    let [(at, None, DisabledBy::FailingFor(span))] = failing.switched_off()[..] else {
        panic!("{:?}", failing.switched_off())
    };
    assert!(span >= hours(120) && span < hours(121), "{span}");
    assert!(at < Time::ZERO + hours(122));
    let mended = Run::of("svix", "1/h", "7d", "status = 500\nuntil = \"4d\"");
    assert_eq!(mended.switched_off(), []);
    let told = Run::of("svix", "1/h", "1d", "status = 200\nstop = \"disable\"\nfirst = 1");
    let off = told.switched_off();
    assert_eq!((off.len(), off[0].2, told.attempts()), (1, DisabledBy::Asked, 1), "also with an ack");
}

#[test]
fn shopify_deletes_a_subscription_after_eight_deliveries_in_a_row_have_failed() {
    let run = Run::of("shopify", "1/min", "5h", "status = 500");
    let [(at, None, DisabledBy::Events(8))] = run.switched_off()[..] else { panic!("{:?}", run.switched_off()) };
    // The eighth event is used up 3 h 58 min after it happened.
    assert_eq!(at, Time::ZERO + Span::from_secs(8 * 60 + 14_280));
    assert_eq!(run.gave_up(GiveUp::Exhausted), 8);
    let short = Run::of("shopify", "1/min", "8h", "status = 500\nuntil = \"3h\"");
    assert_eq!(
        (short.switched_off(), short.result.consumers[0].undelivered),
        (vec![], Some(0)),
        "three hours do no harm"
    );
}

/// One event, and a client that asks every second for an hour what is new; ten a minute are allowed.
fn asked(limit: &str) -> RunResult {
    let plan = plan(&format!(
        "title = \"Asked\"\nmodes = [\"virtual\"]\nduration = \"1h\"\n[workload]\narrivals = {{ kind = \"constant\", rate = \
         \"1/h\" }}\n[[provider]]\nrate_limit = {{ rate = \"10/min\", burst = 10{limit} }}\n[[consumer]]\nname = \"poller\"\n\
         kind = \"polling\"\nstrategy = {{ kind = \"conditional\", interval = \"1s\" }}\n"
    ));
    let result = judged(&plan, &records(&plan));
    assert!(result.valid, "{:?}", result.why_void);
    result
}

#[test]
fn a_304_that_does_not_count_lets_a_client_ask_six_times_as_often_as_it_may() {
    let of = |limit| asked(limit).consumers.remove(0);
    let free = of(", free_304 = true");
    assert_eq!(free.rate_limited, 0);
    assert!(free.not_modified > 3_500, "{}", free.not_modified);
    let counted = of("");
    assert!((600..700).contains(&counted.not_modified), "{}", counted.not_modified);
    assert!(counted.rate_limited > 300, "{}", counted.rate_limited);
}

#[test]
fn who_is_not_told_when_to_come_again_asks_on() {
    let of = |limit| asked(limit).consumers.remove(0).rate_limited;
    let told = of("");
    assert_eq!([of(", hint = \"reset-in\""), of(", status = 403")], [told; 2], "however it is told");
    let untold = of(", hint = \"none\"");
    assert!(untold > 2_900 && untold > 4 * told, "{untold} and {told}");
    assert!(of(", hint = \"reset-at\"") <= told, "whole seconds, rounded up");
}
