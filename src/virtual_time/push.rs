//! The push side: one dispatch machine per endpoint, and the attempts under way.

use super::{
    consumer::Item,
    link::{self, Leg},
    slab::Slab,
    world::{What, World},
};
use crate::{
    fault::{self, Fate, FaultKind, LossSeen, RequestFate, ResponseFate, Signing, Target, TargetPath},
    model::{AttemptOutcome, ClientNo, Event, RejectReason, Span, Time},
    policy::{
        dispatch::{Dispatch, Output, Start},
        pool::Pool,
    },
    record::{self, Obligation, Record},
    rng::Draws,
    scenario::{ConsumerNo, Plan},
};

/// What a receiver asks for that cannot store, as the live one does.
const RETRY_AFTER: Span = Span::from_secs(1);

/// Everything that sends.
#[derive(Debug)]
pub(super) struct Push {
    endpoints: Vec<Endpoint>,
    /// By consumer: its first endpoint.
    first: Vec<u32>,
    attempts: Slab<InFlight>,
    /// By provider: the slots that its endpoints share, where they do.
    pools: Vec<Option<Pool>>,
    /// Deliveries and copies that have not come to their end.
    pub open: u64,
    outputs: Vec<Output>,
}

#[derive(Debug)]
struct Endpoint {
    consumer: ConsumerNo,
    client: ClientNo,
    provider: u16,
    machine: Dispatch,
    /// The instant at which it is looked at without anybody's doing.
    wake: Option<Time>,
    /// Whether a fault of the plan may hold one of its events back.
    holds: bool,
}

/// One attempt.
#[derive(Debug)]
struct InFlight {
    endpoint: u32,
    start: Start,
    sent: Time,
    /// When its sender's patience ends.
    until: Time,
    fate: Fate,
    /// How long its answer takes.
    back: Span,
    /// What the sender sees, once that is known.
    ending: (AttemptOutcome, Option<Span>),
    /// Agenda entries that name it.
    named: u8,
}

impl Push {
    /// The endpoints of a plan.
    pub fn new(plan: &Plan, draws: Draws) -> Push {
        let (mut endpoints, mut first) = (Vec::new(), Vec::new());
        for (consumer, mine) in (0..).zip(&plan.consumers) {
            first.push(endpoints.len() as u32);
            if !mine.is_pushed() {
                continue;
            }
            let sender = &plan.providers[usize::from(mine.provider)];
            let holds = plan
                .faults
                .iter()
                .any(|fault| matches!(fault.kind, FaultKind::Reorder(_)) && fault.consumers.contains(&consumer));
            for client in 0..mine.clients {
                let machine = Dispatch::new(sender.retry.clone(), sender.concurrency, draws, client);
                let machine = machine.with_manners(&sender.sending);
                endpoints.push(Endpoint { consumer, client, provider: mine.provider, machine, wake: None, holds });
            }
        }
        let pools = plan.providers.iter().map(|provider| provider.sending.sender_pool.map(Pool::new)).collect();
        Push { endpoints, first, attempts: Slab::new(), pools, open: 0, outputs: Vec::new() }
    }

    /// Deliveries that are open, for the books.
    pub fn open_deliveries(&self, each: &mut dyn FnMut(Record)) {
        for endpoint in &self.endpoints {
            let mut open: Vec<(Event, u32)> = endpoint.machine.open().collect();
            open.sort_by_key(|(event, _)| event.seq);
            for (event, attempts) in open {
                each(Record::Open { what: endpoint.what(&event), attempts });
            }
        }
    }
}

impl Endpoint {
    fn what(&self, event: &Event) -> Obligation {
        Obligation { consumer: self.consumer, client: self.client, seq: event.seq }
    }

    fn first_target(&self, event: &Event) -> Target {
        let (path, number, at) = (TargetPath::Webhook, event.seq, event.occurred_at);
        Target { path, consumer: self.consumer, client: self.client, number, attempt: 1, copy: 0, at }
    }
}

