//! From a scenario file to a validated [`Plan`].
//!
//! Two levels: [`raw`] is the file as written (serde, unknown keys refused, JSON Schema), [`Plan`]
//! is what it means (defaults filled in, names resolved, times scaled). [`load()`] leads from one to
//! the other and says what is wrong by key, line and fix.

mod answers;
mod auto_disable;
mod axis;
mod bounds;
mod capture;
mod cases;
mod condition;
mod conditions;
mod consumers;
mod embedded;
pub(crate) mod error;
mod faults;
mod heads;
mod live_time;
mod load;
pub(crate) mod locate;
mod manners;
mod message_bytes;
pub(crate) mod names;
mod plan;
mod prices;
mod profile_keys;
mod profiles;
mod providers;
pub mod raw;
mod raw_provider;
mod set;
mod signatures;
mod states;
mod stop_headers;
mod strategies;
mod tables;
#[cfg(test)]
pub(crate) mod testing;
pub mod units;
mod virtual_time;
mod warnings;
mod words;
mod workload;

pub use answers::{AnswersPlan, Ends, LeastDelay, On410, RetryAfter};
pub use auto_disable::{AutoDisable, FailureRatio, Pause, WhilePaused};
pub use axis::{Axis, AxisError, AxisScale, AxisUnit};
pub use cases::{CasePlan, RawCase};
pub use condition::{Comparison, Condition};
pub use conditions::{QUANTITY_NAMES, share_over};
pub use embedded::{EMBEDDED, Embedded, embedded};
pub use error::ScenarioError;
pub use load::{LoadOptions, load, load_cases};
pub use manners::{
    DeliveryOrder, DropAbove, HeadPlan, ProviderPlan, PullPlan, RateHint, RateLimit, RateScope, SendingPlan,
};
pub use message_bytes::{MessageBytes, RawMessageBytes};
pub use plan::{
    CallLimit, Connection, ConsumerNo, ConsumerPlan, Distribution, EffectKind, EffectPlan, ExternalReceiver, Flaw,
    Follows, HybridPlan, LedgerKind, Mode, On429, Path, Plan, PollingPlan, QueueKind, WebhookPlan,
};
pub use prices::{CostPlan, EMBEDDED_PRICES, price_list};
pub(crate) use profile_keys::read_profile_keys;
pub use profiles::{ProfilePlan, SignatureTraits};
pub use stop_headers::{HeaderLine, StopHeaders};
pub use virtual_time::{Delay, VirtualPlan};
pub use words::{Piece, Unclosed, pieces};
