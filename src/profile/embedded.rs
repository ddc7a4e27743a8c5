//! The profiles in the binary.

/// A profile in the binary.
#[derive(Debug, Clone, Copy)]
pub struct EmbeddedProfile {
    /// Its name.
    pub name: &'static str,
    /// Its text.
    pub text: &'static str,
}

macro_rules! embed {
    ($($name:literal),+ $(,)?) => {
        &[$(EmbeddedProfile { name: $name, text: include_str!(concat!("../../profiles/", $name, ".toml")) }),+]
    };
}

/// Every profile in the binary. Those behind Svix are examples of four other ways to sign, to show that a provider is
/// a file.
pub const PROFILES: &[EmbeddedProfile] = embed![
    "stripe",
    "github",
    "gitlab",
    "gitlab-token",
    "shopify",
    "slack",
    "discord",
    "datadog",
    "standard-webhooks",
    "svix",
    "square",
    "hubspot",
    "linear",
    "paddle",
];

/// The profile of that name, or of that other name.
#[must_use]
pub fn embedded_profile(name: &str) -> Option<&'static EmbeddedProfile> {
    let other_name = |profile: &&EmbeddedProfile| {
        let table: Option<toml::Table> = profile.text.parse().ok();
        let aliases = table.as_ref().and_then(|table| table.get("aliases")?.as_array());
        aliases.is_some_and(|aliases| aliases.iter().any(|alias| alias.as_str() == Some(name)))
    };
    PROFILES.iter().find(|profile| profile.name == name).or_else(|| PROFILES.iter().find(other_name))
}
