//! HTTP by hand, on both ends: what the control API is asked, and what a receiver gets.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicU16, Ordering},
        mpsc,
    },
    time::Duration,
};

use pushpull::{
    model::Span,
    wire::{self, Secret},
};
use serde_json::Value;

/// Whatever takes longer than this does not come.
const PATIENCE: Duration = Duration::from_secs(20);

/// An answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// A refusal says what is wrong and what to do.
    pub fn refusal(&self) -> (u16, String) {
        let body = self.json();
        assert!(body["fix"].as_str().is_some_and(|fix| !fix.is_empty()), "{self:?}");
        (self.status, body["error"].as_str().expect("an error").to_owned())
    }
}

/// Sends these bytes to `address` and reads to the end.
pub fn exchange(address: SocketAddr, request: &[u8]) -> Answer {
    let mut stream = TcpStream::connect(address).expect("connect");
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(request).expect("send");
    let mut text = String::new();
    stream.read_to_string(&mut text).expect("an answer");
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {text:?}"));
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
    Answer { status, head: head.to_ascii_lowercase(), body: body.to_owned() }
}

/// One webhook as it came.
#[derive(Debug)]
pub struct Webhook {
    /// Its headers, names in lowercase.
    pub head: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Webhook {
    pub fn header(&self, name: &str) -> &str {
        self.head.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("a webhook is JSON")
    }

    /// Whether a receiver that knows this secret, and no other, takes it for genuine.
    pub fn verifies_with(&self, secret: &str) -> bool {
        let secret = Secret::parse(secret).expect("a secret");
        let (id, timestamp) = (self.header("webhook-id"), self.header("webhook-timestamp"));
        let now = timestamp.parse().expect("seconds");
        let signature = self.header("webhook-signature");
        wire::verify(&[secret], id, timestamp, signature, &self.body, now, Span::from_secs(1)).is_ok()
    }
}

/// A receiver that answers as it is told.
pub struct Receiver {
    pub url: String,
    status: Arc<AtomicU16>,
    came: mpsc::Receiver<Webhook>,
}

impl Receiver {
    pub fn start() -> Receiver {
        let listener = TcpListener::bind("127.0.0.1:0").expect("listen");
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let status = Arc::new(AtomicU16::new(200));
        let (told, came) = mpsc::channel();
        let answers = Arc::clone(&status);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (told, answers) = (told.clone(), Arc::clone(&answers));
                std::thread::spawn(move || while serve(&stream, &told, &answers).is_some() {});
            }
        });
        Receiver { url, status, came }
    }

    /// Answers with this status from here on.
    pub fn answers(&self, status: u16) {
        self.status.store(status, Ordering::SeqCst);
    }

    /// The next webhook.
    pub fn next(&self) -> Webhook {
        self.came.recv_timeout(PATIENCE).expect("a webhook")
    }

    /// Whether one has come that nobody has looked at.
    pub fn has_more(&self) -> bool {
        self.came.try_recv().is_ok()
    }
}

/// One request of a connection; `None` at its end.
fn serve(mut stream: &TcpStream, told: &mpsc::Sender<Webhook>, status: &AtomicU16) -> Option<()> {
    // Nothing is read ahead: the sender waits for each answer.
    let mut reader = BufReader::new(stream);
    let mut head = Vec::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        match line.trim_end().split_once(": ") {
            Some((name, value)) => head.push((name.to_ascii_lowercase(), value.to_owned())),
            None if line.trim_end().is_empty() => break,
            None => {}
        }
    }
    let mut webhook = Webhook { head, body: Vec::new() };
    let length: u64 = webhook.header("content-length").parse().ok()?;
    reader.take(length).read_to_end(&mut webhook.body).ok()?;
    told.send(webhook).ok()?;
    let status = status.load(Ordering::SeqCst);
    write!(stream, "HTTP/1.1 {status} -\r\ncontent-length: 0\r\n\r\n").ok()
}
