//! What a client does within a poll, and with a page.
//!
//! ```text
//!   Fetch --page--> Store --stored--> Save --saved--> Fetch (has_more) | Finished
//!     |                                  (a wrong poller saves before it stores)
//!     '--304, empty, failure--> Finished
//! ```

use crate::{scenario::Flaw, wire::Page};

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
}
