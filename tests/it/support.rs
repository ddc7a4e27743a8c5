//! How tests run the program and read what it wrote.

use std::{
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::{Mutex, MutexGuard, PoisonError},
};

use serde_json::Value;

/// Live runs share two cores with nobody: one at a time.
pub fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Every Rust file at or below `path`.
pub fn rust_files(path: &Path) -> Vec<PathBuf> {
    if path.is_dir() {
        let entries = std::fs::read_dir(path).expect("read a folder of the source");
        return entries.flat_map(|entry| rust_files(&entry.expect("an entry").path())).collect();
    }
    if path.extension().is_some_and(|extension| extension == "rs") { vec![path.to_owned()] } else { Vec::new() }
}

/// The program, in a folder of its own.
pub fn pushpull(dir: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pushpull"));
    command.current_dir(dir).env_remove("RUST_BACKTRACE");
    command
}

/// A finished run.
pub struct Run {
    pub output: Output,
    pub dir: PathBuf,
    pub results: Value,
}

impl Run {
    /// The only run of the results.
    pub fn run(&self) -> &Value {
        &self.results["runs"][0]
    }

    /// A consumer's result.
    pub fn consumer(&self, name: &str) -> &Value {
        let consumers = self.run()["consumers"].as_array().expect("consumers");
        consumers.iter().find(|c| c["name"] == name).unwrap_or_else(|| panic!("no consumer {name}: {:#}", self.results))
    }

    /// A count of a consumer; a `null` fails the test.
    pub fn count(&self, consumer: &str, key: &str) -> u64 {
        let value = &self.consumer(consumer)[key];
        value.as_u64().unwrap_or_else(|| panic!("{consumer}.{key} is {value}"))
    }

    /// What voids the run, as far as its books go: a lagging machine is not what these tests test.
    pub fn why_void_but_lag(&self) -> Vec<String> {
        let why = self.run()["why_void"].as_array().expect("why_void");
        why.iter()
            .map(|line| line.as_str().unwrap_or_default().to_owned())
            .filter(|line| !line.contains("lag"))
            .collect()
    }

    /// Fails unless the books balance and nobody lost or doubled anything.
    pub fn assert_safe(&self, consumer: &str) {
        assert_eq!(self.why_void_but_lag(), Vec::<String>::new(), "{}", self.stdout());
        // What happens in somebody else's system is counted apart.
        let here = self.consumer(consumer)["external_calls"].is_null();
        let twice = if here { "duplicates_applied" } else { "external_repeated" };
        for key in ["lost", twice, "undelivered", "dead_lettered", "pending"] {
            assert_eq!(self.count(consumer, key), 0, "{consumer}.{key}\n{}", self.stdout());
        }
        // With a version guard an event that a newer one overtook has done its duty.
        let done = self.count(consumer, "applied") + self.count(consumer, "superseded");
        assert_eq!(done, self.count(consumer, "due"), "{}", self.stdout());
    }

    /// How often a process of this run was killed or died at a crash point.
    pub fn deaths(&self) -> usize {
        use pushpull::record::{ProcessChange, Record, read_dir};
        let mut deaths = 0;
        let count = |record| {
            if let Record::Process { change: ProcessChange::Killed | ProcessChange::Crashed(_), .. } = record {
                deaths += 1;
            }
        };
        read_dir(&self.dir.join("records"), count).expect("the run's records");
        deaths
    }

    pub fn stdout(&self) -> String {
        String::from_utf8_lossy(&self.output.stdout).into_owned() + &String::from_utf8_lossy(&self.output.stderr)
    }
}

/// Runs a scenario, given as text, in `work`; the run's folder is `out`.
pub fn run_in(work: &Path, out: &str, scenario: &str, args: &[&str]) -> Run {
    run_by(&mut pushpull(work), work, out, scenario, args)
}

/// The same by a command that becomes the program.
pub fn run_by(program: &mut Command, work: &Path, out: &str, scenario: &str, args: &[&str]) -> Run {
    let _alone = alone();
    let file = work.join(format!("{out}.toml"));
    std::fs::write(&file, scenario).expect("write the scenario");
    let output = program.arg("run").arg(&file).args(["--out", out]).args(args).output().expect("run the program");
    let dir = work.join(out);
    let text = std::fs::read_to_string(dir.join("results.json")).unwrap_or_else(|error| {
        panic!(
            "no results: {error}\n{}\n{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        )
    });
    Run { output, dir, results: serde_json::from_str(&text).expect("results.json is JSON") }
}

/// Runs a scenario in a folder that goes away with the returned guard.
pub fn run(scenario: &str, args: &[&str]) -> (Run, tempfile::TempDir) {
    let work = tempfile::tempdir().expect("a temporary folder");
    (run_in(work.path(), "out", scenario, args), work)
}
