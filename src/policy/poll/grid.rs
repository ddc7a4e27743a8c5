//! Polls on an even grid, each moved a little.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Client, Due};
use crate::{
    model::{Span, Time},
    rng::{Purpose, PurposeDraws},
};

/// Poll n is due at phase + (n-1) x interval + shift(n), never accumulated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grid {
    /// Between two polls.
    pub interval: Span,
    /// Where a client's first poll lies.
    pub phase: Phase,
    /// A poll moves earlier by up to this, uniformly and keyed, ...
    pub early: Span,
    /// ... and later by up to this.
    pub late: Span,
}

/// Where a client's first poll lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// Uniform in the interval, keyed by client: stationary from the start.
    #[default]
    Random,
    /// All clients together, one interval after t0.
    Aligned,
}

impl Grid {
    /// A grid whose polls move by up to half of `jitter` x interval to either side.
    #[must_use]
    pub fn jittered(interval: Span, jitter: f64, phase: Phase) -> Grid {
        let half = Span((interval.0 as f64 * jitter / 2.0) as u64);
        Grid { interval, phase, early: half, late: half }
    }

    /// The width of the shift as a share of the interval.
    #[must_use]
    pub fn jitter(&self) -> f64 {
        (self.early.0 + self.late.0) as f64 / self.interval.0.max(1) as f64
    }

    /// When poll `n` (from 1) of a client is due.
    #[must_use]
    pub fn due(&self, who: Client, n: u32) -> Time {
        self.on(who).due(n)
    }

    /// Whether no poll is moved, so that each is due one interval after the one before.
    #[must_use]
    #[inline]
    pub fn is_even(&self) -> bool {
        self.early == Span::ZERO && self.late == Span::ZERO
    }

    /// Where a client's first poll lies, unmoved.
    #[must_use]
    pub fn phase_of(&self, who: Client) -> Span {
        match self.phase {
            Phase::Random => Span(who.draws.below(self.interval.0, Purpose::Phase, u64::from(who.number), 0)),
            Phase::Aligned => self.interval,
        }
    }

    /// One client's polls.
    #[must_use]
    pub fn on(&self, who: Client) -> OnGrid<'_> {
        let jitter = who.draws.purpose(Purpose::PollJitter);
        OnGrid { grid: self, entity: u64::from(who.number), phase: self.phase_of(who), jitter }
    }

    /// A client's first poll where it begins at `now`: at t0 poll 1. A restarted process goes on where the
    /// clock is.
    #[must_use]
    pub fn first(&self, who: Client, now: Time) -> Due {
        self.next_after(who, 0, now)
    }

    /// The first poll after `n` that is not yet overdue at `free`.
    #[must_use]
    pub fn next_after(&self, who: Client, n: u32, free: Time) -> Due {
        self.on(who).next_after(n, free)
    }
}

/// One client's polls on a grid: what is the same for each of them is worked out once.
#[derive(Debug, Clone, Copy)]
pub struct OnGrid<'a> {
    pub(super) grid: &'a Grid,
    pub(super) entity: u64,
    pub(super) phase: Span,
    pub(super) jitter: PurposeDraws,
}

impl OnGrid<'_> {
    /// When poll `n` is due.
    #[must_use]
    #[inline]
    pub fn due(&self, n: u32) -> Time {
        let line = self.line(n);
        if self.grid.is_even() {
            return line;
        }
        let width = self.grid.early.0.saturating_add(self.grid.late.0) as f64;
        let shift = (width * self.jitter.unit(self.entity, u64::from(n))) as u64;
        line + Span(shift) - self.grid.early
    }

    /// The unmoved instant of poll `n`.
    #[inline]
    fn line(&self, n: u32) -> Time {
        Time::ZERO + self.phase + Span(self.grid.interval.0.saturating_mul(u64::from(n.saturating_sub(1))))
    }

    /// The first poll after `n` that is not yet overdue at `free`.
    #[must_use]
    #[inline]
    pub fn next_after(&self, n: u32, free: Time) -> Due {
        let next = Due { number: n + 1, at: self.due(n + 1) };
        if next.at < free { self.catch_up(next, free) } else { next }
    }

    /// The first poll from `due` on, which is overdue at `free`, that is not.
    #[cold]
    fn catch_up(&self, mut due: Due, free: Time) -> Due {
        // A poll is late by `late` at most: what lies further back is overdue for certain.
        let since_first = (free - self.grid.late).since(self.line(1)).0;
        let around = u32::try_from(since_first / self.grid.interval.0.max(1)).unwrap_or(u32::MAX - 2);
        due.number = due.number.max(around);
        due.at = self.due(due.number);
        while due.at < free {
            due.number += 1;
            due.at = self.due(due.number);
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Draws;
    use proptest::prelude::*;

    fn client(seed: u64, number: u32) -> Client {
        Client { number, draws: Draws::new(seed), incarnation: 0 }
    }

    proptest! {
        #[test]
        fn polls_stay_within_half_their_jitter_of_an_even_grid(
            seed: u64, number: u32, n in 1u32..1_000_000, ms in 1u64..1_000_000, jitter in 0.0f64..1.0
        ) {
            let interval = Span::from_millis(ms);
            let grid = Grid::jittered(interval, jitter, Phase::Random);
            let who = client(seed, number);
            let (line, reach) = (grid.on(who).line(n), Span((interval.0 as f64 * jitter / 2.0) as u64 + 1));
            let due = grid.due(who, n);
            prop_assert!(due + reach >= line && due <= line + reach);
            prop_assert!(grid.on(who).line(1) < Time::ZERO + interval);
        }

        #[test]
        fn the_next_poll_is_never_overdue_nor_repeated(
            seed: u64, n in 0u32..1_000, ms in 1u64..10_000, early in 0.0f64..0.5, late in 0.0f64..1.0,
            free_ms in 0u64..10_000_000
        ) {
            let interval = Span::from_millis(ms);
            let part = |share: f64| Span((interval.0 as f64 * share) as u64);
            let late = part(late * (1.0 - early));
            let grid = Grid { interval, phase: Phase::Random, early: part(early), late };
            let (who, free) = (client(seed, 1), Time::ZERO + Span::from_millis(free_ms));
            let next = grid.next_after(who, n, free);
            prop_assert!(next.number > n && next.at >= free);
            // It is the first such: the one before was overdue or already made.
            prop_assert!(next.number == n + 1 || grid.due(who, next.number - 1) < free);
        }
    }
}
