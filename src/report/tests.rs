//! Reports of a synthetic run: whole, self-contained, and honest about what is missing.

use super::*;
use crate::{
    audit::fixture::{self, replay},
    measure::{Host, RunResult, Verdict, judge},
    record::Record,
    scenario::{Comparison, Condition},
};

pub(super) fn host() -> Host {
    Host { os: "linux".to_owned(), arch: "x86_64".to_owned(), cpus: 2 }
}

fn results_of(plan: &Plan, records: &[Record]) -> Results {
    let run: RunResult = judge(plan, &replay(records, 0)).unwrap();
    Results::new(plan, host(), vec![run])
}

pub(super) fn synthetic() -> (Plan, Results) {
    let plan = fixture::comparison();
    let results = results_of(&plan, &fixture::records(&plan));
    (plan, results)
}

fn file(results: &Results, plan: &Plan, name: &str) -> String {
    let files = EXPORTERS.iter().flat_map(|exporter| (exporter.export)(results, plan).unwrap());
    files.into_iter().find(|file| file.path == Path::new(name)).map(|file| file.content).unwrap()
}

#[test]
fn a_saved_result_reads_back_the_same() {
    let (plan, results) = synthetic();
    let text = file(&results, &plan, "results.json");
    let again: Results = serde_json::from_str(&text).unwrap();
    assert_eq!(again, results);
    assert!(text.contains("\"schema_version\": 1"));
}

#[test]
fn every_exporter_writes_its_files() {
    let (plan, results) = synthetic();
    let dir = tempfile::tempdir().unwrap();
    let written = write_all(&dir.path().join("deep/er"), &results, &plan).unwrap();
    assert!(written.iter().all(|path| path.metadata().is_ok_and(|meta| meta.len() > 0)));
    assert_eq!(written.len(), EXPORTERS.len() - 1 + plots::FIGURES.len());
    for (i, exporter) in EXPORTERS.iter().enumerate() {
        assert!(!exporter.doc.is_empty() && EXPORTERS[..i].iter().all(|other| other.name != exporter.name));
    }
}

#[test]
fn the_verdict_comes_first_and_names_what_broke() {
    let (_, results) = synthetic();
    let shown = text::render(&results, text::Options::default());
    assert!(shown.starts_with("PASS: all 2 expectations hold; 1 promise broken\n"), "{shown}");
    assert!(shown.contains("BROKEN no-ledger: an event takes effect at most once"), "{shown}");
    assert!(shown.ends_with("Reproduce: pushpull run dropped-ack --seed 42\n"));
    assert!(!shown.contains('\u{1b}'));
    let coloured = text::render(&results, text::Options { colour: true, ..text::Options::default() });
    assert!(coloured.starts_with("\u{1b}[32;1mPASS"));
}

#[test]
fn no_line_is_wider_than_asked() {
    let (_, mut results) = synthetic();
    results.reproduce = format!("pushpull run {}.toml --seed 42 --run-id 00c0ffee0001", "a-long-name".repeat(4));
    for name in ["webhook", "a-name-of-forty-letters-which-is-the-most", "unbrokenunbrokenunbrokenunbrokenunbroken"] {
        results.runs[0].consumers[1].name = name.to_owned();
        for (width, colour) in [60u16, 80, 100, 140].into_iter().flat_map(|width| [(width, false), (width, true)]) {
            let shown = text::render(&results, text::Options { width, colour });
            let widest = shown.lines().map(without_colours).max_by_key(|line| line.chars().count()).unwrap();
            assert!(widest.chars().count() <= usize::from(width), "{width}: {widest}\n{shown}");
        }
    }
}

fn without_colours(line: &str) -> String {
    let parts = line.split('\u{1b}').enumerate();
    parts.map(|(i, part)| if i == 0 { part } else { part.split_once('m').unwrap().1 }).collect()
}

#[test]
fn a_failed_expectation_and_a_void_run_change_verdict_and_exit_code() {
    let mut plan = fixture::comparison();
    plan.expects.push(fixture::condition(Some(2), "duplicates_applied", Comparison::Equal, 0.0));
    let mut records = fixture::records(&plan);
    let failed = results_of(&plan, &records);
    assert_eq!((failed.verdict(), failed.verdict().exit_code()), (Verdict::ExpectationFailed, 1));
    records.retain(|record| !matches!(record, Record::Emitted { event, .. } if event.seq == 40));
    let void = results_of(&plan, &records);
    assert_eq!((void.verdict(), void.verdict().exit_code()), (Verdict::Void, 3));
    let shown = text::render(&void, text::Options::default());
    assert!(shown.starts_with("VOID") && shown.contains("age, p99"), "figures stay, under a banner: {shown}");
    assert!(file(&void, &plan, "report.html").contains("Do not believe its figures"));
}

