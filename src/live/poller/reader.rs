//! What one client asks for and how it reads the answers, whichever way it polls: events from a cursor on,
//! or states. It remembers between polls what a client keeps in memory.

use std::collections::BTreeMap;

use crate::{
    model::{Span, Subject},
    policy::poll::{Ask, Known, PageCame, PageEnd, PollRound, PollStep, SCAN_CURSOR, State, StateRound, Turns},
    scenario::{Flaw, PollingPlan},
    wire::{PageError, PageEvent, parse_page, parse_state, parse_states},
};

/// A request to make.
pub(super) struct Request {
    /// The path with its query.
    pub path: String,
    /// What to send as `If-None-Match`.
    pub etag: Option<String>,
    /// How long it may be held.
    pub hold: Option<Span>,
}

/// Reads for one client, one poll after the other.
pub(super) struct Reader {
    page_size: u32,
    flaw: Option<Flaw>,
    conditional: bool,
    hold: Option<Span>,
    /// Where the next poll starts.
    cursor: Option<String>,
    etag: Option<String>,
    round: Round,
}

/// The poll under way.
enum Round {
    Events(PollRound),
    States(Box<States>),
}

/// How a client reads states.
struct States {
    state: State,
    round: StateRound,
    known: Known,
    turns: Turns,
    /// Whose turn it is; `None` in a scan.
    subject: Option<Subject>,
    /// By subject, of those asked after one by one.
    etags: BTreeMap<Subject, String>,
    /// A scan's, until the scan is whole.
    scan_etag: Option<String>,
    /// What is being handed over.
    handed: Vec<(Subject, u32)>,
}

impl Reader {
    /// For a client whose durable cursor this is. `turns` says in which order it asks after its subjects,
    /// where it asks after one each poll.
    pub fn new(polling: &PollingPlan, flaw: Option<Flaw>, turns: Turns, cursor: Option<String>) -> Reader {
        let round = match polling.state() {
            None => Round::Events(PollRound::new(None, flaw)),
            Some(state) => Round::States(Box::new(States {
                state: state.clone(),
                round: StateRound::look(),
                known: Known::default(),
                turns,
                subject: None,
                etags: BTreeMap::new(),
                scan_etag: None,
                handed: Vec::new(),
            })),
        };
        Reader {
            page_size: polling.page_size,
            flaw,
            conditional: polling.strategy.is_conditional(),
            hold: polling.strategy.hold(),
            cursor,
            etag: None,
            round,
        }
    }

    /// A poll begins.
    pub fn begin(&mut self) {
        match &mut self.round {
            Round::Events(round) => *round = PollRound::new(self.cursor.clone(), self.flaw),
            Round::States(states) => states.begin(self.cursor.clone(), self.flaw),
        }
    }

    /// What to do next.
    pub fn next_step(&mut self) -> PollStep {
        match &mut self.round {
            Round::Events(round) => round.next_step(),
            Round::States(states) => states.round.next_step(),
        }
    }

    /// The request that fetches page `page` of the poll from `cursor` on.
    pub fn request(&self, cursor: Option<&str>, page: u32) -> Request {
        let etag = match &self.round {
            Round::States(states) => states.subject.and_then(|subject| states.etags.get(&subject)),
            Round::Events(_) => None,
        };
        let etag = etag.or(self.etag.as_ref()).filter(|_| self.conditional && page == 1).cloned();
        let mut path = match &self.round {
            Round::Events(_) => self.events_path(cursor),
            Round::States(states) => states.path(cursor, page, self.page_size),
        };
        // The pages behind the first are there already.
        let hold = self.hold.filter(|_| page == 1);
        if let Some(hold) = hold {
            path.push_str(&format!("&wait={}", hold.0 / 1_000_000));
        }
        Request { path, etag, hold }
    }

    fn events_path(&self, cursor: Option<&str>) -> String {
        let mut path = format!("/events?limit={}", self.page_size);
        match (cursor, self.flaw) {
            (Some(cursor), Some(Flaw::TimestampCursor)) => path.push_str(&format!("&since={cursor}")),
            (None, Some(Flaw::TimestampCursor)) => path.push_str("&since="),
            (Some(cursor), _) => path.push_str(&format!("&cursor={cursor}")),
            (None, _) => {}
        }
        path
    }

