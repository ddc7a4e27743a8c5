//! The HTTP server and its limits: whatever comes from outside is bounded in size, number and time.

use std::{
    convert::Infallible,
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};

use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{Semaphore, watch},
    task::JoinSet,
};

use super::{handler::Handler, metrics::Cut};
use crate::model::Span;

/// What a stranger may cost.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// The longest body; beyond it 413.
    pub body_bytes: u64,
    /// Connections at once; beyond it the next one waits to be accepted.
    pub connections: u32,
    /// The longest request head.
    pub head_bytes: usize,
    /// Header lines.
    pub headers: usize,
    /// How long a head may take, a kept-alive connection's idle time included.
    pub head_time: Duration,
    /// How long a body may take.
    pub body_time: Duration,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            body_bytes: 1 << 20,
            connections: 1_024,
            head_bytes: 16 * 1024,
            headers: 64,
            head_time: Duration::from_secs(30),
            body_time: Duration::from_secs(10),
        }
    }
}

/// How long requests under way may take to end when the receiver stops.
const LAST_CALL: Duration = Duration::from_millis(500);

/// Pause after a failed accept: the system is out of descriptors, and asking at once helps nobody.
pub(super) const ACCEPT_PAUSE: Span = Span::from_millis(10);

/// Serves until told to stop.
pub(super) async fn serve(
    listener: TcpListener,
    handler: Arc<Handler>,
    limits: Limits,
    mut stop: watch::Receiver<bool>,
) {
    let room = Arc::new(Semaphore::new(limits.connections as usize));
    let stop_connections = stop.clone();
    let mut connections = JoinSet::new();
    loop {
        // A connection beyond the limit stays in the listen queue until another one ends.
        let Ok(place) = Arc::clone(&room).acquire_owned().await else { break };
        let accepted = tokio::select! {
            biased;
            _ = stop.wait_for(|stop| *stop) => break,
            accepted = listener.accept() => accepted,
        };
        let Ok((stream, _)) = accepted else {
            handler.clock.sleep_until(handler.clock.now() + ACCEPT_PAUSE).await;
            continue;
        };
        let (handler, stop) = (Arc::clone(&handler), stop_connections.clone());
        connections.spawn(async move {
            serve_one(stream, &handler, limits, stop).await;
            drop(place);
        });
        while connections.try_join_next().is_some() {}
    }
    while connections.join_next().await.is_some() {}
}

/// One connection, to its end. What hyper itself refuses has been answered by it and is counted here.
async fn serve_one(stream: TcpStream, handler: &Arc<Handler>, limits: Limits, mut stop: watch::Receiver<bool>) {
    // Without it the second small write of a connection may wait for an ack of TCP's.
    let _ = stream.set_nodelay(true);
    let answered = AtomicBool::new(false);
    let service = service_fn(|request| {
        let (handler, answered) = (handler, &answered);
        async move { Ok::<_, Infallible>(handler.handle(request, limits, answered).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head_time)
        .max_buf_size(limits.head_bytes)
        .max_headers(limits.headers)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => Some(ended),
        _ = stop.wait_for(|stop| *stop) => None,
    };
    let ended = match ended {
        Some(ended) => ended,
        None => {
            connection.as_mut().graceful_shutdown();
            tokio::time::timeout(LAST_CALL, connection).await.unwrap_or(Ok(()))
        }
    };
    if let Err(error) = ended {
        handler.metrics.cut(Cut::of(&error));
    }
}
