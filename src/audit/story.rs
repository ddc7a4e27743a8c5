//! One event's story on one time line, as evidence.
//!
//! Lines carry the instant at which they happened; what a store holds after the run comes last.

use std::collections::{BTreeMap, BTreeSet};

use super::{Source, obligation_of};
use crate::{
    model::{AttemptOutcome, ClientNo, DisabledBy, EffectOutcome, Seq, Span, Subject, Time, Version},
    record::{AttackKind, CursorPosition, EffectRow, Obligation, ProcessChange, ReadError, Record, Role},
    rng::Draws,
    scenario::{ConsumerNo, Plan},
};

/// One line of a story.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// When; `None` for what a store holds after the run.
    pub at: Option<Time>,
    /// What.
    pub text: String,
}

/// What happened to one event at one consumer's client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Story {
    /// Whose event.
    pub what: Obligation,
    /// The event's scheduled instant, if it was emitted.
    pub occurred_at: Option<Time>,
    /// What happened, in order.
    pub lines: Vec<Line>,
}

impl Story {
    const LINES_MAX: usize = 200;

    fn add(&mut self, at: Option<Time>, text: String) {
        if self.lines.len() < Self::LINES_MAX {
            self.lines.push(Line { at, text });
        }
    }

    /// When a line happened relative to the event's instant, in words.
    #[must_use]
    pub fn when(&self, line: &Line) -> String {
        match (line.at, self.occurred_at) {
            (Some(at), Some(occurred)) if at < occurred => format!("-{}", occurred.since(at)),
            (Some(at), Some(occurred)) => format!("+{}", at.since(occurred)),
            (Some(at), None) => format!("at {}", Span(at.0)),
            (None, _) => "at the end".to_owned(),
        }
    }

    /// The whole story in one line.
    #[must_use]
    pub fn in_one_line(&self) -> String {
        let parts: Vec<String> = self.lines.iter().map(|line| format!("{} {}", self.when(line), line.text)).collect();
        parts.join("; ")
    }
}

/// Reads the records once more and tells the stories of `which`.
pub fn tell(plan: &Plan, source: &Source<'_>, which: &[Obligation]) -> Result<Vec<Story>, ReadError> {
    let mut stories: Vec<Story> =
        which.iter().map(|what| Story { what: *what, occurred_at: None, lines: Vec::new() }).collect();
    let seqs: BTreeSet<Seq> = which.iter().map(|what| what.seq).collect();
    let mut around: Vec<Around> = Vec::new();
    let mut end = Time::MAX;
    let mut later = LaterStates::of(plan, which);
    source(&mut |record| {
        later.see(&record);
        around.extend(around_of(&record));
        if let Record::End { at, .. } = record {
            end = at;
        }
        if seq_of(&record).is_some_and(|seq| !seqs.contains(&seq)) {
            return;
        }
        for story in &mut stories {
            if let Record::Attempt(attempt) = &record
                && attempt.what == story.what
            {
                let name = attempt_name(attempt.number, attempt.copy);
                // What happened in between shall stand in between.
                story.add(Some(attempt.sent), format!("{name} sent"));
                story.add(Some(attempt.done), format!("{name}: {}", outcome_in_words(attempt.outcome)));
            } else if let Some((at, text)) = line_of(plan, &record, story) {
                story.add(at, text);
            }
        }
    })?;
    for story in &mut stories {
        add_around(story, &around);
        add_expiry(plan, story, end);
        if let Some((at, version)) = later.first(story.what) {
            story.add(Some(at), format!("its client sees a later state: version {version} takes effect"));
        }
        // Stable: lines of one instant keep the order in which they were recorded.
        story.lines.sort_by_key(|line| line.at.unwrap_or(Time::MAX));
    }
    Ok(stories)
}

/// The first later states of the subjects of some stories, where their clients ask for states.
struct LaterStates {
    each: BTreeMap<Obligation, Later>,
}

