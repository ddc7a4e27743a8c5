//! Drives one endpoint: its dispatch machine, its connections, its records.
//!
//! One task per endpoint owns the machine and the records, so there is no lock between an attempt's
//! end and the next one's start. Attempts are tasks of their own, at most `concurrency` of them, each
//! on a kept-alive connection: a single endpoint has all cores to render, sign and send on.

use std::{
    collections::{HashMap, VecDeque},
    future::pending,
    sync::Arc,
};

use tokio::{
    sync::{mpsc::UnboundedReceiver, watch},
    task::{JoinError, JoinSet},
};

use super::{
    context::Context,
    endpoint::Endpoint,
    faults,
    inbox::{Command, Inbox, NotRedelivered},
    request::Request,
    sender::Sender,
    shared_pool::Seat,
};
use crate::{
    fault::{Attack, Fate, Target, TargetPath},
    model::{AttemptOutcome, Event, Seq, Span, Time},
    policy::{
        described::Described,
        dispatch::{Dispatch, Ending, Output, Start},
    },
    record::{self, AttackKind, Obligation, Record},
};

/// Events taken from the channel at once.
const BATCH_MAX: usize = 256;
/// How long a stopped driver waits for attempts in flight, if their ack timeout is not shorter.
const STOP_GRACE: Span = Span::from_secs(1);

/// Delivers what comes in `inbox` until `stop` turns true or the endpoint is removed, then lets attempts in
/// flight end for a moment and records what is still open. Ends when the events have ended too.
pub(super) async fn drive(
    context: Arc<Context>,
    endpoint: Arc<Endpoint>,
    seat: Option<Seat>,
    inbox: Inbox,
    mut stop: watch::Receiver<bool>,
) {
    let mut driver = Driver::new(context, endpoint, seat);
    let clock = driver.context.clock;
    let Inbox { mut events, mut commands } = inbox;
    let mut batch = Vec::with_capacity(BATCH_MAX);
    let (mut feeding, mut commanded) = (true, true);
    let stopped = stop.wait_for(|&stop| stop);
    tokio::pin!(stopped);
    loop {
        driver.step();
        let deadline = driver.machine.next_deadline();
        tokio::select! {
            biased;
            _ = &mut stopped => break,
            // Before the attempts: a backlog, where one is always ready, keeps nobody waiting.
            command = commands.recv(), if commanded => match command {
                Some(Command::Remove) => break,
                Some(command) => driver.obey(command),
                None => commanded = false,
            },
            Some(done) = driver.in_flight.join_next() => driver.take(done),
            count = events.recv_many(&mut batch, BATCH_MAX), if feeding => {
                feeding = count > 0;
                batch.drain(..).for_each(|event| driver.deliver(event));
            }
            () = turn(driver.seat.as_ref()), if driver.seat.is_some() => {}
            () = clock.sleep_until(deadline.unwrap_or(Time::MAX)), if deadline.is_some() => {}
        }
    }
    driver.end(&mut events).await;
}

/// Comes when a shared slot is free for this driver.
async fn turn(seat: Option<&Seat>) {
    match seat {
        Some(seat) => seat.turn().await,
        None => pending().await,
    }
}

/// What carries one attempt: a connection and a request's buffers, both reused.
struct Worker {
    sender: Sender,
    request: Request,
}

/// A task of this driver has come to its end.
enum Done {
    Attempt { worker: Worker, start: Start, sent: Time, ending: Ending },
    Attack { kind: AttackKind, event: Event, sent: Time, ending: Ending },
}

struct Driver {
    context: Arc<Context>,
    /// Another one once its secrets have changed: attempts that have begun keep theirs.
    endpoint: Arc<Endpoint>,
    /// As it was in the beginning.
    original: Arc<Endpoint>,
    machine: Dispatch,
    /// Where slots are shared with other endpoints: this one's place.
    seat: Option<Seat>,
    outputs: Vec<Output>,
    in_flight: JoinSet<Done>,
    idle: Vec<Worker>,
    /// Attacks that wait for an attacker's hand to be free.
    attacks: VecDeque<(Event, Attack)>,
    attacking: u32,
    /// How the last attempt of what is not acked yet ended, where a retry says why it is one.
    failed: HashMap<Seq, AttemptOutcome>,
    /// Whether a fault of the plan may hold one of its events back.
    holds: bool,
}

