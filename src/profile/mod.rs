//! Providers as data: one TOML file each, in the binary or a user's own.
//!
//! Owns the format of these files and what is wrong with one. Refuses to know how anything is sent or served, and
//! reads no file: whoever calls brings its text.

mod embedded;
mod event;
mod fields;
mod handshake;
mod load;
mod outgoing;
pub(crate) mod payload;
mod raw;
mod schema;
mod signature;

pub use embedded::{EmbeddedProfile, PROFILES, embedded_profile};
pub use event::EventPart;
pub use handshake::{Handshake, HandshakeFailure};
pub use load::{Profile, Source, check_for_runs, load_profile};
pub use outgoing::{Outgoing, OutgoingError, SignedError, Wanted};
pub use payload::{Payload, subject_number, version_number};
pub use raw::{Confidence, RawPayload, RawProfile};
pub use schema::profile_schema;

#[cfg(test)]
mod tests;
