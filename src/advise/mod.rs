//! Advice: from plain numbers to a recommendation, the figures that it rests on, and where it flips.
//!
//! A question becomes a scenario, which the virtual driver runs as anybody could; where that
//! would take too long, a part of it is run and the volumes of a month come from closed forms.
//! Owns what is asked and what is answered. Refuses to know how an answer is shown.

mod answer;
mod flip;
mod question;
mod run;
mod scenario;
mod size;
mod volume;

pub use answer::{Advice, Row, advise};
pub use flip::Flip;
pub use question::{Peak, Question, Unanswerable};
pub use size::{Size, Window};
