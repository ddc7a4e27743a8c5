//! The real server over loopback sockets, driven by a client that writes its bytes by hand.

mod flaws;
mod hostile;
mod refusals;
mod serving;

use std::net::SocketAddr;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::watch,
    task::JoinHandle,
};

use super::*;
use crate::{
    backend::export,
    live::clock::Epoch,
    model::EventId,
    record::{EffectRow, Record, read_file},
    scenario::{ConsumerPlan, LedgerKind, Plan, QueueKind, testing},
    wire::sign,
};

/// A folder that survives the receivers in it, and the plan they follow.
struct Site {
    /// Goes with the last of the site, its receivers and what they left.
    dir: Arc<tempfile::TempDir>,
    plan: Plan,
    epoch: Epoch,
    limits: Limits,
}

/// A receiver that runs.
struct Running {
    _dir: Arc<tempfile::TempDir>,
    listen: SocketAddr,
    admin: SocketAddr,
    clock: Clock,
    plan: Plan,
    records: std::path::PathBuf,
    stores: std::path::PathBuf,
    stop: watch::Sender<bool>,
    task: JoinHandle<Result<(), RoleError>>,
}

/// What a receiver left behind.
struct Left {
    records: Vec<Record>,
    stored: Vec<Record>,
}

fn any_port() -> SocketAddr {
    (Ipv4Addr::LOCALHOST, 0).into()
}

fn secret() -> crate::wire::Secret {
    crate::wire::Secret::from_bytes(&[7; 32]).unwrap()
}

impl Site {
    fn new(change: impl FnOnce(&mut ConsumerPlan)) -> Site {
        let mut consumer = testing::webhook_consumer(1);
        (consumer.queue, consumer.ledger) = (QueueKind::Sqlite, LedgerKind::Sqlite);
        (consumer.queue_capacity, consumer.workers) = (10_000, 2);
        change(&mut consumer);
        Site {
            dir: Arc::new(tempfile::tempdir().unwrap()),
            plan: testing::plan(consumer),
            epoch: Epoch::ahead(Duration::ZERO),
            limits: Limits::default(),
        }
    }

    fn role(&self, incarnation: u32, listen: SocketAddr) -> (Role, watch::Sender<bool>) {
        let clients = self.plan.consumers[0].clients as usize;
        let assignment = Assignment {
            plan: self.plan.clone(),
            part: Part::Receiver { consumer: 0, secrets: vec![vec![secret().reveal()]; clients] },
            records: self.records(incarnation),
            stores: self.stores(),
            listen,
            admin: None,
            incarnation,
            crashes_left: 0,
            epoch: (incarnation > 0).then_some(self.epoch),
            pull_api: None,
        };
        let (stop, stopped) = watch::channel(false);
        (Role::standalone(assignment, self.epoch, stopped).unwrap(), stop)
    }

    fn records(&self, incarnation: u32) -> std::path::PathBuf {
        self.dir.path().join(format!("receiver-{incarnation}.records"))
    }

    fn stores(&self) -> std::path::PathBuf {
        self.dir.path().join("stores")
    }

    async fn start(&self, incarnation: u32, listen: SocketAddr) -> Running {
        let (role, stop) = self.role(incarnation, listen);
        let receiver = Receiver::open(role, self.limits).await.unwrap();
        let (listen, admin) = receiver.addresses().unwrap();
        let task = tokio::spawn(receiver.run());
        Running {
            _dir: Arc::clone(&self.dir),
            listen,
            admin,
            clock: Clock::new(self.epoch),
            plan: self.plan.clone(),
            records: self.records(incarnation),
            stores: self.stores(),
            stop,
            task,
        }
    }

    async fn first(&self) -> Running {
        self.start(0, any_port()).await
    }
}

/// Sends bytes and returns the whole answer; empty where the connection was closed without one.
async fn exchange(address: SocketAddr, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let _ = stream.write_all(request).await;
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8(answer).unwrap()
}

fn status(answer: &str) -> u16 {
    answer.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3)?.parse().ok()).unwrap_or(0)
}

