//! The provider's process: emits the events, serves the pull API, sends the webhooks.
//!
//! ```text
//!   generator --> event log ----------------> pull API <-- polls
//!        |                                       |
//!        +--> driver per endpoint --> attempts   +-- faults of polls
//!                 |
//!                 +-- faults of webhooks
//! ```
//!
//! It knows nothing of what its consumers do with the events, and judges nothing.

mod agenda;
mod contents;
mod context;
mod control;
mod described;
mod dispatcher;
mod endpoint;
mod faults;
mod generator;
mod inbox;
mod log;
mod pace;
mod pull_api;
mod pull_body;
mod pull_faults;
mod pull_limits;
mod pull_query;
mod pull_server;
mod pull_states;
mod request;
mod sender;
mod shared_pool;
mod state_query;
mod switches;

#[cfg(test)]
mod carried_out;
#[cfg(test)]
mod pull_testing;
#[cfg(test)]
mod testing;

use std::{collections::BTreeMap, net::SocketAddr, sync::Arc};

use tokio::{
    net::TcpListener,
    sync::{mpsc, oneshot, watch},
    task::JoinSet,
};

use self::{
    contents::Contents,
    context::Context,
    control::{ControlApi, Line, Reach, Watched},
    endpoint::Endpoint,
    generator::Feeds,
    inbox::Inbox,
    log::EventLog,
    pull_api::PullApi,
    shared_pool::SharedPool,
};
use super::{Bound, Reporter, Role, RoleError, clock::Clock, control::Part};
use crate::{
    model::{Span, Time},
    policy::{described::Described, poll::Ask},
    scenario::{Follows, Plan},
    wire::control::EndpointId,
};

pub use self::control::require_loopback;

/// Time between two progress lines.
const PROGRESS_EVERY: Span = Span::from_millis(200);

/// Plays the provider's part from its assignment to its end.
pub async fn run(role: Role) -> Result<(), RoleError> {
    let listen = role.assignment.listen;
    let cannot = format!("the pull API cannot listen on {listen}");
    let listener = TcpListener::bind(listen).await.map_err(RoleError::io(cannot))?;
    let listening = listener.local_addr().map_err(RoleError::io("the pull API's address is not known"))?;
    run_on(role, listener, listening).await
}

async fn run_on(mut role: Role, listener: TcpListener, listening: SocketAddr) -> Result<(), RoleError> {
    let assignment = Arc::clone(&role.assignment);
    let Part::Provider { provider, endpoints, capture, control } = &assignment.part else {
        return Err(RoleError::Assignment("the part is not a provider's".to_owned()));
    };
    let described = Described::of(&assignment.plan, usize::from(*provider))
        .map_err(|error| RoleError::Assignment(error.to_string()))?;
    let profile = described.as_ref().map(|described| &described.profile);
    let endpoints: Vec<(Endpoint, String)> = endpoints
        .iter()
        .map(|address| Ok((Endpoint::parse(address, profile)?, address.url.clone())))
        .collect::<Result<_, RoleError>>()?;
    let control = match control {
        Some(address) => Some(ControlApi::bind(*address).await?),
        None => {
            require_all_endpoints(&assignment.plan, *provider, &endpoints)?;
            None
        }
    };
    let contents = Contents::open(&assignment.plan.workload.arrivals, capture.as_deref())?;
    let controlled = control.as_ref().map(ControlApi::address);
    role.ready(Bound { listen: Some(listening), control: controlled, ..Bound::default() });
    let clock = role.start().await;
    let mut context = Context::new(assignment.plan.clone(), *provider, contents, clock, role.sink())
        .ok_or_else(|| RoleError::Assignment(format!("the plan has no provider {provider}")))?
        .described(described);
    if control.is_some() {
        context = context.watched(Arc::new(Watched::new(role.sink())));
    }
    let doors = Doors { pull_api: listener, control };
    work(Arc::new(context), doors, endpoints, role.stop_signal(), role.reporter()).await?;
    role.done()
}

/// Where a provider is asked.
struct Doors {
    pull_api: TcpListener,
    control: Option<ControlApi>,
}

