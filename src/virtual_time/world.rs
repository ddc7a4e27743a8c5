//! The world that a virtual run happens in, and what makes it go on.

use super::{
    Pace, agenda::Agenda, arrivals::Arrivals, consumer::Consumer, link, lives::Lives, outbox::Outbox, pull::Pull,
    push::Push,
};
use crate::{
    fault::{Fate, Target},
    model::Time,
    policy::log::Log,
    record::Record,
    rng::{Draws, Purpose, PurposeDraws},
    scenario::{ConsumerNo, Plan},
};

/// Something that happens at an instant.
#[derive(Debug, Clone, Copy)]
pub(super) enum What {
    /// The next event of the schedule.
    Arrival,
    /// An endpoint's machine has something to say.
    Endpoint(u32),
    /// An attempt's request is with the receiver.
    Reaches(u32),
    /// The sender knows how an attempt ended.
    Ends(u32),
    /// An offer is durable.
    Stored { consumer: ConsumerNo, slot: u32 },
    /// A worker is done with its event.
    Worked { consumer: ConsumerNo, slot: u32 },
    /// What a worker has written is durable.
    Committed { consumer: ConsumerNo, slot: u32 },
    /// An event was held for longer than its queue lets it be.
    Expires { consumer: ConsumerNo, slot: u32 },
    /// The plan does something to a process.
    Act,
    /// A request that has read its row writes it.
    Writes { consumer: ConsumerNo, slot: u32 },
    /// The work inside a request is done.
    Served { consumer: ConsumerNo, slot: u32 },
    /// A request for a page is with the provider.
    Asked { client: u32, token: u32 },
    /// A request for a page has stood in line and is worked off.
    Turn { client: u32, token: u32 },
    /// A held request is answered.
    Released { client: u32, token: u32 },
    /// An answer is with its client.
    Comes { client: u32, token: u32 },
    /// A client's cursor is durable.
    Saved(u32),
    /// An undisturbed poll's page is durable.
    PageStored { client: u32, slot: u32 },
    /// An undisturbed poll is over.
    PageSaved { client: u32, slot: u32 },
    /// The provider has told a client that there may be something.
    Pinged(u32),
}

/// Everything there is.
pub(super) struct World<'a> {
    pub plan: &'a Plan,
    pub draws: Draws,
    /// Those that decide whether a fault hits.
    pub hits: PurposeDraws,
    pub records: &'a Outbox<'a>,
    pub now: Time,
    pub agenda: Agenda<What>,
    pub log: Log,
    pub push: Push,
    pub pull: Pull<'a>,
    pub consumers: Vec<Consumer<'a>>,
    pub arrivals: Arrivals<'a>,
    /// The end of arrivals.
    pub window_end: Time,
    pub lives: Lives,
    /// The latest instant that an effect is stamped with.
    pub last_effect: Time,
    /// When something was last brought to its end: a poller that is never answered is not waited for
    /// longer than the drain from here.
    progress: Time,
}

