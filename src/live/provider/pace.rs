//! A rate at which a fault lets bytes through, on either end of a connection.

use crate::{
    live::clock::Clock,
    model::{Span, Time},
};

/// The least time between two portions: a byte at a time would cost more than it shows.
const PORTION: Span = Span::from_millis(10);

/// So many bytes per second from an instant on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace {
    clock: Clock,
    from: Time,
    bytes_per_s: u32,
}

impl Pace {
    /// Begins now.
    pub fn new(clock: Clock, bytes_per_s: u32) -> Pace {
        Pace { clock, from: clock.now(), bytes_per_s: bytes_per_s.max(1) }
    }

    /// Waits until a portion is due behind the first `gone` bytes.
    pub async fn wait_beyond(self, gone: usize) {
        self.clock.sleep_until(self.due_at(gone)).await;
    }

    /// How many bytes are due now behind the first `gone`; at least one.
    pub fn due_beyond(self, gone: usize) -> usize {
        let passed = self.clock.now().since(self.from);
        let due = Span(u64::from(self.bytes_per_s)).scaled(passed.0, 1_000_000_000).0;
        usize::try_from(due).unwrap_or(usize::MAX).saturating_sub(gone).max(1)
    }

    /// When the next portion is due: a byte, or as many as come within [`PORTION`].
    fn due_at(self, gone: usize) -> Time {
        let portion = Span(u64::from(self.bytes_per_s)).scaled(PORTION.0, 1_000_000_000).0.max(1);
        let bytes = Span(gone as u64 + portion);
        self.from + bytes.scaled(1_000_000_000, u64::from(self.bytes_per_s))
    }
}
