//! The results of a run as they are saved and shown: `results.json`, schema version 1.

use serde::{Deserialize, Serialize};

use super::{
    AgreementRow, Calibration, ConsumerResult, Finding, PairedRow, ProfileResult, SummaryRow, agreement,
    conditions::over_seeds, pair, summarise,
};
use crate::{
    model::{ClientNo, RunId, Seq},
    scenario::{ConsumerNo, Mode, Plan},
};

/// One or more runs of a scenario, judged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Results {
    /// The format of this structure; 1.
    pub schema_version: u32,
    /// The scenario's title.
    pub title: String,
    /// The question that it answers.
    pub question: String,
    /// What to watch in the pictures; may be empty.
    pub watch: String,
    /// What to conclude, with placeholders for figures; may be empty.
    pub conclude: String,
    /// Where the figures that the scenario repeats were published; may be empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub published: String,
    /// The scenario's name.
    pub scenario: String,
    /// The command that runs it again.
    pub reproduce: String,
    /// Version of the program that judged.
    pub pushpull_version: String,
    /// The machine.
    pub host: Host,
    /// The runs.
    pub runs: Vec<RunResult>,
    /// Means and intervals over runs of one mode; empty for single runs.
    pub summary: Vec<SummaryRow>,
    /// Differences between consumers that saw the same events and faults, over runs of one mode.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub paired: Vec<PairedRow>,
    /// The expectations over all seeds of a mode; empty where each mode has one. The verdict is theirs then.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub over_seeds: Vec<Expectation>,
    /// Where the virtual run took its service times from the live one: these.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calibration: Option<Calibration>,
    /// Where the plan ran both ways: whether the two say the same.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub agreement: Vec<AgreementRow>,
}

/// The machine that a run took place on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Host {
    /// Operating system.
    pub os: String,
    /// Processor architecture.
    pub arch: String,
    /// Processors that the run could use.
    pub cpus: u32,
}

/// One run, judged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunResult {
    /// How it was driven.
    pub mode: Mode,
    /// Seed of every draw.
    pub seed: u64,
    /// Names the run in event ids.
    pub run_id: RunId,
    /// Scenario time passed this many times faster.
    pub time_scale: f64,
    /// Whether the figures can be believed.
    pub valid: bool,
    /// Why not, one sentence each.
    pub why_void: Vec<String>,
    /// Whether a person stopped it.
    pub interrupted: bool,
    /// From t0 to the end of the drain, in driver seconds.
    pub duration_s: f64,
    /// The provider's side.
    pub provider: ProviderResult,
    /// Processor time of the orchestrator, in seconds.
    pub harness_cpu_s: Option<f64>,
    /// SHA-256 of the records of a virtual run, which the seed decides; told by whoever had it judged.
    #[serde(default)]
    pub records_sha256: Option<String>,
    /// Processor time of judging it, in seconds; told by whoever had it judged.
    #[serde(default)]
    pub judge_cpu_s: Option<f64>,
    /// The consumers, in plan order.
    pub consumers: Vec<ConsumerResult>,
    /// The run's expectations.
    pub expectations: Vec<Expectation>,
    /// Which promises each consumer kept.
    pub promises: Vec<PromiseResult>,
    /// Closed forms beside what was measured, where their assumptions hold.
    pub model: Vec<ModelRow>,
    /// Intervals in which something was wrong on purpose.
    pub disturbances: Vec<Disturbance>,
    /// Which closed forms were left out and why, and other things taken for granted.
    pub assumptions: Vec<String>,
    /// What this mode does not model.
    pub not_modelled: Vec<String>,
    /// What the reader should know.
    pub warnings: Vec<String>,
}

