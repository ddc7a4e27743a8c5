//! The pull API's half of a poll: limits, held requests, pages.

use super::{
    poll::Content,
    pull::Mark,
    world::{What, World},
};
use crate::{
    fault::{LossSeen, RequestFate, ResponseFate},
    model::{ClientNo, Event, PollOutcome, Seq, Span, Time},
    policy::log::{After, Share, Stretch, Window},
    record::Record,
    scenario::{ConsumerNo, RateLimit, RateScope},
};

/// Whose bucket a request takes from.
fn limited(rule: RateLimit, consumer: ConsumerNo, client: ClientNo) -> (ConsumerNo, ClientNo) {
    match rule.scope {
        RateScope::Client => (consumer, client),
        // Each consumer asks from an address of its own, as in a live run.
        RateScope::Address => (consumer, 0),
        RateScope::All => (0, 0),
    }
}

impl World<'_> {
    /// A request for a page is with the provider.
    pub(super) fn asked(&mut self, no: u32, token: u32) {
        let client = &mut self.pull.clients[no as usize];
        let (consumer, number) = (client.consumer, client.number());
        let Some(round) = client.round.as_mut().filter(|round| round.token == token) else { return };
        let Some(group) = &self.pull.groups[usize::from(consumer)] else { return };
        if round.fate.response == ResponseFate::LostBeforeProcessing {
            return self.answer(no, Content::Failed(PollOutcome::Broken));
        }
        let provider = group.provider;
        let rule = self.plan.providers[provider].pull.rate_limit;
        if let (Some(limit), Some(rule)) = (&mut self.pull.limits[provider], rule)
            && let Some(retry_in) = limit.ask(limited(rule, consumer, number), self.now).retry_in
        {
            self.records.put(Record::RateLimited { consumer, client: number, at: self.now });
            let told = rule.told_s(retry_in, self.plan.time_scale).map(Span::from_secs);
            round.retry_after = told.map(|told| Span((told.0 as f64 / self.plan.time_scale) as u64));
            return self.answer(no, Content::Failed(PollOutcome::Status(rule.status)));
        }
        match &mut self.pull.lines[provider] {
            Some(line) => {
                let done_at = line.join(self.now);
                self.agenda.put(done_at, What::Turn { client: no, token });
            }
            None => self.turn(no, token),
        }
    }

    /// A request's turn has come.
    pub(super) fn turn(&mut self, no: u32, token: u32) {
        let client = &self.pull.clients[no as usize];
        let Some(round) = client.round.as_ref().filter(|round| round.token == token) else { return };
        let Some(group) = &self.pull.groups[usize::from(client.consumer)] else { return };
        let hold = group.polling.strategy.hold().filter(|_| round.page == 1);
        match hold {
            Some(hold) if !self.shows_something(no) => self.hold(no, hold),
            _ => self.answer_with_page(no),
        }
    }

    /// The provider keeps a request that finds nothing until there is something, or `hold` is over.
    fn hold(&mut self, no: u32, hold: Span) {
        let until = self.now + hold;
        let visible_at = self.first_visible_at(no).unwrap_or(Time::MAX);
        self.pull.set_held(no, Some(until));
        let Some(round) = self.pull.clients[no as usize].round.as_ref() else { return };
        let token = round.token;
        self.agenda.put(until.min(visible_at), What::Released { client: no, token });
    }

    /// An event has come: whoever is held for it is answered when it is to be seen.
    pub(super) fn ring(&mut self, event: &Event) {
        let plan = self.plan;
        for (consumer, mine) in (0..).zip(&plan.consumers) {
            let Some(group) = &self.pull.groups[consumer] else { continue };
            if group.polling.strategy.hold().is_none() {
                continue;
            }
            let visible_at = event.occurred_at + plan.providers[group.provider].pull.view_lag;
            for client in mine.clients_of(event.subject) {
                let no = group.first + client;
                let round = self.pull.clients[no as usize].round.as_ref();
                if let Some(round) = round.filter(|round| round.held.is_some_and(|until| until > visible_at)) {
                    let at = visible_at.max(self.now);
                    self.agenda.put(at, What::Released { client: no, token: round.token });
                }
            }
        }
    }

    /// A held request is answered, whatever there is.
    pub(super) fn released(&mut self, no: u32, token: u32) {
        let asked = self.pull.clients[no as usize].round.as_ref().is_some_and(|round| round.token == token);
        if asked && self.pull.set_held(no, None) {
            self.answer_with_page(no);
        }
    }

    fn first_visible_at(&self, no: u32) -> Option<Time> {
        let client = &self.pull.clients[no as usize];
        let group = self.pull.groups[usize::from(client.consumer)].as_ref()?;
        let share = Share::of(&self.plan.consumers[usize::from(client.consumer)], client.number());
        let first = self.log.first_behind(share, After::Seq(self.asked_from(no)), Span::ZERO)?;
        Some(first + self.plan.providers[group.provider].pull.view_lag)
    }

    fn shows_something(&self, no: u32) -> bool {
        self.first_visible_at(no).is_some_and(|at| at <= self.now)
    }

    /// The cursor that the request under way carries.
    pub(super) fn asked_from(&self, no: u32) -> Seq {
        let round = self.pull.clients[no as usize].round.as_ref();
        round.and_then(|round| round.machine.cursor().copied()).unwrap_or(0)
    }

    /// What a window shows a client of its share.
    pub(super) fn stretch(&mut self, no: u32, window: Window) -> Stretch {
        let client = &self.pull.clients[no as usize];
        let share = Share::of(&self.plan.consumers[usize::from(client.consumer)], client.number());
        let group = self.pull.groups[usize::from(client.consumer)].as_mut();
        if let Some(group) = group
            && let (Some(shares), After::Seq(after)) = (&group.shares, window.after)
        {
            if let Some(tail) = shares.tail(client.announced, after) {
                return self.log.stretch_of(tail.seqs(), window);
            }
            group.shares = None;
            self.log.index(self.plan.consumers[usize::from(client.consumer)].clients);
        }
        self.log.stretch(share, window)
    }

    /// The page as the log shows it now, on its way back.
    fn answer_with_page(&mut self, no: u32) {
        let client = &self.pull.clients[no as usize];
        let Some(group) = &self.pull.groups[usize::from(client.consumer)] else { return };
        if group.polling.strategy.reads_feed() {
            return self.answer_from_feed(no);
        }
        let provider = &self.plan.providers[group.provider];
        let limit = group.polling.page_size.min(provider.page_limit.max(1)) as usize;
        let kept_since = provider.pull.retention.map_or(Time::ZERO, |retention| self.now - retention);
        let lag = provider.pull.view_lag;
        let upto = if lag == Span::ZERO { Time::MAX } else { self.now - lag };
        let (after, late) = (self.asked_from(no), provider.pull.commit_lag);
        // How much of what is there shows is only known when it is there.
        let shown = if late.is_some() { usize::MAX } else { limit };
        let from = After::Seq(self.looks_back_to(no, after));
        let mut stretch = self.stretch(no, Window { after: from, limit: shown, grain: Span::ZERO, kept_since, upto });
        if let Some(lag) = late {
            self.leave_out_uncommitted(&mut stretch, lag, limit);
        }
        let client = &self.pull.clients[no as usize];
        let Some(group) = &self.pull.groups[usize::from(client.consumer)] else { return };
        let page = client.round.as_ref().map_or(1, |round| round.page);
        let conditional = group.polling.strategy.is_conditional() && page == 1;
        let unchanged = stretch.events.is_empty() && conditional && client.etag == Mark::at(stretch.newest);
        let next = match stretch.events.last() {
            Some(last) if stretch.more => last.seq,
            _ => stretch.head.max(after),
        };
        let content = if unchanged {
            let (rule, who) = (provider.pull.rate_limit, (client.consumer, client.number()));
            let limiter = self.pull.limits[group.provider].as_mut();
            if let Some((limiter, rule)) = limiter.zip(rule.filter(|rule| rule.free_304)) {
                limiter.give_back(&limited(rule, who.0, who.1));
            }
            Content::NotModified
        } else {
            let (events, more) = (stretch.events, stretch.more);
            Content::Page { events, next, more, newest: stretch.newest, head: stretch.head }
        };
        self.answer(no, content);
    }

    /// An answer leaves, to whatever fate it has.
    pub(super) fn answer(&mut self, no: u32, content: Content) {
        let Some(round) = self.pull.clients[no as usize].round.as_ref() else { return };
        let (fate, until) = (&round.fate, round.until);
        let back = self.now + fate.response_delay + round.back;
        let halved = fate.request == RequestFate::Reset || fate.damage.is_some();
        let broken = Content::Failed(PollOutcome::Broken);
        match fate.response {
            ResponseFate::LostAfterProcessing(LossSeen::Timeout) => self.will_come(no, until, broken),
            ResponseFate::LostAfterProcessing(LossSeen::Reset) => self.will_come(no, back, broken),
            _ if halved && matches!(content, Content::Page { .. }) => self.will_come(no, back, broken),
            _ => self.will_come(no, back, content),
        }
    }
}