impl Driver {
    fn new(context: Arc<Context>, endpoint: Arc<Endpoint>, seat: Option<Seat>) -> Driver {
        let plan = context.provider();
        let machine = Dispatch::new(plan.retry.clone(), plan.concurrency, context.draws, endpoint.client)
            .with_manners(&plan.sending);
        let holds = context.faults.may_hold(endpoint.consumer);
        Driver {
            holds,
            context,
            original: Arc::clone(&endpoint),
            endpoint,
            machine,
            seat,
            outputs: Vec::new(),
            in_flight: JoinSet::new(),
            idle: Vec::new(),
            attacks: VecDeque::new(),
            failed: HashMap::new(),
            attacking: 0,
        }
    }

    /// Takes what has ended, this task and all others that are ready.
    fn take(&mut self, done: Result<Done, JoinError>) {
        let mut next = Some(done);
        while let Some(done) = next {
            self.finish(done.expect("an attempt neither panics nor is cut off before the end"));
            next = self.in_flight.try_join_next();
        }
    }

    /// Lets the machine decide and starts what it says.
    fn step(&mut self) {
        let now = self.context.clock.now();
        let mut outputs = std::mem::take(&mut self.outputs);
        match &self.seat {
            None => self.machine.drain(now, &mut outputs),
            Some(seat) => {
                self.machine.drain_while(now, |due, seq| seat.ask(due, seq), &mut outputs);
                if !self.machine.is_held_back() {
                    seat.leave();
                }
            }
        }
        for output in outputs.drain(..) {
            match output {
                Output::Start(start) => self.start(start, now),
                other => self.tell(other),
            }
        }
        self.outputs = outputs;
        self.start_attacks();
    }

    /// Writes down what the machine has decided.
    fn tell(&mut self, output: Output) {
        let Endpoint { consumer, client, .. } = *self.endpoint;
        let record = match output {
            Output::Start(_) => return,
            Output::GaveUp { event, attempts, at, why } => {
                self.context.counts.closed();
                self.failed.remove(&event.seq);
                Record::GaveUp { what: self.obligation(&event), at, attempts, why }
            }
            Output::Redelivered { event, attempts, at } => {
                self.context.counts.opened(1);
                Record::Redelivered { what: self.obligation(&event), at, attempts }
            }
            Output::Disabled { at, until, why } => Record::EndpointDisabled { consumer, client, at, until, why },
            Output::Enabled { at } => Record::EndpointEnabled { consumer, client, at },
        };
        self.context.records.put(record);
    }

    /// A new delivery; a fault may hold it back, which is decided before it takes a place.
    fn deliver(&mut self, event: Event) {
        let held = self.holds.then(|| self.context.fate(&self.first_target(&event)).hold);
        match held.flatten() {
            Some(hold) => self.machine.deliver_held(event, hold),
            None => self.machine.deliver(event),
        }
    }

    /// Does what somebody wants by hand, and answers once it is done and written down.
    fn obey(&mut self, command: Command) {
        let now = self.context.clock.now();
        match command {
            Command::Redeliver { event, made, answer } => {
                let answered = if !self.machine.is_enabled() {
                    Err(NotRedelivered::Disabled)
                } else if !self.machine.redeliver(event, made, now) {
                    Err(NotRedelivered::Open)
                } else {
                    Ok(())
                };
                self.step();
                let _ = answer.send(answered);
            }
            Command::Enable { answer } => {
                self.machine.enable(now);
                self.step();
                let _ = answer.send(());
            }
            Command::Rotate { next, overlap, answer } => {
                let mut endpoint = Endpoint::clone(&self.endpoint);
                let answered = endpoint.secrets.rotate(next, now, overlap);
                self.endpoint = Arc::new(endpoint);
                let _ = answer.send(answered.map(|()| now + overlap));
            }
            Command::Restore { answer } => {
                self.endpoint = Arc::clone(&self.original);
                self.machine.enable(now);
                self.step();
                let _ = answer.send(());
            }
            // The loop has ended already.
            Command::Remove => {}
        }
    }

    fn start(&mut self, start: Start, now: Time) {
        let fate = self.fate(&start);
        if let Some(copies) = fate.copies {
            self.context.counts.opened(u64::from(copies.count));
            self.machine.duplicate(&start, copies, now);
        }
        self.context.counts.opened(fate.attacks.len() as u64);
        self.attacks.extend(fate.attacks.iter().map(|&attack| (start.event, attack)));
        self.context.counts.attempt();
        let (context, endpoint) = (Arc::clone(&self.context), Arc::clone(&self.endpoint));
        let mut worker = self.idle.pop().unwrap_or_else(|| self.worker());
        let before = self.failed.get(&start.event.seq).copied();
        self.in_flight.spawn(async move {
            let sent = context.clock.now();
            worker.request.write_attempt(&context, &endpoint, &start.event, (start.number, before), &fate);
            let ending = faults::carry_out(&context, &mut worker.sender, &worker.request, &fate).await;
            Done::Attempt { worker, start, sent, ending }
        });
    }

