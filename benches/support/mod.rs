//! What the end-to-end benches share: a load generator on raw sockets, processes started fresh for
//! each round, and figures told as medians with their spread.
//!
//! Each bench is its own binary and uses what it needs of this.
#![allow(dead_code, reason = "each bench uses its part")]
#![allow(clippy::disallowed_methods, reason = "a bench measures time and waits for processes")]

pub mod answer;
pub mod bare;
pub mod closed_loop;
pub mod figures;
pub mod open_loop;
pub mod process;
pub mod requests;

use hdrhistogram::Histogram;

/// What a load came to. Only what was answered within the measured window counts.
pub struct Outcome {
    /// Answers with 2xx.
    pub acked: u64,
    /// Answers with any other status.
    pub refused: u64,
    /// Connections that the server ended, or that could not be made.
    pub broken: u64,
    /// Length of the measured window.
    pub seconds: f64,
    /// Nanoseconds from when a request was to be sent to its complete answer.
    pub latency: Histogram<u64>,
    /// Nanoseconds from when a request was to be sent to when it was: the generator's own lag.
    pub lag: Histogram<u64>,
    /// Offsets into the requests of all that were acked, also outside of the window.
    pub acked_offsets: Vec<u32>,
    /// True where the prepared requests did not last.
    pub exhausted: bool,
}

impl Outcome {
    /// Nothing yet.
    pub fn empty(seconds: f64) -> Outcome {
        Outcome {
            acked: 0,
            refused: 0,
            broken: 0,
            seconds,
            latency: histogram(),
            lag: histogram(),
            acked_offsets: Vec::new(),
            exhausted: false,
        }
    }

    /// Adds what another thread saw in the same window.
    pub fn add(&mut self, other: Outcome) {
        self.acked += other.acked;
        self.refused += other.refused;
        self.broken += other.broken;
        self.exhausted |= other.exhausted;
        self.acked_offsets.extend(other.acked_offsets);
        self.latency.add(&other.latency).expect("histograms of one shape");
        self.lag.add(&other.lag).expect("histograms of one shape");
    }

    /// Acked requests per second.
    pub fn rate(&self) -> f64 {
        self.acked as f64 / self.seconds
    }

    /// A latency percentile in milliseconds.
    pub fn latency_ms(&self, percentile: f64) -> f64 {
        self.latency.value_at_percentile(percentile) as f64 / 1e6
    }

    /// What speaks against the figures, in words.
    pub fn problem(&self) -> Option<String> {
        let problems = [
            (self.refused > 0, format!("{} requests were not answered 2xx", self.refused)),
            (self.broken > 0, format!("{} connections broke", self.broken)),
            (self.exhausted, "the prepared requests did not last: prepare more".to_owned()),
            (self.acked == 0, "nothing was answered".to_owned()),
        ];
        let told: Vec<String> = problems.into_iter().filter(|(is, _)| *is).map(|(_, words)| words).collect();
        (!told.is_empty()).then(|| told.join("; "))
    }
}

/// Three digits from a microsecond to a minute.
pub fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1_000, 60_000_000_000, 3).expect("sound bounds")
}
