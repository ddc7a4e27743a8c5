//! Carries single requests that somebody asked for (`pushpull send`), each on a connection of its own.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use futures_util::future::join_all;
use tokio::{io::AsyncWriteExt, net::TcpStream};

use super::{
    clock::{Clock, Epoch},
    reply::receive_reply,
};
use crate::{
    model::{AttemptOutcome, Span, Time},
    wire::Target,
};

/// What became of one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delivered {
    /// What was read of the answer.
    pub seen: SeenAnswer,
    /// From the first byte of the request, or of connecting, to the end.
    pub took: Span,
}

/// What was read of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SeenAnswer {
    /// All of it, or what came instead.
    Read(AttemptOutcome),
    /// Nothing, on purpose: it was there, and the connection was closed.
    LeftUnread,
}

/// A target that nothing is sent to.
#[derive(Debug, thiserror::Error)]
pub enum NoWay {
    /// Its name means nothing.
    #[error(
        "{host} cannot be found: {source}\n  fix: write http://127.0.0.1:PORT/PATH, or a name that this machine knows"
    )]
    Unknown {
        /// The name.
        host: String,
        /// What the system says.
        source: io::Error,
    },
    /// It means another machine.
    #[error(
        "{} is not this machine: load goes to loopback only\n  fix: write http://127.0.0.1:PORT/PATH; or add \
         --allow-target {host}, where whoever runs it has agreed", named(.host, .address)
    )]
    Elsewhere {
        /// The name.
        host: String,
        /// Where it leads.
        address: IpAddr,
    },
}

fn named(host: &str, address: &IpAddr) -> String {
    let address = address.to_string();
    if host == address { address } else { format!("{host} ({address})") }
}

/// Carries requests to one target, whose addresses were looked up once: what was checked is where they go.
#[derive(Debug)]
pub struct Courier {
    addresses: Vec<SocketAddr>,
    patience: Span,
    clock: Clock,
}

impl Courier {
    /// Looks the target up. Every address that its name means must be on loopback, unless it may be elsewhere.
    /// `patience` is the time for a whole attempt, from connecting to the last byte of the answer.
    pub async fn to(target: &Target, may_be_elsewhere: bool, patience: Span) -> Result<Courier, NoWay> {
        let unknown = |source| NoWay::Unknown { host: target.host.clone(), source };
        let found = tokio::net::lookup_host((target.host.as_str(), target.port)).await.map_err(unknown)?;
        let addresses: Vec<SocketAddr> = found.collect();
        if addresses.is_empty() {
            return Err(unknown(io::Error::from(io::ErrorKind::NotFound)));
        }
        let elsewhere = addresses.iter().map(SocketAddr::ip).find(|ip| !ip.to_canonical().is_loopback());
        if let Some(address) = elsewhere.filter(|_| !may_be_elsewhere) {
            return Err(NoWay::Elsewhere { host: target.host.clone(), address });
        }
        Ok(Courier { addresses, patience, clock: Clock::new(Epoch::ahead(Duration::ZERO)) })
    }

    /// Sends a request and reads the whole answer.
    pub async fn post(&self, request: &[u8]) -> Delivered {
        let began = self.clock.now();
        self.within_patience(began, async { exchange(self.connect().await?, request).await }).await
    }

    /// Sends a request and hands out the answer's body as well.
    pub async fn ask(&self, request: &[u8]) -> (Delivered, Vec<u8>) {
        let began = self.clock.now();
        let mut body = Vec::new();
        let asked = async {
            let seen;
            (seen, body) = exchange_for_body(self.connect().await?, request).await?;
            Ok(seen)
        };
        let delivered = self.within_patience(began, asked).await;
        (delivered, body)
    }

    /// Sends the request as many times at once: all connections are open before the first byte goes out.
    pub async fn post_at_once(&self, request: &[u8], copies: usize) -> Vec<Delivered> {
        let connect = || async {
            let began = self.clock.now();
            (began, tokio::time::timeout(self.patience.into(), self.connect()).await)
        };
        let connections = join_all((0..copies).map(|_| connect())).await;
        join_all(connections.into_iter().map(|(began, connected)| async move {
            match connected {
                Ok(Ok(stream)) => self.within_patience(self.clock.now(), exchange(stream, request)).await,
                Ok(Err(outcome)) => self.ended(began, Err(outcome)),
                Err(_) => self.ended(began, Err(AttemptOutcome::Timeout)),
            }
        }))
        .await
    }

    /// Sends a request, waits until an answer is there, so that the receiver has done what it does, and closes the
    /// connection without reading it: an ack that was lost.
    pub async fn post_unread(&self, request: &[u8]) -> Delivered {
        let began = self.clock.now();
        self.within_patience(began, async {
            let mut stream = self.connect().await?;
            stream.write_all(request).await.map_err(|_| AttemptOutcome::Reset)?;
            stream.readable().await.map_err(|_| AttemptOutcome::Reset)?;
            // The end of a connection is readable too, and is no answer.
            match stream.peek(&mut [0]).await {
                Ok(1) => Ok(SeenAnswer::LeftUnread),
                _ => Err(AttemptOutcome::Reset),
            }
        })
        .await
    }

