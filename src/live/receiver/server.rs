//! The HTTP server and its limits: whatever comes from outside is bounded in size, number and time.

use std::{convert::Infallible, future::poll_fn, pin::pin, sync::Arc, task::Poll, time::Duration};

use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinSet,
};

use super::{
    handler::Handler,
    metrics::Cut,
    patient_io::PatientIo,
    places::{Leave, Place, Places},
};
use crate::model::Span;

/// What a stranger may cost.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// The longest body; beyond it 413.
    pub body_bytes: u64,
    /// Bytes of incomplete bodies over all connections; beyond it 503.
    pub bodies_bytes: u64,
    /// Connections at once. A further one takes the place of whoever has kept us waiting longest.
    pub connections: u32,
    /// The longest request head.
    pub head_bytes: usize,
    /// Header lines.
    pub headers: usize,
    /// How long a head may take, a kept-alive connection's idle time and the reading of the answer
    /// before it included.
    pub head_time: Span,
    /// How long a body may take.
    pub body_time: Span,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            body_bytes: 1 << 20,
            bodies_bytes: 64 << 20,
            connections: 1_024,
            head_bytes: 16 * 1024,
            headers: 64,
            head_time: Span::from_secs(30),
            body_time: Span::from_secs(10),
        }
    }
}

impl Limits {
    /// How often the places are looked at: a fraction of the shortest time that anything may take.
    fn look_interval(&self) -> Span {
        self.head_time.min(self.body_time).scaled(1, 8).clamp(Span::from_millis(5), Span::from_millis(250))
    }
}

/// How long requests under way may take to end when the receiver stops.
const LAST_CALL: Duration = Duration::from_millis(500);

/// Pause after a failed accept: the system is out of descriptors, and asking at once helps nobody.
pub(super) const ACCEPT_PAUSE: Span = Span::from_millis(10);

/// How long a newcomer waits for a place before another one is asked for.
const PLACE_PAUSE: Span = Span::from_millis(10);

/// Serves until told to stop.
pub(super) async fn serve(
    listener: TcpListener,
    handler: Arc<Handler>,
    limits: Limits,
    mut stop: watch::Receiver<bool>,
) {
    let places = Arc::new(Places::new(limits.connections));
    let looking = tokio::spawn(look_after(Arc::clone(&places), Arc::clone(&handler), limits));
    let mut connections = JoinSet::new();
    loop {
        let admitted = tokio::select! {
            biased;
            _ = stop.wait_for(|stop| *stop) => break,
            admitted = admit(&listener, &places, &handler) => admitted,
        };
        let Some((stream, place)) = admitted else { continue };
        let (handler, places) = (Arc::clone(&handler), Arc::clone(&places));
        connections.spawn(async move {
            serve_one(stream, &handler, limits, &place).await;
            places.leave(&place);
        });
        while connections.try_join_next().is_some() {}
    }
    places.close();
    while connections.join_next().await.is_some() {}
    looking.abort();
}

/// The next connection, with a place for it.
async fn admit(listener: &TcpListener, places: &Places, handler: &Handler) -> Option<(TcpStream, Arc<Place>)> {
    let clock = handler.clock;
    let Ok((stream, _)) = listener.accept().await else {
        clock.sleep_until(clock.now() + ACCEPT_PAUSE).await;
        return None;
    };
    loop {
        let now = clock.now();
        if let Some(place) = places.enter(now) {
            return Some((stream, place));
        }
        places.shed(now);
        // Where it is our turn on every connection, the newcomer waits until it is not.
        tokio::select! {
            () = places.freed() => {}
            () = clock.sleep_until(now + PLACE_PAUSE) => {}
        }
    }
}

/// Tells connections whose time is up, until aborted.
async fn look_after(places: Arc<Places>, handler: Arc<Handler>, limits: Limits) {
    let clock = handler.clock;
    loop {
        let now = clock.now();
        places.look(now, &limits);
        clock.sleep_until(now + limits.look_interval()).await;
    }
}

/// One connection, to its end. What hyper itself refuses has been answered by it and is counted here.
async fn serve_one(stream: TcpStream, handler: &Arc<Handler>, limits: Limits, place: &Arc<Place>) {
    // Without it the second small write of a connection may wait for an ack of TCP's.
    let _ = stream.set_nodelay(true);
    let service =
        service_fn(|request| async move { Ok::<_, Infallible>(handler.handle(request, limits, place).await) });
    let connection = http1::Builder::new()
        .max_buf_size(limits.head_bytes)
        .max_headers(limits.headers)
        .serve_connection(TokioIo::new(PatientIo::new(stream, Arc::clone(place))), service);
    let mut connection = pin!(connection);
    let ended = poll_fn(|cx| {
        place.attend(cx.waker());
        if let Poll::Ready(ended) = connection.as_mut().poll(cx) {
            return Poll::Ready(Ok(ended));
        }
        place.told_to_leave().map_or(Poll::Pending, |why| Poll::Ready(Err(why)))
    })
    .await;
    let ended = match ended {
        Ok(ended) => ended,
        Err(Leave::Stopping) => {
            connection.as_mut().graceful_shutdown();
            tokio::time::timeout(LAST_CALL, connection).await.unwrap_or(Ok(()))
        }
        Err(why) => return handler.metrics.cut(Cut::from(why)),
    };
    if let Err(error) = ended {
        handler.metrics.cut(Cut::of(&error));
    }
}
