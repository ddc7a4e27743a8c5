//! Closed forms: pure functions, in seconds and shares. `ARCHITECTURE.md` tells where they come from.
//!
//! One file per subject. Nothing in here knows a plan or a record; `predict` decides where a form applies.

mod adaptive;
mod crash;
mod hybrid;
mod long_poll;
mod losses;
mod order;
mod polling;
mod pool;

pub use adaptive::{Adaptive, adaptive};
pub use crash::repeats_per_crash;
pub use hybrid::Hybrid;
pub use long_poll::{LongPolls, long_polls};
pub use losses::{Losses, Moments};
pub use order::inverted_share;
pub use polling::{empty_share, first_empty_share, polling_age_quantile_s, polling_mean_age_s, polls};
pub use pool::SharedPool;