impl World<'_> {
    /// A new delivery to each endpoint that the event is due to.
    pub(super) fn deliver(&mut self, event: Event) {
        let plan = self.plan;
        for (consumer, mine) in (0..).zip(&plan.consumers) {
            if !mine.is_pushed() {
                continue;
            }
            for client in mine.clients_of(event.subject) {
                let no = self.push.first[consumer] + client;
                self.deliver_to(no, event);
                self.step(no);
            }
        }
    }

    fn deliver_to(&mut self, no: u32, event: Event) {
        let endpoint = &mut self.push.endpoints[no as usize];
        self.push.open += 1;
        let target = endpoint.first_target(&event);
        let hold = endpoint.holds.then(|| fault::decide(&self.plan.faults, &target, self.draws).hold).flatten();
        match hold {
            Some(hold) => endpoint.machine.deliver_held(event, hold),
            None => endpoint.machine.deliver(event),
        }
    }

    /// An endpoint's own instant has come.
    pub(super) fn woken(&mut self, no: u32) {
        let endpoint = &mut self.push.endpoints[no as usize];
        // An entry that an earlier one has made idle.
        if endpoint.wake == Some(self.now) {
            endpoint.wake = None;
            self.step(no);
        }
    }

    /// Lets an endpoint's machine decide, until it has nothing more to say at this instant.
    fn step(&mut self, no: u32) {
        loop {
            let mut outputs = std::mem::take(&mut self.push.outputs);
            self.drain(no, &mut outputs);
            let done = outputs.is_empty();
            for output in outputs.drain(..) {
                match output {
                    Output::Start(start) => self.start(no, start),
                    other => self.tell(no, other),
                }
            }
            self.push.outputs = outputs;
            if done {
                break;
            }
        }
        let endpoint = &mut self.push.endpoints[no as usize];
        if let Some(at) = endpoint.machine.next_deadline().filter(|at| endpoint.wake.is_none_or(|wake| *at < wake)) {
            endpoint.wake = Some(at);
            self.agenda.put(at, What::Endpoint(no));
        }
    }

    fn drain(&mut self, no: u32, outputs: &mut Vec<Output>) {
        let endpoint = &mut self.push.endpoints[no as usize];
        match &mut self.push.pools[usize::from(endpoint.provider)] {
            None => endpoint.machine.drain(self.now, outputs),
            Some(pool) => {
                endpoint.machine.drain_while(self.now, |due, seq| pool.ask(no, due, seq), outputs);
                if !endpoint.machine.is_held_back() {
                    pool.leave(no);
                }
            }
        }
    }

    /// Writes down what a machine has decided.
    fn tell(&mut self, no: u32, output: Output) {
        let endpoint = &self.push.endpoints[no as usize];
        let (consumer, client) = (endpoint.consumer, endpoint.client);
        let record = match output {
            Output::Start(_) => return,
            Output::GaveUp { event, attempts, at, why } => {
                self.push.open -= 1;
                Record::GaveUp { what: endpoint.what(&event), at, attempts, why }
            }
            Output::Redelivered { event, attempts, at } => {
                self.push.open += 1;
                Record::Redelivered { what: endpoint.what(&event), at, attempts }
            }
            Output::Disabled { at, until, why } => Record::EndpointDisabled { consumer, client, at, until, why },
            Output::Enabled { at } => Record::EndpointEnabled { consumer, client, at },
        };
        self.records.put(record);
    }

    /// An attempt leaves, to whatever fate it has.
    fn start(&mut self, no: u32, start: Start) {
        let plan = self.plan;
        let endpoint = &mut self.push.endpoints[no as usize];
        let sender = &plan.providers[usize::from(endpoint.provider)];
        let first = endpoint.first_target(&start.event);
        let target = Target { attempt: start.number, copy: start.copy, at: start.intended, ..first };
        let fate = fault::decide(&self.plan.faults, &target, self.draws);
        if let Some(copies) = fate.copies {
            self.push.open += u64::from(copies.count);
            endpoint.machine.duplicate(&start, copies, self.now);
        }
        self.record_hits(&target, &fate);
        let until = self.now + sender.ack_timeout;
        let leaves = self.now + fate.request_delay;
        let (request, delay) = (fate.request, fate.response_delay);
        let lost_early = fate.response == ResponseFate::LostBeforeProcessing;
        let ending = (AttemptOutcome::Timeout, None);
        let [there, back] =
            [Leg::Request, Leg::Answer].map(|leg| link::delay(&plan.virtual_time, self.draws, &target, leg));
        let attempt = InFlight { endpoint: no, start, sent: self.now, until, fate, back, ending, named: 0 };
        let slot = self.push.attempts.keep(attempt);
        match request {
            // Held back beyond its sender's patience, it never leaves.
            _ if leaves >= until => self.will_end(slot, until, AttemptOutcome::Timeout, None),
            RequestFate::Deliver => {
                let arrives = leaves + there;
                self.name(slot);
                self.agenda.put(arrives, What::Reaches(slot));
                if lost_early {
                    self.will_end(slot, leaves, AttemptOutcome::Reset, None);
                } else if arrives >= until {
                    self.will_end(slot, until, AttemptOutcome::Timeout, None);
                }
            }
            RequestFate::Lost(LossSeen::Reset) | RequestFate::Reset => {
                self.will_end(slot, leaves, AttemptOutcome::Reset, None);
            }
            RequestFate::Lost(LossSeen::Timeout) | RequestFate::Hang => {
                self.will_end(slot, until, AttemptOutcome::Timeout, None);
            }
            RequestFate::Refused => self.will_end(slot, leaves + there + back, AttemptOutcome::Refused, None),
            RequestFate::Answered { status, retry_after_s } => {
                let asked = retry_after_s.map(|s| self.scaled(Span::from_secs(u64::from(s))));
                self.will_end(slot, leaves + delay, AttemptOutcome::Status(status), asked);
            }
        }
    }

    /// A receiver speaks of scenario time.
    fn scaled(&self, asked: Span) -> Span {
        Span((asked.0 as f64 / self.plan.time_scale) as u64)
    }

    fn name(&mut self, slot: u32) {
        if let Some(attempt) = self.push.attempts.get_mut(slot) {
            attempt.named += 1;
        }
    }

    /// The sender will see this, or its patience end, whichever is first.
    fn will_end(&mut self, slot: u32, at: Time, outcome: AttemptOutcome, retry_after: Option<Span>) {
        let Some(attempt) = self.push.attempts.get_mut(slot) else { return };
        let until = attempt.until;
        attempt.named += 1;
        attempt.ending = if at < until { (outcome, retry_after) } else { (AttemptOutcome::Timeout, None) };
        self.agenda.put(at.min(until), What::Ends(slot));
    }

    /// A request is with the receiver.
    pub(super) fn reaches(&mut self, slot: u32) {
        let Some(attempt) = self.push.attempts.get_mut(slot) else { return };
        attempt.named -= 1;
        let ended = self.now >= attempt.until || attempt.fate.response == ResponseFate::LostBeforeProcessing;
        let (no, event, until) = (attempt.endpoint, attempt.start.event, attempt.until);
        let (response, flawed) = (attempt.fate.response, spoiled(&attempt.fate));
        let delay = attempt.fate.response_delay + attempt.back;
        let skew = attempt.fate.skew.size();
        if ended && attempt.named == 0 {
            self.push.attempts.take(slot);
        }
        let endpoint = &self.push.endpoints[no as usize];
        let (consumer, client) = (endpoint.consumer, endpoint.client);
        let mine = &self.plan.consumers[usize::from(consumer)];
        let tolerance = mine.webhook().map_or(Span::ZERO, |webhook| webhook.signature_tolerance);
        let refused = flawed.or((skew > tolerance).then_some(RejectReason::StaleTimestamp));
        let decided = match refused {
            Some(reason) => Err(reason),
            None => {
                let item = Item { client, event, received_at: self.now, tries: 0, poll: None };
                self.offer(consumer, vec![item], TargetPath::Webhook, None).map_err(|_| RejectReason::Overloaded)
            }
        };
        let (answered_at, status) = match decided {
            Ok(durable_at) => (durable_at, 200),
            Err(reason) => {
                self.records.put(Record::Rejected { consumer, reason, at: self.now });
                (self.now, reason.status())
            }
        };
        if ended {
            return;
        }
        let back = answered_at + delay;
        let asked = (status == 503).then(|| self.scaled(RETRY_AFTER));
        match response {
            ResponseFate::LostAfterProcessing(LossSeen::Reset) => {
                self.will_end(slot, back, AttemptOutcome::Reset, None);
            }
            ResponseFate::LostAfterProcessing(LossSeen::Timeout) => {
                self.will_end(slot, until, AttemptOutcome::Timeout, None);
            }
            _ => self.will_end(slot, back, AttemptOutcome::Status(status), asked),
        }
    }

    /// The sender knows how an attempt ended.
    pub(super) fn ends(&mut self, slot: u32) {
        let now = self.now;
        let Some(attempt) = self.push.attempts.get_mut(slot) else { return };
        attempt.named -= 1;
        let (no, start, sent) = (attempt.endpoint, attempt.start, attempt.sent);
        let (outcome, retry_after) = attempt.ending;
        if attempt.named == 0 {
            self.push.attempts.take(slot);
        }
        let endpoint = &mut self.push.endpoints[no as usize];
        let Start { event, number, copy, intended } = start;
        let what = endpoint.what(&event);
        self.records.put(Record::Attempt(record::Attempt { what, number, copy, intended, sent, done: now, outcome }));
        endpoint.machine.ended(&start, outcome, retry_after, now);
        if copy > 0 || outcome.is_ack() {
            self.push.open -= 1;
        }
        let provider = usize::from(endpoint.provider);
        if let Some(pool) = &mut self.push.pools[provider] {
            pool.give_back();
        }
        self.step(no);
        // Whoever waits for the slot takes it, and of several free ones each taker calls the next.
        while let Some(next) = self.push.pools[provider].as_ref().and_then(Pool::next) {
            self.step(next);
        }
    }
}

/// Why a receiver that verifies refuses what was done to a request on its way.
fn spoiled(fate: &Fate) -> Option<RejectReason> {
    (fate.damage.is_some() || fate.signing == Signing::Unknown).then_some(RejectReason::BadSignature)
}
