//! One polling client.

use std::sync::{Arc, atomic::Ordering};

use super::{
    Shared,
    asker::{Answer, Asker, Content, Pace},
};
use crate::{
    backend::Item,
    fault::CrashPoint,
    live::{CrashPoints, RoleError, clock::Clock, consumer::Consumer},
    model::{PollOutcome, Time},
    policy::poll::{Came, Client, Due, PollRound, PollStep, PollTimer},
    record::{Poll, Record, RecordSink},
    scenario::{ConsumerNo, Flaw, On429},
    wire::{Page, parse_page},
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
}

/// What one poll came to.
struct PollResult {
    outcome: PollOutcome,
    requests: u32,
    events: u32,
    pace: Pace,
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
        let mut timer = PollTimer::new(self.shared.polling.strategy.clone(), self.who, self.clock.now());
        let mut cursor = self.consumer.load_cursor(self.who.number).await?;
        let mut etag = None;
        loop {
            let due = timer.due();
            self.clock.sleep_until(due.at).await;
            let sent = self.clock.now();
            let mut round = PollRound::new(cursor, self.flaw);
            let result = self.poll(due, &mut round, &mut etag).await?;
            cursor = round.cursor().cloned();
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

    async fn poll(&self, due: Due, round: &mut PollRound, etag: &mut Option<String>) -> Result<PollResult, RoleError> {
        let mut result = PollResult { outcome: PollOutcome::Empty, requests: 0, events: 0, pace: Pace::default() };
        let mut items = Vec::new();
        loop {
            match round.next_step() {
                PollStep::Fetch { cursor, page: number } => {
                    result.requests += 1;
                    let answer = self.fetch(due, number, cursor.as_deref(), etag.as_deref()).await;
                    result.pace = answer.pace;
                    match answer.content {
                        Content::Body { bytes, head, etag: new } => match parse_page(&bytes) {
                            Ok(page) => {
                                self.crash_points.reach(CrashPoint::AfterPage);
                                *etag = new;
                                result.events += page.events.len() as u32;
                                round.page_came(&page, head.as_deref());
                                items = self.items_of(&page);
                            }
                            Err(_) => {
                                result.outcome = PollOutcome::Broken;
                                round.abandon();
                            }
                        },
                        Content::NotModified => result.outcome = PollOutcome::NotModified,
                        Content::Failed(outcome) => {
                            result.outcome = outcome;
                            round.abandon();
                        }
                    }
                }
                PollStep::Store => {
                    // A full queue turns the page away; the next poll asks for it again.
                    if self.consumer.accept_page(std::mem::take(&mut items)).await.is_err() {
                        *etag = None;
                        round.abandon();
                    }
                }
                PollStep::Save(text) => {
                    self.crash_points.reach(CrashPoint::BeforeCursor);
                    self.consumer.save_cursor(self.who.number, text).await?;
                    round.saved();
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

    fn items_of(&self, page: &Page) -> Vec<Item> {
        let received_at = self.clock.now();
        let item = |event: &crate::wire::PageEvent| Item {
            client: self.who.number,
            event_id: event.id.clone(),
            subject: event.subject,
            version: event.version,
            received_at,
        };
        page.events.iter().map(item).collect()
    }

    async fn fetch(&self, due: Due, page: u32, cursor: Option<&str>, etag: Option<&str>) -> Answer {
        let polling = &self.shared.polling;
        self.shared.requests.fetch_add(1, Ordering::Relaxed);
        let mut path = format!("/events?limit={}", polling.page_size);
        match (cursor, self.flaw) {
            (Some(cursor), Some(Flaw::TimestampCursor)) => path.push_str(&format!("&since={cursor}")),
            (None, Some(Flaw::TimestampCursor)) => path.push_str("&since="),
            (Some(cursor), _) => path.push_str(&format!("&cursor={cursor}")),
            (None, _) => {}
        }
        // The pages behind the first are there already.
        let hold = polling.strategy.hold().filter(|_| page == 1);
        if let Some(hold) = hold {
            path.push_str(&format!("&wait={}", hold.0 / 1_000_000));
            self.shared.standing.hold(self.who.number, due, self.clock.now());
        }
        let etag = etag.filter(|_| polling.strategy.is_conditional() && page == 1);
        let answer = self.asker.get(due, page, &path, etag).await;
        if hold.is_some() {
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
