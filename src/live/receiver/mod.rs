//! The complete receiver: verify the raw body, store, ack; workers apply later.
//!
//! What to answer is decided by [`crate::policy::receive`]; this room has the sockets, the limits
//! and the metrics.

mod admin;
mod bodies;
mod door;
mod handler;
mod metrics;
mod patient_io;
mod places;
mod server;
#[cfg(test)]
mod tests;

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use tokio::{net::TcpListener, sync::watch};

use self::{door::Door, handler::Handler, metrics::Metrics, server::Limits};
use super::{
    Bound, Role, RoleError,
    clock::Clock,
    consumer::Consumer,
    control::{Assignment, Part},
    poller::Polling,
};
use crate::{
    model::Span,
    record::RecordSink,
    scenario::{ConsumerNo, WebhookPlan},
};

/// Progress lines per second: five.
const PROGRESS_INTERVAL: Duration = Duration::from_millis(200);

/// How often a restarted receiver tries for its old port, and how long it pauses in between.
const REBIND_TRIES: u32 = 20;
const REBIND_PAUSE: Span = Span::from_millis(50);

/// Plays a [`Part::Receiver`] until told to stop.
pub async fn run(role: Role) -> Result<(), RoleError> {
    Receiver::open(role, Limits::default()).await?.run().await
}

/// A receiver that is bound and has its stores open.
struct Receiver {
    role: Role,
    number: ConsumerNo,
    door: Door,
    consumer: Arc<Consumer>,
    listener: TcpListener,
    admin: TcpListener,
    limits: Limits,
}

impl Receiver {
    /// Binds and opens. The plan's own limits take the place of the given ones.
    async fn open(role: Role, limits: Limits) -> Result<Receiver, RoleError> {
        let (number, webhook, door) = part_of(&role.assignment)?;
        let listener = bind_again(&role.assignment).await?;
        let admin = bind(role.assignment.admin.unwrap_or((Ipv4Addr::LOCALHOST, 0).into())).await?;
        let consumer = Arc::new(Consumer::open(&role, number)?);
        let limits = Limits { body_bytes: webhook.body_limit, connections: webhook.connection_limit, ..limits };
        Ok(Receiver { role, number, door, consumer, listener, admin, limits })
    }

    /// Where webhooks go, and where health and metrics are.
    fn addresses(&self) -> Result<(SocketAddr, SocketAddr), RoleError> {
        let address = |listener: &TcpListener| {
            listener.local_addr().map_err(RoleError::io("cannot tell the address listened on"))
        };
        Ok((address(&self.listener)?, address(&self.admin)?))
    }

    async fn run(mut self) -> Result<(), RoleError> {
        let (listen, admin) = self.addresses()?;
        self.role.ready(Bound { listen: Some(listen), admin: Some(admin), ..Bound::default() });
        let clock = self.role.start().await;
        self.consumer.start(clock);
        let metrics = Arc::new(Metrics::new());
        let Receiver { role, number, door, consumer, listener, admin, limits } = self;
        let handler = handler(&role, (number, Arc::clone(&consumer)), door, (clock, listen), Arc::clone(&metrics));
        let serving = tokio::spawn(server::serve(listener, handler, limits, role.stop_signal()));
        let administration = tokio::spawn(admin::serve(admin, metrics, Arc::clone(&consumer), clock));
        let polls = role.assignment.plan.consumers[usize::from(number)].polls();
        let mut polling = polls.then(|| Polling::start(&role, number, clock, &consumer)).transpose()?;
        report_until_stopped(&role, &consumer, clock, &mut polling).await?;
        let _ = serving.await;
        administration.abort();
        let _ = administration.await;
        consumer.stop().await?;
        role.reporter().progress(consumer.progress());
        role.done()
    }
}

fn handler(
    role: &Role,
    (number, consumer): (ConsumerNo, Arc<Consumer>),
    door: Door,
    (clock, listen): (Clock, SocketAddr),
    metrics: Arc<Metrics>,
) -> Arc<Handler> {
    let plan = &role.assignment.plan.consumers[usize::from(number)];
    Arc::new(Handler {
        consumer,
        number,
        door,
        address: listen.to_string(),
        flaw: plan.flaw,
        ack_status: role.assignment.plan.providers[usize::from(plan.provider)].sending.answers.ack_status(),
        busy: tokio::sync::Semaphore::new(plan.workers as usize),
        bodies: Default::default(),
        clock,
        records: role.sink(),
        crash_points: role.crash_points(),
        metrics,
    })
}

/// The receiver's part of the plan, with its keys read.
fn part_of(assignment: &Assignment) -> Result<(ConsumerNo, WebhookPlan, Door), RoleError> {
    let Part::Receiver { consumer, secrets } = &assignment.part else {
        return Err(RoleError::Assignment("not a receiver's part".to_owned()));
    };
    let plan = &assignment.plan.consumers[usize::from(*consumer)];
    let Some(webhook) = plan.webhook() else {
        return Err(RoleError::Assignment(format!("{} takes no webhooks", plan.name)));
    };
    Ok((*consumer, webhook.clone(), Door::new(&assignment.plan, *consumer, secrets)?))
}

/// Returns when the role shall end, or with the failure that ends it. `polling` is a hybrid's other path.
async fn report_until_stopped(
    role: &Role,
    consumer: &Consumer,
    clock: Clock,
    polling: &mut Option<Polling>,
) -> Result<(), RoleError> {
    let (mut stop, mut stop_polling, reporter) = (role.stop_signal(), role.stop_polling_signal(), role.reporter());
    let mut tick = tokio::time::interval(PROGRESS_INTERVAL);
    let mut polls = true;
    loop {
        tokio::select! {
            () = turned(&mut stop) => return Ok(()),
            () = turned(&mut stop_polling), if polls => {
                polls = false;
                if let Some(polling) = polling {
                    polling.stop(role.records.as_ref()).await;
                }
            }
            _ = tick.tick() => {
                consumer.check()?;
                if let Some(polling) = polling.as_ref() {
                    polling.write_tallies(role.records.as_ref());
                }
                role.records.flush();
                let progress = consumer.progress();
                reporter.progress(match polling.as_ref() {
                    Some(polling) => polling.progress(progress, clock.now()),
                    None => progress,
                });
            }
            failed = failure(polling), if polls => return Err(failed),
        }
    }
}

/// Returns when a signal has turned true, or can no more.
async fn turned(signal: &mut watch::Receiver<bool>) {
    let _ = signal.wait_for(|turned| *turned).await;
}

/// A polling client's failure; nothing where none polls.
async fn failure(polling: &mut Option<Polling>) -> RoleError {
    match polling {
        Some(polling) => polling.failed().await,
        None => std::future::pending().await,
    }
}

/// A restarted receiver is given its old port. It is free, unless somebody's outgoing connection
/// happens to have been given it: that passes, so it is tried for a while.
async fn bind_again(assignment: &Assignment) -> Result<TcpListener, RoleError> {
    if let Some(clock) = assignment.epoch.filter(|_| assignment.incarnation > 0).map(Clock::new) {
        for _ in 0..REBIND_TRIES {
            if let Ok(listener) = bind(assignment.listen).await {
                return Ok(listener);
            }
            clock.sleep_until(clock.now() + REBIND_PAUSE).await;
        }
    }
    bind(assignment.listen).await
}

async fn bind(address: SocketAddr) -> Result<TcpListener, RoleError> {
    TcpListener::bind(address).await.map_err(RoleError::io(format!("cannot listen on {address}")))
}