#[test]
fn an_expectation_with_a_tolerance_says_how_far_off_it_is() {
    let mut plan = fixture::comparison();
    let near = |bound, off| Condition {
        wanted: format!("{bound} +- {off}"),
        ..fixture::condition(Some(1), "due", Comparison::Within(off), bound)
    };
    let ratio =
        Condition { key: "webhook.due / poll-5s.due".to_owned(), over: Some((0, "due".to_owned())), ..near(1.0, 0.01) };
    let share =
        Condition { key: "webhook.age_s.over_1h".to_owned(), quantity: "age_s.over_1h".to_owned(), ..near(0.0, 0.01) };
    plan.expects = vec![near(1_190.0, 20.0), near(1_230.0, 20.0), ratio, share];
    let results = results_of(&plan, &fixture::records(&plan));
    let shown = text::render(&results, text::Options::default());
    assert!(shown.contains("ok     due wanted 1190 +- 20, was 1,196, off by +6, +0.50 %"), "{shown}");
    assert!(shown.contains("FAILED due wanted 1230 +- 20, was 1,196, off by -34, -2.76 %"), "{shown}");
    assert!(shown.contains("ok     webhook.due / poll-5s.due wanted 1 +- 0.01, was 1, off by +0, +0.00 %"), "{shown}");
    assert!(shown.contains("ok     webhook.age_s.over_1h wanted 0 +- 0.01, was 0 %"), "{shown}");
    assert!(file(&results, &plan, "report.html").contains("off by -34, -2.76 %"));
}

#[test]
fn the_page_needs_nothing_from_elsewhere_and_fits_screen_and_paper() {
    let (plan, results) = synthetic();
    let page = file(&results, &plan, "report.html");
    for foreign in ["<script", "<link", "src=", "@import", "https://"] {
        assert!(!page.contains(foreign), "{foreign}");
    }
    assert_eq!(page.matches("<svg").count(), plots::FIGURES.len());
    assert!(page.contains("@media print"));
    assert_eq!(page.matches(&plots::dark_rules()).count(), 1, "one set of rules for all pictures");
    for figure in plots::FIGURES {
        let svg = (figure.draw)(&results.runs[0]).unwrap();
        assert!(svg.contains(&plots::dark_rules()), "{} alone fits a dark screen too", figure.name);
        let known = plots::dark_rules();
        for colour in svg.split("=\"#").skip(1).map(|rest| &rest[..6]) {
            assert!(known.contains(&format!("\"#{colour}\"")), "{}: #{colour} has no dark counterpart", figure.name);
        }
    }
}

