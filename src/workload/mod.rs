//! When events happen and to which subjects: pure functions of (seed, number).
//!
//! Arrivals are open: event i is scheduled without regard to how anyone copes with event i-1.
//!
//! Adding an arrival process is one file and one line in the `arrivals!` table below.

mod bursty;
mod constant;
mod diurnal;
mod on_off;
mod pairs;
mod payload;
mod poisson;
mod replay;
mod source;

pub use payload::Payload;
pub use replay::{Row, Table};
pub use source::Source;

use serde::{Deserialize, Serialize};

use crate::model::{Subject, Time};
use crate::rng::{Draws, Purpose};

/// One scheduled event. Its sequence is its place in the schedule, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arrival {
    /// The scheduled instant.
    pub at: Time,
    /// What changes.
    pub subject: Subject,
}

/// Scheduled events in order.
pub type Schedule<'a> = Box<dyn Iterator<Item = Arrival> + Send + 'a>;

/// What every arrival process can do. All methods are pure.
pub trait Process {
    /// One line for the reference.
    const SUMMARY: &'static str;

    /// Events per second on average.
    fn rate_per_sec(&self) -> f64;

    /// Every event that it will ever schedule, to `subjects` things; mostly endless.
    fn schedule(&self, subjects: u32, draws: Draws) -> Schedule<'_>;
}

/// What happens at the provider.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Workload {
    /// When, and to what.
    pub arrivals: Arrivals,
    /// Number of things that change.
    pub subjects: u32,
    /// What the events say.
    pub payload: Payload,
}

impl Workload {
    /// The events that are scheduled before `end`, in order.
    pub fn schedule(&self, draws: Draws, end: Time) -> impl Iterator<Item = Arrival> + Send + '_ {
        self.arrivals.schedule(self.subjects, draws).take_while(move |arrival| arrival.at < end)
    }
}

impl Workload {
    /// The file of captured events that is replayed, if one is.
    #[must_use]
    pub fn capture(&self) -> Option<&str> {
        match &self.arrivals {
            Arrivals::Replay(replay) => Some(&replay.file),
            _ => None,
        }
    }

    /// Forgets what happens when in a replay, for those who only consume.
    pub fn forget_capture(&mut self) {
        if let Arrivals::Replay(replay) = &mut self.arrivals {
            replay.table = Table::default();
        }
    }
}

/// Gives each instant a subject of its own: uniform, keyed by the event's number.
fn to_any_subject<'a>(instants: impl Iterator<Item = Time> + Send + 'a, subjects: u32, draws: Draws) -> Schedule<'a> {
    let draws = draws.purpose(Purpose::Subject).of(0);
    Box::new((1u64..).zip(instants).map(move |(number, at)| {
        let subject = draws.below(u64::from(subjects), number) as Subject;
        Arrival { at, subject }
    }))
}

/// Expands the table of arrival processes to modules, the tagged enum and its dispatch.
macro_rules! arrivals {
    ($($name:literal => $module:ident :: $process:ident),+ $(,)?) => {
        $(pub use $module::$process;)+

        /// An arrival process.
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        #[serde(tag = "kind")]
        pub enum Arrivals {
            $(#[doc = $name] #[serde(rename = $name)] $process($process),)+
        }

        impl Arrivals {
            /// Every kind: its name and its summary.
            pub const TABLE: &'static [(&'static str, &'static str)] = &[$(($name, <$process as Process>::SUMMARY)),+];

            /// The name in the scenario file.
            #[must_use]
            pub fn name(&self) -> &'static str {
                match self { $(Arrivals::$process(_) => $name),+ }
            }

            /// Events per second on average.
            #[must_use]
            pub fn rate_per_sec(&self) -> f64 {
                match self { $(Arrivals::$process(process) => process.rate_per_sec()),+ }
            }

            fn schedule(&self, subjects: u32, draws: Draws) -> Schedule<'_> {
                match self { $(Arrivals::$process(process) => process.schedule(subjects, draws)),+ }
            }
        }

        $(impl From<$process> for Arrivals {
            fn from(process: $process) -> Arrivals {
                Arrivals::$process(process)
            }
        })+
    };
}

arrivals! {
    "constant" => constant::Constant,
    "poisson" => poisson::Poisson,
    "bursty" => bursty::Bursty,
    "on-off" => on_off::OnOff,
    "diurnal" => diurnal::Diurnal,
    "pairs" => pairs::Pairs,
    "replay" => replay::Replay,
}

#[cfg(test)]
mod tests;
