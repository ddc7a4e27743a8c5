//! A poll that is more than a step: asks, is answered, stores, saves its cursor, asks for the next page.

use super::{
    consumer::{Item, Offerer},
    feed::ToFetch,
    link::Leg,
    pull::Mark,
    world::{What, World},
};
use crate::{
    fault::{self, Fate, LossSeen, RequestFate},
    model::{Event, PollOutcome, Seq, Span, Time},
    policy::poll::{Came, Due, PageCame, PollRound, PollStep},
    record::{Poll, Record},
};

/// A poll under way.
#[derive(Debug)]
pub(super) struct Round {
    pub due: Due,
    pub sent: Time,
    pub machine: PollRound<Seq>,
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
    /// What a feed told of, and is still to be fetched.
    pub to_fetch: ToFetch,
    /// Whether its client was pinged in the meantime.
    pub pinged: bool,
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

impl World<'_> {
    /// A poll that is more than a step begins.
    pub(super) fn begin_poll(&mut self, no: u32) {
        let client = &mut self.pull.clients[no as usize];
        let flaw = self.plan.consumers[usize::from(client.consumer)].flaw;
        client.round = Some(Box::new(Round {
            due: client.beat.due,
            sent: self.now,
            machine: PollRound::new(client.cursor.get(), flaw),
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
            to_fetch: ToFetch::default(),
            pinged: false,
        }));
        self.proceed(no);
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
                    client.etag = Mark::NONE;
                    client.round.as_mut().iter_mut().for_each(|round| round.machine.abandon());
                }
                PollStep::Save(cursor) => {
                    self.pull.clients[no as usize].saved = Mark::at(cursor);
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
        let fate = fault::decide(group.faults.iter().map(|may| may.fault), &target, self.draws);
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
        if self.pull.clients[no as usize].round.as_ref().is_some_and(|round| round.token == token) {
            self.pull.set_held(no, None);
        }
        let client = &mut self.pull.clients[no as usize];
        let Some(round) = client.round.as_mut().filter(|round| round.token == token) else { return };
        // What else may still come of this request comes too late.
        round.token += 1;
        match std::mem::take(&mut round.content) {
            Content::Page { events, next, more, newest, head } => {
                client.etag = Mark::at(newest);
                round.events += events.len() as u32;
                let brought = !events.is_empty();
                round.machine.page_came(PageCame { brought, next, more, head: Some(head) });
                let (client, received_at) = (client.beat.client, self.now);
                let item = |event| Item { client, event, received_at, poll: None };
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
        client.cursor = round.machine.cursor().map_or(Mark::NONE, |seq| Mark::at(*seq));
        let (consumer, number) = (client.consumer, client.number());
        let Round { due, sent, page: requests, events, retry_after, pinged, .. } = *round;
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
        self.rest(no, came, sent, self.now, retry_after);
        if pinged {
            self.ping_again(no);
        }
    }
}
