//! The pull side: polling clients, and the pull API that answers them.
//!
//! A poll that finds nothing, meets no fault and touches no limit is one step. Any other goes the
//! whole way: asks, is answered, stores, saves its cursor, asks for the next page.

use super::{
    consumer::{Item, Offerer},
    line::Line,
    link::{self, Leg},
    world::{What, World},
};
use crate::{
    fault::{self, Fate, LossSeen, RequestFate, Target, TargetPath},
    model::{ClientNo, Event, PollOutcome, Seq, Span, Time},
    policy::{
        log::Share,
        poll::{Came, Client, Due, PollRound, PollStep, PollTimer},
        rate::RateLimiter,
    },
    record::{CursorPosition, Poll, PollTallies, Record},
    rng::Draws,
    scenario::{ConsumerNo, On429, Plan, PollingPlan},
    wire::{Page, PageEvent},
};

/// Everything that polls.
#[derive(Debug)]
pub(super) struct Pull<'a> {
    pub clients: Vec<PollClient>,
    /// By consumer.
    pub groups: Vec<Option<Group<'a>>>,
    /// By provider.
    pub limits: Vec<Option<RateLimiter<(ConsumerNo, ClientNo)>>>,
    /// By provider: the line in front of its pull API, where that takes its time.
    pub lines: Vec<Option<Line>>,
    /// Clients that do not yet know that there is nothing more.
    unquiet: u32,
}

/// What the clients of one consumer share.
#[derive(Debug)]
pub(super) struct Group<'a> {
    pub polling: &'a PollingPlan,
    pub provider: usize,
    pub first: u32,
    /// Whether a fault of the plan may hit its polls.
    faulted: bool,
    /// From here on nothing new can become visible.
    over: Time,
    tallies: PollTallies,
}

#[derive(Debug)]
pub(super) struct PollClient {
    pub consumer: ConsumerNo,
    pub number: ClientNo,
    timer: PollTimer,
    /// Where the next poll starts.
    cursor: Option<Seq>,
    /// What is durable of it.
    saved: Option<Seq>,
    pub etag: Option<Seq>,
    quiet: bool,
    /// The last request's token: no later one has it again.
    token: u32,
    /// The poll under way, if it is more than a step.
    pub round: Option<Box<Round>>,
}

/// A poll under way.
#[derive(Debug)]
pub(super) struct Round {
    due: Due,
    sent: Time,
    pub machine: PollRound,
    /// Counts the client's requests: an answer to an earlier one comes too late.
    pub token: u32,
    pub page: u32,
    pub fate: Fate,
    /// How long the answer to its request takes.
    pub back: Span,
    pub until: Time,
    content: Content,
    items: Vec<Item>,
    /// Effects of the last page that are still to come.
    unsettled: u32,
    events: u32,
    outcome: PollOutcome,
    pub retry_after: Option<Span>,
    /// Until when the provider holds its request, while it does.
    pub held: Option<Time>,
}

/// What an answer says.
#[derive(Debug, Default)]
pub(super) enum Content {
    #[default]
    Nothing,
    Page {
        events: Vec<Event>,
        next: Seq,
        more: bool,
        newest: Seq,
        head: Seq,
    },
    NotModified,
    Failed(PollOutcome),
}

