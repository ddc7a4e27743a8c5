//! A scenario with cases, judged: the results of each, and the verdict over all.

use serde::{Deserialize, Serialize};

use super::{Results, Verdict};

/// The cases of one scenario, judged. Schema version 1.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Cases {
    /// The format of this structure; 1.
    pub schema_version: u32,
    /// The scenario's title.
    pub title: String,
    /// The question that it answers.
    pub question: String,
    /// The scenario's name.
    pub scenario: String,
    /// The command that runs all of them again.
    pub reproduce: String,
    /// The cases, in file order.
    pub cases: Vec<CaseResults>,
}

/// One case, judged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CaseResults {
    /// Its name, and that of its folder.
    pub name: String,
    /// What sets it apart; may be empty.
    pub title: String,
    /// What it came to.
    pub results: Results,
}

impl Cases {
    /// What each came to, by its name.
    #[must_use]
    pub fn by_name(&self) -> Vec<(&str, &Results)> {
        self.cases.iter().map(|case| (case.name.as_str(), &case.results)).collect()
    }

    /// Where the figures that the scenario repeats were published.
    #[must_use]
    pub fn published(&self) -> Option<&str> {
        self.cases.first().map(|case| case.results.published.as_str()).filter(|published| !published.is_empty())
    }

    /// The worst verdict of any case.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        self.cases
            .iter()
            .map(|case| case.results.verdict())
            .max_by_key(|verdict| verdict.severity())
            .unwrap_or(Verdict::Void)
    }
}
