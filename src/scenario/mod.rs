//! From a scenario file to a validated [`Plan`].

mod plan;
pub mod units;

pub use plan::{
    Comparison, Condition, ConsumerNo, ConsumerPlan, Distribution, EffectKind, EffectPlan, ExternalReceiver, Flaw,
    Follows, LedgerKind, Mode, Path, Phase, Plan, PollingPlan, ProviderPlan, QueueKind, WebhookPlan,
};
