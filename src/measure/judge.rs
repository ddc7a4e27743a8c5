//! From records to a result, in two readings, and a third for the evidence.
//!
//! The first reading learns what was emitted, when each event was first accepted, and how the
//! processes lived. The second counts and holds every record against that. Nothing else is kept of
//! a record, so a million events are judged in tens of megabytes.

use std::path::Path;

use super::{
    age::AgeRecorder,
    result::{ProviderResult, RunResult},
    tally::Tally,
    usage::Usage,
    validity, verdicts,
};
use crate::{
    audit::{
        Book, Class, EventLog, Facts, Lives, Problems, Source, consumer_of,
        promises::{self, Checker, Context},
    },
    model::{Event, Time},
    record::{Obligation, ReadError, ReadStats, Record, Role, read_dir},
    scenario::{ConsumerNo, Plan},
};

/// Judges the run whose records lie in `dir`.
pub fn judge_dir(plan: &Plan, dir: &Path) -> Result<RunResult, ReadError> {
    judge(plan, &|each| read_dir(dir, each))
}

/// Judges a run. `source` is read two or three times.
pub fn judge(plan: &Plan, source: &Source<'_>) -> Result<RunResult, ReadError> {
    let mut first = First::new(plan);
    let stats = source(&mut |record| first.take(&record))?;
    let end = first.close(plan);
    let mut second = Second::new(plan, first, end);
    source(&mut |record| second.take(&record))?;
    let judged = second.settle(stats);
    verdicts::result(plan, judged, source)
}

/// Everything that the readings found, for [`verdicts`] to put into words.
pub(super) struct Judged {
    pub(super) tallies: Vec<Tally>,
    pub(super) findings: Vec<Vec<promises::Finding>>,
    pub(super) external: Vec<bool>,
    /// Obligations that end in no class or in several.
    pub(super) unbalanced: u64,
    pub(super) example: Option<Obligation>,
    pub(super) provider: ProviderResult,
    pub(super) usage: Usage,
    pub(super) lives: Lives,
    pub(super) problems: Problems,
    pub(super) interrupted: bool,
    pub(super) end: Time,
}

/// The first reading.
struct First {
    events: EventLog,
    books: Vec<Book>,
    lives: Lives,
    usage: Usage,
    lag: AgeRecorder,
    lag_max_s: f64,
    ended: Option<(Time, bool)>,
    problems: Problems,
}

impl First {
    fn new(plan: &Plan) -> First {
        let events = EventLog::new(plan);
        let books = (0..plan.consumers.len()).map(|no| Book::new(plan, no as ConsumerNo, events.scheduled()));
        First {
            books: books.collect(),
            events,
            lives: Lives::default(),
            usage: Usage::default(),
            lag: AgeRecorder::new(),
            lag_max_s: 0.0,
            ended: None,
            problems: Problems::default(),
        }
    }

    fn take(&mut self, record: &Record) {
        if let Some(no) = consumer_of(record).filter(|no| usize::from(*no) >= self.books.len()) {
            return self.problems.add("a record names an unknown consumer", || format!("consumer {no}"));
        }
        match record {
            Record::Emitted { event, emitted_at } => {
                let lag = emitted_at.since(event.occurred_at);
                self.lag.record(lag);
                self.lag_max_s = self.lag_max_s.max(lag.as_secs_f64());
                self.events.take(event);
            }
            Record::Receipt { what, forged: false, at, .. } => {
                self.books[usize::from(what.consumer)].note_receipt(*what, *at);
            }
            Record::Process { role, change, at } => self.lives.take(*role, *change, *at),
            Record::Usage { .. } => self.usage.take(record),
            Record::End { at, interrupted } => self.ended = Some((*at, *interrupted)),
            _ => {}
        }
    }

    /// The instant at which the run ended.
    fn close(&mut self, plan: &Plan) -> Time {
        let interrupted = self.ended.is_some_and(|(_, interrupted)| interrupted);
        self.events.close(interrupted);
        self.problems.absorb(std::mem::take(&mut self.events.problems));
        if self.ended.is_none() {
            self.problems.add("the run has no end", || "its orchestrator died".to_owned());
        }
        self.ended.map_or(Time::ZERO + plan.duration + plan.drain, |(at, _)| at)
    }
}

/// The second reading.
struct Second<'a> {
    plan: &'a Plan,
    first: First,
    end: Time,
    tallies: Vec<Tally>,
    checkers: Vec<Vec<Box<dyn Checker>>>,
}

