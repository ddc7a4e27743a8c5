//! From text to plan: parse, check, fill in defaults, resolve names, divide by `time_scale`.

use std::path::PathBuf;

use super::{
    CasePlan, Mode, Plan, RawCase, cases, conditions,
    consumers::read_consumers,
    error::{At, Problem, ScenarioError},
    faults::read_faults,
    live_time,
    locate::{File, locate, shown_path, syntax_error},
    names::{Choice, choose},
    prices::read_cost,
    profiles::{self, Settled, Trouble},
    providers::{check_against, read_providers},
    raw::RawScenario,
    units::parse_span,
    virtual_time, warnings, words,
    workload::read_workload,
};
use crate::{
    model::{RunId, Span, Time},
    workload::{Arrivals, Workload},
};

/// What the command line adds to a scenario.
#[derive(Debug, Clone)]
pub struct LoadOptions {
    /// The embedded name or the file stem.
    pub name: String,
    /// What errors call the file.
    pub file: String,
    /// Where paths in the scenario start: the folder of its file.
    pub dir: PathBuf,
    /// Overrides the scenario's first mode.
    pub mode: Option<Mode>,
    /// Overrides the scenario's seed.
    pub seed: Option<u64>,
    /// Overrides how many seeds are run.
    pub seeds: Option<u32>,
    /// The case that is meant; `None`: all of them.
    pub case: Option<String>,
    /// The run id where the scenario sets none; `None`: a fresh one in a live run, and one that follows
    /// from the seed in virtual time.
    pub run_id: Option<RunId>,
    /// A run id that no run has had.
    pub fresh_run_id: RunId,
    /// The price list that replaces the scenario's: a file, or a name that `[cost]` knows.
    pub prices: Option<PathBuf>,
    /// `key=value` overrides, in order.
    pub sets: Vec<String>,
    /// The command that runs this again, without seed and run id, which are added.
    pub command: String,
}

/// Where a scenario file's writer finds out more.
const HELP: &str = "see `pushpull schema`, or an example: `pushpull scenarios show quickstart`";

/// What errors say of a scenario's text. After --set it is not the file's any more.
fn file<'a>(source: &'a str, options: &'a LoadOptions) -> File<'a> {
    File { source, name: &options.file, exact: options.sets.is_empty(), help: HELP }
}

impl LoadOptions {
    /// Nothing changed: a scenario of this name, whose live runs take this id.
    #[must_use]
    pub fn new(name: &str, fresh_run_id: RunId) -> LoadOptions {
        LoadOptions {
            name: name.to_owned(),
            file: format!("{name}.toml"),
            dir: PathBuf::new(),
            mode: None,
            seed: None,
            seeds: None,
            case: None,
            run_id: None,
            fresh_run_id,
            prices: None,
            sets: Vec::new(),
            command: String::new(),
        }
    }
}

/// Reads and checks a scenario that is one plan: it has no cases, or [`LoadOptions::case`] names one.
pub fn load(text: &str, options: &LoadOptions) -> Result<Plan, ScenarioError> {
    let mut plans = load_cases(text, options)?;
    match (plans.pop(), plans.is_empty()) {
        (Some(plan), true) => Ok(plan),
        (last, _) => {
            let names: Vec<String> = plans.into_iter().chain(last).filter_map(|plan| Some(plan.case?.name)).collect();
            let fix = format!("name one: --case {}", names.join(", --case "));
            Err(locate(At::default().key("case").problem("this takes one case", fix), &file(text, options)))
        }
    }
}

/// Reads and checks a scenario: a plan for each of its cases, or one where it has none.
pub fn load_cases(text: &str, options: &LoadOptions) -> Result<Vec<Plan>, ScenarioError> {
    let source = super::set::apply(text, &options.sets).map_err(|problem| locate(problem, &file(text, options)))?;
    let file = file(&source, options);
    let raw: RawScenario = toml::from_str(&source).map_err(|error| syntax_error(&error, &file))?;
    let located = |problem| locate(problem, &file);
    let chosen = cases::chosen(&At::default().key("case"), &raw.case, options.case.as_deref()).map_err(located)?;
    if raw.case.is_empty() {
        let cost = read_cost(&raw.cost, &file, options)?;
        let providers = settled(&raw, &source, options, &located)?;
        return Ok(vec![Plan { cost, ..build(&raw, &providers, &source, options).map_err(located)? }]);
    }
    chosen.into_iter().map(|(index, case)| load_case(&file, index, case, options)).collect()
}

