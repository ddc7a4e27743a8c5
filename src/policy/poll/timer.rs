//! One client's polls, one after the other.

use super::{Came, Client, Due, Grid, Last, Strategy, grid::OnGrid};
use crate::{
    model::{ClientNo, Span, Time},
    rng::{Draws, Purpose, PurposeDraws},
};

/// What the clients of one strategy have in common, worked out once.
#[derive(Debug, Clone)]
pub struct Rhythm {
    strategy: Strategy,
    grid: Option<Grid>,
    draws: Draws,
    jitter: PurposeDraws,
    incarnation: u32,
}

/// Where one client stands in its rhythm. Small, because there may be a million of them.
#[derive(Debug, Clone, Copy)]
pub struct Beat {
    /// The next poll.
    pub due: Due,
    /// Polls without an event in a row.
    idle: u32,
    /// Whose polls.
    pub client: ClientNo,
    /// Where its grid begins.
    phase: Span,
}

impl Rhythm {
    /// The rhythm of a process's clients.
    #[must_use]
    pub fn new(strategy: Strategy, draws: Draws, incarnation: u32) -> Rhythm {
        let (grid, jitter) = (strategy.grid(), draws.purpose(Purpose::PollJitter));
        Rhythm { strategy, grid, draws, jitter, incarnation }
    }

    /// A client that begins at `now`.
    #[must_use]
    pub fn begin(&self, client: ClientNo, now: Time) -> Beat {
        let who = self.who(client);
        let phase = self.grid.map_or(Span::ZERO, |grid| grid.phase_of(who));
        Beat { due: self.strategy.first(who, now), idle: 0, client, phase }
    }

    /// The poll that was due has ended; the client may poll again from `free` on.
    #[inline]
    pub fn ended(&self, beat: &mut Beat, came: Came, free: Time) {
        beat.idle = if came == Came::Events { 0 } else { beat.idle.saturating_add(1) };
        beat.due = match &self.grid {
            Some(grid) => {
                let on = OnGrid { grid, entity: u64::from(beat.client), phase: beat.phase, jitter: self.jitter };
                on.next_after(beat.due.number, free)
            }
            None => {
                let last = Last { due: beat.due, came, idle: beat.idle };
                self.strategy.next(self.who(beat.client), &last, free)
            }
        };
    }

    /// The shortest time from one poll to the next, if the client is free by then.
    #[must_use]
    pub fn shortest_gap(&self) -> Span {
        let moved = self.grid.map_or(Span::ZERO, |grid| grid.early + grid.late);
        Span(self.strategy.shortest_gap().0.saturating_sub(moved.0))
    }

    /// The time from each poll to the next, where it is always the same.
    #[must_use]
    pub fn even_gap(&self) -> Option<Span> {
        self.grid.filter(Grid::is_even).map(|grid| grid.interval)
    }

    fn who(&self, number: ClientNo) -> Client {
        Client { number, draws: self.draws, incarnation: self.incarnation }
    }
}

impl Beat {
    /// Polls of an even rhythm that brought nothing and ended before the next was due.
    pub fn pass(&mut self, polls: u64, gap: Span) {
        let number = u64::from(self.due.number).saturating_add(polls);
        self.due.number = u32::try_from(number).unwrap_or(u32::MAX);
        self.due.at = self.due.at + Span(gap.0.saturating_mul(polls));
        self.idle = self.idle.saturating_add(u32::try_from(polls).unwrap_or(u32::MAX));
    }
}

/// Tells when the next poll of one client is due.
#[derive(Debug)]
pub struct PollTimer {
    rhythm: Rhythm,
    beat: Beat,
}

impl PollTimer {
    /// A client that begins at `now`.
    #[must_use]
    pub fn new(strategy: Strategy, who: Client, now: Time) -> PollTimer {
        let rhythm = Rhythm::new(strategy, who.draws, who.incarnation);
        let beat = rhythm.begin(who.number, now);
        PollTimer { rhythm, beat }
    }

    /// The next poll.
    #[must_use]
    pub fn due(&self) -> Due {
        self.beat.due
    }

    /// The poll that was due has ended; the client may poll again from `free` on.
    pub fn ended(&mut self, came: Came, free: Time) {
        self.rhythm.ended(&mut self.beat, came, free);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::poll::{Fixed, Phase, Strategy};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_passed_at_once_ends_where_steps_end(
            seed: u64, client: u32, interval_ms in 1u64..100_000, polls in 0u64..200, aligned: bool
        ) {
            let phase = if aligned { Phase::Aligned } else { Phase::Random };
            let fixed = Fixed { interval: Span::from_millis(interval_ms), jitter: 0.0, phase };
            let rhythm = Rhythm::new(Strategy::Fixed(fixed), Draws::new(seed), 0);
            let gap = rhythm.even_gap().unwrap();
            let (mut stepped, mut passed) = (rhythm.begin(client, Time::ZERO), rhythm.begin(client, Time::ZERO));
            for _ in 0..polls {
                let free = stepped.due.at + Span(1);
                rhythm.ended(&mut stepped, Came::Nothing, free);
            }
            passed.pass(polls, gap);
            prop_assert_eq!((stepped.due, stepped.idle), (passed.due, passed.idle));
        }
    }
}