    async fn connect(&self) -> Result<TcpStream, AttemptOutcome> {
        let stream = TcpStream::connect(self.addresses.as_slice()).await.map_err(|_| AttemptOutcome::Refused)?;
        // Requests are written whole; Nagle's algorithm would only delay them.
        let _ = stream.set_nodelay(true);
        Ok(stream)
    }

    async fn within_patience(
        &self,
        began: Time,
        attempt: impl Future<Output = Result<SeenAnswer, AttemptOutcome>>,
    ) -> Delivered {
        let ended = tokio::time::timeout(self.patience.into(), attempt).await;
        self.ended(began, ended.unwrap_or(Err(AttemptOutcome::Timeout)))
    }

    fn ended(&self, began: Time, end: Result<SeenAnswer, AttemptOutcome>) -> Delivered {
        Delivered { seen: end.unwrap_or_else(SeenAnswer::Read), took: self.clock.now().since(began) }
    }
}

async fn exchange(stream: TcpStream, request: &[u8]) -> Result<SeenAnswer, AttemptOutcome> {
    exchange_for_body(stream, request).await.map(|(seen, _)| seen)
}

async fn exchange_for_body(mut stream: TcpStream, request: &[u8]) -> Result<(SeenAnswer, Vec<u8>), AttemptOutcome> {
    // A receiver may answer and close before it has read everything: its answer still counts.
    let written = stream.write_all(request).await;
    let mut bytes = Vec::new();
    match receive_reply(&mut stream, &mut bytes).await {
        Ok(reply) => Ok((SeenAnswer::Read(AttemptOutcome::Status(reply.status)), reply.body(&bytes))),
        Err(_) if written.is_err() => Err(AttemptOutcome::Reset),
        Err(outcome) => Err(outcome),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::{io::AsyncReadExt, net::TcpListener};

    const ANSWER: &[u8] = b"HTTP/1.1 204 No Content\r\n\r\n";

    async fn courier(url: &str, patience: Span) -> Courier {
        Courier::to(&Target::parse(url).unwrap(), false, patience).await.unwrap()
    }

    async fn listening() -> (TcpListener, String) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        (listener, url)
    }

    #[tokio::test]
    async fn copies_that_go_at_once_are_all_connected_before_any_is_answered() {
        let (listener, url) = listening().await;
        let serve = async {
            let mut streams = Vec::new();
            for _ in 0..5 {
                streams.push(listener.accept().await.unwrap().0);
            }
            for stream in &mut streams {
                stream.read_exact(&mut [0; 4]).await.unwrap();
            }
            for stream in &mut streams {
                stream.write_all(ANSWER).await.unwrap();
            }
        };
        let courier = courier(&url, Span::from_secs(60)).await;
        let (delivered, ()) = tokio::join!(courier.post_at_once(b"ping", 5), serve);
        let read = SeenAnswer::Read(AttemptOutcome::Status(204));
        assert!(delivered.len() == 5 && delivered.iter().all(|one| one.seen == read), "{delivered:?}");
    }

    #[tokio::test]
    async fn an_answer_that_is_left_unread_was_there() {
        let (listener, url) = listening().await;
        let courier = courier(&url, Span::from_secs(60)).await;
        for (answer, seen) in
            [(ANSWER, SeenAnswer::LeftUnread), (b"".as_slice(), SeenAnswer::Read(AttemptOutcome::Reset))]
        {
            let serve = async {
                let (mut stream, _) = listener.accept().await.unwrap();
                stream.read_exact(&mut [0; 4]).await.unwrap();
                stream.write_all(answer).await.unwrap();
            };
            let (delivered, ()) = tokio::join!(courier.post_unread(b"ping"), serve);
            assert_eq!(delivered.seen, seen);
        }
    }

    #[tokio::test]
    async fn patience_ends_and_nobody_there_is_told() {
        let (listener, url) = listening().await;
        let impatient = courier(&url, Span::from_millis(1)).await;
        assert_eq!(impatient.post(b"ping").await.seen, SeenAnswer::Read(AttemptOutcome::Timeout));
        assert_eq!(impatient.post_unread(b"ping").await.seen, SeenAnswer::Read(AttemptOutcome::Timeout));
        drop(listener);
        let patient = courier(&url, Span::from_secs(60)).await;
        assert_eq!(patient.post(b"ping").await.seen, SeenAnswer::Read(AttemptOutcome::Refused));
        assert_eq!(patient.post_at_once(b"ping", 2).await[1].seen, SeenAnswer::Read(AttemptOutcome::Refused));
    }

    #[tokio::test]
    async fn only_what_is_allowed_may_be_elsewhere() {
        for url in ["http://192.0.2.1/", "http://0.0.0.0/", "http://[::]/", "http://[2001:db8::1]/"] {
            let target = Target::parse(url).unwrap();
            let refused = Courier::to(&target, false, Span::from_secs(1)).await;
            assert!(matches!(refused, Err(NoWay::Elsewhere { .. })), "{url}: {refused:?}");
            assert!(Courier::to(&target, true, Span::from_secs(1)).await.is_ok(), "{url}");
        }
        for url in ["http://127.0.0.1/", "http://localhost/", "http://127.8.9.1/", "http://[::ffff:127.0.0.1]/"] {
            let here = Courier::to(&Target::parse(url).unwrap(), false, Span::from_secs(1)).await;
            assert!(here.is_ok(), "{url}: {here:?}");
        }
    }
}