/// What an obligation is about, and the first later state that took effect.
#[derive(Clone, Copy)]
struct Later {
    subject: Subject,
    version: Version,
    first: Option<(Time, Version)>,
}

impl LaterStates {
    fn of(plan: &Plan, which: &[Obligation]) -> LaterStates {
        let consumer = |what: &Obligation| plan.consumers.get(usize::from(what.consumer));
        let of_states = |what: &&Obligation| consumer(what).is_some_and(|consumer| consumer.state().is_some());
        let wanted: Vec<Obligation> = which.iter().filter(of_states).copied().collect();
        let (mut each, mut versions) = (BTreeMap::new(), BTreeMap::<Subject, Version>::new());
        let last = wanted.iter().map(|what| what.seq).max().unwrap_or(0);
        let schedule = plan.workload.schedule(Draws::new(plan.seed), Time::ZERO + plan.duration);
        for (seq, arrival) in (1..=last).zip(schedule) {
            let version = versions.entry(arrival.subject).or_insert(0);
            *version += 1;
            let about = wanted.iter().filter(|what| what.seq == seq);
            let about_it = Later { subject: arrival.subject, version: *version, first: None };
            each.extend(about.map(|what| (*what, about_it)));
        }
        LaterStates { each }
    }

    fn see(&mut self, record: &Record) {
        let Record::Effect(row) = record else { return };
        for (what, later) in &mut self.each {
            let same = (what.consumer, what.client, later.subject) == (row.what.consumer, row.what.client, row.subject);
            let counts = same && row.version > later.version && !row.superseded && !row.forged;
            if counts && later.first.is_none_or(|(at, _)| row.at < at) {
                later.first = Some((row.at, row.version));
            }
        }
    }

    fn first(&self, what: Obligation) -> Option<(Time, Version)> {
        self.each.get(&what).and_then(|later| later.first)
    }
}

/// What happened to a whole process or endpoint.
struct Around {
    consumer: ConsumerNo,
    /// `None`: to all its clients.
    client: Option<ClientNo>,
    at: Time,
    text: String,
}

fn around_of(record: &Record) -> Option<Around> {
    let (consumer, client, at, text) = match *record {
        Record::Process { role: Role::Receiver(consumer) | Role::Poller(consumer), change, at } => {
            (consumer, None, at, change_in_words(change)?)
        }
        Record::EndpointDisabled { consumer, client, at, until, why } => {
            (consumer, Some(client), at, disabled_in_words(why, until.map(|until| until.since(at))))
        }
        Record::EndpointEnabled { consumer, client, at } => {
            (consumer, Some(client), at, "the endpoint is switched on again".to_owned())
        }
        _ => return None,
    };
    Some(Around { consumer, client, at, text })
}

/// It belongs to the story where it falls between its first and last line.
fn add_around(story: &mut Story, around: &[Around]) {
    let last = story.lines.iter().filter_map(|line| line.at).max().unwrap_or(Time::ZERO);
    let first = story.occurred_at.unwrap_or(Time::ZERO);
    // A second beyond the last line, because what died with the process left no line of its own.
    let span = first..=last + Span::from_secs(1);
    let about = story.what;
    for one in around {
        let mine = one.consumer == about.consumer && one.client.is_none_or(|client| client == about.client);
        if mine && span.contains(&one.at) {
            story.add(Some(one.at), one.text.clone());
        }
    }
}

/// The provider's log lets go of an event, whether or not its client has seen it.
fn add_expiry(plan: &Plan, story: &mut Story, end: Time) {
    let consumer = plan.consumers.get(usize::from(story.what.consumer)).filter(|consumer| consumer.polls());
    let provider = consumer.and_then(|consumer| plan.providers.get(usize::from(consumer.provider)));
    let retention = provider.and_then(|provider| provider.pull.retention);
    if let (Some(retention), Some(occurred_at)) = (retention, story.occurred_at) {
        let at = occurred_at + retention;
        if at < end {
            story.add(Some(at), format!("the provider's log lets go of it, after {retention}"));
        }
    }
}

