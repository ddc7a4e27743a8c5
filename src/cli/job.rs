//! One scenario of a command line: its cases, each with a plan per mode, and what they come to.

use std::path::Path;

use anyhow::Context;

use super::{
    Exit,
    folder::Folder,
    judge,
    load::{self, ModeArg, Overrides},
    many,
    many::How,
    print,
};
use crate::{
    measure::{CaseResults, Cases, Results, Verdict},
    report,
    scenario::{Mode, Plan},
};

/// A scenario to run.
#[derive(Debug)]
pub(super) struct Job {
    /// By case, then by mode; never empty.
    cases: Vec<Vec<Plan>>,
}

/// What it came to.
#[derive(Debug)]
pub(super) enum Judged {
    /// A scenario without cases.
    One(Box<Results>),
    /// One with them.
    Cases(Cases),
}

impl Job {
    /// Reads a scenario with what the command line changes in it.
    pub fn read(which: &str, overrides: &Overrides, seeds: Option<u32>) -> anyhow::Result<Job> {
        let modes = match overrides.mode {
            None => vec![None],
            Some(ModeArg::Live) => vec![Some(Mode::Live)],
            Some(ModeArg::Virtual) => vec![Some(Mode::Virtual)],
            Some(ModeArg::Both) => vec![Some(Mode::Live), Some(Mode::Virtual)],
        };
        let mut cases: Vec<Vec<Plan>> = Vec::new();
        for mode in modes {
            for (no, plan) in load::plans_in(mode, which, overrides, seeds)?.into_iter().enumerate() {
                match cases.get_mut(no) {
                    Some(case) => case.push(plan),
                    None => cases.push(vec![plan]),
                }
            }
        }
        Ok(Job { cases })
    }

    /// One of these plans, by case, then by mode.
    pub fn of(cases: Vec<Vec<Plan>>) -> Job {
        Job { cases }
    }

    /// Every plan.
    pub fn plans(&self) -> impl Iterator<Item = &Plan> {
        self.cases.iter().flatten()
    }

    /// The first plan, which names the scenario.
    pub fn first(&self) -> &Plan {
        &self.cases[0][0]
    }

    /// The plan, where there is one, to be run with one seed.
    pub fn only(&mut self) -> Option<&mut Plan> {
        match self.cases.as_mut_slice() {
            [case] => match case.as_mut_slice() {
                [plan] if plan.seeds == 1 => Some(plan),
                _ => None,
            },
            _ => None,
        }
    }

    /// Runs it into `dir`. Of one that could not be carried out nothing is left there.
    pub fn run(&self, dir: &Folder, how: How<'_>) -> anyhow::Result<Judged> {
        self.run_into(&dir.path, how).inspect_err(|_| dir.take_back())
    }

    fn run_into(&self, dir: &Path, how: How<'_>) -> anyhow::Result<Judged> {
        if self.first().case.is_none() {
            return Ok(Judged::One(Box::new(many::run(&self.cases[0], dir, how)?)));
        }
        let mut judged = Vec::new();
        for plans in &self.cases {
            let case = plans[0].case.clone().context("a case without a name")?;
            let own = dir.join(&case.name);
            std::fs::create_dir_all(&own).with_context(|| format!("cannot create {}", own.display()))?;
            let results = many::run(plans, &own, how)?;
            judged.push(CaseResults { name: case.name, title: case.title, results });
        }
        let cases = self.put_together(judged);
        report::write_cases(dir, &cases).with_context(|| format!("cannot write the report into {}", dir.display()))?;
        Ok(Judged::Cases(cases))
    }

    fn put_together(&self, cases: Vec<CaseResults>) -> Cases {
        let first = self.first();
        let named = first.case.as_ref().map_or_else(String::new, |case| format!(" --case {}", case.name));
        Cases {
            schema_version: 1,
            title: first.title.clone(),
            question: first.question.clone(),
            scenario: first.name.clone(),
            // Of a single case the command names it; of all it does not.
            reproduce: match self.cases.len() {
                1 => first.reproduce.clone(),
                _ => first.reproduce.replacen(&named, "", 1),
            },
            cases,
        }
    }
}

impl Judged {
    /// The exit code.
    pub fn exit(&self) -> Exit {
        judge::exit_of(self.verdict())
    }

    /// The verdict over everything.
    pub fn verdict(&self) -> Verdict {
        match self {
            Judged::One(results) => results.verdict(),
            Judged::Cases(cases) => cases.verdict(),
        }
    }

    /// Its runs, each with the name of its case.
    pub fn runs(&self) -> Vec<(&str, &Results)> {
        match self {
            Judged::One(results) => vec![("", results)],
            Judged::Cases(cases) => cases.by_name(),
        }
    }

    /// The verdict in one line.
    pub fn line(&self) -> String {
        match self {
            Judged::One(results) => report::text::verdict_line(results),
            Judged::Cases(cases) => report::text::cases_line(cases),
        }
    }

    /// Prints the report, as text or as JSON.
    pub fn show(&self, dir: &Path, json: bool) -> anyhow::Result<()> {
        match self {
            Judged::One(results) => judge::show(results, dir, json),
            Judged::Cases(cases) if json => print(&format!("{}\n", serde_json::to_string_pretty(cases)?)),
            Judged::Cases(cases) => {
                print(&report::text::render_cases(cases, judge::options()))?;
                print(&format!("\nReport: {}\n", dir.join("report.html").display()))
            }
        }
    }

    /// The expectations that do not hold, with their case.
    pub fn failed(&self) -> Vec<String> {
        let mut failed = Vec::new();
        for (case, results) in self.runs() {
            let case = if case.is_empty() { String::new() } else { format!("{case}: ") };
            for e in results.expectations().filter(|expectation| !expectation.pass) {
                failed.push(format!("{case}{} wanted {}, was {}", e.key, e.wanted, report::text::was(e)));
            }
        }
        failed
    }
}
