//! One kept-alive connection to an endpoint, and one exchange at a time on it.

use std::{io, sync::Arc};

use tokio::{io::AsyncWriteExt, net::TcpStream};

use super::{endpoint::Endpoint, pace::Pace};
use crate::{
    fault::Stop,
    live::{
        counting_io::{CountingIo, Meter, Traffic},
        reply::{Reply, receive_reply, stop_in},
    },
    model::AttemptOutcome,
    scenario::StopHeaders,
};

/// A body that comes slowly, behind a head that does not.
#[derive(Clone, Copy)]
pub(super) struct Dribble {
    /// How slowly.
    pub pace: Pace,
    /// Length of the head.
    pub head: usize,
}

/// A connection that is opened when it is needed.
///
/// Whoever drops one of its futures half way (an ack timeout) loses the connection with it, never
/// leaves half an exchange behind.
pub(super) struct Sender {
    endpoint: Arc<Endpoint>,
    traffic: Arc<Traffic>,
    meter: Arc<Meter>,
    kept: Option<CountingIo<TcpStream>>,
    reply: Vec<u8>,
}

impl Sender {
    /// A sender to `endpoint`, not connected yet.
    pub fn new(endpoint: Arc<Endpoint>, traffic: Arc<Traffic>) -> Sender {
        let meter = Arc::new(Meter::of(Arc::clone(&traffic)));
        Sender { endpoint, traffic, meter, kept: None, reply: Vec::new() }
    }

    /// Sends a request and reads the whole answer. The error is what the sender saw instead.
    pub async fn exchange(&mut self, request: &[u8], dribble: Option<Dribble>) -> Result<Reply, AttemptOutcome> {
        let mut stream = self.connection().await?;
        self.traffic.count_request();
        // A receiver may answer and close before it has read everything: its answer still counts.
        let written = write(&mut stream, request, dribble).await;
        let reply = match receive_reply(&mut stream, &mut self.reply).await {
            Ok(reply) => reply,
            Err(_) if written.is_err() => return Err(AttemptOutcome::Reset),
            Err(outcome) => return Err(outcome),
        };
        // Bytes behind the answer belong to no request: such a connection is not trusted again.
        if written.is_ok() && reply.keep_alive && reply.length == self.reply.len() {
            self.kept = Some(stream);
        }
        Ok(reply)
    }

    /// Sends these bytes and closes the connection at once.
    pub async fn send_and_close(&mut self, bytes: &[u8], dribble: Option<Dribble>) -> Result<(), AttemptOutcome> {
        let mut stream = self.connection().await?;
        self.traffic.count_request();
        write(&mut stream, bytes, dribble).await.map_err(|_| AttemptOutcome::Reset)?;
        let _ = stream.shutdown().await;
        Ok(())
    }

    /// What the last answer asks for with one of these headers.
    pub fn asked_to_stop(&self, headers: &StopHeaders) -> Option<Stop> {
        if headers.is_empty() { None } else { stop_in(&self.reply, headers) }
    }

    /// Closes the connection if one is kept.
    pub fn close(&mut self) {
        self.kept = None;
    }

    /// The kept connection, or a new one where the receiver has closed it meanwhile: nothing was
    /// sent on it, so this is no failed attempt. A connection that breaks after the first byte of a
    /// request is one, because the receiver may have processed it.
    async fn connection(&mut self) -> Result<CountingIo<TcpStream>, AttemptOutcome> {
        if let Some(kept) = self.kept.take().filter(is_open) {
            return Ok(kept);
        }
        let target = (self.endpoint.host.as_str(), self.endpoint.port);
        let stream = TcpStream::connect(target).await.map_err(|error| {
            if error.kind() != io::ErrorKind::ConnectionRefused {
                eprintln!("cannot connect to {}: {error}", self.endpoint.authority);
            }
            AttemptOutcome::Refused
        })?;
        // Requests are written whole; Nagle's algorithm would only delay them.
        let _ = stream.set_nodelay(true);
        Ok(CountingIo::new(stream, Arc::clone(&self.meter)))
    }
}