fn disabled_in_words(why: DisabledBy, pause: Option<Span>) -> String {
    let why = match why {
        DisabledBy::Gone => "the endpoint says 410 Gone".to_owned(),
        DisabledBy::Failures(count) => format!("{count} attempts in a row have failed"),
        DisabledBy::Asked => "the endpoint asks for it, with a header".to_owned(),
        DisabledBy::Events(count) => format!("{count} deliveries in a row were given up"),
        DisabledBy::FailingFor(span) => format!("nothing but failures for {span}"),
        DisabledBy::Ratio { failed, attempts } => format!("{failed} of the last {attempts} attempts have failed"),
    };
    let length = pause.map_or("for good".to_owned(), |pause| format!("for {pause}"));
    format!("{why}: the endpoint is switched off {length}")
}

fn seq_of(record: &Record) -> Option<Seq> {
    match record {
        Record::Emitted { event, .. } => Some(event.seq),
        other => obligation_of(other).map(|what| what.seq),
    }
}

fn line_of(plan: &Plan, record: &Record, story: &mut Story) -> Option<(Option<Time>, String)> {
    let about = story.what;
    if obligation_of(record).is_some_and(|what| what != about) {
        return None;
    }
    let forged_mark = |forged: bool| if forged { "a forged event beside it is " } else { "" };
    let (at, text) = match *record {
        // Of several providers the first one tells.
        Record::Emitted { event, emitted_at } if event.seq == about.seq && story.occurred_at.is_none() => {
            story.occurred_at = Some(event.occurred_at);
            let lag = emitted_at.since(event.occurred_at);
            (event.occurred_at, format!("emitted: subject {}, version {} (lag {lag})", event.subject, event.version))
        }
        Record::Attack { kind, sent, outcome, .. } => (sent, attack_in_words(kind, outcome)),
        Record::GaveUp { at, attempts, why, .. } => {
            (at, format!("sender gives up after {attempts} attempts: {}", why.in_words()))
        }
        Record::Redelivered { at, attempts, .. } => {
            (at, format!("a dead letter is sent again, behind {attempts} attempts"))
        }
        Record::FaultHit { fault, consumer, client, number, attempt, copy, at }
            if (consumer, client, number) == (about.consumer, about.client, about.seq)
                && plan.consumers.get(usize::from(consumer)).is_some_and(|c| c.is_pushed()) =>
        {
            let name = plan.faults.get(usize::from(fault)).map_or("unknown", |fault| fault.kind.name());
            (at, format!("fault: {name} hits {}", attempt_name(attempt, copy)))
        }
        Record::Receipt { forged, at, .. } => (at, format!("{}received and accepted", forged_mark(forged))),
        Record::Suppressed { at, .. } => (at, "recognised as a copy before its ack, not queued again".to_owned()),
        Record::Worked { outcome, at, .. } => (at, worked_in_words(outcome).to_owned()),
        Record::Effect(row) => (row.at, effect_in_words(&row)),
        Record::Open { attempts, .. } => return Some((None, format!("delivery still open after {attempts} attempts"))),
        Record::CallLimited { at, wait, .. } => {
            (at, format!("call answered 429: too many, come again in {:.2} s", wait.as_secs_f64()))
        }
        Record::Called { marked, .. } => (marked, "outbox row marked done".to_owned()),
        Record::ExternalCall { at, effected, forged, .. } => {
            let text = if effected { "EXTERNAL EFFECT" } else { "called again: the key is known, no further effect" };
            (at, format!("{}{text}", forged_mark(forged)))
        }
        Record::Outgoing { forged, .. } => return Some((None, format!("{}in the outbox", forged_mark(forged)))),
        Record::Queued { forged, .. } => return Some((None, format!("{}in the queue", forged_mark(forged)))),
        Record::DeadLetter { forged, .. } => {
            return Some((None, format!("{}in the dead-letter queue", forged_mark(forged))));
        }
        Record::Cursor { consumer, client, passed } if (consumer, client) == (about.consumer, about.client) => {
            return Some((None, cursor_in_words(passed, about.seq)));
        }
        _ => return None,
    };
    Some((Some(at), text))
}

