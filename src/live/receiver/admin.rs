//! `/healthz` and `/metrics`, on a loopback port of their own: the public one shows nothing.

use std::{convert::Infallible, sync::Arc, time::Duration};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;

use super::{metrics::Metrics, server::ACCEPT_PAUSE};
use crate::live::{clock::Clock, consumer::Consumer};

/// Serves until aborted.
pub(super) async fn serve(listener: TcpListener, metrics: Arc<Metrics>, consumer: Arc<Consumer>, clock: Clock) {
    // One connection at a time: an operator and a scraper, no crowd.
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            clock.sleep_until(clock.now() + ACCEPT_PAUSE).await;
            continue;
        };
        let service = service_fn(|request: Request<Incoming>| {
            let response = answer(request.uri().path(), &metrics, &consumer);
            async move { Ok::<_, Infallible>(response) }
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(Duration::from_secs(5))
            .keep_alive(false)
            .serve_connection(TokioIo::new(stream), service);
        let _ = connection.await;
    }
}

fn answer(path: &str, metrics: &Metrics, consumer: &Consumer) -> Response<Full<Bytes>> {
    let (status, text) = match path {
        "/healthz" => match consumer.check() {
            Ok(()) => (StatusCode::OK, "ok\n".to_owned()),
            Err(error) => (StatusCode::SERVICE_UNAVAILABLE, format!("{error}\n")),
        },
        "/metrics" => (StatusCode::OK, metrics.render(consumer)),
        _ => (StatusCode::NOT_FOUND, "try /healthz or /metrics\n".to_owned()),
    };
    let mut response = Response::new(Full::new(Bytes::from(text)));
    *response.status_mut() = status;
    response
}
