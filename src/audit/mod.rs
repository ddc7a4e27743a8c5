//! The audit: what became of every obligation, and which promises were kept.
//!
//! It sees the plan and the records, and trusts nobody's belief: the sender's view (acked, gave up)
//! and the receiver's truth (effect rows, what the stores hold) are different facts. Every
//! obligation must end in exactly one [`Class`]; no class is a remainder, so a fact that is missing
//! or made up voids the run instead of hiding in a number. It knows nothing of ages, costs or reports.

mod book;
mod class;
mod events;
mod facts;
#[cfg(test)]
pub(crate) mod fixture;
mod lives;
mod problems;
pub mod promises;
mod source;
mod story;

pub use book::Book;
pub use class::Class;
pub use events::EventLog;
pub use facts::Facts;
pub use lives::Lives;
pub use problems::Problems;
pub use source::{Source, consumer_of, obligation_of};
pub use story::{Line, Story, tell};
