//! How fast virtual time goes. Each part is measured in turns with the least that could do the same, so that
//! what is told is a ratio of the same minute on the same machine.
//!
//! `cargo bench --bench virtual_time -- --help` has the options.
#![allow(clippy::disallowed_methods, reason = "a bench measures time")]

#[path = "../support/figures.rs"]
#[allow(dead_code, reason = "each bench uses its part")]
mod figures;
mod plans;
mod yardstick;

use std::{path::Path, time::Instant};

use clap::{Parser, ValueEnum};
use figures::Figure;
use pushpull::{
    measure::{judge, judge_dir},
    record::{MemoryLog, WriteBehind, read_memory},
    scenario::Plan,
    virtual_time::{Pace, run_at},
};

/// Measures virtual time.
#[derive(Debug, Parser)]
struct Options {
    /// Rounds; figures are medians over them.
    #[arg(long, default_value_t = 7)]
    rounds: u32,
    /// What is measured.
    #[arg(long, value_delimiter = ',', default_value = "step,crowd,skip,retry")]
    parts: Vec<Part>,
    /// What cargo passes to every bench.
    #[arg(long, hide = true)]
    bench: bool,
}

/// A part of the bench.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// 10,000 pollers at 300 s with jitter for a day, each poll a step.
    Step,
    /// The same with a million pollers.
    Crowd,
    /// A million clients at 60 s for 30 days, and ten million events.
    Skip,
    /// A million events under a schedule of three days, with 5 % of the acks lost.
    Retry,
}

fn main() {
    let options = Options::parse();
    println!("{}", figures::machine());
    for part in &options.parts {
        match part {
            Part::Step => stepping(&options, 10_000, 24),
            Part::Crowd => stepping(&options, 1_000_000, 2),
            Part::Skip => whole_run("a million clients at 60 s for 30 days, ten million events", &plans::skipping()),
            Part::Retry => {
                whole_run("a million events under a schedule of three days, 5 % of acks lost", &plans::retries())
            }
        }
    }
}

/// Polls one by one: driven, tallied and judged, to a bare heap with the same draws and histogram.
fn stepping(options: &Options, clients: u32, hours: u32) {
    let plan = plans::stepping(clients, hours);
    let (mut rate, mut bare, mut ratio) = (Figure::default(), Figure::default(), Figure::default());
    for _ in 0..options.rounds {
        let (polls, took) = timed(|| yardstick::heap(clients, hours));
        let bare_rate = polls as f64 / took.cpu_s / 1e6;
        let (polls, took) = timed(|| step(&plan));
        let our_rate = polls as f64 / took.cpu_s / 1e6;
        rate.note(our_rate);
        bare.note(bare_rate);
        ratio.note(our_rate / bare_rate);
    }
    println!(
        "{clients} pollers at 300 s with jitter for {hours} h, one by one: {} million polls per second of processor time; to a bare std heap ({}): {}",
        rate.told(1),
        bare.told(1),
        ratio.told(2)
    );
}

/// Steps through a plan and judges it; tells how many polls there were.
fn step(plan: &Plan) -> u64 {
    let memory = MemoryLog::default();
    run_at(Pace::Step, plan, &memory);
    let records = memory.into_records();
    let result = judge(plan, &|each| read_memory(&records, each)).expect("records in memory can be read");
    assert!(result.valid, "{:?}", result.why_void);
    result.consumers[0].requests
}

/// Drives a plan with its records on the disk, then judges them.
fn whole_run(what: &str, plan: &Plan) {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let path = dir.path().join("run.records");
    let ((), driven) = timed(|| {
        let records = WriteBehind::create(&path).expect("a record file");
        run_at(Pace::Skip, plan, &records);
        records.finish().expect("the disk has room");
    });
    let driven_mb = peak_mb();
    let bytes = std::fs::metadata(&path).map_or(0, |meta| meta.len());
    let (copied, copying) = timed(|| copy(&path, &dir.path().join("copy")));
    assert_eq!(copied, bytes);
    let (result, judged) = timed(|| judge_dir(plan, dir.path()).expect("the records can be read"));
    assert!(result.valid, "{:?}", result.why_void);
    let consumer = &result.consumers[0];
    println!(
        "{what}: {} requests, {} attempts, {} MB of records. Driven in {:.2} s ({:.2} s of processor time) with {driven_mb} MB \
         at most, to copy the records: {:.2} s ({:.2} s); judged in {:.2} s ({:.2} s), {} MB at most",
        consumer.requests,
        consumer.attempts,
        bytes >> 20,
        driven.wall_s,
        driven.cpu_s,
        copying.wall_s,
        copying.cpu_s,
        judged.wall_s,
        judged.cpu_s,
        peak_mb()
    );
}

fn copy(from: &Path, to: &Path) -> u64 {
    std::fs::copy(from, to).expect("the disk has room")
}

/// Seconds that something took.
#[derive(Debug, Clone, Copy)]
struct Took {
    /// By the clock.
    wall_s: f64,
    /// Of this process's processors, where the system tells: what others do meanwhile does not count.
    cpu_s: f64,
}

fn timed<T>(work: impl FnOnce() -> T) -> (T, Took) {
    let (begun, before) = (Instant::now(), cpu_s());
    let done = work();
    let (wall_s, after) = (begun.elapsed().as_secs_f64(), cpu_s());
    (done, Took { wall_s, cpu_s: after.zip(before).map_or(wall_s, |(after, before)| after - before) })
}

/// Processor time of the calling thread so far, on Linux.
fn cpu_s() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    Some(text.split(' ').next()?.parse::<f64>().ok()? / 1e9)
}

/// The most memory that this process has held, where the system tells.
fn peak_mb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    peak.and_then(|text| text.trim().trim_end_matches(" kB").parse::<u64>().ok()).unwrap_or(0) >> 10
}
