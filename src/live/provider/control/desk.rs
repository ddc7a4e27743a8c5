//! Carries out what the control API is asked for.
//!
//! It decides nothing about events, deliveries or secrets: the generator and the drivers do, and are told
//! over their channels. So nothing of a provider waits for somebody's request.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use tokio::{
    sync::{mpsc::UnboundedSender, oneshot, watch},
    task::JoinSet,
};

use super::{
    answer::{Answer, Emitted, FaultView, List, WasReset},
    endpoints::Line,
    journal::Watched,
};
use crate::{
    live::provider::{
        context::Context,
        generator::{Told, Wish},
        inbox,
        shared_pool::SharedPool,
    },
    model::{ClientNo, Subject},
    wire::{
        HandMade,
        control::{Command, EndpointId, Refusal, help},
    },
};

/// Endpoints added by hand that may be there at once.
pub(super) const ADDED_MAX: usize = 64;
/// Subjects of events made by hand lie below this, or below what the scenario has.
const SUBJECTS: u32 = 1_000_000;
/// Bytes that events made by hand may take to keep: the log forgets nothing.
const MADE_BYTES_MAX: usize = 64 << 20;
/// What keeping an event takes beside its content.
const MADE_OVERHEAD_BYTES: usize = 128;

/// What the desk is given to work with.
pub(in crate::live::provider) struct Reach {
    pub context: Arc<Context>,
    pub watched: Arc<Watched>,
    /// Where the generator is told something.
    pub generator: UnboundedSender<Told>,
    /// The senders that all endpoints share, where they do.
    pub pool: Option<Arc<SharedPool>>,
    pub stop: watch::Receiver<bool>,
}

/// The desk of one provider.
pub(super) struct Desk {
    pub reach: Reach,
    lines: Mutex<Lines>,
    made_bytes: AtomicUsize,
}

/// Who can be reached.
#[derive(Default)]
pub(super) struct Lines {
    pub known: BTreeMap<EndpointId, Line>,
    /// The number of the next one that is added. No number is given out twice.
    pub next: ClientNo,
    /// The drivers of those that were added.
    pub drivers: JoinSet<()>,
}

impl Desk {
    /// A desk that knows the plan's endpoints.
    pub fn new(reach: Reach, planned: BTreeMap<EndpointId, Line>) -> Desk {
        planned.keys().for_each(|id| reach.watched.journal().join(*id));
        let lines = Mutex::new(Lines { known: planned, ..Lines::default() });
        Desk { reach, lines, made_bytes: AtomicUsize::new(0) }
    }

    /// Returns once the drivers of all endpoints that were added have ended. They do when the run does.
    pub async fn close(&self) {
        let mut drivers = std::mem::take(&mut self.lines().drivers);
        while drivers.join_next().await.is_some() {}
    }

    /// Does what is asked.
    pub async fn carry_out(&self, command: Command) -> Result<Answer, Refusal> {
        match command {
            Command::Help => Ok(Answer::text(help())),
            Command::Endpoints => Ok(self.endpoints()),
            Command::AddEndpoint { url } => self.add(url),
            Command::Endpoint(id) => self.endpoint(id),
            Command::RemoveEndpoint(id) => self.remove(id),
            Command::Rotate { endpoint, overlap } => self.rotate(endpoint, overlap).await,
            Command::Enable(id) => self.enable(id).await,
            Command::Deliveries(filter) => Ok(self.deliveries(filter)),
            Command::Delivery(id) => Ok(Answer::ok(&self.delivery(id)?)),
            Command::Redeliver(id) => self.redeliver(id).await,
            Command::Emit { event_type, subject, data } => {
                if self.context().described.is_some() && (event_type.is_some() || data.get() != "{}") {
                    let error = format!("events are as the profile \"{}\" says", self.context().provider().profile);
                    return Err(Refusal::new(422, error, "send a subject alone: {\"subject\": 3}"));
                }
                let event_type = event_type.unwrap_or_else(|| self.context().plan.workload.payload.event_type.clone());
                self.emit(subject, HandMade { event_type, data }).await
            }
            Command::Faults => Ok(self.faults()),
            Command::SwitchFault { index, enabled } => self.switch_fault(index, enabled),
            Command::Reset => self.reset().await,
        }
    }

    pub(super) fn context(&self) -> &Context {
        &self.reach.context
    }

    pub(super) fn lines(&self) -> MutexGuard<'_, Lines> {
        // Nothing in here panics half way, so poisoned lines are still whole.
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn emit(&self, subject: Subject, made: HandMade) -> Result<Answer, Refusal> {
        let subjects = self.context().plan.workload.subjects.max(SUBJECTS);
        if subject >= subjects {
            let fix = format!("send a number from 0 to {}", subjects - 1);
            return Err(Refusal::new(422, format!("subject {subject} is too high"), fix));
        }
        let size = made.size() + MADE_OVERHEAD_BYTES;
        if self.made_bytes.fetch_add(size, Ordering::Relaxed) + size > MADE_BYTES_MAX {
            self.made_bytes.fetch_sub(size, Ordering::Relaxed);
            let error = "the log has no room for more events made by hand";
            return Err(Refusal::new(507, error, "start the provider again"));
        }
        let (emitted, event) = oneshot::channel();
        let wish = Wish { subject, made, emitted };
        self.reach.generator.send(Told::Emit(wish)).map_err(|_| ending())?;
        let event = event.await.map_err(|_| ending())?;
        Ok(Answer::accepted(&Emitted::of(self.context(), &event)))
    }

    fn faults(&self) -> Answer {
        let context = self.context();
        let data = context.faults.list().map(|(fault, on)| FaultView::of(context, fault, on)).collect();
        Answer::ok(&List { data })
    }

    fn switch_fault(&self, index: u16, enabled: bool) -> Result<Answer, Refusal> {
        let context = self.context();
        let found = context.faults.list().nth(usize::from(index));
        let (fault, _) = found.ok_or_else(|| {
            Refusal::new(404, format!("there is no fault {index}"), "GET /faults lists those that there are")
        })?;
        let hits = fault.kind.can_hit();
        if !hits.webhooks && !hits.polls {
            let error = format!("\"{}\" is done to a consumer's process, and not by its provider", fault.kind.name());
            return Err(Refusal::new(422, error, "switch a fault that hits webhooks or polls"));
        }
        context.faults.switch(index, enabled);
        Ok(Answer::ok(&FaultView::of(context, fault, enabled)))
    }

    /// As in the beginning, but for the log: what was emitted stays emitted.
    async fn reset(&self) -> Result<Answer, Refusal> {
        let by_hand = self.context().by_hand();
        let known: Vec<EndpointId> = self.lines().known.keys().copied().collect();
        let mut endpoints_removed = 0;
        for id in known {
            if id.consumer == by_hand {
                endpoints_removed += self.take_away(id).map_or(0, |()| 1);
            } else {
                self.ask(id, |answer| inbox::Command::Restore { answer }).await?;
            }
        }
        self.context().faults.switch_all_on();
        self.reach.watched.journal().forget();
        Ok(Answer::ok(&WasReset { endpoints_removed }))
    }
}

/// Nobody is left who could do it.
pub(super) fn ending() -> Refusal {
    Refusal::new(503, "the provider is ending", "start it again")
}
