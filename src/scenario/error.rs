//! What is wrong with a scenario: the key, the line and the fix.

use std::fmt;

/// One thing wrong with a scenario.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScenarioError {
    /// The file or embedded name.
    pub file: String,
    /// The line, from 1, where the file has one for it.
    pub line: Option<usize>,
    /// The key, such as `consumer.poll-5s.strategy.interval`; empty where the file as a whole is meant.
    pub key: String,
    /// What is wrong.
    pub problem: String,
    /// What to write instead.
    pub fix: String,
}

impl fmt::Display for ScenarioError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        if !self.key.is_empty() {
            write!(f, ": {}", self.key)?;
        }
        write!(f, ": {}", self.problem)?;
        if self.fix.is_empty() { Ok(()) } else { write!(f, "\n  fix: {}", self.fix) }
    }
}

impl std::error::Error for ScenarioError {}

/// A problem with one value, before it is known where the value stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    /// Where: keys and indexes from the top.
    pub path: Vec<Step>,
    pub problem: String,
    pub fix: String,
}

/// One step of a path into the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    Key(String),
    Index(usize),
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Step::Key(key) => f.write_str(key),
            Step::Index(index) => write!(f, "{index}"),
        }
    }
}

impl From<&str> for Step {
    fn from(key: &str) -> Step {
        Step::Key(key.to_owned())
    }
}

impl From<usize> for Step {
    fn from(index: usize) -> Step {
        Step::Index(index)
    }
}

/// Where the loader stands in the file. Cheap to extend: paths are three or four steps long.
#[derive(Debug, Clone, Default)]
pub(crate) struct At(pub Vec<Step>);

impl At {
    pub fn key(&self, key: &str) -> At {
        self.step(key.into())
    }

    pub fn index(&self, index: usize) -> At {
        self.step(index.into())
    }

    fn step(&self, step: Step) -> At {
        let mut path = self.0.clone();
        path.push(step);
        At(path)
    }

    pub fn problem(&self, problem: impl Into<String>, fix: impl Into<String>) -> Problem {
        Problem { path: self.0.clone(), problem: problem.into(), fix: fix.into() }
    }
}
