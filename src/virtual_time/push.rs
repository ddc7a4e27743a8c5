//! The push side: one dispatch machine per endpoint.

use super::{
    attempt::InFlight,
    slab::Slab,
    world::{What, World},
};
use crate::{
    fault::{self, FaultKind, Target, TargetPath},
    model::{ClientNo, Event, Time},
    policy::{
        dispatch::{Dispatch, Output},
        pool::Pool,
    },
    record::{Obligation, Record},
    rng::Draws,
    scenario::{ConsumerNo, Plan},
};

/// Everything that sends.
#[derive(Debug)]
pub(super) struct Push {
    pub endpoints: Vec<Endpoint>,
    /// By consumer: its first endpoint.
    first: Vec<u32>,
    pub attempts: Slab<InFlight>,
    /// By provider: the slots that its endpoints share, where they do.
    pub pools: Vec<Option<Pool>>,
    /// Deliveries and copies that have not come to their end.
    pub open: u64,
    outputs: Vec<Output>,
}

/// Where one client's events are sent to.
#[derive(Debug)]
pub(super) struct Endpoint {
    pub consumer: ConsumerNo,
    pub client: ClientNo,
    pub provider: u16,
    pub machine: Dispatch,
    /// The instant at which it is looked at without anybody's doing.
    wake: Option<Time>,
    /// Whether a fault of the plan may hold one of its events back.
    holds: bool,
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
    /// Whose event this is.
    pub fn what(&self, event: &Event) -> Obligation {
        Obligation { consumer: self.consumer, client: self.client, seq: event.seq }
    }

    /// An event's first attempt, as faults see it.
    pub fn first_target(&self, event: &Event) -> Target {
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
    pub(super) fn step(&mut self, no: u32) {
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
}
