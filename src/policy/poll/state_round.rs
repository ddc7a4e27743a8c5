//! What a client of states does within a poll, and with what it is told.
//!
//! ```text
//!   one subject:  Fetch --state--> Store (if it is new) --> Finished
//!   a scan:       Fetch --page--> Store (what is new) --> Fetch (has_more) | Save --> Finished
//! ```
//!
//! A scan's cursor is where the next one begins: the instant at which its first page was true, less the
//! overlap. It moves when the whole scan is stored, and not before: pages are sorted by time, but what
//! changes meanwhile goes to the end.

use std::collections::BTreeMap;

use super::PollStep;
use crate::{
    model::{Span, Subject, Time, Version},
    scenario::Flaw,
};

/// A durable cursor of a scan begins with this, and goes on with an instant in nanoseconds.
pub const SCAN_CURSOR: char = 'u';

/// The versions that a client has handed over, in memory: an overlap shows the same states again, and a
/// look shows what it showed before. After a restart the ledger recognises them.
#[derive(Debug, Default)]
pub struct Known {
    versions: BTreeMap<Subject, Version>,
}

impl Known {
    /// Whether the client has not handed this over yet. Version 0 is a subject that nothing happened to.
    #[must_use]
    pub fn is_news(&self, subject: Subject, version: Version) -> bool {
        version > self.versions.get(&subject).copied().unwrap_or(0)
    }

    /// It is handed over.
    pub fn keep(&mut self, subject: Subject, version: Version) {
        let known = self.versions.entry(subject).or_default();
        *known = version.max(*known);
    }
}

/// How a page of a scan ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageEnd<'a> {
    /// The instant at which the page was true.
    pub as_of: Time,
    /// Where the next page starts.
    pub next_cursor: &'a str,
    /// Whether there is one.
    pub has_more: bool,
}

/// One poll of one client of states.
#[derive(Debug)]
pub struct StateRound {
    scan: Option<Scan>,
    page: u32,
    more: bool,
    todo: Vec<PollStep>,
}

#[derive(Debug)]
struct Scan {
    overlap: Span,
    flaw: Option<Flaw>,
    /// Where a scan begins; the next one's begin once this one is whole.
    cursor: Option<String>,
    next_page: Option<String>,
    /// Of the first page.
    as_of: Option<Time>,
    brought: bool,
    whole: bool,
}

impl StateRound {
    /// A look at one subject.
    #[must_use]
    pub fn look() -> StateRound {
        StateRound { scan: None, page: 0, more: true, todo: Vec::new() }
    }

    /// A scan from a cursor on; `None`: of everything.
    #[must_use]
    pub fn scan(cursor: Option<String>, overlap: Span, flaw: Option<Flaw>) -> StateRound {
        let scan = Scan { overlap, flaw, cursor, next_page: None, as_of: None, brought: false, whole: false };
        StateRound { scan: Some(scan), ..StateRound::look() }
    }

    /// What to do next. Answer each step with the method it names, then ask again.
    pub fn next_step(&mut self) -> PollStep {
        if let Some(step) = self.todo.pop() {
            return step;
        }
        if !self.more || self.page >= super::PAGES_PER_POLL_MAX {
            return PollStep::Finished;
        }
        self.more = false;
        self.page += 1;
        let from = |scan: &Scan| if self.page == 1 { scan.cursor.clone() } else { scan.next_page.clone() };
        PollStep::Fetch { cursor: self.scan.as_ref().and_then(from), page: self.page }
    }

    /// The state of the one subject has come.
    pub fn state_came(&mut self, is_news: bool) {
        self.todo.extend(is_news.then_some(PollStep::Store));
    }

    /// A page of a scan has come.
    pub fn page_came(&mut self, has_news: bool, end: PageEnd<'_>) {
        let Some(scan) = &mut self.scan else { return };
        let as_of = *scan.as_of.get_or_insert(end.as_of);
        let target = format!("{SCAN_CURSOR}{}", as_of.0.saturating_sub(scan.overlap.0));
        // The flaw: what lies behind the first page counts as seen.
        self.more = end.has_more && scan.flaw != Some(Flaw::OnePage);
        scan.whole = !self.more;
        scan.brought |= has_news;
        scan.next_page = Some(end.next_cursor.to_owned());
        let store = has_news.then_some(PollStep::Store);
        if scan.flaw == Some(Flaw::CursorBeforeEffect) {
            // Popped from the back.
            self.todo.extend(store);
            self.todo.extend(has_news.then_some(PollStep::Save(target)));
            return;
        }
        // An idle scan's cursor moves in memory only, as that of events does. The flaw writes down when
        // it last asked, each time.
        let worth_saving = scan.brought || scan.flaw == Some(Flaw::NoOverlap);
        match (scan.whole, worth_saving) {
            (true, true) => self.todo.push(PollStep::Save(target)),
            (true, false) => scan.cursor = Some(target),
            (false, _) => {}
        }
        self.todo.extend(store);
    }