/// One case's plan. What is wrong with it is told by the file's own lines.
fn load_case(whole: &File<'_>, index: usize, case: &RawCase, options: &LoadOptions) -> Result<Plan, ScenarioError> {
    let text = cases::text_of(whole.source, index, case, &options.sets).map_err(|problem| locate(problem, whole))?;
    let own = File { source: &text, exact: false, ..*whole };
    let told = |problem: Problem| {
        let shown = shown_path(&problem.path, &text);
        locate(cases::relocate(problem, &shown, index, case), whole)
    };
    let raw: RawScenario = toml::from_str(&text).map_err(|error| {
        let error = syntax_error(&error, &own);
        // Only what the case sets can be wrong with a file that could be read without it.
        let culprit = case.set.keys().find(|key| key.rsplit('.').next() == Some(error.key.as_str()));
        let at = At::default().key("case").index(index);
        let at = culprit.map_or_else(|| at.clone(), |key| at.key("set").key(key));
        locate(at.problem(error.problem, error.fix), whole)
    })?;
    let command = format!("{} --case {}", options.command, case.name);
    let providers = settled(&raw, &text, options, &told)?;
    let mut plan = build(&raw, &providers, &text, &LoadOptions { command, ..options.clone() }).map_err(told)?;
    plan.cost = read_cost(&raw.cost, &own, options)?;
    plan.case = Some(CasePlan { name: case.name.clone(), title: case.title.clone() });
    Ok(plan)
}

/// The providers with their profiles. What is wrong with a profile is told by its own lines.
fn settled(
    raw: &RawScenario,
    source: &str,
    options: &LoadOptions,
    told: &dyn Fn(Problem) -> ScenarioError,
) -> Result<Vec<Settled>, ScenarioError> {
    profiles::settle(&raw.provider, source, &raw.workload, &options.dir).map_err(|trouble| match trouble {
        Trouble::Scenario(problem) => told(problem),
        Trouble::Profile(error) => error,
    })
}

fn build(raw: &RawScenario, settled: &[Settled], source: &str, options: &LoadOptions) -> Result<Plan, Problem> {
    let top = At::default();
    let time_scale = raw.time_scale.unwrap_or(1.0);
    if !(time_scale.is_finite() && time_scale > 0.0) {
        return Err(top
            .key("time_scale")
            .problem(format!("{time_scale} is no speed"), "write a number above 0, such as 60"));
    }
    let scale = Scale(time_scale);
    let workload = read_workload(
        &top.key("workload"),
        &raw.workload,
        (scale, &options.dir),
        settled.iter().find_map(Settled::event_type),
    )?;
    let duration = read_duration(&top.key("duration"), raw.duration.as_deref(), scale, &workload)?;
    let mut providers = read_providers(&top.key("provider"), settled, scale)?;
    if let Some(given) = raw.virtual_time.bytes.webhook {
        providers.iter_mut().filter_map(|one| one.described.as_mut()).for_each(|profile| profile.webhook_bytes = given);
    }
    let consumers = read_consumers(&top.key("consumer"), &raw.consumer, &providers, (scale, workload.subjects))?;
    words::check(&top.key("conclude"), &raw.conclude, &consumers)?;
    let drain = scale.span(span_or(&top.key("drain"), raw.drain.as_deref(), Span::from_secs(30))?);
    check_against(&top.key("provider"), &raw.provider, &providers, &consumers, Time::ZERO + duration + drain)?;
    let mode = read_mode(&top.key("modes"), raw.modes.as_deref(), options.mode)?;
    let faults = read_faults(&top.key("fault"), &raw.fault, &providers, &consumers, (scale, mode))?;
    let seed = options.seed.or(raw.seed).unwrap_or(42);
    let seeds = within(&top.key("seeds"), options.seeds.or(raw.seeds), 1, (1, Plan::SEEDS_MAX))?;
    let run_id = match &raw.run_id {
        Some(text) => text
            .parse()
            .map_err(|error| top.key("run_id").problem(format!("{error}"), "or leave it out for a fresh one"))?,
        None => options.run_id.unwrap_or(match mode {
            Mode::Live => options.fresh_run_id,
            Mode::Virtual => RunId::from_bits(seed),
        }),
    };
    let mut plan = Plan {
        schema_version: 1,
        name: options.name.clone(),
        title: raw.title.clone(),
        question: question(source),
        watch: raw.watch.clone(),
        conclude: raw.conclude.clone(),
        published: raw.source.clone(),
        case: None,
        seed,
        seeds,
        run_id,
        mode,
        time_scale,
        duration,
        drain,
        virtual_time: virtual_time::read(&top.key("virtual"), &raw.virtual_time, &workload.payload)?,
        workload,
        providers,
        goals: conditions::read(&top.key("goal"), &raw.goal, &consumers, false)?,
        expects: conditions::read(&top.key("expect"), &raw.expect, &consumers, true)?,
        consumers,
        faults,
        cost: None,
        warnings: Vec::new(),
        reproduce: format!("{} --seed {seed}{} --run-id {run_id}", options.command, seeds_flag(options.seeds)),
        source: source.to_owned(),
    };
    match mode {
        Mode::Live => live_time::check(&plan)?,
        Mode::Virtual => virtual_time::check(&plan)?,
    }
    plan.warnings = warnings::of(&plan);
    Ok(plan)
}

