//! When a client polls, and what it does with a page.
//!
//! ```text
//!   Fetch --page--> Store --stored--> Save --saved--> Fetch (has_more) | Finished
//!     |                                  (a wrong poller saves before it stores)
//!     '--304, empty, failure--> Finished
//! ```

use crate::model::{Span, Time};
use crate::rng::{Draws, Purpose};
use crate::scenario::{Flaw, Phase, PollingPlan};
use crate::wire::Page;

/// When each poll of one client is due.
#[derive(Debug, Clone, Copy)]
pub struct PollSchedule {
    interval: Span,
    jitter: f64,
    phase: Span,
    entity: u64,
    draws: Draws,
}

impl PollSchedule {
    /// The schedule of client `client`. Phases and jitter do not depend on the consumer: two
    /// consumers with the same strategy poll at the same instants.
    #[must_use]
    pub fn new(plan: &PollingPlan, client: u32, draws: Draws) -> PollSchedule {
        let entity = u64::from(client);
        let phase = match plan.phase {
            Phase::Random => Span(draws.below(plan.interval.0, Purpose::Phase, entity, 0)),
            Phase::Aligned => plan.interval,
        };
        PollSchedule { interval: plan.interval, jitter: plan.jitter, phase, entity, draws }
    }

    /// When poll `n` (from 1) is due: phase + (n-1) x interval + jitter(n), never accumulated.
    #[must_use]
    pub fn due(&self, n: u32) -> Time {
        let base = Time::ZERO + self.phase + self.interval.scaled(u64::from(n.saturating_sub(1)), 1);
        let reach = self.interval.0 as f64 * self.jitter;
        let unit = self.draws.unit(Purpose::PollJitter, self.entity, u64::from(n));
        // Early by up to half the reach, late by up to half of it.
        base + Span((reach * unit) as u64) - Span((reach / 2.0) as u64)
    }

    /// The first poll after `n` that is not yet overdue at `now`. A client that is still busy when
    /// its next poll is due leaves that poll out: it is a closed loop around its own answer.
    #[must_use]
    pub fn next_after(&self, n: u32, now: Time) -> u32 {
        let since_phase = now.since(Time::ZERO + self.phase).0;
        // Jitter moves a poll by half an interval at most, so start the search one before.
        let around = u32::try_from(since_phase / self.interval.0.max(1)).unwrap_or(u32::MAX - 2);
        let mut next = (n + 1).max(around);
        while self.due(next) < now {
            next += 1;
        }
        next
    }
}

/// What a client does next within a poll.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PollStep {
    /// Ask for page `page` (from 1) from this cursor; `None` asks from the start.
    Fetch {
        /// The cursor as the provider gave it.
        cursor: Option<String>,
        /// The page within this poll.
        page: u32,
    },
    /// Make the page's events durable, or see them applied.
    Store,
    /// Make the cursor durable. Then call [`PollRound::saved`].
    Save(String),
    /// The poll is over.
    Finished,
}

/// One poll of one client.
#[derive(Debug)]
pub struct PollRound {
    flaw: Option<Flaw>,
    cursor: Option<String>,
    /// Where a later poll may start without missing anything.
    safe: Option<String>,
    page: u32,
    more: bool,
    todo: Vec<PollStep>,
}

/// Pages drained in one poll at most; the rest waits for the next poll.
pub const PAGES_PER_POLL_MAX: u32 = 10_000;

impl PollRound {
    /// A poll that starts at the durable cursor.
    #[must_use]
    pub fn new(cursor: Option<String>, flaw: Option<Flaw>) -> PollRound {
        PollRound { flaw, safe: cursor.clone(), cursor, page: 0, more: true, todo: Vec::new() }
    }

    /// What to do next. Answer each step with the method it names, then ask again.
    pub fn next_step(&mut self) -> PollStep {
        if let Some(step) = self.todo.pop() {
            return step;
        }
        if !self.more || self.page >= PAGES_PER_POLL_MAX {
            return PollStep::Finished;
        }
        self.more = false;
        self.page += 1;
        PollStep::Fetch { cursor: self.cursor.clone(), page: self.page }
    }

    /// A page has come; `head` is the newest sequence that the provider has.
    pub fn page_came(&mut self, page: &Page, head: Option<&str>) {
        let one_page = self.flaw == Some(Flaw::OnePage);
        // The flaw: one page is read, and everything up to the head counts as seen.
        let cursor = head.filter(|_| one_page).unwrap_or(&page.next_cursor).to_owned();
        self.more = page.has_more && !one_page;
        let moved = self.cursor.as_ref() != Some(&cursor);
        self.cursor = Some(cursor.clone());
        // Popped from the back. An idle share's cursor moves in memory only: to save each empty
        // poll's would cost a commit and protect nothing.
        if page.events.is_empty() && !one_page {
            self.safe.clone_from(&self.cursor);
            return;
        }
        let save = moved.then_some(PollStep::Save(cursor));
        let store = (!page.events.is_empty()).then_some(PollStep::Store);
        let (last, first) = if self.flaw == Some(Flaw::CursorBeforeEffect) { (store, save) } else { (save, store) };
        self.todo.extend(last);
        self.todo.extend(first);
    }

