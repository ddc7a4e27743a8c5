//! An event that later ones overtake.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{DrawKey, Fate, Fault, FaultProblem, Hits, Hold, Selector, Target};
use crate::{model::Span, rng::Draws};

/// Holds an event's first attempt back, so that later events of its endpoint overtake it. It waits
/// outside of the sender's slots and changes nothing for the others.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Reorder {
    /// How many later events of the endpoint leave before it. Default 1; with `at_most` alone: no
    /// matter how many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<u32>,
    /// It leaves after this long at the latest. Never scaled: it is network time. Default "1s".
    #[serde(default, with = "crate::scenario::units::span_text_opt", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub at_most: Option<Span>,
}

impl Fault for Reorder {
    const SUMMARY: &'static str = "holds an event back so that later ones overtake it";
    const HITS: Hits = Hits::WEBHOOKS;
    const WHY_NOT_PULL: &'static str = "a page lists events in the log's order, and a client asks for one page at a time";

    fn concerns(&self, target: &Target) -> bool {
        target.attempt == 1 && target.copy == 0
    }

    fn apply(&self, _target: &Target, _key: DrawKey, _draws: Draws, fate: &mut Fate) {
        let overtaken_by = self.by.or_else(|| self.at_most.is_none().then_some(1));
        let at_most = self.at_most.unwrap_or(Span::from_secs(1));
        fate.hold.get_or_insert(Hold { overtaken_by, at_most });
    }

    fn validate(&self, selector: &Selector) -> Result<(), FaultProblem> {
        let problem = |key, problem: &str, fix: &str| {
            Err(FaultProblem { key, problem: problem.to_owned(), fix: fix.to_owned() })
        };
        if self.by == Some(0) {
            return problem("by", "an event that nobody overtakes keeps its place", "write 1 or more");
        }
        if self.at_most == Some(Span::ZERO) {
            return problem("at_most", "an event that is not held keeps its place", "write a duration such as \"1s\"");
        }
        if !selector.attempts.is_empty() {
            return problem("attempts", "it is the first attempt that is held back", "remove it");
        }
        Ok(())
    }
}
