//! pushpull measures what polling and webhooks each cost, and whether each stays correct when the
//! network does not.
//!
//! One seeded stream of events at a simulated provider is served twice: by a pull API and by signed
//! webhooks. Pure policies decide, thin drivers act, records say what happened, and a judge that
//! sees nothing but the plan and the records gives the verdict. ARCHITECTURE.md has the map.

pub mod advise;
pub mod audit;
pub mod backend;
pub mod cli;
pub mod cost;
pub mod fault;
pub mod live;
pub mod measure;
pub mod model;
pub mod policy;
pub mod profile;
pub mod record;
pub mod report;
pub mod rng;
pub mod scenario;
pub mod virtual_time;
pub mod wire;
pub mod workload;