/// Every webhook client needs an endpoint, or its deliveries would be lost silently. Where there is a control
/// API, somebody adds those that are wanted.
fn require_all_endpoints(plan: &Plan, provider: u16, endpoints: &[(Endpoint, String)]) -> Result<(), RoleError> {
    for (number, consumer) in (0u16..).zip(&plan.consumers) {
        let clients = if consumer.is_pushed() && consumer.provider == provider { consumer.clients } else { 0 };
        for client in 0..clients {
            if !endpoints.iter().any(|(e, _)| (e.consumer, e.client) == (number, client)) {
                let problem = format!("client {client} of consumer '{}' has no endpoint", consumer.name);
                return Err(RoleError::Assignment(problem));
            }
        }
    }
    Ok(())
}

/// Everything between t0 and the last record.
async fn work(
    context: Arc<Context>,
    doors: Doors,
    endpoints: Vec<(Endpoint, String)>,
    stop: watch::Receiver<bool>,
    reporter: Reporter,
) -> Result<(), RoleError> {
    let log = Arc::new(EventLog::new(shares(&context)));
    let (mut feeds, mut lines) = (Feeds::new(), BTreeMap::new());
    let mut drivers = JoinSet::new();
    let pool = context.provider().sending.sender_pool.map(SharedPool::new);
    for (endpoint, url) in endpoints {
        let (feed, events) = mpsc::unbounded_channel();
        feeds.insert((endpoint.consumer, endpoint.client), feed);
        let seat = pool.as_ref().map(SharedPool::seat);
        let (inbox, driver) = Inbox::new(events);
        lines.insert(EndpointId { consumer: endpoint.consumer, client: endpoint.client }, Line { url, driver });
        drivers.spawn(dispatcher::drive(Arc::clone(&context), Arc::new(endpoint), seat, inbox, stop.clone()));
    }
    let api = Arc::new(PullApi::new(Arc::clone(&context), Arc::clone(&log)));
    let (over, server_stop) = oneshot::channel();
    let server = tokio::spawn(pull_server::serve(Arc::clone(&context), api, doors.pull_api, server_stop));
    let (generator, told) = mpsc::unbounded_channel();
    let control = doors.control.zip(context.watched.clone()).map(|(api, watched)| {
        let reach = Reach { context: Arc::clone(&context), watched, generator, pool, stop: stop.clone() };
        tokio::spawn(api.serve(reach, lines))
    });
    let generator = tokio::spawn(generator::emit_all(Arc::clone(&context), log, feeds, told, stop.clone()));
    report_progress(&context, &reporter, stop).await;
    // The order matters: the drivers end when the generator has let go of their channels.
    let failed = |what: &str| RoleError::io(format!("{what} failed"));
    let mut ended = generator.await.map_err(|failure| failed("the generator")(failure.into()));
    while let Some(driver) = drivers.join_next().await {
        ended = ended.and(driver.map_err(|failure| failed("an endpoint's driver")(failure.into())));
    }
    if let Some(control) = control {
        ended = ended.and(control.await.map_err(|failure| failed("the control API")(failure.into())));
    }
    let _ = over.send(());
    ended = ended.and(server.await.map_err(|failure| failed("the pull API")(failure.into())));
    context.record_bytes();
    reporter.progress(context.counts.progress());
    ended
}

/// The numbers of clients for which the pull API needs an index. For who asks after one subject each
/// subject is a share.
fn shares(context: &Context) -> impl Iterator<Item = u32> {
    let subjects = context.plan.workload.subjects;
    let served = (0..).zip(&context.plan.consumers).filter(|(number, _)| context.serves(*number));
    served.filter_map(|(_, consumer)| Some((consumer, consumer.polling()?))).flat_map(move |(consumer, polling)| {
        let own_share = (consumer.follows == Follows::Own).then_some(consumer.clients);
        let one_by_one = polling.state().is_some_and(|state| state.ask == Ask::Subject).then_some(subjects);
        own_share.into_iter().chain(one_by_one)
    })
}

/// Tells how far it is until `stop` turns true.
async fn report_progress(context: &Context, reporter: &Reporter, mut stop: watch::Receiver<bool>) {
    let clock: Clock = context.clock;
    let mut next = Time::ZERO;
    loop {
        next = next.max(clock.now()) + PROGRESS_EVERY;
        tokio::select! {
            biased;
            // An error means that the other end is gone, which is a stop as well.
            _ = stop.wait_for(|&stop| stop) => return,
            () = clock.sleep_until(next) => reporter.progress(context.counts.progress()),
        }
    }
}

#[cfg(test)]
mod tests;
