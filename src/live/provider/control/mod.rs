//! The control API: what a person or a test does to a running provider, over HTTP on loopback.
//!
//! ```text
//!   request --> [wire::control: admitted? routed? read?] --> desk --> generator, drivers, switches
//!                                                              |
//!                            records --> journal <-- lists ----'
//! ```
//!
//! It is there only where somebody asked for it, and costs a provider without it nothing. Whatever comes is
//! bounded in size, number and time.

mod answer;
mod desk;
mod endpoints;
mod journal;

pub(super) use desk::Reach;
pub(super) use endpoints::Line;
pub(super) use journal::Watched;

use std::{collections::BTreeMap, convert::Infallible, net::SocketAddr, sync::Arc, time::Duration};

use http::{HeaderMap, Request, header};
use http_body_util::BodyExt;
use hyper::{
    body::{Body, Incoming},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    task::JoinSet,
};

use self::{
    answer::{Answer, refused},
    desk::Desk,
};
use crate::{
    live::{RoleError, clock::Clock},
    model::Span,
    wire::control::{EndpointId, Head, Home, Refusal, route_of},
};

/// Connections at once; more wait in the listener's queue.
const CONNECTIONS_MAX: usize = 64;
/// How long a connection may take, from its first byte to its answer's last.
const CONNECTION_TIME: Duration = Duration::from_secs(30);
/// How long a request's head may take.
const HEAD_TIME: Duration = Duration::from_secs(10);
const HEAD_BYTES_MAX: usize = 16 * 1024;
const HEADERS_MAX: usize = 64;
/// Bytes of a body.
const BODY_BYTES_MAX: usize = 64 * 1024;
/// Bytes of a body that is too large that are read all the same: whoever is still sending reads no answer.
const BODY_BYTES_DRAINED: usize = 4 << 20;
/// How long to leave a listener alone that cannot accept.
const ACCEPT_PAUSE: Span = Span::from_millis(50);

/// Refuses to be controlled from elsewhere.
pub fn require_loopback(address: SocketAddr) -> Result<(), RoleError> {
    if address.ip().is_loopback() { Ok(()) } else { Err(RoleError::ControlExposed(address)) }
}

/// A control API that is bound.
pub(super) struct ControlApi {
    listener: TcpListener,
    home: Home,
    address: SocketAddr,
}

impl ControlApi {
    /// Binds; port 0 lets the system choose.
    pub async fn bind(address: SocketAddr) -> Result<ControlApi, RoleError> {
        require_loopback(address)?;
        let cannot = |what: &str| RoleError::io(format!("the control API {what} {address}"));
        let listener = TcpListener::bind(address).await.map_err(cannot("cannot listen on"))?;
        let address = listener.local_addr().map_err(cannot("does not know its address, asked for"))?;
        let home = Home { authority: address.to_string(), port: address.port() };
        Ok(ControlApi { listener, home, address })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until the run ends, and returns when the drivers of all endpoints that were added have ended.
    /// `planned` are the plan's endpoints.
    pub async fn serve(self, reach: Reach, planned: BTreeMap<EndpointId, Line>) {
        let (clock, mut stop) = (reach.context.clock, reach.stop.clone());
        let counter = Arc::new(Counter { home: self.home.clone(), desk: Desk::new(reach, planned) });
        let slots = Arc::new(Semaphore::new(CONNECTIONS_MAX));
        let mut connections = JoinSet::new();
        loop {
            let accepted = tokio::select! {
                biased;
                // An error means that the other end is gone, which is a stop as well.
                _ = stop.wait_for(|&stop| stop) => break,
                accepted = self.accept(&slots, clock) => accepted,
            };
            if let Some((stream, slot)) = accepted {
                let counter = Arc::clone(&counter);
                connections.spawn(async move {
                    serve_connection(&counter, stream).await;
                    drop(slot);
                });
            }
            while connections.try_join_next().is_some() {}
        }
        connections.shutdown().await;
        counter.desk.close().await;
    }

    /// The next connection, once there is room for it.
    async fn accept(&self, slots: &Arc<Semaphore>, clock: Clock) -> Option<(TcpStream, OwnedSemaphorePermit)> {
        let slot = Arc::clone(slots).acquire_owned().await.expect("the semaphore is never closed");
        match self.listener.accept().await {
            Ok((stream, _)) => Some((stream, slot)),
            Err(error) => {
                eprintln!("the control API cannot accept a connection: {error}");
                clock.sleep_until(clock.now() + ACCEPT_PAUSE).await;
                None
            }
        }
    }
}

/// Where requests come in.
struct Counter {
    home: Home,
    desk: Desk,
}

/// One request per connection: nobody keeps one.
async fn serve_connection(counter: &Counter, stream: TcpStream) {
    let _ = stream.set_nodelay(true);
    let service = service_fn(|request: Request<Incoming>| async move {
        let answered = counter.answer(request).await;
        Ok::<_, Infallible>(answered.map_or_else(refused, Answer::response))
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIME)
        .keep_alive(false)
        .max_buf_size(HEAD_BYTES_MAX)
        .max_headers(HEADERS_MAX)
        .serve_connection(TokioIo::new(stream), service);
    // An error is a peer that is gone or too slow: nobody to tell.
    let _ = tokio::time::timeout(CONNECTION_TIME, connection).await;
}

impl Counter {
    async fn answer(&self, request: Request<Incoming>) -> Result<Answer, Refusal> {
        let (head, body) = request.into_parts();
        let texts = Texts::of(&head.headers, head.uri.authority().map(|authority| authority.as_str()));
        self.home.admit(&texts.head())?;
        let (route, id) = route_of(head.method.as_str(), head.uri.path())?;
        if !body.is_end_stream() {
            texts.head().require_json(route)?;
        }
        let body = read(body).await?;
        let command = route.read(id, head.uri.query().unwrap_or_default(), &body)?;
        self.desk.carry_out(command).await
    }
}

/// The headers that matter, as text.
struct Texts<'a> {
    target: Option<&'a str>,
    host: Vec<&'a str>,
    origin: Vec<&'a str>,
    fetch_site: Vec<&'a str>,
    content_type: Vec<&'a str>,
}

impl<'a> Texts<'a> {
    fn of(headers: &'a HeaderMap, target: Option<&'a str>) -> Texts<'a> {
        let all = |name: &str| headers.get_all(name).iter().map(|value| value.to_str().unwrap_or_default()).collect();
        Texts {
            target,
            host: all(header::HOST.as_str()),
            origin: all(header::ORIGIN.as_str()),
            fetch_site: all("sec-fetch-site"),
            content_type: all(header::CONTENT_TYPE.as_str()),
        }
    }

    fn head(&self) -> Head<'_> {
        let Texts { target, host, origin, fetch_site, content_type } = self;
        Head { target: *target, host, origin, fetch_site, content_type }
    }
}

/// The whole body, if it is not too large.
async fn read(mut body: Incoming) -> Result<Vec<u8>, Refusal> {
    let mut bytes = Vec::new();
    let mut gone = 0;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| Refusal::new(400, "the body broke off", "send all of it"))?;
        let data = frame.into_data().unwrap_or_default();
        gone += data.len();
        if gone > BODY_BYTES_DRAINED {
            break;
        }
        if gone <= BODY_BYTES_MAX {
            bytes.extend_from_slice(&data);
        }
    }
    if gone > BODY_BYTES_MAX { Err(Refusal::too_large(BODY_BYTES_MAX)) } else { Ok(bytes) }
}
