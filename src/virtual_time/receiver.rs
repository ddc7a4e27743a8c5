//! A receiver: decides over a request, hands the event on, and answers.

use super::{
    consumer::{Item, Offerer},
    world::World,
};
use crate::{
    fault::{CrashPoint, Fate, LossSeen, ResponseFate, Signing},
    model::{AttemptOutcome, RejectReason, Span},
    record::Record,
    scenario::{ConsumerNo, Flaw},
};

/// What a receiver asks for that cannot store, as the live one does.
const RETRY_AFTER: Span = Span::from_secs(1);

/// How long a receiver that acks before it stores keeps events in memory, as the live one does.
const UNSTORED: Span = Span::from_millis(100);

impl World<'_> {
    /// A request is with the receiver. The agenda's reference to it passes to whoever will answer.
    pub(super) fn reaches(&mut self, slot: u32) {
        let Some(attempt) = self.push.attempts.get_mut(slot) else { return };
        let (no, event, start) = (attempt.endpoint, attempt.start.event, attempt.start);
        let (flawed, skew) = (spoiled(&attempt.fate), attempt.fate.skew);
        let endpoint = &self.push.endpoints[no as usize];
        let (consumer, client) = (endpoint.consumer, endpoint.client);
        let mine = &self.plan.consumers[usize::from(consumer)];
        let tolerance = mine.webhook().and_then(|webhook| webhook.signature_tolerance);
        let sender = &self.plan.providers[usize::from(mine.provider)];
        let age = if sender.resign { Span::ZERO } else { self.now.since(event.occurred_at) };
        let skew = sender.signature().seen_skew(skew.and_ago(age));
        if self.lives.is_dead(consumer) {
            return self.refuse(slot);
        }
        let refused = flawed.or(tolerance.is_some_and(|most| skew > most).then_some(RejectReason::StaleTimestamp));
        let taken = match refused {
            Some(reason) => Err(reason),
            None => {
                let item = Item { client, event, received_at: self.now, poll: None };
                // Each request that comes through is an execution of its own.
                let execution = (start.number - 1) | start.copy << 16;
                self.take_in(consumer, slot, item, execution)
            }
        };
        if let Err(reason) = taken {
            self.records.put(Record::Rejected { consumer, reason, at: self.now });
            self.reply(slot, reason.status());
        }
    }

    /// What an attempt brought is durable.
    pub(super) fn stored_for(&mut self, consumer: ConsumerNo, slot: u32) {
        if self.reach(consumer, CrashPoint::AfterStore) {
            return self.cut(slot);
        }
        self.ack(slot);
        self.reach(consumer, CrashPoint::AfterAck);
    }

    /// The right way, or the flaw's.
    fn take_in(&mut self, consumer: ConsumerNo, slot: u32, item: Item, execution: u32) -> Result<(), RejectReason> {
        if self.plan.consumers[usize::from(consumer)].optimistic {
            self.read_row(consumer, slot, item);
            return Ok(());
        }
        match self.plan.consumers[usize::from(consumer)].flaw {
            Some(Flaw::AckBeforeStore) => {
                self.ack(slot);
                if !self.reach(consumer, CrashPoint::AfterAck) {
                    // Nobody is left to tell of a queue that is full.
                    let _ = self.offer_after(UNSTORED, consumer, vec![item], Offerer::Nobody);
                }
            }
            Some(Flaw::Synchronous) => self.serve(consumer, slot, item, execution),
            _ if self.reach(consumer, CrashPoint::BeforeStore) => self.cut(slot),
            _ => {
                let durable_at = self.offer(consumer, vec![item], Offerer::Attempt(slot));
                let durable_at = durable_at.map_err(|_| RejectReason::Overloaded)?;
                let late = self.push.attempts.get_mut(slot).is_some_and(|attempt| durable_at >= attempt.until);
                // What may be held up has no certain end either.
                if late || self.lives.are_mortal() {
                    self.limit_patience(slot);
                }
            }
        }
        Ok(())
    }

    /// The answer that its provider takes for an ack.
    pub(super) fn ack(&mut self, slot: u32) {
        let Some(attempt) = self.push.attempts.get_mut(slot) else { return };
        let provider = self.push.endpoints[attempt.endpoint as usize].provider;
        self.reply(slot, self.plan.providers[usize::from(provider)].sending.answers.ack_status());
    }

    /// The answer to a request leaves, to whatever fate it has; the receiver is done with the request.
    pub(super) fn reply(&mut self, slot: u32, status: u16) {
        let now = self.now;
        let Some(attempt) = self.push.attempts.get_mut(slot) else { return };
        if !attempt.is_left(now) {
            let (until, response) = (attempt.until, attempt.fate.response);
            let back = now + attempt.fate.response_delay + attempt.back;
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
        self.let_go(slot);
    }
}

/// Why a receiver that verifies refuses what was done to a request on its way.
fn spoiled(fate: &Fate) -> Option<RejectReason> {
    (fate.damage.is_some() || fate.signing == Signing::Unknown).then_some(RejectReason::BadSignature)
}