    fn fate(&self, start: &Start) -> Fate {
        let target =
            Target { attempt: start.number, copy: start.copy, at: start.intended, ..self.first_target(&start.event) };
        let fate = self.context.fate(&target);
        faults::record_hits(&self.context, &target, &fate);
        fate
    }

    fn first_target(&self, event: &Event) -> Target {
        let Endpoint { consumer, client, .. } = *self.endpoint;
        let (path, number, at) = (TargetPath::Webhook, event.seq, event.occurred_at);
        Target { path, consumer, client, number, attempt: 1, copy: 0, at }
    }

    /// Attackers use connections of their own, whose bytes are not the provider's traffic.
    fn start_attacks(&mut self) {
        while self.attacking < self.context.provider().concurrency.max(1)
            && let Some((event, attack)) = self.attacks.pop_front()
        {
            self.attacking += 1;
            let (context, endpoint) = (Arc::clone(&self.context), Arc::clone(&self.endpoint));
            self.in_flight.spawn(async move {
                let sent = context.clock.now();
                let mut request = Request::default();
                request.write_attack(&context, &endpoint, &event, attack);
                let mut sender = Sender::new(endpoint, Arc::default());
                let ending = faults::carry_out(&context, &mut sender, &request, &Fate::default()).await;
                let kind = match attack {
                    Attack::Forge(method) => AttackKind::Forge(method),
                    Attack::Replay { .. } => AttackKind::Replay,
                };
                Done::Attack { kind, event, sent, ending }
            });
        }
    }

    fn finish(&mut self, done: Done) {
        let done_at = self.context.clock.now();
        match done {
            Done::Attempt { worker, start, sent, ending } => {
                self.idle.push(worker);
                self.seat.iter().for_each(Seat::give_back);
                let Start { event, number, copy, intended } = start;
                let outcome = self.context.provider().sending.answers.taken(ending.outcome);
                let what = self.obligation(&event);
                let attempt = record::Attempt { what, number, copy, intended, sent, done: done_at, outcome };
                self.context.records.put(Record::Attempt(attempt));
                self.machine.ended(&start, Ending { outcome, ..ending }, done_at);
                self.remember(event.seq, outcome);
                if copy > 0 || outcome.is_ack() {
                    self.context.counts.closed();
                }
            }
            Done::Attack { kind, event, sent, ending } => {
                self.attacking -= 1;
                self.context.counts.closed();
                let Endpoint { consumer, client, .. } = *self.endpoint;
                let outcome = ending.outcome;
                self.context.records.put(Record::Attack { consumer, client, seq: event.seq, kind, sent, outcome });
            }
        }
    }

    /// Keeps how an attempt ended for the next one's headers.
    fn remember(&mut self, seq: Seq, outcome: AttemptOutcome) {
        let says_why = |described: &Described| described.retry_headers().1.is_some();
        if !self.context.described.as_ref().is_some_and(says_why) {
            return;
        }
        match outcome.is_ack() {
            true => drop(self.failed.remove(&seq)),
            false => drop(self.failed.insert(seq, outcome)),
        }
    }

    /// Nothing is started any more. What does not end in time is cut off and stays open.
    async fn end(mut self, events: &mut UnboundedReceiver<Event>) {
        self.machine.close();
        self.attacks.clear();
        let grace = STOP_GRACE.min(self.context.provider().ack_timeout);
        let clock = self.context.clock;
        let limit = clock.sleep_until(clock.now() + grace);
        tokio::pin!(limit);
        loop {
            tokio::select! {
                biased;
                done = self.in_flight.join_next() => match done {
                    Some(done) => self.take(done),
                    None => break,
                },
                () = &mut limit => break,
            }
        }
        self.in_flight.abort_all();
        self.step();
        // The generator drops its end when it stops, so this ends.
        while let Some(event) = events.recv().await {
            self.deliver(event);
        }
        for (event, attempts) in self.machine.open() {
            self.context.records.put(Record::Open { what: self.obligation(&event), attempts });
        }
    }

    fn worker(&self) -> Worker {
        let traffic = Arc::clone(self.context.traffic(self.endpoint.consumer));
        Worker { sender: Sender::new(Arc::clone(&self.endpoint), traffic), request: Request::default() }
    }

    fn obligation(&self, event: &Event) -> Obligation {
        let Endpoint { consumer, client, .. } = *self.endpoint;
        Obligation { consumer, client, seq: event.seq }
    }
}

#[cfg(test)]
#[path = "dispatcher_tests.rs"]
mod tests;
