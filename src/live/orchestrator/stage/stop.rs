//! The end: every actor leaves the stage, in an order in which none misses another.

use std::time::Duration;

use tokio::sync::watch;

use super::Stage;
use crate::{
    live::{
        clock::Clock,
        control::Order,
        orchestrator::{RunError, process::What},
    },
    record::{ProcessChange, Record, Role},
};

/// How long a role may take to close its records.
const DONE_TIMEOUT: Duration = Duration::from_secs(20);

impl Stage<'_> {
    /// Ends every role: the pollers first, because a poll that finds the provider gone would count as
    /// failed; then the provider, so that nothing new is sent; the receivers last.
    pub async fn stop_all(&mut self, clock: Clock, interrupts: &mut watch::Receiver<u32>) -> Result<(), RunError> {
        self.locks.release_all();
        for process in self.actors.iter_mut().filter_map(|actor| actor.process.as_mut()) {
            // One that is stopped would read it too late.
            process.freeze(false);
            process.order(&Order::StopPolling).await;
        }
        for wave in [is_poller, is_provider, is_receiver] {
            for actor in &mut self.actors {
                if let (true, Some(process)) = (wave(actor.role), &mut actor.process) {
                    process.freeze(false);
                    process.order(&Order::Stop).await;
                }
            }
            let waited = tokio::time::timeout(DONE_TIMEOUT, self.wait_ended(clock, wave, interrupts)).await;
            match waited {
                Ok(ended) => ended?,
                Err(_) => self.fail_the_living(clock, wave),
            }
        }
        Ok(())
    }

    async fn wait_ended(
        &mut self,
        clock: Clock,
        wave: fn(Role) -> bool,
        interrupts: &mut watch::Receiver<u32>,
    ) -> Result<(), RunError> {
        while self.actors.iter().any(|actor| wave(actor.role) && actor.lives()) {
            let event = tokio::select! {
                event = self.next_event() => event,
                _ = interrupts.wait_for(|count| *count >= 2) => return Err(RunError::Aborted),
            };
            let Some(event) = event else { return Ok(()) };
            if matches!(event.what, What::Ended) {
                let actor = &self.actors[event.actor];
                self.record(Record::Process { role: actor.role, change: actor.end(), at: clock.now() });
            }
        }
        Ok(())
    }

    /// Kills what does not end by itself; that voids the run.
    fn fail_the_living(&mut self, clock: Clock, wave: fn(Role) -> bool) {
        for index in 0..self.actors.len() {
            if !wave(self.actors[index].role) {
                continue;
            }
            if let Some(mut process) = self.actors[index].process.take() {
                process.kill();
                let change = ProcessChange::Failed;
                self.record(Record::Process { role: self.actors[index].role, change, at: clock.now() });
            }
        }
    }
}

fn is_provider(role: Role) -> bool {
    matches!(role, Role::Provider(_))
}

fn is_poller(role: Role) -> bool {
    matches!(role, Role::Poller(_))
}

fn is_receiver(role: Role) -> bool {
    matches!(role, Role::Receiver(_))
}