/// The provider's side of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ProviderResult {
    /// Its name; several joined by " + ".
    pub name: String,
    /// Events emitted.
    pub emitted: u64,
    /// 99th percentile of the generator's lag behind its schedule.
    pub lag_p99_s: Option<f64>,
    /// Largest lag.
    pub lag_max_s: Option<f64>,
    /// The lag above which the run is void.
    pub lag_bound_s: f64,
    /// Processor time.
    pub cpu_s: Option<f64>,
    /// Peak resident memory.
    pub peak_rss_bytes: Option<u64>,
    /// Whose manners it has, where it follows a profile.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub profiles: Vec<ProfileResult>,
}

/// One line of `[expect]`, held against a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Expectation {
    /// The key as written.
    pub key: String,
    /// The right-hand side as written.
    pub wanted: String,
    /// What was measured; `None` where it was not observed.
    pub actual: Option<f64>,
    /// Where a tolerance was given: what was measured less what was wanted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub difference: Option<f64>,
    /// Where it is held against several seeds: how.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub over: Option<OverSeeds>,
    /// Whether it holds. What was not observed never does.
    pub pass: bool,
}

/// How an expectation is held against several seeds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "rule", rename_all = "kebab-case")]
pub enum OverSeeds {
    /// A count holds for every seed.
    Each {
        /// Seeds.
        seeds: u32,
        /// The least count.
        low: f64,
        /// The greatest.
        high: f64,
        /// The first seed for which it does not hold.
        failed: Option<u64>,
    },
    /// Anything else holds for the mean.
    Mean {
        /// Seeds.
        seeds: u32,
        /// Lower end of the mean's 95 % interval.
        low: f64,
        /// Upper end.
        high: f64,
    },
}

/// What an audit says of one promise of one consumer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PromiseResult {
    /// The consumer's name.
    pub consumer: String,
    /// The promise's name.
    pub name: String,
    /// The promise in words.
    pub promise: String,
    /// The verdict.
    pub verdict: PromiseVerdict,
    /// How often it was broken; `None` where it was not observed.
    pub count: Option<u64>,
    /// One event as evidence.
    pub example: Option<Example>,
}

/// What became of a promise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PromiseVerdict {
    /// Put to the test and kept.
    Kept,
    /// Broken.
    Broken,
    /// Nothing in this run could have shown it.
    NotObserved,
}

/// The evidence for a broken promise.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Example {
    /// The client.
    pub client: ClientNo,
    /// The event's sequence.
    pub event: Seq,
    /// Its story.
    pub story: Vec<StoryLine>,
}

/// One line of an event's story.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoryLine {
    /// When, relative to the event's instant, in words.
    pub when: String,
    /// What.
    pub what: String,
}

/// A closed form beside what was measured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelRow {
    /// The consumer's name.
    pub consumer: String,
    /// What.
    pub quantity: String,
    /// What the formula says.
    pub predicted: f64,
    /// What was measured.
    pub measured: f64,
    /// (measured - predicted) / predicted; `None` where the prediction is 0.
    pub difference: Option<f64>,
    /// The difference in standard errors of the measurement; `None` where there is no spread.
    pub standard_errors: Option<f64>,
    /// What the formula takes for granted.
    pub assumes: String,
}

/// An interval in which something was wrong on purpose.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Disturbance {
    /// Its beginning, in driver seconds.
    pub from_s: f64,
    /// Its end.
    pub until_s: f64,
    /// The fault.
    pub what: String,
    /// Whom it hit, by index.
    pub consumers: Vec<ConsumerNo>,
}

/// What the exit code says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// All expectations hold: exit code 0.
    Pass,
    /// At least one does not: exit code 1.
    ExpectationFailed,
    /// A person ended the run before its time: what happened is judged, nothing is proved: exit
    /// code 1.
    Interrupted,
    /// The live and the virtual run of one plan do not say the same: exit code 1.
    Disagreement,
    /// At least one run cannot be believed: exit code 3.
    Void,
}

impl Verdict {
    /// The process's exit code.
    #[must_use]
    pub fn exit_code(self) -> u8 {
        match self {
            Verdict::Pass => 0,
            Verdict::ExpectationFailed | Verdict::Interrupted | Verdict::Disagreement => 1,
            Verdict::Void => 3,
        }
    }

