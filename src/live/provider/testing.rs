//! What the provider's tests share: small plans, records one can wait for, and a tiny receiver.

use std::{collections::BTreeMap, convert::Infallible, future::pending, net::SocketAddr, sync::Arc, time::Duration};

use http::{HeaderMap, Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{
    net::TcpListener,
    sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
};

use super::{contents::Contents, context::Context, endpoint::Endpoint, generator::Feeds};
use crate::{
    fault::{FaultKind, FaultPlan, Selector},
    live::{
        clock::{Clock, Epoch},
        keys::SigningKey,
    },
    model::{ClientNo, Event, Seq, Span, Time},
    policy::rotation::SigningSecrets,
    record::{Record, RecordSink},
    scenario::{ConsumerNo, Plan},
    wire::{Secret, headers},
};

pub use crate::scenario::testing::{plan, polling_consumer, webhook_consumer};

/// A fault on consumer 0, as a scenario file writes it.
pub fn fault(index: u16, kind: serde_json::Value, selector: Selector) -> FaultPlan {
    let kind: FaultKind = serde_json::from_value(kind).unwrap();
    FaultPlan { index, kind, consumers: vec![0], selector }
}

/// Records that a test can wait for.
struct Channel(UnboundedSender<Record>);

impl RecordSink for Channel {
    fn put(&self, record: Record) {
        let _ = self.0.send(record);
    }

    fn flush(&self) {}
}

pub fn records() -> (Arc<dyn RecordSink>, UnboundedReceiver<Record>) {
    let (sender, receiver) = unbounded_channel();
    (Arc::new(Channel(sender)), receiver)
}

/// A context whose clock says `elapsed` when it is made.
pub fn context_at(plan: Plan, records: Arc<dyn RecordSink>, elapsed: Span) -> Arc<Context> {
    let mut epoch = Epoch::ahead(Duration::ZERO);
    epoch.monotonic_ns -= elapsed.0;
    epoch.wall.t0_unix_ns -= elapsed.0;
    Arc::new(Context::new(plan, 0, Contents::default(), Clock::new(epoch), records).unwrap())
}

/// The feed of every endpoint, and what comes out of it.
pub fn feeds(context: &Context) -> (Feeds, BTreeMap<(ConsumerNo, ClientNo), UnboundedReceiver<Event>>) {
    let (mut feeds, mut fed) = (BTreeMap::new(), BTreeMap::new());
    for (number, consumer) in (0..).zip(&context.plan.consumers) {
        for client in 0..consumer.clients {
            let (sender, receiver) = unbounded_channel();
            feeds.insert((number, client), sender);
            fed.insert((number, client), receiver);
        }
    }
    (feeds, fed)
}

/// An event that is due at t0.
pub fn event(seq: Seq) -> Event {
    Event { seq, subject: seq % 10, version: 1, occurred_at: Time::ZERO }
}

pub fn secret() -> Secret {
    Secret::from_bytes(&[3; 32]).unwrap()
}

/// A request as a receiver saw it, whole.
#[derive(Debug, Clone)]
pub struct Seen {
    pub id: String,
    pub attempt: u32,
    pub timestamp: String,
    pub signature: Option<String>,
    pub body: Vec<u8>,
}

/// What a receiver does with a request.
#[derive(Debug, Clone, Copy)]
pub enum Manner {
    Answer(u16),
    AnswerLater {
        status: u16,
        retry_after_s: u32,
    },
    Redirect,
    Hang,
    /// Answers with this many bytes of body.
    Talk(usize),
}

/// A receiver on loopback that tells what came.
pub struct TestReceiver {
    pub address: SocketAddr,
    pub seen: UnboundedReceiver<Seen>,
}

impl TestReceiver {
    pub async fn start(manner: impl Fn(&Seen) -> Manner + Send + Sync + 'static) -> TestReceiver {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (sender, seen) = unbounded_channel();
        let manner = Arc::new(manner);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&manner), sender.clone()));
            }
        });
        TestReceiver { address, seen }
    }

    pub fn endpoint(&self, client: ClientNo) -> Endpoint {
        Endpoint {
            consumer: 0,
            client,
            host: self.address.ip().to_string(),
            port: self.address.port(),
            authority: self.address.to_string(),
            path: "/hooks".to_owned(),
            url: format!("http://{}/hooks", self.address),
            secrets: SigningSecrets::new(SigningKey::Standard(secret())),
        }
    }
}

async fn serve<F>(stream: tokio::net::TcpStream, manner: Arc<F>, sender: UnboundedSender<Seen>)
where
    F: Fn(&Seen) -> Manner + Send + Sync + 'static,
{
    let service = service_fn(move |request: Request<Incoming>| {
        let (manner, sender) = (Arc::clone(&manner), sender.clone());
        async move {
            let seen = read(request).await?;
            let manner = manner(&seen);
            let _ = sender.send(seen);
            Ok::<_, hyper::Error>(answer(manner).await)
        }
    });
    // A sender that breaks off is what some of the tests are about.
    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

async fn read(request: Request<Incoming>) -> Result<Seen, hyper::Error> {
    let (head, body) = request.into_parts();
    let body = body.collect().await?.to_bytes().to_vec();
    let text = |headers: &HeaderMap, name| headers.get(name).map(|v| v.to_str().unwrap().to_owned());
    Ok(Seen {
        id: text(&head.headers, headers::WEBHOOK_ID).unwrap_or_default(),
        attempt: text(&head.headers, headers::ATTEMPT).and_then(|t| t.parse().ok()).unwrap_or(0),
        timestamp: text(&head.headers, headers::WEBHOOK_TIMESTAMP).unwrap_or_default(),
        signature: text(&head.headers, headers::WEBHOOK_SIGNATURE),
        body,
    })
}

async fn answer(manner: Manner) -> Response<Full<bytes::Bytes>> {
    let mut response = Response::builder();
    let mut body = Vec::new();
    match manner {
        Manner::Answer(status) => response = response.status(status),
        Manner::AnswerLater { status, retry_after_s } => {
            response = response.status(status).header("retry-after", retry_after_s);
        }
        Manner::Redirect => response = response.status(307).header("location", "/elsewhere"),
        Manner::Hang => match pending::<Infallible>().await {},
        Manner::Talk(length) => body.resize(length, b'x'),
    }
    response.body(Full::from(body)).unwrap()
}
