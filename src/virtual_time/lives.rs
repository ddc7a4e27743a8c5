//! Processes that die, come back, or stop for a while: what a crash leaves, and what has to wait.
//!
//! The crash rule is the stores' own: what was committed survives, what was not is gone, and an ack
//! that was sent stays sent. Whoever was waiting for an answer sees the connection break.

use super::{
    consumer::Offerer,
    world::{What, World},
};
use crate::{
    fault::{Action, CrashPoint, FaultKind, FaultPlan, StallTarget, Timeline},
    model::{AttemptOutcome, Span, Time},
    record::{ProcessChange, Record, Role},
    scenario::{ConsumerNo, Plan},
};

/// What the plan does to processes, and how each is.
#[derive(Debug)]
pub(super) struct Lives {
    pub timeline: Timeline,
    /// By consumer; empty where the plan does nothing to any.
    each: Vec<Life>,
}

/// One consumer's process.
#[derive(Debug)]
struct Life {
    role: Role,
    dead: bool,
    /// Until when the process is stopped, and its queue and its ledger are locked.
    stopped: Time,
    queue_locked: Time,
    ledger_locked: Time,
    /// The point at which it dies, while it has deaths left.
    armed: Option<Armed>,
}

#[derive(Debug, Clone, Copy)]
struct Armed {
    fault: u16,
    point: CrashPoint,
    pass: u64,
    /// Passings since its process began.
    passed: u64,
    deaths_left: u32,
}

impl Lives {
    /// Everybody lives.
    pub fn new(plan: &Plan) -> Lives {
        let touched = plan.faults.iter().any(|fault| fault.kind.can_hit().process);
        let consumers = (0..).zip(&plan.consumers).filter(|_| touched);
        let each = consumers.map(|(number, mine)| Life {
            role: Role::of(mine, number),
            dead: false,
            stopped: Time::ZERO,
            queue_locked: Time::ZERO,
            ledger_locked: Time::ZERO,
            armed: plan.faults.iter().filter(|fault| fault.consumers.contains(&number)).find_map(armed),
        });
        Lives { timeline: Timeline::of(plan), each: each.collect() }
    }

    /// Whether the plan may kill or stop a process.
    pub fn are_mortal(&self) -> bool {
        !self.each.is_empty()
    }

    /// Whether a consumer's process is dead.
    pub fn is_dead(&self, consumer: ConsumerNo) -> bool {
        self.each.get(usize::from(consumer)).is_some_and(|life| life.dead)
    }

    /// Until when a consumer's ledger is locked; in the past where it is not.
    pub fn ledger_locked_until(&self, consumer: ConsumerNo) -> Time {
        self.each.get(usize::from(consumer)).map_or(Time::ZERO, |life| life.ledger_locked)
    }

    fn of(&mut self, consumer: ConsumerNo) -> Option<&mut Life> {
        self.each.get_mut(usize::from(consumer))
    }
}

fn armed(fault: &FaultPlan) -> Option<Armed> {
    match &fault.kind {
        FaultKind::Crash(crash) => {
            let (pass, deaths_left) = (crash.pass, crash.times);
            crash.point.map(|point| Armed { fault: fault.index, point, pass, passed: 0, deaths_left })
        }
        _ => None,
    }
}