/// Sends a request's bytes: all at once, or its body as the fault wills.
async fn write(stream: &mut CountingIo<TcpStream>, bytes: &[u8], dribble: Option<Dribble>) -> io::Result<()> {
    let Some(Dribble { pace, head }) = dribble else { return stream.write_all(bytes).await };
    let (head, mut body) = bytes.split_at(head.min(bytes.len()));
    stream.write_all(head).await?;
    let mut gone = 0;
    while !body.is_empty() {
        pace.wait_beyond(gone).await;
        let (next, rest) = body.split_at(pace.due_beyond(gone).min(body.len()));
        stream.write_all(next).await?;
        (body, gone) = (rest, gone + next.len());
    }
    Ok(())
}

/// Whether an idle connection is still good: open, and silent. Costs a system call only when
/// something has happened on it.
fn is_open(stream: &CountingIo<TcpStream>) -> bool {
    let polled = stream.get_ref().try_read(&mut [0; 1]);
    matches!(polled, Err(error) if error.kind() == io::ErrorKind::WouldBlock)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        live::{keys::SigningKey, provider::testing},
        policy::rotation::SigningSecrets,
    };
    use tokio::{io::AsyncReadExt, net::TcpListener};

    async fn listening() -> (TcpListener, Sender) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let endpoint = Endpoint {
            consumer: 0,
            client: 0,
            host: address.ip().to_string(),
            port: address.port(),
            authority: address.to_string(),
            path: "/".to_owned(),
            url: format!("http://{address}/"),
            secrets: SigningSecrets::new(SigningKey::Standard(testing::secret())),
        };
        (listener, Sender::new(Arc::new(endpoint), Arc::default()))
    }

    /// Reads four bytes, answers with `text`; gives the connection back, open.
    async fn answer(mut stream: TcpStream, text: &[u8]) -> TcpStream {
        stream.read_exact(&mut [0; 4]).await.unwrap();
        stream.write_all(text).await.unwrap();
        stream
    }

    const OK: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

    #[tokio::test]
    async fn a_kept_connection_is_used_again_and_one_closed_meanwhile_is_replaced() {
        let (listener, mut sender) = listening().await;
        let serve = async { answer(listener.accept().await.unwrap().0, OK).await };
        let (first, stream) = tokio::join!(sender.exchange(b"ping", None), serve);
        assert_eq!(first.unwrap().status, 200);
        let (second, stream) = tokio::join!(sender.exchange(b"ping", None), answer(stream, OK));
        assert_eq!(second.unwrap().status, 200);

        drop(stream);
        // Until this process has been told of the close.
        sender.kept.as_ref().unwrap().get_ref().readable().await.unwrap();
        let serve = async { answer(listener.accept().await.unwrap().0, OK).await };
        let (third, _stream) = tokio::join!(sender.exchange(b"ping", None), serve);
        assert_eq!(third.unwrap().status, 200);
        assert_eq!(sender.traffic.totals(), (3 * OK.len() as u64, 12, 3));
    }

    #[tokio::test]
    async fn a_connection_that_breaks_after_the_request_is_a_reset() {
        let (listener, mut sender) = listening().await;
        for cut in [0, 10, OK.len() - 1] {
            let serve = async { drop(answer(listener.accept().await.unwrap().0, &OK[..cut]).await) };
            let (outcome, ()) = tokio::join!(sender.exchange(b"ping", None), serve);
            assert_eq!(outcome, Err(AttemptOutcome::Reset));
            assert!(sender.kept.is_none());
        }
    }

    #[tokio::test]
    async fn a_connection_with_bytes_behind_the_answer_is_not_kept() {
        let (listener, mut sender) = listening().await;
        let text = [OK, b"HTTP/1.1 200 OK\r\n\r\n"].concat();
        let serve = async { answer(listener.accept().await.unwrap().0, &text).await };
        let (answered, _stream) = tokio::join!(sender.exchange(b"ping", None), serve);
        assert_eq!(answered.unwrap().status, 200);
        assert!(sender.kept.is_none());
    }
}