    /// The cursor is durable.
    pub fn saved(&mut self, cursor: String) {
        if let Some(scan) = &mut self.scan {
            scan.cursor = Some(cursor);
        }
    }

    /// The poll could not be finished: the next scan begins where this one did.
    pub fn abandon(&mut self) {
        self.more = false;
        self.todo.clear();
        if let Some(scan) = &mut self.scan {
            scan.whole = false;
        }
    }

    /// Where the next scan begins.
    #[must_use]
    pub fn cursor(&self) -> Option<&String> {
        self.scan.as_ref().and_then(|scan| scan.cursor.as_ref())
    }

    /// Whether the scan has got to its end. Before, an ETag of it would hide what it has not read.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.scan.as_ref().is_none_or(|scan| scan.whole)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn end(as_of: u64, next_cursor: &str, has_more: bool) -> PageEnd<'_> {
        PageEnd { as_of: Time(as_of), next_cursor, has_more }
    }

    fn fetch(cursor: Option<&str>, page: u32) -> PollStep {
        PollStep::Fetch { cursor: cursor.map(str::to_owned), page }
    }

    #[test]
    fn a_scan_saves_when_it_is_whole_the_instant_of_its_first_page_less_the_overlap() {
        let mut round = StateRound::scan(Some("u5".to_owned()), Span(30), None);
        assert_eq!(round.next_step(), fetch(Some("u5"), 1));
        round.page_came(true, end(100, "t90.3", true));
        assert_eq!(round.next_step(), PollStep::Store);
        assert_eq!(round.next_step(), fetch(Some("t90.3"), 2));
        assert!(!round.is_whole());
        round.page_came(false, end(140, "t95.1", false));
        assert_eq!(round.next_step(), PollStep::Save("u70".to_owned()));
        round.saved("u70".to_owned());
        assert_eq!(round.next_step(), PollStep::Finished);
        assert!(round.is_whole());
        assert_eq!(round.cursor().map(String::as_str), Some("u70"));
    }

    #[test]
    fn an_idle_scan_saves_nothing_and_an_abandoned_one_begins_anew() {
        let mut idle = StateRound::scan(Some("u5".to_owned()), Span(30), None);
        idle.next_step();
        idle.page_came(false, end(100, "t90.3", false));
        assert_eq!(idle.next_step(), PollStep::Finished);
        assert_eq!(idle.cursor().map(String::as_str), Some("u70"));
        let mut broken = StateRound::scan(Some("u5".to_owned()), Span(30), None);
        broken.next_step();
        broken.page_came(true, end(100, "t90.3", false));
        assert_eq!(broken.next_step(), PollStep::Store);
        broken.abandon();
        assert_eq!(broken.next_step(), PollStep::Finished);
        assert_eq!((broken.cursor().map(String::as_str), broken.is_whole()), (Some("u5"), false));
    }

    #[test]
    fn a_look_asks_once_and_stores_what_is_new() {
        for is_news in [true, false] {
            let mut round = StateRound::look();
            assert_eq!(round.next_step(), fetch(None, 1));
            round.state_came(is_news);
            assert_eq!(round.next_step() == PollStep::Store, is_news);
            assert_eq!(round.next_step(), PollStep::Finished);
            assert_eq!(round.cursor(), None);
        }
    }

    #[test]
    fn wrong_scans_go_wrong_in_their_own_way() {
        let first = |flaw, has_news| {
            let mut round = StateRound::scan(None, Span::ZERO, Some(flaw));
            round.next_step();
            round.page_came(has_news, end(100, "t90.3", true));
            [round.next_step(), round.next_step(), round.next_step()]
        };
        let save = || PollStep::Save("u100".to_owned());
        assert_eq!(first(Flaw::CursorBeforeEffect, true), [save(), PollStep::Store, fetch(Some("t90.3"), 2)]);
        assert_eq!(first(Flaw::OnePage, true), [PollStep::Store, save(), PollStep::Finished]);
        let mut forgets = StateRound::scan(None, Span::ZERO, Some(Flaw::NoOverlap));
        forgets.next_step();
        forgets.page_came(false, end(100, "", false));
        assert_eq!(forgets.next_step(), save());
    }

    #[test]
    fn a_version_is_news_once() {
        let mut known = Known::default();
        assert!(!known.is_news(3, 0) && known.is_news(3, 1));
        known.keep(3, 2);
        known.keep(3, 1);
        assert!(!known.is_news(3, 2) && known.is_news(3, 3) && known.is_news(4, 1));
    }
}
