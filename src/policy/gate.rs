//! How many events of an endpoint are sent at all within a while; the rest is dropped.

use crate::{model::Time, scenario::DropAbove};

/// The gate of one endpoint. Its windows lie side by side from t0 on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Gate {
    limit: Option<DropAbove>,
    window: u64,
    let_in: u64,
}

impl Gate {
    pub fn new(limit: Option<DropAbove>) -> Gate {
        Gate { limit, window: 0, let_in: 0 }
    }

    /// Whether an event of this instant is sent. One that comes late counts to the window that is open.
    pub fn admits(&mut self, occurred_at: Time) -> bool {
        let Some(DropAbove { events, per }) = self.limit else { return true };
        let window = occurred_at.0 / per.0.max(1);
        if window > self.window {
            (self.window, self.let_in) = (window, 0);
        }
        let admitted = self.let_in < events;
        self.let_in += u64::from(admitted);
        admitted
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Span;

    #[test]
    fn so_many_are_let_in_per_window_and_the_next_window_begins_anew() {
        let mut gate = Gate::new(Some(DropAbove { events: 2, per: Span::from_secs(60) }));
        let mut admits = |secs: u64| gate.admits(Time::ZERO + Span::from_secs(secs));
        assert_eq!([0, 1, 2, 59].map(&mut admits), [true, true, false, false]);
        assert_eq!([60, 30, 61].map(&mut admits), [true, true, false], "who is late counts to the window that is open");
        assert!(admits(600));
        assert!((0..1_000).all(|_| Gate::new(None).admits(Time::ZERO)));
    }
}
