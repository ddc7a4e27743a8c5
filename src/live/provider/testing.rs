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

use super::{context::Context, endpoint::Endpoint, generator::Feeds};
use crate::{
    fault::{FaultKind, FaultPlan, Selector},
    live::clock::{Clock, Epoch},
    model::{ClientNo, Event, RunId, Seq, Span, Time},
    policy::RetrySchedule,
    record::{Record, RecordSink},
    scenario::{
        ConsumerNo, ConsumerPlan, Distribution, EffectKind, EffectPlan, Follows, LedgerKind, Mode, Path, Phase, Plan,
        PollingPlan, ProviderPlan, QueueKind, WebhookPlan,
    },
    wire::{Secret, headers},
    workload::{Arrivals, Payload, Workload},
};

fn consumer(name: &str, clients: u32, path: Path) -> ConsumerPlan {
    ConsumerPlan {
        name: name.to_owned(),
        provider: 0,
        clients,
        follows: Follows::Own,
        path,
        queue: QueueKind::Memory,
        queue_capacity: 100,
        ledger: LedgerKind::Memory,
        ledger_ttl: None,
        workers: 1,
        max_tries: 3,
        effect: EffectPlan {
            kind: EffectKind::Append,
            duration: Span::ZERO,
            distribution: Distribution::Constant,
            poison_every: None,
        },
        flaw: None,
    }
}

/// A webhook consumer named "webhook".
pub fn webhook_consumer(clients: u32) -> ConsumerPlan {
    let webhook = WebhookPlan {
        external: None,
        signature_tolerance: Span::from_secs(300),
        body_limit: 1 << 20,
        connection_limit: 100,
    };
    consumer("webhook", clients, Path::Webhook(webhook))
}

/// A polling consumer named "poll" with a timeout of 20 ms.
pub fn polling_consumer(clients: u32) -> ConsumerPlan {
    let polling = PollingPlan {
        interval: Span::from_secs(1),
        jitter: 0.0,
        conditional: true,
        page_size: 10,
        timeout: Span::from_millis(20),
        phase: Phase::Random,
    };
    consumer("poll", clients, Path::Polling(polling))
}

/// A plan with one provider and one consumer: patient, without faults, retried after 1 and 2 ms.
pub fn plan(consumer: ConsumerPlan) -> Plan {
    Plan {
        schema_version: 1,
        name: "test".to_owned(),
        title: String::new(),
        question: String::new(),
        conclude: String::new(),
        seed: 42,
        run_id: RunId::from_bits(7),
        mode: Mode::Live,
        time_scale: 1.0,
        duration: Span::from_millis(50),
        drain: Span::from_secs(1),
        workload: Workload {
            arrivals: Arrivals::Constant { count: 1_000, per: Span::from_secs(1) },
            subjects: 10,
            payload: Payload { event_type: "order.updated".to_owned(), bytes: 300 },
        },
        providers: vec![ProviderPlan {
            name: "provider".to_owned(),
            profile: "standard-webhooks".to_owned(),
            ack_timeout: Span::from_secs(60),
            retry: RetrySchedule { delays: vec![Span::from_millis(1), Span::from_millis(2)], jitter: 0.0 },
            concurrency: 4,
            page_limit: 10,
            timestamp_grain: Span::from_millis(10),
        }],
        consumers: vec![consumer],
        faults: Vec::new(),
        goals: Vec::new(),
        expects: Vec::new(),
        warnings: Vec::new(),
        reproduce: String::new(),
        source: String::new(),
    }
}

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
    Arc::new(Context::new(plan, 0, Clock::new(epoch), records).unwrap())
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
            secret: secret(),
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