    /// Which of several counts: a void run more than a failed expectation.
    pub(super) fn severity(self) -> u8 {
        match self {
            Verdict::Pass => 0,
            Verdict::Disagreement => 1,
            Verdict::Interrupted => 2,
            Verdict::ExpectationFailed => 3,
            Verdict::Void => 4,
        }
    }
}

impl Results {
    /// Puts runs of one scenario together.
    #[must_use]
    pub fn new(plan: &Plan, host: Host, runs: Vec<RunResult>) -> Results {
        let of = |mode| runs.iter().find(|run| run.mode == mode);
        Results {
            schema_version: 1,
            title: plan.title.clone(),
            question: plan.question.clone(),
            watch: plan.watch.clone(),
            conclude: plan.conclude.clone(),
            published: plan.published.clone(),
            scenario: plan.name.clone(),
            reproduce: plan.reproduce.clone(),
            pushpull_version: env!("CARGO_PKG_VERSION").to_owned(),
            host,
            summary: summarise(&runs),
            paired: pair(&runs),
            over_seeds: over_seeds(&plan.expects, &runs),
            calibration: None,
            agreement: of(Mode::Live).zip(of(Mode::Virtual)).map(|(a, b)| agreement(a, b)).unwrap_or_default(),
            runs,
        }
    }

    /// The verdict over all runs: a void run counts more than a failed expectation.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        if self.runs.is_empty() || self.runs.iter().any(|run| !run.valid) {
            Verdict::Void
        } else if !self.passes() {
            Verdict::ExpectationFailed
        } else if self.runs.iter().any(|run| run.interrupted) {
            Verdict::Interrupted
        } else if self.differing() > 0 {
            Verdict::Disagreement
        } else {
            Verdict::Pass
        }
    }
}

impl Results {
    fn passes(&self) -> bool {
        match self.over_seeds.is_empty() {
            true => self.runs.iter().all(RunResult::passes),
            false => self.over_seeds.iter().all(|expectation| expectation.pass),
        }
    }

    /// The expectations that the verdict rests on.
    pub fn expectations(&self) -> impl Iterator<Item = &Expectation> {
        let own = self.runs.iter().filter(|_| self.over_seeds.is_empty()).flat_map(|run| &run.expectations);
        self.over_seeds.iter().chain(own)
    }

    /// Quantities in which the live and the virtual run differ.
    #[must_use]
    pub fn differing(&self) -> usize {
        self.agreement.iter().filter(|row| row.finding == Finding::Differs).count()
    }
}

impl RunResult {
    /// Whether every expectation holds. Where nothing is expected, the promises are: a consumer that
    /// breaks one does not pass, nor does one with obligations left open by a run that was given its
    /// time. A scenario that means to show such a thing expects its counts.
    #[must_use]
    pub fn passes(&self) -> bool {
        if self.expectations.is_empty() {
            let open = self.consumers.iter().any(|consumer| consumer.pending.is_some_and(|pending| pending > 0));
            return self.broken().next().is_none() && (self.interrupted || !open);
        }
        self.expectations.iter().all(|expectation| expectation.pass)
    }

    /// Keeps the figures and drops what only pictures and fine print need: of many seeds the first is shown.
    pub fn keep_figures(&mut self) {
        for consumer in &mut self.consumers {
            consumer.series.buckets.clear();
            consumer.behind = None;
            let ages = consumer.age_s.iter_mut().chain(&mut consumer.external_window_s);
            ages.for_each(|age| age.histogram_us.clear());
        }
        self.promises.retain(|promise| promise.verdict == PromiseVerdict::Broken);
        self.disturbances.clear();
        [&mut self.assumptions, &mut self.not_modelled, &mut self.warnings].into_iter().for_each(Vec::clear);
    }

    /// The promises that were broken.
    pub fn broken(&self) -> impl Iterator<Item = &PromiseResult> {
        self.promises.iter().filter(|promise| promise.verdict == PromiseVerdict::Broken)
    }
}
