//! Pings: the provider says that there may be something, and the client looks.

use super::{
    link::Leg,
    world::{What, World},
};
use crate::{
    fault::{Target, TargetPath},
    model::{Event, Time},
    policy::poll::Client,
};

impl World<'_> {
    /// A client's first poll, unless it waits to be pinged.
    pub(super) fn await_first_poll(&mut self, no: u32) {
        let client = &self.pull.clients[no as usize];
        let group = self.pull.groups[usize::from(client.consumer)].as_ref();
        if group.is_some_and(|group| !group.pinged) {
            self.await_poll(no);
        }
    }

    /// An event has happened: whoever polls on pings will be pinged, and may be pinged in vain later.
    pub(super) fn ping(&mut self, event: &Event) {
        let plan = self.plan;
        for (consumer, mine) in (0..).zip(&plan.consumers) {
            let Some(group) = &self.pull.groups[usize::from(consumer)] else { continue };
            let Some(ping) = group.polling.strategy.ping() else { continue };
            let (first, lag) = (group.first, plan.providers[group.provider].pull.view_lag);
            for client in mine.clients_of(event.subject) {
                let who = Client { number: client, draws: self.draws, incarnation: 0 };
                let (path, number, at) = (TargetPath::Webhook, event.seq, event.occurred_at);
                let target = Target { path, consumer, client, number, attempt: 1, copy: 0, at };
                let told_at = self.now + lag + self.delay(&target, Leg::Request);
                self.will_be_pinged(first + client, told_at);
                for after in ping.in_vain(who, event.seq) {
                    self.will_be_pinged(first + client, told_at + after);
                }
            }
        }
    }

    fn will_be_pinged(&mut self, no: u32, at: Time) {
        self.pull.awaited += 1;
        self.agenda.put(at, What::Pinged(no));
    }

    /// A ping has come. While its client is busy it is remembered: however many there are, one more look
    /// answers them all.
    pub(super) fn pinged(&mut self, no: u32) {
        let client = &mut self.pull.clients[no as usize];
        if let Some(round) = client.round.as_mut() {
            round.pinged = true;
            self.pull.awaited -= 1;
            return;
        }
        if client.beat.due.at > self.now {
            // Its answer is still on the way.
            let free = client.beat.due.at;
            return self.agenda.put(free, What::Pinged(no));
        }
        client.beat.due.at = self.now;
        self.poll(no);
    }

    /// A poll that a ping led to is over, and there was another one in the meantime.
    pub(super) fn ping_again(&mut self, no: u32) {
        let free = self.pull.clients[no as usize].beat.due.at;
        self.will_be_pinged(no, free);
    }
}
