//! Polling: N clients of one consumer, each a closed loop around its own answer.
//!
//! When to poll and what to do next is decided by [`crate::policy::poll`]; this room makes the requests,
//! hands pages to the shared consumer (queue, ledger, workers) and writes down what happened.

mod asker;
mod client;
mod reader;
mod standing;
mod tally;

use std::{
    future::pending,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::task::JoinSet;

use self::{asker::Asker, client::PollClient, standing::Standing, tally::Tallies};
use super::{
    Bound, Role, RoleError,
    clock::Clock,
    consumer::Consumer,
    control::{Part, Progress},
    open_files,
};
use crate::{
    model::Time,
    policy::poll::{Client, Turns},
    record::RecordSink,
    rng::Draws,
    scenario::{ConsumerNo, ConsumerPlan, Follows, Plan, PollingPlan},
};

/// Between two progress lines.
const PROGRESS_INTERVAL: Duration = Duration::from_millis(200);

/// What the clients of one process share.
struct Shared {
    polling: PollingPlan,
    requests: AtomicU64,
    standing: Standing,
    tallies: Tallies,
}

/// Plays a [`Part::Poller`] until told to stop.
pub async fn run(mut role: Role) -> Result<(), RoleError> {
    let Part::Poller { consumer: number } = role.assignment.part else {
        return Err(RoleError::Assignment("not a poller's part".to_owned()));
    };
    let consumer = Arc::new(Consumer::open(&role, number)?);
    role.ready(Bound::default());
    let clock = role.start().await;
    consumer.start(clock);
    let mut polling = Polling::start(&role, number, clock, &consumer)?;
    let mut stop = role.stop_signal();
    let reporter = role.reporter();
    let mut tick = tokio::time::interval(PROGRESS_INTERVAL);
    loop {
        tokio::select! {
            _ = stop.wait_for(|stop| *stop) => break,
            _ = tick.tick() => {
                consumer.check()?;
                // Tallies of one second add up: what is written down now, a kill cannot take.
                polling.write_tallies(role.records.as_ref());
                role.records.flush();
                reporter.progress(polling.progress(consumer.progress(), clock.now()));
            }
            failed = polling.failed() => return Err(failed),
        }
    }
    polling.stop(role.records.as_ref()).await;
    consumer.stop().await?;
    reporter.progress(polling.progress(consumer.progress(), clock.now()));
    role.done()
}

/// The clients of one consumer, polling.
pub struct Polling {
    shared: Arc<Shared>,
    clients: JoinSet<Result<(), RoleError>>,
}

impl Polling {
    /// Lets every client begin.
    pub fn start(
        role: &Role,
        number: ConsumerNo,
        clock: Clock,
        consumer: &Arc<Consumer>,
    ) -> Result<Polling, RoleError> {
        let assignment = &role.assignment;
        let plan = &assignment.plan.consumers[usize::from(number)];
        let Some(polling) = plan.polling() else {
            return Err(RoleError::Assignment(format!("{} does not poll", plan.name)));
        };
        if polling.strategy.hold().is_some() {
            // All of them are held at once; others come and go.
            open_files::require_connections(plan.clients)?;
        }
        let http = asker::http_client(polling, asker::source_of(&assignment.plan, number))
            .map_err(|error| RoleError::Assignment(format!("cannot build the HTTP client: {error}")))?;
        let shared = Arc::new(Shared {
            polling: polling.clone(),
            requests: AtomicU64::new(0),
            standing: standing(&assignment.plan, number),
            tallies: Tallies::new(number, Time::ZERO + assignment.plan.duration),
        });
        let (draws, incarnation) = (Draws::new(assignment.plan.seed), assignment.incarnation);
        let mut clients = JoinSet::new();
        for client in 0..plan.clients {
            let asker = Asker {
                base_url: role.pull_api()?.to_owned(),
                http: http.clone(),
                consumer: plan.name.clone(),
                client,
                connection: polling.connection,
                clock,
                time_scale: assignment.plan.time_scale,
                limit: assignment.plan.providers[usize::from(plan.provider)].pull.rate_limit,
            };
            let one = PollClient {
                who: Client { number: client, draws, incarnation },
                consumer_number: number,
                flaw: plan.flaw,
                asker,
                clock,
                consumer: Arc::clone(consumer),
                shared: Arc::clone(&shared),
                records: role.sink(),
                crash_points: role.crash_points(),
                turns: turns(plan, client, assignment.plan.workload.subjects, clock.now()),
            };
            clients.spawn(one.run());
        }
        Ok(Polling { shared, clients })
    }

    /// Waits for a client that cannot go on. None ends otherwise.
    pub async fn failed(&mut self) -> RoleError {
        match self.clients.join_next().await {
            Some(Ok(Err(error))) => error,
            Some(Err(error)) => RoleError::Assignment(format!("a client broke: {error}")),
            Some(Ok(Ok(()))) | None => pending().await,
        }
    }

    /// Writes down the uneventful polls so far.
    pub fn write_tallies(&self, records: &dyn RecordSink) {
        self.shared.tallies.flush(records);
    }

    /// Adds how far the clients are.
    pub fn progress(&self, progress: Progress, now: Time) -> Progress {
        Progress {
            requests: self.shared.requests.load(Ordering::Relaxed),
            quiet_polls: self.shared.standing.quiet_polls(now),
            ..progress
        }
    }

    /// Lets no client poll any more. A request that is being held has found nothing so far, and counts
    /// as that.
    pub async fn stop(&mut self, records: &dyn RecordSink) {
        self.clients.shutdown().await;
        for (due, sent) in self.shared.standing.held() {
            self.shared.tallies.count(due.at, sent, false);
        }
        self.write_tallies(records);
    }
}

/// The subjects of a client, in turn. One that is started again does not begin at the same one each time.
fn turns(plan: &ConsumerPlan, client: u32, subjects: u32, now: Time) -> Turns {
    let begin = (now.0 / 1_000_000_000) as u32;
    match plan.follows {
        Follows::Own => {
            let share = subjects.saturating_sub(client).div_ceil(plan.clients.max(1));
            Turns::new(client, plan.clients, share, begin)
        }
        Follows::All => Turns::new(0, 1, subjects, begin),
    }
}

fn standing(plan: &Plan, number: ConsumerNo) -> Standing {
    let mine = &plan.consumers[usize::from(number)];
    let lag = plan.providers[usize::from(mine.provider)].pull.view_lag;
    let hit = |fault: &&crate::fault::FaultPlan| fault.kind.can_hit().polls && fault.consumers.contains(&number);
    let doubtful = plan.faults.iter().any(|fault| hit(&fault));
    // Who asks after one subject each poll knows when it has asked after each.
    let polls_to_know = u64::from(mine.polls_per_round(plan.workload.subjects));
    Standing::new(mine.clients, Time::ZERO + plan.duration + lag, doubtful, polls_to_know)
}