    /// The cursor is durable.
    pub fn saved(&mut self) {
        self.safe.clone_from(&self.cursor);
    }

    /// The poll could not be finished: what is not stored is fetched again by the next one.
    pub fn abandon(&mut self) {
        self.cursor.clone_from(&self.safe);
        self.more = false;
        self.todo.clear();
    }

    /// Where the next poll starts.
    #[must_use]
    pub fn cursor(&self) -> Option<&String> {
        self.cursor.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::PageEvent;
    use proptest::prelude::*;

    fn plan(interval: Span, jitter: f64) -> PollingPlan {
        PollingPlan {
            interval,
            jitter,
            conditional: false,
            page_size: 100,
            timeout: Span::from_secs(1),
            phase: Phase::Random,
        }
    }

    fn page(events: usize, next_cursor: &str, has_more: bool) -> Page {
        let event = PageEvent { id: "e".to_owned(), subject: 0, version: 1 };
        Page { events: vec![event; events], next_cursor: next_cursor.to_owned(), has_more }
    }

    #[test]
    fn pages_are_drained_and_each_is_stored_before_its_cursor() {
        let mut round = PollRound::new(None, None);
        assert_eq!(round.next_step(), PollStep::Fetch { cursor: None, page: 1 });
        round.page_came(&page(2, "2", true), Some("3"));
        assert_eq!(round.next_step(), PollStep::Store);
        assert_eq!(round.next_step(), PollStep::Save("2".to_owned()));
        assert_eq!(round.next_step(), PollStep::Fetch { cursor: Some("2".to_owned()), page: 2 });
        round.page_came(&page(1, "3", false), Some("3"));
        assert_eq!(round.next_step(), PollStep::Store);
        assert_eq!(round.next_step(), PollStep::Save("3".to_owned()));
        assert_eq!(round.next_step(), PollStep::Finished);
    }

    #[test]
    fn an_empty_page_saves_nothing_and_an_abandoned_poll_stops() {
        let mut round = PollRound::new(Some("5".to_owned()), None);
        round.next_step();
        round.page_came(&page(0, "9", false), None);
        assert_eq!(round.next_step(), PollStep::Finished);
        assert_eq!(round.cursor().map(String::as_str), Some("9"));
        let mut round = PollRound::new(None, None);
        round.next_step();
        round.page_came(&page(1, "1", true), None);
        round.abandon();
        assert_eq!(round.next_step(), PollStep::Finished);
        assert_eq!(round.cursor(), None, "what was not stored is asked for again");
    }

    #[test]
    fn wrong_pollers_go_wrong_in_their_own_way() {
        let mut early = PollRound::new(None, Some(Flaw::CursorBeforeEffect));
        early.next_step();
        early.page_came(&page(1, "1", false), None);
        assert_eq!(early.next_step(), PollStep::Save("1".to_owned()));
        assert_eq!(early.next_step(), PollStep::Store);

        let mut one_page = PollRound::new(None, Some(Flaw::OnePage));
        one_page.next_step();
        one_page.page_came(&page(1, "1", true), Some("7"));
        assert_eq!(one_page.next_step(), PollStep::Store);
        assert_eq!(one_page.next_step(), PollStep::Save("7".to_owned()));
        assert_eq!(one_page.next_step(), PollStep::Finished);
    }

    proptest! {
        #[test]
        fn polls_stay_within_half_their_jitter_of_an_even_grid(
            seed: u64, client: u32, n in 1u32..1_000_000, ms in 1u64..1_000_000, jitter in 0.0f64..1.0
        ) {
            let interval = Span::from_millis(ms);
            let schedule = PollSchedule::new(&plan(interval, jitter), client, Draws::new(seed));
            let grid = schedule.phase.0 + u64::from(n - 1) * interval.0;
            let reach = (interval.0 as f64 * jitter / 2.0) as u64 + 1;
            let due = schedule.due(n).0;
            prop_assert!(due + reach >= grid && due <= grid + reach);
            prop_assert!(schedule.phase < interval);
        }

        #[test]
        fn the_next_poll_is_never_overdue_nor_repeated(
            seed: u64, n in 0u32..1_000, ms in 1u64..10_000, jitter in 0.0f64..1.0, late_ms in 0u64..10_000_000
        ) {
            let schedule = PollSchedule::new(&plan(Span::from_millis(ms), jitter), 1, Draws::new(seed));
            let now = Time::ZERO + Span::from_millis(late_ms);
            let next = schedule.next_after(n, now);
            prop_assert!(next > n);
            prop_assert!(schedule.due(next) >= now);
            // It is the first such: the one before was overdue or already made.
            prop_assert!(next == n + 1 || schedule.due(next - 1) < now);
        }
    }
}
