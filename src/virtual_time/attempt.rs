//! Attempts under way, as their sender sees them: from their start to what it learns of their end.

use super::{
    link::{self, Leg},
    world::{What, World},
};
use crate::{
    fault::{self, Fate, LossSeen, RequestFate, ResponseFate, Target},
    model::{AttemptOutcome, Span, Time},
    policy::{
        dispatch::{Ending, Start},
        pool::Pool,
    },
    record::{self, Record},
};

/// One attempt.
#[derive(Debug)]
pub(super) struct InFlight {
    pub endpoint: u32,
    pub start: Start,
    sent: Time,
    /// When its sender's patience ends.
    pub until: Time,
    pub fate: Fate,
    /// How long its answer takes.
    pub back: Span,
    /// What the sender sees, once that is known.
    ending: Ending,
    /// Whether the end of its sender's patience is put down already.
    patience_put: bool,
    /// Whether its sender knows how it ended.
    over: bool,
    /// Who still refers to it: entries of the agenda, and the receiver.
    named: u8,
}

impl InFlight {
    /// Whether nobody waits for an answer any more.
    pub fn is_left(&self, now: Time) -> bool {
        self.over || now >= self.until || self.fate.response == ResponseFate::LostBeforeProcessing
    }
}

impl World<'_> {
    /// An attempt leaves, to whatever fate it has.
    pub(super) fn start(&mut self, no: u32, start: Start) {
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
        let ending = Ending::from(AttemptOutcome::Timeout);
        let [there, back] =
            [Leg::Request, Leg::Answer].map(|leg| link::delay(&plan.virtual_time, self.draws, &target, leg));
        let sent = self.now;
        let (patience_put, over, named) = (false, false, 0);
        let attempt = InFlight { endpoint: no, start, sent, until, fate, back, ending, patience_put, over, named };
        let slot = self.push.attempts.keep(attempt);
        match request {
            // Held back beyond its sender's patience, it never leaves.
            _ if leaves >= until => self.will_end(slot, until, AttemptOutcome::Timeout, None),
            RequestFate::Deliver => {
                let arrives = leaves + there;
                self.refer_to(slot);
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
            RequestFate::Answered { status, retry_after_s, stop } => {
                let retry_after = retry_after_s.map(|s| self.scaled(Span::from_secs(u64::from(s))));
                let outcome = AttemptOutcome::Status(status);
                self.will_end_so(slot, leaves + delay, Ending { outcome, retry_after, stop });
            }
        }
    }

    /// A receiver speaks of scenario time.
    pub(super) fn scaled(&self, asked: Span) -> Span {
        Span((asked.0 as f64 / self.plan.time_scale) as u64)
    }

    /// Somebody more refers to an attempt.
    pub(super) fn refer_to(&mut self, slot: u32) {
        if let Some(attempt) = self.push.attempts.get_mut(slot) {
            attempt.named += 1;
        }
    }

    /// Somebody does not any more; with the last one the attempt is forgotten.
    pub(super) fn let_go(&mut self, slot: u32) {
        let Some(attempt) = self.push.attempts.get_mut(slot) else { return };
        attempt.named -= 1;
        if attempt.named == 0 {
            self.push.attempts.take(slot);
        }
    }

    /// The answer may come later than the sender's patience ends: the end of that is put down first.
    pub(super) fn limit_patience(&mut self, slot: u32) {
        let now = self.now;
        let Some(attempt) = self.push.attempts.get_mut(slot).filter(|attempt| !attempt.is_left(now)) else { return };
        let until = attempt.until;
        self.will_end(slot, until, AttemptOutcome::Timeout, None);
    }

    /// The sender will see this, or its patience end, whichever is first.
    pub(super) fn will_end(&mut self, slot: u32, at: Time, outcome: AttemptOutcome, retry_after: Option<Span>) {
        self.will_end_so(slot, at, Ending { outcome, retry_after, stop: None });
    }

    fn will_end_so(&mut self, slot: u32, at: Time, ending: Ending) {
        let Some(attempt) = self.push.attempts.get_mut(slot) else { return };
        let in_time = at < attempt.until;
        if !in_time && attempt.patience_put {
            return;
        }
        attempt.patience_put |= !in_time;
        attempt.named += 1;
        attempt.ending = if in_time { ending } else { AttemptOutcome::Timeout.into() };
        let at = at.min(attempt.until);
        self.agenda.put(at, What::Ends(slot));
    }

    /// The sender knows how an attempt ended.
    pub(super) fn ends(&mut self, slot: u32) {
        let now = self.now;
        let Some(attempt) = self.push.attempts.get_mut(slot) else { return };
        let over = std::mem::replace(&mut attempt.over, true);
        let (no, start, sent) = (attempt.endpoint, attempt.start, attempt.sent);
        let ending = attempt.ending;
        self.let_go(slot);
        if over {
            return;
        }
        let endpoint = &mut self.push.endpoints[no as usize];
        let outcome = self.plan.providers[usize::from(endpoint.provider)].sending.answers.taken(ending.outcome);
        let Start { event, number, copy, intended } = start;
        let what = endpoint.what(&event);
        self.records.put(Record::Attempt(record::Attempt { what, number, copy, intended, sent, done: now, outcome }));
        endpoint.machine.ended(&start, Ending { outcome, ..ending }, now);
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
