//! The scenarios in the binary.

/// A scenario in the binary.
#[derive(Debug, Clone, Copy)]
pub struct Embedded {
    /// What it is run by.
    pub name: &'static str,
    /// Its text.
    pub text: &'static str,
}

macro_rules! embed {
    ($($name:literal),+ $(,)?) => {
        &[$(Embedded { name: $name, text: include_str!(concat!("../../scenarios/", $name, ".toml")) }),+]
    };
}

/// Every scenario in the binary, in reading order.
pub const EMBEDDED: &[Embedded] = embed![
    "quickstart",
    "dropped-ack",
    "forged-payload",
    "receiver-outage",
    "short-outage",
    "wasted-polls",
    "high-rate",
    "herd",
    "ack-budget",
    "burst",
    "outbox",
    "cpu-alert",
    "rotation",
    "ledger-retention",
    "poison",
    "order",
    "isolation",
    "rate-limited",
    "hybrid",
    "package-ready",
    "github-outage",
    "datadog-refused",
    "slack-budget",
    "stripe-pages",
    "shopify-removal",
    "gitlab-pause",
    "shipping-label",
    "merge-build",
    "subscription-tier",
];

/// The scenario by name.
#[must_use]
pub fn embedded(name: &str) -> Option<&'static Embedded> {
    EMBEDDED.iter().find(|scenario| scenario.name == name)
}
