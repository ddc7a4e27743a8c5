//! Whose manners the providers have, in sentences.

use crate::measure::{ProfileResult, RunResult};

/// One sentence per provider that follows a profile; a second one says what of it is not published.
pub(super) fn lines(run: &RunResult) -> Vec<String> {
    run.provider.profiles.iter().flat_map(|profile| [Some(follows(profile)), taken(profile)]).flatten().collect()
}

fn follows(ProfileResult { provider, profile, title, .. }: &ProfileResult) -> String {
    format!("{provider} follows the profile {profile} ({title})")
}

fn taken(ProfileResult { profile, assumed, unsure, .. }: &ProfileResult) -> Option<String> {
    let assumed = (!assumed.is_empty()).then(|| format!("{profile} does not publish: {}", assumed.join(", ")));
    let unsure = (!unsure.is_empty()).then(|| format!("not from {profile} itself: {}", unsure.join("; ")));
    let said: Vec<String> = assumed.into_iter().chain(unsure).collect();
    (!said.is_empty()).then(|| said.join("; "))
}
