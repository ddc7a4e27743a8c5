//! The stores as plain machines: what each promises, without a disk, and what a crash leaves of it.
//!
//! One model for three uses: virtual time works with it, the queue in memory is one behind a lock, and
//! the suite holds the engines on disk against it, crashes included. The crash rule: what was committed
//! survives where the store is durable, and what was not is gone. Who calls decides when a commit is.

mod guard;
mod ledger;
mod queue;

pub use guard::Guard;
pub use ledger::LedgerModel;
pub use queue::{Held, QueueModel};
