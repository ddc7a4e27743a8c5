//! What a client does within a poll, and with a page.
//!
//! ```text
//!   Fetch --page--> Store --stored--> Save --saved--> Fetch (has_more) | Finished
//!     |                                  (a wrong poller saves before it stores)
//!     '--304, empty, failure--> Finished
//! ```

use crate::scenario::Flaw;

/// What a client does next within a poll. A cursor is a text that only its provider reads; in virtual
/// time, which is its own provider, a number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PollStep<C = String> {
    /// Ask for page `page` (from 1) from this cursor; `None` asks from the start.
    Fetch {
        /// The cursor as the provider gave it.
        cursor: Option<C>,
        /// The page within this poll.
        page: u32,
    },
    /// Make the page's events durable, or see them applied.
    Store,
    /// Make the cursor durable. Then call [`PollRound::saved`].
    Save(C),
    /// The poll is over.
    Finished,
}

/// One poll of one client.
#[derive(Debug)]
pub struct PollRound<C = String> {
    flaw: Option<Flaw>,
    cursor: Option<C>,
    /// Where a later poll may start without missing anything.
    safe: Option<C>,
    page: u32,
    more: bool,
    todo: Vec<PollStep<C>>,
}

/// What a page says of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageCame<C> {
    /// Whether it holds an event.
    pub brought: bool,
    /// Where the next page starts.
    pub next: C,
    /// Whether the share has more behind it.
    pub more: bool,
    /// The newest sequence that the provider has, where it tells.
    pub head: Option<C>,
}

/// Pages drained in one poll at most; the rest waits for the next poll.
pub const PAGES_PER_POLL_MAX: u32 = 10_000;

impl<C: Clone + PartialEq> PollRound<C> {
    /// A poll that starts at the durable cursor.
    #[must_use]
    pub fn new(cursor: Option<C>, flaw: Option<Flaw>) -> PollRound<C> {
        PollRound { flaw, safe: cursor.clone(), cursor, page: 0, more: true, todo: Vec::new() }
    }

    /// What to do next. Answer each step with the method it names, then ask again.
    pub fn next_step(&mut self) -> PollStep<C> {
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

    /// A page has come.
    pub fn page_came(&mut self, page: PageCame<C>) {
        let one_page = self.flaw == Some(Flaw::OnePage);
        // The flaw: one page is read, and everything up to the head counts as seen.
        let cursor = page.head.filter(|_| one_page).unwrap_or(page.next);
        self.more = page.more && !one_page;
        let moved = self.cursor.as_ref() != Some(&cursor);
        self.cursor = Some(cursor.clone());
        // Popped from the back. An idle share's cursor moves in memory only: to save each empty
        // poll's would cost a commit and protect nothing.
        if !page.brought && !one_page {
            self.safe.clone_from(&self.cursor);
            return;
        }
        let save = moved.then_some(PollStep::Save(cursor));
        let store = page.brought.then_some(PollStep::Store);
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
    pub fn cursor(&self) -> Option<&C> {
        self.cursor.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(brought: bool, next: &str, more: bool, head: Option<&str>) -> PageCame<String> {
        PageCame { brought, next: next.to_owned(), more, head: head.map(str::to_owned) }
    }

    #[test]
    fn pages_are_drained_and_each_is_stored_before_its_cursor() {
        let mut round = PollRound::new(None, None);
        assert_eq!(round.next_step(), PollStep::Fetch { cursor: None, page: 1 });
        round.page_came(page(true, "2", true, Some("3")));
        assert_eq!(round.next_step(), PollStep::Store);
        assert_eq!(round.next_step(), PollStep::Save("2".to_owned()));
        assert_eq!(round.next_step(), PollStep::Fetch { cursor: Some("2".to_owned()), page: 2 });
        round.page_came(page(true, "3", false, Some("3")));
        assert_eq!(round.next_step(), PollStep::Store);
        assert_eq!(round.next_step(), PollStep::Save("3".to_owned()));
        assert_eq!(round.next_step(), PollStep::Finished);
    }

    #[test]
    fn an_empty_page_saves_nothing_and_an_abandoned_poll_stops() {
        let mut round = PollRound::new(Some("5".to_owned()), None);
        round.next_step();
        round.page_came(page(false, "9", false, None));
        assert_eq!(round.next_step(), PollStep::Finished);
        assert_eq!(round.cursor().map(String::as_str), Some("9"));
        let mut round = PollRound::new(None, None);
        round.next_step();
        round.page_came(page(true, "1", true, None));
        round.abandon();
        assert_eq!(round.next_step(), PollStep::Finished);
        assert_eq!(round.cursor(), None, "what was not stored is asked for again");
    }

    #[test]
    fn wrong_pollers_go_wrong_in_their_own_way() {
        let mut early = PollRound::new(None, Some(Flaw::CursorBeforeEffect));
        early.next_step();
        early.page_came(page(true, "1", false, None));
        assert_eq!(early.next_step(), PollStep::Save("1".to_owned()));
        assert_eq!(early.next_step(), PollStep::Store);

        let mut one_page = PollRound::new(None, Some(Flaw::OnePage));
        one_page.next_step();
        one_page.page_came(page(true, "1", true, Some("7")));
        assert_eq!(one_page.next_step(), PollStep::Store);
        assert_eq!(one_page.next_step(), PollStep::Save("7".to_owned()));
        assert_eq!(one_page.next_step(), PollStep::Finished);
    }
}
