//! The complete receiver: verify the raw body, store, ack; workers apply later.
//!
//! What to answer is decided by [`crate::policy::receive`]; this room has the sockets, the limits
//! and the metrics.

mod admin;
mod handler;
mod metrics;
mod server;

use std::{net::Ipv4Addr, sync::Arc, time::Duration};

use tokio::net::TcpListener;

use self::{handler::Handler, metrics::Metrics, server::Limits};
use super::{Role, RoleError, consumer::Consumer, control::Part};
use crate::{record::RecordSink, scenario::Path, wire::Secret};

/// Progress lines per second: five.
const PROGRESS_INTERVAL: Duration = Duration::from_millis(200);

/// Plays a [`Part::Receiver`] until told to stop.
pub async fn run(mut role: Role) -> Result<(), RoleError> {
    let assignment = Arc::clone(&role.assignment);
    let Part::Receiver { consumer: number, secrets } = &assignment.part else {
        return Err(RoleError::Assignment("not a receiver's part".to_owned()));
    };
    let plan = &assignment.plan.consumers[usize::from(*number)];
    let Path::Webhook(webhook) = &plan.path else {
        return Err(RoleError::Assignment(format!("{} takes no webhooks", plan.name)));
    };
    let secrets = read_secrets(secrets)?;
    let listener = bind(assignment.listen).await?;
    let admin = bind((Ipv4Addr::LOCALHOST, 0).into()).await?;
    let consumer = Arc::new(Consumer::open(&role, *number)?);
    let metrics = Arc::new(Metrics::new());
    role.ready(Some(local_addr(&listener)?), Some(local_addr(&admin)?));

    let clock = role.start().await;
    consumer.start(clock);
    let handler = Handler {
        consumer: Arc::clone(&consumer),
        number: *number,
        secrets,
        tolerance: webhook.signature_tolerance,
        flaw: plan.flaw,
        busy: tokio::sync::Semaphore::new(plan.workers as usize),
        clock,
        records: role.sink(),
        crash_points: role.crash_points(),
        metrics: Arc::clone(&metrics),
    };
    let limits = Limits { body_bytes: webhook.body_limit, connections: webhook.connection_limit, ..Limits::default() };
    let serving = tokio::spawn(server::serve(listener, Arc::new(handler), limits, role.stop_signal()));
    let administration = tokio::spawn(admin::serve(admin, Arc::clone(&metrics), Arc::clone(&consumer)));

    let mut stop = role.stop_signal();
    let reporter = role.reporter();
    let mut tick = tokio::time::interval(PROGRESS_INTERVAL);
    loop {
        tokio::select! {
            _ = stop.wait_for(|stop| *stop) => break,
            _ = tick.tick() => {
                consumer.check()?;
                role.records.flush();
                reporter.progress(consumer.progress());
            }
        }
    }
    let _ = serving.await;
    administration.abort();
    consumer.stop().await?;
    reporter.progress(consumer.progress());
    role.done()
}

async fn bind(address: std::net::SocketAddr) -> Result<TcpListener, RoleError> {
    TcpListener::bind(address).await.map_err(RoleError::io(format!("cannot listen on {address}")))
}

fn local_addr(listener: &TcpListener) -> Result<std::net::SocketAddr, RoleError> {
    listener.local_addr().map_err(RoleError::io("cannot tell the address listened on"))
}

fn read_secrets(texts: &[Vec<String>]) -> Result<Vec<Vec<Secret>>, RoleError> {
    let read = |text: &String| Secret::parse(text).map_err(|error| RoleError::Assignment(error.to_string()));
    texts.iter().map(|client| client.iter().map(read).collect()).collect()
}
