//! A connection that dribbles.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{DrawKey, Fate, Fault, FaultProblem, Hits, Selector, Target};
use crate::rng::Draws;

/// The body of a request (webhook) or a page (poll) comes at this rate behind a head that comes at once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SlowBody {
    /// Bytes per second, 1 or more. Never scaled: it is network time.
    pub bytes_per_s: u32,
}

impl Fault for SlowBody {
    const SUMMARY: &'static str = "lets the body of a request, or a page, dribble in";
    const HITS: Hits = Hits::REQUESTS;
    const WHY_NOT_VIRTUAL: &'static str = "how long a body takes is a matter of its bytes, and virtual time makes none";

    fn apply(&self, _target: &Target, _key: DrawKey, _draws: Draws, fate: &mut Fate) {
        fate.bytes_per_s.get_or_insert(self.bytes_per_s);
    }

    fn validate(&self, _selector: &Selector) -> Result<(), FaultProblem> {
        if self.bytes_per_s > 0 {
            return Ok(());
        }
        Err(FaultProblem {
            key: "bytes_per_s",
            problem: "a body that never comes is a hanging connection".to_owned(),
            fix: "write 1 or more, or kind = \"outage\" with how = \"hang\"".to_owned(),
        })
    }
}