impl World<'_> {
    /// Until when something has to wait, because a process is stopped or a store locked.
    pub(super) fn held_up(&mut self, what: What) -> Option<Time> {
        if !self.lives.are_mortal() {
            return None;
        }
        let (consumer, of_store): (ConsumerNo, fn(&Life) -> Time) = match what {
            What::Reaches(slot) => {
                let endpoint = self.push.attempts.get_mut(slot)?.endpoint;
                (self.push.endpoints[endpoint as usize].consumer, |_| Time::ZERO)
            }
            What::Stored { consumer, .. } => (consumer, |life| life.queue_locked),
            What::Worked { consumer, .. }
            | What::Committed { consumer, .. }
            | What::Writes { consumer, .. }
            | What::Served { consumer, .. } => (consumer, |life| life.ledger_locked),
            _ => return None,
        };
        let life = self.lives.of(consumer)?;
        let until = life.stopped.max(of_store(life));
        (until > self.now).then_some(until)
    }

    /// What the plan does to processes at this instant.
    pub(super) fn act(&mut self) {
        while let Some((consumer, action)) = self.lives.timeline.pop_due(self.now) {
            match action {
                Action::Kill { fault } if !self.lives.is_dead(consumer) => {
                    self.die(consumer, fault, ProcessChange::Killed);
                }
                Action::Kill { .. } => {}
                Action::Restart => self.come_back(consumer),
                Action::Stall { fault } | Action::Lock { fault } => self.stop(consumer, fault),
                Action::Resume => self.note(consumer, ProcessChange::Resumed),
                Action::Unlock { .. } => {}
            }
        }
    }

    /// The code of a consumer's process has come to a point; true where it dies of it.
    pub(super) fn reach(&mut self, consumer: ConsumerNo, point: CrashPoint) -> bool {
        let Some(armed) = self.lives.of(consumer).and_then(|life| life.armed.as_mut()) else { return false };
        if armed.point != point || armed.deaths_left == 0 {
            return false;
        }
        armed.passed += 1;
        if armed.passed != armed.pass {
            return false;
        }
        armed.deaths_left -= 1;
        let fault = armed.fault;
        self.die(consumer, fault, ProcessChange::Crashed(point));
        true
    }

    fn die(&mut self, consumer: ConsumerNo, fault: u16, change: ProcessChange) {
        let at = self.now;
        self.records.put(Record::FaultHit { fault, consumer, client: 0, number: 0, attempt: 0, copy: 0, at });
        self.note(consumer, change);
        if let Some(life) = self.lives.of(consumer) {
            life.dead = true;
        }
        for offerer in self.consumers[usize::from(consumer)].crash() {
            if let Offerer::Attempt(slot) = offerer {
                self.cut(slot);
            }
        }
        let back_at = self.now + self.down_time(fault);
        self.lives.timeline.add(back_at, consumer, Action::Restart);
        self.agenda.put(back_at, What::Act);
    }

    /// Whoever waits for this answer sees the connection break.
    pub(super) fn cut(&mut self, slot: u32) {
        self.break_off(slot, AttemptOutcome::Reset);
    }

    /// A request comes to a port that nobody listens on.
    pub(super) fn refuse(&mut self, slot: u32) {
        self.break_off(slot, AttemptOutcome::Refused);
    }

    fn break_off(&mut self, slot: u32, outcome: AttemptOutcome) {
        let now = self.now;
        if let Some(attempt) = self.push.attempts.get_mut(slot).filter(|attempt| !attempt.is_left(now)) {
            let back = attempt.back;
            self.will_end(slot, now + back, outcome, None);
        }
        self.let_go(slot);
    }

    fn come_back(&mut self, consumer: ConsumerNo) {
        let Some(life) = self.lives.of(consumer) else { return };
        life.dead = false;
        life.armed.iter_mut().for_each(|armed| armed.passed = 0);
        self.note(consumer, ProcessChange::Ready);
        self.work(consumer);
    }

    fn stop(&mut self, consumer: ConsumerNo, fault: u16) {
        let Some(plan) = self.plan.faults.iter().find(|plan| plan.index == fault) else { return };
        let (FaultKind::Stall(stall), Some(until)) = (&plan.kind, plan.selector.until) else { return };
        let at = self.now;
        if stall.what == StallTarget::Process {
            // A dead process cannot be stopped.
            if self.lives.is_dead(consumer) {
                return;
            }
            self.note(consumer, ProcessChange::Stalled);
        }
        self.records.put(Record::FaultHit { fault, consumer, client: 0, number: 0, attempt: 0, copy: 0, at });
        let Some(life) = self.lives.of(consumer) else { return };
        match stall.what {
            StallTarget::Process => life.stopped = until,
            StallTarget::Queue => life.queue_locked = until,
            StallTarget::Ledger => life.ledger_locked = until,
        }
    }

    fn note(&mut self, consumer: ConsumerNo, change: ProcessChange) {
        let at = self.now;
        if let Some(life) = self.lives.of(consumer) {
            // Only a process that was stopped can go on.
            if change != ProcessChange::Resumed || life.stopped >= at && !life.dead {
                self.records.put(Record::Process { role: life.role, change, at });
            }
        }
    }

    fn down_time(&self, fault: u16) -> Span {
        match self.plan.faults.iter().find(|plan| plan.index == fault).map(|plan| &plan.kind) {
            Some(FaultKind::Crash(crash)) => crash.down,
            _ => Span::ZERO,
        }
    }
}
