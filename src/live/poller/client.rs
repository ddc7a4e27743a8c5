//! One polling client.

use std::sync::{Arc, atomic::Ordering};

use super::{
    Shared,
    asker::{Answer, Asker, Content, Pace},
    reader::Reader,
};
use crate::{
    backend::Item,
    fault::CrashPoint,
    live::{CrashPoints, RoleError, clock::Clock, consumer::Consumer},
    model::{PollOutcome, Time},
    policy::poll::{Came, Client, Due, PollStep, PollTimer, Turns},
    record::{Poll, Record, RecordSink},
    scenario::{ConsumerNo, Flaw, On429},
    wire::PageEvent,
};

/// One client and what it needs.
pub(super) struct PollClient {
    pub who: Client,
    pub consumer_number: ConsumerNo,
    pub flaw: Option<Flaw>,
    pub asker: Asker,
    pub clock: Clock,
    pub consumer: Arc<Consumer>,
    pub shared: Arc<Shared>,
    pub records: Arc<dyn RecordSink>,
    pub crash_points: CrashPoints,
    /// In which order it asks after its subjects, where it asks after one each poll.
    pub turns: Turns,
}

/// What one poll came to.
struct PollResult {
    outcome: PollOutcome,
    requests: u32,
    events: u32,
    pace: Pace,
    /// Whether a full queue turned something away.
    turned_away: bool,
}

impl PollResult {
    fn came(&self) -> Came {
        match self.outcome {
            PollOutcome::Events => Came::Events,
            PollOutcome::Empty | PollOutcome::NotModified => Came::Nothing,
            _ => Came::Failed,
        }
    }
}

impl PollClient {
    /// Polls until the process ends.
    pub async fn run(self) -> Result<(), RoleError> {
        // Clients begin at t0, however long after it their process wakes up: what that was late is lag
        // to be measured, not a poll to be left out. A restarted process goes on where the clock is.
        let begin = if self.who.incarnation == 0 { Time::ZERO } else { self.clock.now() };
        let mut timer = PollTimer::new(self.shared.polling.strategy.clone(), self.who, begin);
        let cursor = self.consumer.load_cursor(self.who.number).await?;
        let mut reader = Reader::new(&self.shared.polling, self.flaw, self.turns.clone(), cursor);
        loop {
            let due = timer.due();
            self.clock.sleep_until(due.at).await;
            let sent = self.clock.now();
            reader.begin();
            let result = self.poll(due, &mut reader).await?;
            reader.end();
            self.write_down(due, sent, &result);
            timer.ended(result.came(), self.free_from(sent, result.pace));
        }
    }

    /// When the client may poll again: now, or when it has waited as long as it was asked to.
    fn free_from(&self, sent: Time, pace: Pace) -> Time {
        let now = self.clock.now();
        if self.shared.polling.on_429 == On429::Ignore {
            return now;
        }
        let asked = pace.retry_after.map_or(now, |span| now + span);
        asked.max(pace.interval.map_or(now, |span| sent + span))
    }

    async fn poll(&self, due: Due, reader: &mut Reader) -> Result<PollResult, RoleError> {
        let (outcome, pace) = (PollOutcome::Empty, Pace::default());
        let mut result = PollResult { outcome, requests: 0, events: 0, pace, turned_away: false };
        let mut items = Vec::new();
        loop {
            match reader.next_step() {
                PollStep::Fetch { cursor, page: number } => {
                    result.requests += 1;
                    let answer = self.fetch(due, number, cursor.as_deref(), reader).await;
                    result.pace = answer.pace;
                    match answer.content {
                        Content::Body { bytes, head, etag } => match reader.read(&bytes, head.as_deref(), etag) {
                            Ok(found) => {
                                self.crash_points.reach(CrashPoint::AfterPage);
                                result.events += found.len() as u32;
                                items = self.items_of(found);
                            }
                            Err(_) => {
                                result.outcome = PollOutcome::Broken;
                                reader.abandon();
                            }
                        },
                        Content::NotModified => result.outcome = PollOutcome::NotModified,
                        Content::Failed(outcome) => {
                            result.outcome = outcome;
                            reader.abandon();
                        }
                    }
                }
                PollStep::Store => {
                    // A full queue turns the page away; the next poll asks for it again.
                    match self.consumer.accept_page(std::mem::take(&mut items)).await {
                        Ok(()) => reader.stored(),
                        Err(_) => {
                            result.turned_away = true;
                            reader.turned_away();
                        }
                    }
                }
                PollStep::Save(text) => {
                    self.crash_points.reach(CrashPoint::BeforeCursor);
                    self.consumer.save_cursor(self.who.number, text.clone()).await?;
                    reader.saved(text);
                    self.crash_points.reach(CrashPoint::AfterCursor);
                }
                PollStep::Finished => break,
            }
        }
        if result.events > 0 && matches!(result.outcome, PollOutcome::Empty | PollOutcome::NotModified) {
            result.outcome = PollOutcome::Events;
        }
        Ok(result)
    }

    fn items_of(&self, found: Vec<PageEvent>) -> Vec<Item> {
        let received_at = self.clock.now();
        let item = |event: PageEvent| Item {
            client: self.who.number,
            event_id: event.id,
            subject: event.subject,
            version: event.version,
            received_at,
        };
        found.into_iter().map(item).collect()
    }

    async fn fetch(&self, due: Due, page: u32, cursor: Option<&str>, reader: &Reader) -> Answer {
        self.shared.requests.fetch_add(1, Ordering::Relaxed);
        let request = reader.request(cursor, page);
        if request.hold.is_some() {
            self.shared.standing.hold(self.who.number, due, self.clock.now());
        }
        let answer = self.asker.get(due, page, &request.path, request.etag.as_deref()).await;
        if request.hold.is_some() {
            self.shared.standing.answered(self.who.number);
        }
        answer
    }

    fn write_down(&self, due: Due, sent: Time, result: &PollResult) {
        if result.came() == Came::Nothing {
            self.shared.tallies.count(due.at, sent, result.outcome == PollOutcome::NotModified);
            self.shared.standing.found_nothing(self.who.number, due);
            return;
        }
        if result.came() == Came::Failed || result.turned_away {
            self.shared.standing.missed(self.who.number);
        }
        self.records.put(Record::Poll(Poll {
            consumer: self.consumer_number,
            client: self.who.number,
            number: due.number,
            intended: due.at,
            sent,
            done: self.clock.now(),
            requests: result.requests,
            events: result.events,
            outcome: result.outcome,
        }));
    }
}