    /// Reads an answer: what it brings that is new to the client.
    pub fn read(
        &mut self,
        bytes: &[u8],
        head: Option<&str>,
        etag: Option<String>,
    ) -> Result<Vec<PageEvent>, PageError> {
        match &mut self.round {
            Round::Events(round) => {
                let page = parse_page(bytes)?;
                self.etag = etag;
                round.page_came(PageCame {
                    brought: !page.events.is_empty(),
                    next: page.next_cursor,
                    more: page.has_more,
                    head: head.map(str::to_owned),
                });
                Ok(page.events)
            }
            Round::States(states) => states.read(bytes, etag),
        }
    }

    /// What was new is durable, or applied.
    pub fn stored(&mut self) {
        if let Round::States(states) = &mut self.round {
            for (subject, version) in states.handed.drain(..) {
                states.known.keep(subject, version);
            }
        }
    }

    /// The cursor is durable.
    pub fn saved(&mut self, cursor: String) {
        match &mut self.round {
            Round::Events(round) => round.saved(),
            Round::States(states) => states.round.saved(cursor),
        }
    }

    /// The poll cannot be finished: a request of it failed.
    pub fn abandon(&mut self) {
        match &mut self.round {
            Round::Events(round) => round.abandon(),
            Round::States(states) => states.round.abandon(),
        }
    }

    /// A full queue turned away what the poll had brought: it must not be answered 304.
    pub fn turned_away(&mut self) {
        self.etag = None;
        if let Round::States(states) = &mut self.round {
            states.handed.clear();
            if let Some(subject) = states.subject {
                states.etags.remove(&subject);
            }
        }
        self.abandon();
    }

    /// The poll is over.
    pub fn end(&mut self) {
        match &mut self.round {
            Round::Events(round) => self.cursor = round.cursor().cloned(),
            Round::States(states) => {
                self.cursor = states.round.cursor().cloned();
                // The first page's: what came later may not have been on a later page.
                if let Some(etag) = states.scan_etag.take().filter(|_| states.round.is_whole()) {
                    self.etag = Some(etag);
                }
            }
        }
    }
}

impl States {
    fn begin(&mut self, cursor: Option<String>, flaw: Option<Flaw>) {
        self.handed.clear();
        self.scan_etag = None;
        (self.subject, self.round) = match self.state.ask {
            Ask::Subject => (Some(self.turns.take()), StateRound::look()),
            Ask::UpdatedSince => (None, StateRound::scan(cursor, self.state.overlap.unwrap_or_default(), flaw)),
        };
    }

    fn path(&self, cursor: Option<&str>, page: u32, page_size: u32) -> String {
        if let Some(subject) = self.subject {
            return format!("/subjects/{subject}");
        }
        let path = format!("/subjects?limit={page_size}");
        match cursor {
            None => path,
            Some(cursor) if page == 1 => format!("{path}&updated_since=t{}", cursor.trim_start_matches(SCAN_CURSOR)),
            Some(cursor) => format!("{path}&cursor={cursor}"),
        }
    }

    fn read(&mut self, bytes: &[u8], etag: Option<String>) -> Result<Vec<PageEvent>, PageError> {
        let known = &self.known;
        let is_news = |state: &PageEvent| known.is_news(state.subject, state.version);
        let news: Vec<PageEvent> = if let Some(subject) = self.subject {
            let news: Vec<PageEvent> = parse_state(bytes)?.into_iter().filter(is_news).collect();
            match etag {
                Some(etag) => self.etags.insert(subject, etag),
                None => self.etags.remove(&subject),
            };
            self.round.state_came(!news.is_empty());
            news
        } else {
            let page = parse_states(bytes)?;
            let news: Vec<PageEvent> = page.states.into_iter().filter(is_news).collect();
            self.scan_etag = self.scan_etag.take().or(etag);
            let end = PageEnd { as_of: page.as_of, next_cursor: &page.next_cursor, has_more: page.has_more };
            self.round.page_came(!news.is_empty(), end);
            news
        };
        self.handed = news.iter().map(|state| (state.subject, state.version)).collect();
        Ok(news)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::Time,
        scenario::testing::{polling_consumer, state},
        wire::{render_state, render_states},
    };