impl Pull<'_> {
    /// The clients of a plan, none of which has polled.
    pub fn new(plan: &Plan, draws: Draws) -> Pull<'_> {
        let (mut clients, mut groups) = (Vec::new(), Vec::new());
        for (consumer, mine) in (0..).zip(&plan.consumers) {
            let group = mine.polling().map(|polling| {
                let first = clients.len() as u32;
                for number in 0..mine.clients {
                    let who = Client { number, draws, incarnation: 0 };
                    let timer = PollTimer::new(polling.strategy.clone(), who, Time::ZERO);
                    let (cursor, saved, etag) = (None, None, None);
                    clients.push(PollClient {
                        consumer,
                        number,
                        timer,
                        cursor,
                        saved,
                        etag,
                        quiet: false,
                        token: 0,
                        round: None,
                    });
                }
                let hits = |fault: &&fault::FaultPlan| {
                    fault.kind.can_hit().polls
                        && fault.consumers.contains(&consumer)
                        && fault.selector.path != Some(TargetPath::Webhook)
                };
                let end = Time::ZERO + plan.duration;
                let provider = usize::from(mine.provider);
                let over = end + plan.providers[provider].pull.view_lag;
                let (faulted, tallies) =
                    (plan.faults.iter().any(|fault| hits(&fault)), PollTallies::new(consumer, end));
                Group { polling, provider, first, faulted, over, tallies }
            });
            groups.push(group);
        }
        let limits = plan.providers.iter().map(|provider| provider.pull.rate_limit.map(RateLimiter::new)).collect();
        let lines = plan.providers.iter().map(|provider| provider.pull.service_time.map(Line::new)).collect();
        let unquiet = clients.len() as u32;
        Pull { clients, groups, limits, lines, unquiet }
    }

    /// When each client's first poll is due.
    pub fn first_polls(&self) -> impl Iterator<Item = (Time, u32)> + '_ {
        self.clients.iter().zip(0..).map(|(client, no)| (client.timer.due().at, no))
    }

    /// Whether every client knows that there is nothing more, or is held by the provider until there is.
    pub fn is_quiet(&self) -> bool {
        self.unquiet == 0
            || self.clients.iter().all(|client| {
                client.quiet || client.round.as_ref().is_some_and(|round| round.held.is_some() && round.events == 0)
            })
    }

    /// What is left to say at the end: the polls that found nothing, those that are being held, and
    /// the durable cursors.
    pub fn residue(&mut self, each: &mut dyn FnMut(Record)) {
        for client in &self.clients {
            let Some(round) = client.round.as_ref().filter(|round| round.held.is_some()) else { continue };
            if let Some(group) = self.groups[usize::from(client.consumer)].as_mut() {
                group.tallies.count(round.due.at, round.sent, false);
            }
        }
        self.groups.iter_mut().flatten().for_each(|group| group.tallies.drain(each));
        for client in &self.clients {
            if let Some(seq) = client.saved {
                let (consumer, client) = (client.consumer, client.number);
                each(Record::Cursor { consumer, client, passed: CursorPosition::Seq(seq) });
            }
        }
    }
}