fn attempt_name(number: u32, copy: u32) -> String {
    match copy {
        0 => format!("attempt {number}"),
        copy => format!("copy {copy} of attempt {number}"),
    }
}

fn outcome_in_words(outcome: AttemptOutcome) -> String {
    match outcome {
        AttemptOutcome::Status(status) if outcome.is_ack() => format!("acked {status}"),
        AttemptOutcome::Status(status) => format!("answered {status}"),
        AttemptOutcome::Accepted(status) => format!("answered {status}, an ack to this provider"),
        AttemptOutcome::NotAccepted(status) => format!("answered {status}, no ack to this provider"),
        AttemptOutcome::Timeout => "no ack in time".to_owned(),
        AttemptOutcome::Refused => "connection refused".to_owned(),
        AttemptOutcome::Reset => "connection broke, no ack seen".to_owned(),
        AttemptOutcome::BadResponse => "unreadable answer".to_owned(),
    }
}

fn attack_in_words(kind: AttackKind, outcome: AttemptOutcome) -> String {
    let what = match kind {
        AttackKind::Forge(method) => format!("attacker forges an event ({})", kebab(&method)),
        AttackKind::Replay => "attacker replays a captured request".to_owned(),
    };
    format!("{what}: {}", outcome_in_words(outcome))
}

fn worked_in_words(outcome: EffectOutcome) -> &'static str {
    match outcome {
        EffectOutcome::Applied => "worker says: applied",
        EffectOutcome::Duplicate => "worker suppresses a duplicate",
        EffectOutcome::Stale => "worker finds a newer version: superseded",
        EffectOutcome::DeadLettered => "worker gives up: dead-lettered",
    }
}

fn effect_in_words(row: &EffectRow) -> String {
    match (row.forged, row.superseded) {
        (true, _) => "EFFECT of a forged event".to_owned(),
        (false, true) => format!("version {} not applied: a newer one is there", row.version),
        (false, false) => format!("EFFECT: subject {} becomes version {}", row.subject, row.version),
    }
}

fn cursor_in_words(passed: CursorPosition, seq: Seq) -> String {
    match passed {
        CursorPosition::Seq(upto) if upto >= seq => format!("the cursor has passed it (stands at event {upto})"),
        CursorPosition::Seq(upto) => format!("the cursor has not reached it (stands at event {upto})"),
        CursorPosition::UpdatedSince(since) => {
            format!("the next scan asks for what changed from {:.3} s on", since.as_secs_f64())
        }
        CursorPosition::Created(upto) => format!("the cursor stands at created {:.3} s", upto.as_secs_f64()),
    }
}

fn change_in_words(change: ProcessChange) -> Option<String> {
    match change {
        ProcessChange::Killed => Some("the consumer is killed".to_owned()),
        ProcessChange::Crashed(point) => Some(format!("the consumer dies at the point {}", kebab(&point))),
        ProcessChange::Stalled => Some("the consumer stalls".to_owned()),
        ProcessChange::Resumed => Some("the consumer resumes".to_owned()),
        ProcessChange::Failed => Some("the consumer FAILED".to_owned()),
        ProcessChange::Ready | ProcessChange::Exited => None,
    }
}

/// The name in the scenario file.
fn kebab(value: &impl serde::Serialize) -> String {
    let name = serde_json::to_value(value).ok();
    name.and_then(|name| name.as_str().map(str::to_owned)).unwrap_or_default()
}