/// What the scenario itself says need not be said again.
fn seeds_flag(asked: Option<u32>) -> String {
    asked.map_or_else(String::new, |seeds| format!(" --seeds {seeds}"))
}

/// The window of arrivals in driver time: as written, or as long as a capture is.
fn read_duration(at: &At, text: Option<&str>, scale: Scale, workload: &Workload) -> Result<Span, Problem> {
    if let (None, Arrivals::Replay(replay)) = (text, &workload.arrivals) {
        // The window's end is not part of it; whole seconds read better.
        return Ok(Span::from_secs(replay.length.0 / 1_000_000_000 + 1));
    }
    match span_or(at, text, Span::from_secs(60))? {
        Span::ZERO => Err(at.problem("a run of no length", "write a duration such as \"60s\"")),
        duration => Ok(scale.span(duration)),
    }
}

/// Divides what `time_scale` scales.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scale(pub f64);

impl Scale {
    /// A span of scenario time in driver time.
    pub fn span(self, span: Span) -> Span {
        if self.0 == 1.0 { span } else { Span((span.0 as f64 / self.0).round() as u64) }
    }
}

pub(super) fn span_or(at: &At, text: Option<&str>, default: Span) -> Result<Span, Problem> {
    match text {
        None => Ok(default),
        Some(text) => parse_span(text).map_err(|error| at.problem(error.problem, error.fix)),
    }
}

/// A number within bounds, or its default.
pub(super) fn within<T: PartialOrd + Copy + std::fmt::Display>(
    at: &At,
    value: Option<T>,
    default: T,
    (least, most): (T, T),
) -> Result<T, Problem> {
    let value = value.unwrap_or(default);
    if value >= least && value <= most {
        return Ok(value);
    }
    Err(at.problem(format!("{value} is out of bounds"), format!("write a number from {least} to {most}")))
}

fn read_mode(at: &At, modes: Option<&[String]>, asked: Option<Mode>) -> Result<Mode, Problem> {
    const TABLE: [(&str, Choice<Mode>); 2] =
        [("live", Choice::Here(Mode::Live)), ("virtual", Choice::Here(Mode::Virtual))];
    let mut known = Vec::new();
    for (index, name) in modes.unwrap_or(&["live".to_owned(), "virtual".to_owned()]).iter().enumerate() {
        known.push(choose(&at.index(index), name, &TABLE)?);
    }
    let first = *known.first().ok_or_else(|| at.problem("no mode at all", "write [\"live\"]"))?;
    match asked {
        Some(mode) if !known.contains(&mode) => Err(at.problem(
            "the scenario does not run in the mode that was asked for",
            "add it to modes, or leave --mode out",
        )),
        Some(mode) => Ok(mode),
        None => Ok(first),
    }
}

/// The file's first comment, as one line.
fn question(source: &str) -> String {
    let first = source.lines().skip_while(|line| line.trim().is_empty());
    let comment = first.map_while(|line| line.trim().strip_prefix('#'));
    comment.map(str::trim).collect::<Vec<_>>().join(" ").trim().to_owned()
}

/// Reads serde's "unknown field `x`, expected one of `a`, `b`" to the key and the known ones.
pub(super) fn unknown_field(message: &str) -> Option<(String, Vec<String>)> {
    unknown("field", message)
}

/// The same of a name that stands for one of several things.
pub(super) fn unknown_variant(message: &str) -> Option<(String, Vec<String>)> {
    unknown("variant", message)
}

fn unknown(what: &str, message: &str) -> Option<(String, Vec<String>)> {
    let rest = message.strip_prefix("unknown ")?.strip_prefix(what)?.strip_prefix(" `")?;
    let (key, rest) = rest.split_once('`')?;
    Some((key.to_owned(), rest.split('`').skip(1).step_by(2).map(str::to_owned).collect()))
}
