//! Whose manners the providers of a run have, and what of these nobody has published.

use serde::{Deserialize, Serialize};

use crate::scenario::Plan;

/// A provider that follows a profile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProfileResult {
    /// The provider's name in the scenario.
    pub provider: String,
    /// The profile.
    pub profile: String,
    /// What it is, in one line.
    pub title: String,
    /// Keys that the run took from it and that the real provider does not publish.
    pub assumed: Vec<String>,
    /// Facts that somebody else than the real provider states, each with how far it can be trusted.
    pub unsure: Vec<String>,
}

/// The providers that follow one, in plan order.
pub(super) fn of(plan: &Plan) -> Vec<ProfileResult> {
    let described = plan.providers.iter().filter_map(|provider| Some((provider, provider.described.as_ref()?)));
    let told = described.map(|(provider, profile)| ProfileResult {
        provider: provider.name.clone(),
        profile: provider.profile.clone(),
        title: profile.title.clone(),
        assumed: profile.assumed.clone(),
        unsure: profile.unsure.clone(),
    });
    told.collect()
}
