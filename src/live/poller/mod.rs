//! A polling consumer: N clients, each a closed loop around its own answer.
//!
//! What to do is decided by [`crate::policy::poll`]; this room makes the requests, hands pages to the
//! shared consumer (queue, ledger, workers) and writes down what happened.

mod client;
mod tally;

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use self::{client::PollClient, tally::Tallies};
use super::{
    Role, RoleError,
    consumer::Consumer,
    control::{Part, Progress},
};
use crate::{record::RecordSink, rng::Draws, scenario::PollingPlan};

/// Between two progress lines.
const PROGRESS_INTERVAL: std::time::Duration = std::time::Duration::from_millis(200);

/// What the clients of one process share.
struct Shared {
    polling: PollingPlan,
    requests: AtomicU64,
    /// Per client: polls that were due after the window's end and found nothing more.
    quiet_polls: Vec<AtomicU64>,
    tallies: Tallies,
}

/// Plays a [`Part::Poller`] until told to stop.
pub async fn run(mut role: Role) -> Result<(), RoleError> {
    let assignment = Arc::clone(&role.assignment);
    let Part::Poller { consumer: number, base_url } = &assignment.part else {
        return Err(RoleError::Assignment("not a poller's part".to_owned()));
    };
    let plan = &assignment.plan.consumers[usize::from(*number)];
    let Some(polling) = plan.polling() else {
        return Err(RoleError::Assignment(format!("{} does not poll", plan.name)));
    };
    let consumer = Arc::new(Consumer::open(&role, *number)?);
    let http = reqwest::Client::builder()
        .timeout(polling.timeout.into())
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .map_err(|error| RoleError::Assignment(format!("cannot build the HTTP client: {error}")))?;
    role.ready(None, None);
    let clock = role.start().await;
    consumer.start(clock);
    let shared = Arc::new(Shared {
        polling: polling.clone(),
        requests: AtomicU64::new(0),
        quiet_polls: (0..plan.clients).map(|_| AtomicU64::new(0)).collect(),
        tallies: Tallies::new(*number, crate::model::Time::ZERO + assignment.plan.duration),
    });
    let draws = Draws::new(assignment.plan.seed);
    let crash_points = role.crash_points();
    let mut clients = tokio::task::JoinSet::new();
    for client in 0..plan.clients {
        let one = PollClient {
            number: client,
            incarnation: assignment.incarnation,
            consumer_number: *number,
            consumer_name: plan.name.clone(),
            flaw: plan.flaw,
            window_end: crate::model::Time::ZERO + assignment.plan.duration,
            base_url: base_url.clone(),
            http: http.clone(),
            clock,
            draws,
            consumer: Arc::clone(&consumer),
            shared: Arc::clone(&shared),
            records: role.sink(),
            crash_points: crash_points.clone(),
        };
        clients.spawn(one.run());
    }

    let mut stop = role.stop_signal();
    let reporter = role.reporter();
    let mut tick = tokio::time::interval(PROGRESS_INTERVAL);
    loop {
        tokio::select! {
            _ = stop.wait_for(|stop| *stop) => break,
            _ = tick.tick() => {
                consumer.check()?;
                // Tallies of one second add up: what is written down now, a kill cannot take.
                shared.tallies.flush(role.records.as_ref());
                role.records.flush();
                reporter.progress(progress(&shared, &consumer));
            }
            Some(ended) = clients.join_next() => match ended {
                Ok(result) => result?,
                Err(error) => return Err(RoleError::Assignment(format!("a client broke: {error}"))),
            },
        }
    }
    clients.shutdown().await;
    consumer.stop().await?;
    shared.tallies.flush(role.records.as_ref());
    reporter.progress(progress(&shared, &consumer));
    role.done()
}

fn progress(shared: &Shared, consumer: &Consumer) -> Progress {
    let quiet = shared.quiet_polls.iter().map(|quiet| quiet.load(Ordering::Relaxed)).min();
    Progress {
        requests: shared.requests.load(Ordering::Relaxed),
        quiet_polls: quiet.unwrap_or_default(),
        ..consumer.progress()
    }
}
