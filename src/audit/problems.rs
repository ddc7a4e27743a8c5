//! What speaks against believing a run, grouped and with the first examples of each kind.

use std::collections::BTreeMap;

/// Reasons for which a run is void.
#[derive(Debug, Clone, Default)]
pub struct Problems {
    kinds: BTreeMap<&'static str, Kind>,
}

#[derive(Debug, Clone, Default)]
struct Kind {
    count: u64,
    examples: Vec<String>,
}

impl Problems {
    const EXAMPLES_MAX: usize = 3;

    /// Notes one problem; `example` is only asked for the first few of its kind.
    pub fn add(&mut self, kind: &'static str, example: impl FnOnce() -> String) {
        let entry = self.kinds.entry(kind).or_default();
        entry.count += 1;
        if entry.examples.len() < Self::EXAMPLES_MAX {
            entry.examples.push(example());
        }
    }

    /// Takes over everything that `other` has noted.
    pub fn absorb(&mut self, other: Problems) {
        for (kind, theirs) in other.kinds {
            let ours = self.kinds.entry(kind).or_default();
            ours.count += theirs.count;
            let room = Self::EXAMPLES_MAX.saturating_sub(ours.examples.len());
            ours.examples.extend(theirs.examples.into_iter().take(room));
        }
    }

    /// Whether nothing speaks against the run.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.kinds.is_empty()
    }

    /// One sentence per kind, with its count and first examples.
    #[must_use]
    pub fn sentences(&self) -> Vec<String> {
        self.kinds.iter().map(|(kind, noted)| noted.sentence(kind)).collect()
    }
}

impl Kind {
    fn sentence(&self, kind: &str) -> String {
        let more = self.count - self.examples.len() as u64;
        let tail = if more > 0 { format!("; and {more} more") } else { String::new() };
        format!("{kind}: {}{tail}", self.examples.join("; "))
    }
}