impl<'a> Second<'a> {
    fn new(plan: &'a Plan, first: First, end: Time) -> Second<'a> {
        let mut tallies = Vec::new();
        let mut checkers = Vec::new();
        for (no, mine) in plan.consumers.iter().enumerate() {
            let no = no as ConsumerNo;
            tallies.push(Tally::new(plan, no, end, first.lives.down(Role::of(mine, no))));
            let context = Context { plan, consumer: no, events: &first.events, lives: &first.lives };
            checkers.push(promises::TABLE.iter().map(|promise| (promise.checker)(&context)).collect());
        }
        Second { plan, first, end, tallies, checkers }
    }

    fn take(&mut self, record: &Record) {
        let Some(no) = consumer_of(record).filter(|no| usize::from(*no) < self.tallies.len()) else { return };
        let i = usize::from(no);
        let First { events, lives, books, .. } = &mut self.first;
        let context = Context { plan: self.plan, consumer: no, events, lives };
        for checker in &mut self.checkers[i] {
            checker.see(record, &books[i], &context);
        }
        self.tallies[i].see(record, &books[i]);
        books[i].take(record, events, &self.plan.consumers[i]);
    }

    /// Every obligation ends in one class.
    fn settle(mut self, stats: ReadStats) -> Judged {
        for (book, mine) in self.first.books.iter_mut().zip(&self.plan.consumers) {
            book.close(&self.first.events, mine);
        }
        let (mut unbalanced, mut example) = (0u64, None);
        for no in 0..self.tallies.len() as ConsumerNo {
            let (count, first) = self.settle_consumer(no);
            unbalanced += count;
            example = example.or(first);
        }
        let First { events, books, lives, usage, lag, lag_max_s, ended, mut problems } = self.first;
        problems.absorb(lives.problems(stats));
        let mut findings = Vec::new();
        for (no, checkers) in self.checkers.iter_mut().enumerate() {
            let context = Context { plan: self.plan, consumer: no as ConsumerNo, events: &events, lives: &lives };
            findings.push(checkers.iter_mut().map(|checker| checker.finish(&context)).collect());
        }
        let external = books.iter().map(Book::external).collect();
        books.into_iter().for_each(|book| problems.absorb(book.problems));
        let roles: Vec<Role> = (0..self.plan.providers.len()).map(|no| Role::Provider(no as u16)).collect();
        let names: Vec<&str> = self.plan.providers.iter().map(|provider| provider.name.as_str()).collect();
        let provider = ProviderResult {
            name: names.join(" + "),
            emitted: events.emitted(),
            lag_p99_s: lag.quantile_s(0.99),
            lag_max_s: (events.emitted() > 0).then_some(lag_max_s),
            lag_bound_s: validity::generator_bound_s(&self.tallies),
            cpu_s: roles.iter().map(|role| usage.cpu_s(*role, &lives)).sum(),
            peak_rss_bytes: roles.iter().filter_map(|role| usage.peak_rss_bytes(*role)).max(),
            profiles: super::profiles::of(self.plan),
        };
        let interrupted = ended.is_some_and(|(_, interrupted)| interrupted);
        let (tallies, end) = (self.tallies, self.end);
        Judged { tallies, findings, external, unbalanced, example, provider, usage, lives, problems, interrupted, end }
    }

    fn settle_consumer(&mut self, no: ConsumerNo) -> (u64, Option<Obligation>) {
        let i = usize::from(no);
        let (mut unbalanced, mut example) = (0u64, None);
        let First { events, lives, books, problems, .. } = &mut self.first;
        let (mine, book) = (&self.plan.consumers[i], &books[i]);
        for event in events.iter() {
            for client in mine.clients_of(event.subject) {
                let what = Obligation { consumer: no, client, seq: event.seq };
                let facts = book.final_facts(client, &event, lives, self.end);
                let class = Class::of(facts).filter(|_| !book.external());
                if class.is_none() && !(book.external() && ends_once(facts)) {
                    unbalanced += 1;
                    example = example.or(Some(what));
                    problems.add("the books do not balance", || complaint(&mine.name, client, &event, facts));
                }
                if let Some(class) = class {
                    self.checkers[i].iter_mut().for_each(|checker| checker.settle(what, facts, class));
                }
                self.tallies[i].settle(&event, facts, class, book.settled_at(what));
            }
        }
        if let Some(seq) = book.furthest_cursor().filter(|seq| *seq > 0 && events.get(*seq).is_none()) {
            problems
                .add("a cursor stands at an event that was never emitted", || format!("{}: event {seq}", mine.name));
        }
        let tally = &self.tallies[i];
        let classed: u64 = tally.classes.values().sum();
        if !book.external() && classed + unbalanced != tally.due {
            problems.add("the classes do not add up to what was due", || {
                format!("{}: {classed} of {}", mine.name, tally.due)
            });
        }
        (unbalanced, example)
    }
}

/// A foreign receiver's deliveries end in exactly one way as the sender sees it.
fn ends_once(facts: Facts) -> bool {
    [Facts::ACKED, Facts::GAVE_UP, Facts::OPEN].iter().filter(|end| facts.any(**end)).count() == 1
}

fn complaint(name: &str, client: u32, event: &Event, facts: Facts) -> String {
    let at = event.occurred_at.as_secs_f64();
    format!("event {} ({at:.3} s) of {name}, client {client}, ends in no single class: {}", event.seq, facts.in_words())
}

#[cfg(test)]
#[path = "judge_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "judge_state_tests.rs"]
mod state_tests;