impl<'a> World<'a> {
    /// The world at t0.
    pub fn new(plan: &'a Plan, records: &'a Outbox<'a>, pace: Pace) -> World<'a> {
        let draws = Draws::new(plan.seed);
        let pull = Pull::new(plan, draws, pace);
        let window_end = Time::ZERO + plan.duration;
        let schedule = Box::new(plan.workload.schedule(draws, window_end));
        let consumers = (0..).zip(&plan.consumers).map(|(number, mine)| Consumer::new(number, mine)).collect();
        World {
            plan,
            draws,
            hits: draws.purpose(Purpose::FaultHit),
            records,
            now: Time::ZERO,
            agenda: Agenda::new(),
            log: Log::new(pull.indexed(plan)),
            push: Push::new(plan, draws),
            pull,
            consumers,
            arrivals: Arrivals::new(schedule, link::longest(&plan.virtual_time)),
            window_end,
            lives: Lives::new(plan),
            last_effect: Time::ZERO,
            progress: Time::ZERO,
        }
    }

    /// Lets everything happen until all is quiet; tells when that was.
    ///
    /// Things happen in the order of their instants; within one instant polls come first, by client, and then
    /// what else there is, in the order in which it was put down.
    pub fn run(&mut self) -> Time {
        (0..self.pull.clients.len() as u32).for_each(|no| self.await_first_poll(no));
        let acts: Vec<Time> = self.lives.timeline.instants().collect();
        acts.into_iter().for_each(|at| self.agenda.put(at, What::Act));
        self.await_arrival();
        while !self.is_over() {
            self.poll_until_something_else();
            self.open_day();
            let (poll, thing_at) = (self.pull.queue.first(), self.agenda.first_at());
            let poll_at = poll.map_or(Time::MAX, |(at, _)| at);
            let next = poll_at.min(thing_at.unwrap_or(Time::MAX));
            if self.arrivals.notice_at().is_some_and(|at| at <= next) {
                self.announce();
            } else if self.pull.asleep > 0 && self.window_end <= next {
                self.wake_all();
            } else if let Some((at, client)) = poll.filter(|_| poll_at == next) {
                self.pull.queue.take_first();
                self.now = at;
                self.poll(client);
            } else if let Some((at, what)) = self.agenda.pop() {
                self.now = at;
                self.happen(what);
            } else {
                break;
            }
        }
        self.now = self.now.max(self.window_end).max(self.last_effect);
        self.now
    }

    /// Polls one after the other, for as long as nothing else can come between: within the window of arrivals,
    /// before the next notice, and until a poll is more than a step.
    fn poll_until_something_else(&mut self) {
        let notice_at = self.arrivals.notice_at().unwrap_or(Time::MAX);
        let ends = notice_at.min(self.window_end);
        let last = self.agenda.first_at().unwrap_or(Time::MAX).min(Time(ends.0.saturating_sub(1)));
        loop {
            self.open_day();
            let Some((at, client)) = self.pull.queue.take_until(last) else { return };
            self.now = at;
            if !self.poll(client) {
                return;
            }
        }
    }

    /// What is open, waits or is remembered at the end.
    pub fn residue(&mut self) {
        let records = self.records;
        let mut each = |record| records.put(record);
        self.push.open_deliveries(&mut each);
        self.consumers.iter().for_each(|consumer| consumer.residue(&mut each));
        self.pull.residue(&mut each);
    }

    fn happen(&mut self, what: What) {
        if let Some(until) = self.held_up(what) {
            // Its sender does not wait for the receiver to go on.
            if let What::Reaches(slot) = what {
                self.limit_patience(slot);
            }
            return self.agenda.put(until, what);
        }
        match what {
            What::Arrival => self.arrive(),
            What::Endpoint(no) => self.woken(no),
            What::Reaches(slot) => self.reaches(slot),
            What::Ends(slot) => self.ends(slot),
            What::Stored { consumer, slot } => self.stored(consumer, slot),
            What::Worked { consumer, slot } => self.worked(consumer, slot),
            What::Committed { consumer, slot } => self.committed(consumer, slot),
            What::Expires { consumer, slot } => self.expires(consumer, slot),
            What::Act => self.act(),
            What::Writes { consumer, slot } => self.writes(consumer, slot),
            What::Served { consumer, slot } => self.served(consumer, slot),
            What::Asked { client, token } => self.asked(client, token),
            What::Turn { client, token } => self.turn(client, token),
            What::Released { client, token } => self.released(client, token),
            What::Comes { client, token } => self.comes(client, token),
            What::Saved(client) => self.saved(client),
            What::PageStored { client, slot } => self.page_stored(client, slot),
            What::PageSaved { client, slot } => self.page_saved(client, slot),
            What::Pinged(client) => self.pinged(client),
        }
        // Asking and being answered leads nowhere by itself: what an answer brings is stored, and that does.
        if !matches!(what, What::Asked { .. } | What::Turn { .. } | What::Released { .. } | What::Comes { .. }) {
            self.progress = self.now;
        }
    }

    /// The next event happens, and whoever it is due to hears of it.
    fn arrive(&mut self) {
        let Some(event) = self.arrivals.happen() else { return };
        self.log.append(&[event]);
        for _ in &self.plan.providers {
            self.records.put(Record::Emitted { event, emitted_at: self.now });
        }
        self.await_arrival();
        self.ring(&event);
        self.ping(&event);
        self.deliver(event);
    }

    fn await_arrival(&mut self) {
        if let Some(at) = self.arrivals.next_at() {
            self.agenda.put(at, What::Arrival);
        }
    }

    /// Whether nothing more can come of waiting.
    #[inline]
    fn is_over(&self) -> bool {
        if self.arrivals.next_at().is_some() || self.now < self.window_end || self.push.open > 0 {
            return false;
        }
        if self.lives.timeline.next_at().is_some() {
            return false;
        }
        let idle = self.consumers.iter().all(Consumer::is_idle);
        idle && (self.pull.awaited == 0 || self.now > self.progress.max(self.window_end) + self.plan.drain)
    }

    /// One record per fault that hit.
    pub fn record_hits(&self, target: &Target, fate: &Fate) {
        let Target { consumer, client, number, attempt, copy, .. } = *target;
        for &fault in &fate.hits {
            self.records.put(Record::FaultHit { fault, consumer, client, number, attempt, copy, at: self.now });
        }
    }
}