fn body(id: &str, subject: u32, version: u32) -> String {
    format!(r#"{{"type":"t","id":"{id}","subject":{subject},"version":{version},"data":{{"amount":1.50}}}}"#)
}

fn request(id: &str, timestamp_s: u64, signature: &str, body: &str) -> String {
    format!(
        "POST /webhooks/0 HTTP/1.1\r\nhost: x\r\nconnection: close\r\nwebhook-id: {id}\r\n\
         webhook-timestamp: {timestamp_s}\r\nwebhook-signature: {signature}\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}

impl Running {
    fn id(&self, seq: u32) -> String {
        EventId::genuine(self.plan.run_id, seq).to_string()
    }

    /// A genuine request for event `seq`.
    fn signed(&self, seq: u32, subject: u32, version: u32) -> String {
        let (id, now_s) = (self.id(seq), self.clock.unix_secs());
        let body = body(&id, subject, version);
        request(&id, now_s, &sign(&secret(), &id, now_s, body.as_bytes()), &body)
    }

    async fn post(&self, seq: u32) -> u16 {
        self.post_version(seq, seq, 1).await
    }

    async fn post_version(&self, seq: u32, subject: u32, version: u32) -> u16 {
        status(&exchange(self.listen, self.signed(seq, subject, version).as_bytes()).await)
    }

    /// Posts an event on a connection that is kept.
    async fn post_on(&self, stream: &mut TcpStream, seq: u32) -> u16 {
        let request = self.signed(seq, seq, 1).replace("connection: close\r\n", "");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.unwrap());
        }
        status(&String::from_utf8(head).unwrap())
    }

    /// Posts copies of one event, all at once; their statuses.
    async fn post_copies(&self, copies: usize) -> Vec<u16> {
        let post = |_| async { self.post(1).await };
        futures_util::future::join_all((0..copies).map(post)).await
    }

    async fn metrics(&self) -> String {
        exchange(self.admin, b"GET /metrics HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await
    }

    async fn metric(&self, name: &str) -> u64 {
        let page = self.metrics().await;
        let line = page.lines().find_map(|line| line.strip_prefix(&format!("pushpull_{name} ")));
        line.unwrap_or_else(|| panic!("{name} in {page}")).parse().unwrap()
    }

    /// Connections that ended early for this reason.
    async fn cuts(&self, reason: &str) -> u64 {
        self.metric(&format!("connections_cut_total{{reason=\"{reason}\"}}")).await
    }

    /// Waits until `count` events are done with, however.
    async fn settled(&self, count: u64) {
        loop {
            let outcomes = ["applied", "duplicate", "stale", "dead-lettered"];
            let mut done = 0;
            for outcome in outcomes {
                done += self.metric(&format!("effects_total{{outcome=\"{outcome}\"}}")).await;
            }
            if done >= count {
                return;
            }
        }
    }

    async fn stop(self) -> Left {
        self.stop.send(true).unwrap();
        self.task.await.unwrap().unwrap();
        let mut records = Vec::new();
        read_file(&self.records, |record| records.push(record)).unwrap();
        Left { records, stored: export(&self.stores, &self.plan, 0).unwrap() }
    }
}

impl Left {
    fn effects(&self) -> Vec<EffectRow> {
        let row = |record: &Record| match record {
            Record::Effect(row) => Some(*row),
            _ => None,
        };
        self.stored.iter().filter_map(row).collect()
    }

    fn receipts(&self) -> usize {
        self.records.iter().filter(|record| matches!(record, Record::Receipt { .. })).count()
    }

    fn suppressed(&self) -> usize {
        self.records.iter().filter(|record| matches!(record, Record::Suppressed { .. })).count()
    }

    fn queued(&self) -> usize {
        self.records.iter().chain(&self.stored).filter(|record| matches!(record, Record::Queued { .. })).count()
    }

    fn rejected(&self) -> Vec<crate::model::RejectReason> {
        let reason = |record: &Record| match record {
            Record::Rejected { reason, .. } => Some(*reason),
            _ => None,
        };
        self.records.iter().filter_map(reason).collect()
    }
}