impl World<'_> {
    /// A client's poll is due.
    pub(super) fn poll(&mut self, no: u32) {
        let client = &self.pull.clients[no as usize];
        let plan = self.plan;
        let mine = &plan.consumers[usize::from(client.consumer)];
        let (due, cursor) = (client.timer.due(), client.cursor);
        if self.finds_nothing(no) {
            let newest = self.log.newest(Share::of(mine, client.number));
            return self.uneventful(no, due, newest);
        }
        let machine = PollRound::new(cursor.map(|seq| seq.to_string()), mine.flaw);
        let round = Round {
            due,
            sent: self.now,
            machine,
            token: client.token,
            page: 0,
            fate: Fate::default(),
            back: Span::ZERO,
            until: Time::MAX,
            content: Content::Nothing,
            items: Vec::new(),
            unsettled: 0,
            events: 0,
            outcome: PollOutcome::Empty,
            retry_after: None,
            held: None,
        };
        self.pull.clients[no as usize].round = Some(Box::new(round));
        self.proceed(no);
    }

    /// Whether it is certain now that a poll brings nothing and touches nobody else.
    fn finds_nothing(&self, no: u32) -> bool {
        let client = &self.pull.clients[no as usize];
        let Some(group) = &self.pull.groups[usize::from(client.consumer)] else { return false };
        let mine = &self.plan.consumers[usize::from(client.consumer)];
        let asked_at = self.now + self.delay(&self.target(no, client.timer.due(), 1), Leg::Request);
        !group.faulted
            && group.polling.strategy.hold().is_none()
            && self.pull.limits[group.provider].is_none()
            && self.pull.lines[group.provider].is_none()
            && mine.flaw.is_none()
            && self.log.newest(Share::of(mine, client.number)) <= client.cursor.unwrap_or(0)
            && self.next_arrival().is_none_or(|at| at > asked_at)
    }

    /// A poll that found nothing, as one step.
    fn uneventful(&mut self, no: u32, due: Due, newest: Seq) {
        let target = self.target(no, due, 1);
        let round_trip = self.delay(&target, Leg::Request) + self.delay(&target, Leg::Answer);
        let client = &mut self.pull.clients[no as usize];
        let Some(group) = self.pull.groups[usize::from(client.consumer)].as_mut() else { return };
        let unchanged = group.polling.strategy.is_conditional() && client.etag == Some(newest);
        client.etag = Some(newest);
        // An idle share's cursor moves with the log, in memory only.
        client.cursor = Some(client.cursor.unwrap_or(0).max(self.log.newest(Share::All)));
        group.tallies.count(due.at, self.now, unchanged);
        self.rest(no, due, Came::Nothing, self.now, self.now + round_trip, None);
    }

    /// What faults and the network know of a request for a page.
    fn target(&self, no: u32, due: Due, page: u32) -> Target {
        let client = &self.pull.clients[no as usize];
        let (path, consumer, client) = (TargetPath::Poll, client.consumer, client.number);
        Target { path, consumer, client, number: due.number, attempt: page, copy: 0, at: due.at }
    }

    /// How long a message takes.
    fn delay(&self, target: &Target, leg: Leg) -> Span {
        link::delay(&self.plan.virtual_time, self.draws, target, leg)
    }

    /// A poll is over at `free`; the next one is put down.
    fn rest(&mut self, no: u32, due: Due, came: Came, sent: Time, free: Time, retry_after: Option<Span>) {
        let client = &mut self.pull.clients[no as usize];
        let Some(group) = &self.pull.groups[usize::from(client.consumer)] else { return };
        let hint = self.plan.providers[group.provider].pull.poll_interval_hint;
        let free = if group.polling.on_429 == On429::Ignore {
            free
        } else {
            let asked = retry_after.map_or(free, |span| free + span);
            asked.max(hint.map_or(free, |span| sent + span))
        };
        client.timer.ended(came, free);
        if came == Came::Nothing && due.at > group.over && !client.quiet {
            client.quiet = true;
            self.pull.unquiet -= 1;
        }
        let next = client.timer.due().at;
        self.agenda.put(next, What::Poll(no));
    }

    /// Goes on with a poll, step by step, until it has to wait for something.
    pub(super) fn proceed(&mut self, no: u32) {
        loop {
            let Some(round) = self.pull.clients[no as usize].round.as_mut() else { return };
            match round.machine.next_step() {
                PollStep::Fetch { page, .. } => return self.ask(no, page),
                PollStep::Store => {
                    let items = std::mem::take(&mut round.items);
                    let consumer = self.pull.clients[no as usize].consumer;
                    if self.offer(consumer, items, Offerer::Poll(no)).is_ok() {
                        return;
                    }
                    // A full queue turns the page away; the next poll asks for it again.
                    let client = &mut self.pull.clients[no as usize];
                    client.etag = None;
                    client.round.as_mut().iter_mut().for_each(|round| round.machine.abandon());
                }
                PollStep::Save(text) => {
                    self.pull.clients[no as usize].saved = text.parse().ok();
                    let saved_at = self.now + self.plan.virtual_time.commit_time;
                    return self.agenda.put(saved_at, What::Saved(no));
                }
                PollStep::Finished => return self.finish_poll(no),
            }
        }
    }

    /// A client's cursor is durable.
    pub(super) fn saved(&mut self, no: u32) {
        if let Some(round) = self.pull.clients[no as usize].round.as_mut() {
            round.machine.saved();
        }
        self.proceed(no);
    }

    /// A page's events have to take effect before the poll goes on.
    pub(super) fn await_effects(&mut self, no: u32, count: u32) {
        if let Some(round) = self.pull.clients[no as usize].round.as_mut() {
            round.unsettled += count;
        }
    }

    /// One of them has.
    pub(super) fn effect_done(&mut self, no: u32) {
        let Some(round) = self.pull.clients[no as usize].round.as_mut() else { return };
        round.unsettled = round.unsettled.saturating_sub(1);
        if round.unsettled == 0 {
            self.proceed(no);
        }
    }

    /// A request for a page leaves, to whatever fate it has.
    fn ask(&mut self, no: u32, page: u32) {
        let client = &self.pull.clients[no as usize];
        let Some(group) = &self.pull.groups[usize::from(client.consumer)] else { return };
        let until = self.now + group.polling.patience();
        let Some(round) = &client.round else { return };
        let target = self.target(no, round.due, page);
        let (there, back) = (self.delay(&target, Leg::Request), self.delay(&target, Leg::Answer));
        let fate = if group.faulted { fault::decide(&self.plan.faults, &target, self.draws) } else { Fate::default() };
        self.record_hits(&target, &fate);
        let asked_at = self.now + there + fate.request_delay;
        let (request, delay) = (fate.request, fate.response_delay);
        let Some(round) = self.pull.clients[no as usize].round.as_mut() else { return };
        round.token += 1;
        (round.page, round.until, round.back, round.fate) = (page, until, back, fate);
        match request {
            RequestFate::Deliver | RequestFate::Reset => {
                let token = round.token;
                self.agenda.put(asked_at, What::Asked { client: no, token });
                if asked_at >= until {
                    self.will_come(no, until, Content::Failed(PollOutcome::Timeout));
                }
            }
            RequestFate::Lost(LossSeen::Timeout) | RequestFate::Hang => {
                self.will_come(no, until, Content::Failed(PollOutcome::Timeout));
            }
            RequestFate::Lost(LossSeen::Reset) | RequestFate::Refused => {
                self.will_come(no, asked_at + back, Content::Failed(PollOutcome::Broken));
            }
            RequestFate::Answered { status, .. } => {
                self.will_come(no, asked_at + delay + back, Content::Failed(PollOutcome::Status(status)));
            }
        }
    }

    /// The client will see this, or its patience end, whichever is first.
    pub(super) fn will_come(&mut self, no: u32, at: Time, content: Content) {
        let Some(round) = self.pull.clients[no as usize].round.as_mut() else { return };
        let in_time = at < round.until;
        round.content = if in_time { content } else { Content::Failed(PollOutcome::Timeout) };
        let (at, token) = (at.min(round.until), round.token);
        self.agenda.put(at, What::Comes { client: no, token });
    }

    /// An answer is with its client.
    pub(super) fn comes(&mut self, no: u32, token: u32) {
        let run_id = self.plan.run_id;
        let client = &mut self.pull.clients[no as usize];
        let Some(round) = client.round.as_mut().filter(|round| round.token == token) else { return };
        // What else may still come of this request comes too late.
        round.token += 1;
        round.held = None;
        match std::mem::take(&mut round.content) {
            Content::Page { events, next, more, newest, head } => {
                client.etag = Some(newest);
                round.events += events.len() as u32;
                let named = |event: &Event| PageEvent {
                    id: crate::model::EventId { run_id, seq: event.seq, forged: false }.to_string(),
                    subject: event.subject,
                    version: event.version,
                };
                let page =
                    Page { events: events.iter().map(named).collect(), next_cursor: next.to_string(), has_more: more };
                round.machine.page_came(&page, Some(&head.to_string()));
                let (client, received_at) = (client.number, self.now);
                let item = |event| Item { client, event, received_at, tries: 0, poll: None };
                round.items = events.into_iter().map(item).collect();
            }
            Content::NotModified => round.outcome = PollOutcome::NotModified,
            Content::Failed(outcome) => {
                round.outcome = outcome;
                round.machine.abandon();
            }
            Content::Nothing => round.machine.abandon(),
        }
        self.proceed(no);
    }

    /// A poll has come to its end.
    fn finish_poll(&mut self, no: u32) {
        let client = &mut self.pull.clients[no as usize];
        let Some(round) = client.round.take() else { return };
        client.token = round.token;
        client.cursor = round.machine.cursor().and_then(|text| text.parse().ok());
        let (consumer, number) = (client.consumer, client.number);
        let Round { due, sent, page: requests, events, retry_after, .. } = *round;
        let mut outcome = round.outcome;
        if events > 0 && matches!(outcome, PollOutcome::Empty | PollOutcome::NotModified) {
            outcome = PollOutcome::Events;
        }
        let came = match outcome {
            PollOutcome::Events => Came::Events,
            PollOutcome::Empty | PollOutcome::NotModified => Came::Nothing,
            _ => Came::Failed,
        };
        match (came, self.pull.groups[usize::from(consumer)].as_mut()) {
            // A line makes each poll's time of interest, also of those that find nothing.
            (Came::Nothing, Some(group)) if self.pull.lines[group.provider].is_none() => {
                let unchanged = outcome == PollOutcome::NotModified;
                group.tallies.count(due.at, sent, unchanged);
            }
            _ => self.records.put(Record::Poll(Poll {
                consumer,
                client: number,
                number: due.number,
                intended: due.at,
                sent,
                done: self.now,
                requests,
                events,
                outcome,
            })),
        }
        self.rest(no, due, came, sent, self.now, retry_after);
    }
}