#[test]
fn the_page_reads_from_verdict_to_evidence() {
    let (mut plan, _) = synthetic();
    plan.goals = vec![fixture::condition(None, "age_s.p99", Comparison::Less, 6.0)];
    let results = results_of(&plan, &fixture::records(&plan));
    let page = file(&results, &plan, "report.html");
    let order = [
        "PASS",
        "A report of 2013",
        "In short",
        "Who meets the goals?",
        "What to watch",
        "What happened",
        "What to conclude",
        "Where polling won",
        "All figures",
        "Can it be believed?",
        "Taken for granted",
        "Not modelled",
        "Run it again",
    ];
    let places: Vec<usize> = order.iter().map(|part| page.find(part).expect(part)).collect();
    assert!(places.is_sorted(), "{places:?}");
    let text = text::render(&results, text::Options::default());
    for part in [
        "Published: A report of 2013",
        "In short",
        "MISSED webhook misses it by",
        "What to watch",
        "What to conclude",
        "paid twice for ",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
    assert!(!page.contains("{no-ledger") && !text.contains("{no-ledger"), "placeholders are filled");
}

/// Names of forty letters, ten consumers, nothing due, nothing observed: no picture may fail.
#[test]
fn pictures_bear_many_consumers_long_names_and_nothing_at_all() {
    let (_, results) = synthetic();
    let mut run = results.runs[0].clone();
    for i in 0..8 {
        let mut more = run.consumers[i % 3].clone();
        more.name = format!("{}-{i}", "a-name-of-thirty-eight-letters-you-see");
        run.consumers.push(more);
    }
    let last = run.consumers.last_mut().unwrap();
    (last.age_s, last.behind, last.cpu_s, last.duplicates_received) = (None, None, None, None);
    (last.requests, last.due) = (0, 0);
    for consumers in [run.consumers.len(), 1, 0] {
        run.consumers.truncate(consumers);
        for figure in plots::FIGURES {
            let said = (figure.sentence)(&run);
            let svg = said.map(|said| ((figure.draw)(&run).unwrap(), said));
            assert!(
                svg.is_none_or(|(svg, said)| svg.ends_with("</svg>\n") && !said.contains("NaN")),
                "{}",
                figure.name
            );
        }
    }
}

#[test]
fn names_from_a_scenario_cannot_break_the_formats() {
    let mut plan = fixture::comparison();
    plan.consumers[0].name = "<b>\"a\", b & c".to_owned();
    plan.title = "</title><script>".to_owned();
    let results = results_of(&plan, &fixture::records(&plan));
    let page = file(&results, &plan, "report.html");
    assert!(!page.contains("<script>") && !page.contains("<b>"));
    assert!(file(&results, &plan, "consumers.csv").contains("\"<b>\"\"a\"\", b & c\""));
}

#[test]
fn an_empty_run_still_has_a_report() {
    let mut plan = fixture::comparison();
    plan.workload.arrivals =
        crate::workload::Constant { count: 1, per: crate::model::Span::from_secs(1_000_000) }.into();
    let results = results_of(&plan, &fixture::records(&plan));
    assert_eq!(results.verdict(), Verdict::Pass, "{:?}", results.runs[0].why_void);
    assert!(text::render(&results, text::Options::default()).contains("nothing due"));
    assert!(file(&results, &plan, "report.html").contains("0 events"));
}

#[test]
fn the_story_of_one_event_is_told_in_order() {
    let plan = fixture::comparison();
    let records = fixture::records(&plan);
    let source = replay(&records, 0);
    let worst = explain(&plan, &source, None).unwrap();
    assert!(worst.contains("an example of a broken promise of no-ledger"), "{worst}");
    let order = ["emitted", "fault: drop-ack hits attempt 1", "received and accepted", "connection broke", "attempt 2"];
    let places: Vec<usize> = order.iter().map(|part| worst.find(part).expect(part)).collect();
    assert!(places[0] < places[2] && places[1] < places[4], "{worst}");
    let asked = explain(&plan, &source, Some(3)).unwrap();
    assert!(asked.starts_with("Event 3 (asked for)") && asked.contains("poll-5s"));
    assert!(explain(&plan, &source, Some(4_000_000)).unwrap().contains("No record names it"));
    let quiet: Vec<Record> = Vec::new();
    assert!(explain(&plan, &replay(&quiet, 0), None).unwrap().contains("nothing was emitted"));
}

#[test]
fn several_seeds_carry_intervals_and_modes_are_not_mixed() {
    let mut plan = fixture::comparison();
    let mut runs = Vec::new();
    for seed in 1..=4 {
        plan.seed = seed;
        runs.push(judge(&plan, &replay(&fixture::records(&plan), 0)).unwrap());
    }
    runs[3].mode = crate::scenario::Mode::Virtual;
    let results = Results::new(&plan, host(), runs);
    let rows = results.summary.iter().filter(|row| row.consumer == "poll-5s" && row.quantity == "age_s.p50");
    let row = rows.collect::<Vec<_>>();
    assert_eq!(row.len(), 1, "one virtual run makes no interval");
    assert!(row[0].n == 3 && row[0].low < row[0].mean && row[0].mean < row[0].high);
    assert!(text::render(&results, text::Options::default()).contains("Over all seeds: mean and 95 % interval"));
    assert_eq!(shown(&results).count(), 2);
}

#[test]
fn every_result_where_polling_wins_is_said() {
    let (plan, results) = synthetic();
    let shown = text::render(&results, text::Options::default());
    assert!(shown.contains("Where polling won\n  - p99 of the age: poll-5s 4.96 s, webhook 7.27 s"), "{shown}");
    assert!(file(&results, &plan, "report.html").contains("Where polling won"));
}
