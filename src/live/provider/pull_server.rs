//! The pull API's listener: connections, their limits and their bytes.

use std::{io, sync::Arc, time::Duration};

use http::Request;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore, oneshot},
    task::JoinSet,
};

use super::{context::Context, pull_api::PullApi, pull_limits::Peer};
use crate::{
    live::counting_io::{CountingIo, Meter},
    model::Span,
};

/// Connections at most; more wait in the listener's queue.
const CONNECTIONS_MAX: usize = 16_384;
/// Bytes of a request's head at most.
const HEAD_MAX: usize = 16 * 1024;
const HEADERS_MAX: usize = 64;
/// How long a request's head may take. It also ends a connection that idles; longer than the 90 s
/// after which common client pools close theirs, so that the client is the one to close.
const HEAD_TIMEOUT: Duration = Duration::from_secs(100);
/// How long to leave a listener alone that cannot accept, as when file descriptors have run out.
const ACCEPT_PAUSE: Span = Span::from_millis(50);

/// Accepts and serves until `stop` comes; then every connection is cut, and nothing more is counted.
pub(super) async fn serve(
    context: Arc<Context>,
    api: Arc<PullApi>,
    listener: TcpListener,
    mut stop: oneshot::Receiver<()>,
) {
    let slots = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            biased;
            _ = &mut stop => break,
            accepted = accept(&listener, &slots) => match accepted {
                Ok((stream, slot)) => {
                    let api = Arc::clone(&api);
                    connections.spawn(async move {
                        serve_connection(api, stream).await;
                        drop(slot);
                    });
                }
                Err(error) => pause_after(&context, error).await,
            }
        }
        // Ended tasks are let go; none of them has a result.
        while connections.try_join_next().is_some() {}
    }
    connections.shutdown().await;
}

/// The next connection, once there is room for it.
async fn accept(listener: &TcpListener, slots: &Arc<Semaphore>) -> io::Result<(TcpStream, OwnedSemaphorePermit)> {
    let slot = Arc::clone(slots).acquire_owned().await.expect("the semaphore is never closed");
    let (stream, _) = listener.accept().await?;
    Ok((stream, slot))
}

async fn pause_after(context: &Context, error: io::Error) {
    eprintln!("the pull API cannot accept a connection: {error}");
    context.clock.sleep_until(context.clock.now() + ACCEPT_PAUSE).await;
}

async fn serve_connection(api: Arc<PullApi>, stream: TcpStream) {
    let _ = stream.set_nodelay(true);
    let peer = stream.peer_addr().ok().map(|address| Peer(address.ip()));
    let meter = Arc::new(Meter::default());
    let io = TokioIo::new(CountingIo::new(stream, Arc::clone(&meter)));
    let service = service_fn(move |mut request: Request<Incoming>| {
        if let Some(peer) = peer {
            request.extensions_mut().insert(peer);
        }
        let (api, meter) = (Arc::clone(&api), Arc::clone(&meter));
        async move { api.answer(request, &meter).await }
    });
    // An error is a client that is gone, or a fault's doing; the client's own records tell what it saw.
    let _ = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(HEAD_MAX)
        .max_headers(HEADERS_MAX)
        .serve_connection(io, service)
        .await;
}