    fn reader(ask: Ask) -> Reader {
        let mut polling = polling_consumer(1).polling().unwrap().clone();
        polling.strategy = crate::policy::poll::Strategy::State(state(Span::from_secs(1), ask, Some(Span(10))));
        Reader::new(&polling, None, Turns::new(0, 1, 2, 0), None)
    }

    /// Subject `subject` at `version`.
    fn one(out: &mut Vec<u8>, subject: u32, version: u32) {
        let event = |out: &mut Vec<u8>| {
            let text = format!("{{\"id\":\"e{subject}.{version}\",\"subject\":{subject},\"version\":{version}}}");
            out.extend_from_slice(text.as_bytes());
        };
        render_state(out, subject, Some((version, Time(5), event)));
    }

    fn page(states: &[(u32, u32)], as_of: u64, more: bool) -> Vec<u8> {
        render_states(states.len(), |out, i| one(out, states[i].0, states[i].1), (Time(as_of), "t5.1", more))
    }

    /// The request that the reader wants to make next.
    fn asks(reader: &mut Reader) -> (String, Option<String>) {
        let PollStep::Fetch { cursor, page } = reader.next_step() else { panic!("no request") };
        let request = reader.request(cursor.as_deref(), page);
        (request.path, request.etag)
    }

    fn tag(text: &str) -> Option<String> {
        Some(text.to_owned())
    }

    #[test]
    fn a_scan_sends_its_etag_only_once_it_has_read_everything_and_from_its_first_page() {
        let mut reader = reader(Ask::UpdatedSince);
        reader.begin();
        assert_eq!(asks(&mut reader), ("/subjects?limit=10".to_owned(), None));
        assert_eq!(reader.read(&page(&[(0, 1)], 100, true), None, tag("7")).unwrap().len(), 1);
        assert_eq!(reader.next_step(), PollStep::Store);
        reader.stored();
        assert_eq!(asks(&mut reader), ("/subjects?limit=10&cursor=t5.1".to_owned(), None));
        reader.abandon();
        reader.end();
        // Broken off: from the start again, without an ETag; what is known is no news.
        reader.begin();
        assert_eq!(asks(&mut reader), ("/subjects?limit=10".to_owned(), None));
        assert!(reader.read(&page(&[(0, 1)], 200, true), None, tag("8")).unwrap().is_empty());
        asks(&mut reader);
        assert_eq!(reader.read(&page(&[(1, 1)], 210, false), None, tag("9")).unwrap().len(), 1);
        assert_eq!(reader.next_step(), PollStep::Store);
        reader.stored();
        assert_eq!(reader.next_step(), PollStep::Save("u190".to_owned()));
        reader.saved("u190".to_owned());
        assert_eq!(reader.next_step(), PollStep::Finished);
        reader.end();
        reader.begin();
        assert_eq!(asks(&mut reader), ("/subjects?limit=10&updated_since=t190".to_owned(), tag("8")));
    }

    #[test]
    fn each_subject_has_its_etag_and_loses_it_with_what_was_turned_away() {
        let mut reader = reader(Ask::Subject);
        let mut look = |version: u32, turned_away: bool| {
            reader.begin();
            let (path, etag) = asks(&mut reader);
            let subject = path.trim_start_matches("/subjects/").parse().unwrap();
            let mut body = Vec::new();
            one(&mut body, subject, version);
            let news = reader.read(&body, None, Some(format!("{subject}.{version}"))).unwrap().len();
            if reader.next_step() == PollStep::Store {
                if turned_away { reader.turned_away() } else { reader.stored() }
            }
            reader.end();
            (path, etag, news)
        };
        assert_eq!(look(1, false), ("/subjects/0".to_owned(), None, 1));
        assert_eq!(look(1, true), ("/subjects/1".to_owned(), None, 1));
        assert_eq!(look(1, false), ("/subjects/0".to_owned(), tag("0.1"), 0));
        assert_eq!(look(1, false), ("/subjects/1".to_owned(), None, 1), "asked anew, and new still");
        assert_eq!(look(2, false), ("/subjects/0".to_owned(), tag("0.1"), 1));
    }
}
