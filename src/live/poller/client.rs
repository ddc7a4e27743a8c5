//! One polling client.

use std::sync::{Arc, atomic::Ordering};

use http::StatusCode;

use super::Shared;
use crate::{
    backend::Item,
    fault::CrashPoint,
    live::{CrashPoints, RoleError, clock::Clock, consumer::Consumer},
    model::{PollOutcome, Time},
    policy::poll::{Came, Client, Due, PollRound, PollStep, PollTimer},
    record::{Poll, Record, RecordSink},
    rng::Draws,
    scenario::{ConsumerNo, Flaw},
    wire::{Page, headers, parse_page},
};

/// The largest page that is read.
const PAGE_BYTES_MAX: usize = 64 << 20;

/// One client and what it needs.
pub(super) struct PollClient {
    pub number: u32,
    pub incarnation: u32,
    pub consumer_number: ConsumerNo,
    pub consumer_name: String,
    pub flaw: Option<Flaw>,
    pub window_end: Time,
    pub base_url: String,
    pub http: reqwest::Client,
    pub clock: Clock,
    pub draws: Draws,
    pub consumer: Arc<Consumer>,
    pub shared: Arc<Shared>,
    pub records: Arc<dyn RecordSink>,
    pub crash_points: CrashPoints,
}

/// What one page request came to.
enum Answer {
    Page { page: Page, head: Option<String>, etag: Option<String> },
    NotModified,
    Failed(PollOutcome),
}

/// What one poll came to.
struct PollResult {
    outcome: PollOutcome,
    requests: u32,
    events: u32,
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
        let who = Client { number: self.number, draws: self.draws, incarnation: self.incarnation };
        let mut timer = PollTimer::new(self.shared.polling.strategy.clone(), who, self.clock.now());
        let mut cursor = self.consumer.load_cursor(self.number).await?;
        let mut etag = None;
        loop {
            let due = timer.due();
            self.clock.sleep_until(due.at).await;
            let sent = self.clock.now();
            let mut round = PollRound::new(cursor, self.flaw);
            let result = self.poll(due, &mut round, &mut etag).await?;
            cursor = round.cursor().cloned();
            self.write_down(due, sent, &result);
            timer.ended(result.came(), self.clock.now());
        }
    }

    async fn poll(&self, due: Due, round: &mut PollRound, etag: &mut Option<String>) -> Result<PollResult, RoleError> {
        let mut result = PollResult { outcome: PollOutcome::Empty, requests: 0, events: 0 };
        let mut items = Vec::new();
        loop {
            match round.next_step() {
                PollStep::Fetch { cursor, page: number } => {
                    result.requests += 1;
                    self.shared.requests.fetch_add(1, Ordering::Relaxed);
                    match self.fetch(due, number, cursor.as_deref(), etag.as_deref()).await {
                        Answer::Page { page, head, etag: new } => {
                            self.crash_points.reach(CrashPoint::AfterPage);
                            *etag = new;
                            result.events += page.events.len() as u32;
                            round.page_came(&page, head.as_deref());
                            items = self.items_of(&page);
                        }
                        Answer::NotModified => result.outcome = PollOutcome::NotModified,
                        Answer::Failed(outcome) => {
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
                    self.consumer.save_cursor(self.number, text).await?;
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
            client: self.number,
            event_id: event.id.clone(),
            subject: event.subject,
            version: event.version,
            received_at,
        };
        page.events.iter().map(item).collect()
    }

    async fn fetch(&self, due: Due, page: u32, cursor: Option<&str>, etag: Option<&str>) -> Answer {
        let polling = &self.shared.polling;
        let mut url = format!("{}/events?limit={}", self.base_url, polling.page_size);
        match (cursor, self.flaw) {
            (Some(cursor), Some(Flaw::TimestampCursor)) => url.push_str(&format!("&since={cursor}")),
            (None, Some(Flaw::TimestampCursor)) => url.push_str("&since="),
            (Some(cursor), _) => url.push_str(&format!("&cursor={cursor}")),
            (None, _) => {}
        }
        let mut request = self
            .http
            .get(url)
            .header(headers::CONSUMER, &self.consumer_name)
            .header(headers::CLIENT, self.number)
            .header(headers::POLL, due.number)
            .header(headers::DUE, due.at.0)
            .header(headers::PAGE, page);
        if let Some(etag) = etag.filter(|_| polling.strategy.is_conditional() && page == 1) {
            request = request.header(http::header::IF_NONE_MATCH, etag);
        }
        match request.send().await {
            Ok(response) => read_answer(response).await,
            Err(error) => Answer::Failed(failure(&error)),
        }
    }

    fn write_down(&self, due: Due, sent: Time, result: &PollResult) {
        let Due { number, at: intended } = due;
        let found_nothing = matches!(result.outcome, PollOutcome::Empty | PollOutcome::NotModified);
        if found_nothing {
            self.shared.tallies.count(intended, sent, result.outcome == PollOutcome::NotModified);
            if intended > self.window_end {
                self.shared.quiet_polls[self.number as usize].fetch_add(1, Ordering::Relaxed);
            }
            return;
        }
        self.records.put(Record::Poll(Poll {
            consumer: self.consumer_number,
            client: self.number,
            number,
            intended,
            sent,
            done: self.clock.now(),
            requests: result.requests,
            events: result.events,
            outcome: result.outcome,
        }));
    }
}

async fn read_answer(mut response: reqwest::Response) -> Answer {
    let text = |name: &str| response.headers().get(name).and_then(|v| v.to_str().ok()).map(str::to_owned);
    let (head, etag) = (text(headers::HEAD), text("etag"));
    match response.status() {
        StatusCode::OK => {}
        StatusCode::NOT_MODIFIED => return Answer::NotModified,
        status => return Answer::Failed(PollOutcome::Status(status.as_u16())),
    }
    let mut body = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if body.len() + chunk.len() <= PAGE_BYTES_MAX => body.extend_from_slice(&chunk),
            Ok(Some(_)) => return Answer::Failed(PollOutcome::Broken),
            Ok(None) => break,
            Err(error) => return Answer::Failed(failure(&error)),
        }
    }
    match parse_page(&body) {
        Ok(page) => Answer::Page { page, head, etag },
        Err(_) => Answer::Failed(PollOutcome::Broken),
    }
}

fn failure(error: &reqwest::Error) -> PollOutcome {
    if error.is_timeout() {
        PollOutcome::Timeout
    } else if error.is_connect() {
        PollOutcome::Refused
    } else {
        PollOutcome::Broken
    }
}
