//! Closed forms: pure functions, in seconds and shares. `ARCHITECTURE.md` tells where they come from.
//!
//! One file per subject. Nothing in here knows a plan or a record; `predict` decides where a form applies.

mod adaptive;
mod crash;
mod feed;
mod hybrid;
mod long_poll;
mod losses;
mod memory;
mod money;
mod order;
mod outage;
mod pages;
mod polling;
mod pool;
mod receiver;

pub use adaptive::{Adaptive, adaptive};
pub use crash::repeats_per_crash;
pub use feed::{fetches_per_look, requests_per_find};
pub use hybrid::Hybrid;
pub use long_poll::{LongPolls, long_poll_cycle_s, long_poll_empty_share, long_poll_mean_age_s, long_polls};
pub use losses::{Losses, Moments};
pub use memory::{applied_twice, commit_lag_loss, extra_effects, is_stale, ledger_size, sign_once_loss};
pub use money::{break_even_events_per_poll, break_even_rate};
pub use order::{inverted_by_delays, inverted_share};
pub use outage::{
    OutageLag, attempt_rate_at_end, delayed_behind, drain_s, herd_timed_out, offsets_s, outage_lag, spread_peak_per_s,
};
pub use pages::{one_page_loss, pages_per_poll};
pub use polling::{
    conditional_bytes, empty_share, empty_share_mixed, first_empty_share, polling_age_quantile_s, polling_mean_age_s,
    polls,
};
pub use pool::SharedPool;
pub use receiver::{Workers, extra_executions};
