//! Reading a body within the limits.

use std::{
    future::poll_fn,
    pin::pin,
    sync::atomic::{AtomicU64, Ordering},
    task::Poll,
};

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};

use super::{handler::Refusal, places::Place, server::Limits};
use crate::model::RejectReason;

/// What incomplete bodies take of memory, all connections together.
#[derive(Debug, Default)]
pub(super) struct Bodies(AtomicU64);

/// A body's share of it, given back when dropped.
struct Share<'a> {
    bodies: &'a Bodies,
    bytes: u64,
}

impl Share<'_> {
    /// Takes more, unless everybody together would have more than `limit`.
    fn grow(&mut self, bytes: u64, limit: u64) -> Result<(), RejectReason> {
        let before = self.bodies.0.fetch_add(bytes, Ordering::Relaxed);
        self.bytes += bytes;
        if before.saturating_add(bytes) > limit { Err(RejectReason::Overloaded) } else { Ok(()) }
    }
}

impl Drop for Share<'_> {
    fn drop(&mut self) {
        self.bodies.0.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

/// Reads a body. `place` knows when it is late.
pub(super) async fn read_body(
    mut body: Incoming,
    limits: &Limits,
    bodies: &Bodies,
    place: &Place,
) -> Result<Bytes, Refusal> {
    // What announces itself as too large is refused before it is sent.
    if body.size_hint().lower() > limits.body_bytes {
        return Err(RejectReason::BodyTooLarge.into());
    }
    let Some(first) = next_part(&mut body, place).await? else { return Ok(Bytes::new()) };
    // Most bodies come in one piece, which is not copied.
    if body.is_end_stream() && first.len() as u64 <= limits.body_bytes {
        return Ok(first);
    }
    let mut share = Share { bodies, bytes: 0 };
    let mut whole = Vec::new();
    let mut part = Some(first);
    while let Some(bytes) = part {
        if (whole.len() + bytes.len()) as u64 > limits.body_bytes {
            return Err(RejectReason::BodyTooLarge.into());
        }
        share.grow(bytes.len() as u64, limits.bodies_bytes)?;
        whole.extend_from_slice(&bytes);
        part = next_part(&mut body, place).await?;
    }
    Ok(whole.into())
}

/// The next piece of data; `None` at the end.
async fn next_part(body: &mut Incoming, place: &Place) -> Result<Option<Bytes>, Refusal> {
    loop {
        let frame = {
            let mut frame = pin!(body.frame());
            poll_fn(|cx| match frame.as_mut().poll(cx) {
                Poll::Pending if place.body_is_late() => Poll::Ready(Err(RejectReason::SlowBody)),
                polled => polled.map(Ok),
            })
            .await?
        };
        match frame {
            None => return Ok(None),
            Some(Ok(frame)) => match frame.into_data() {
                Ok(data) => return Ok(Some(data)),
                // Trailers are not looked at.
                Err(_) => continue,
            },
            Some(Err(error)) if is_peer_gone(&error) => return Err(Refusal::PeerGone),
            // The peer broke its own framing.
            Some(Err(_)) => return Err(RejectReason::MalformedBody.into()),
        }
    }
}

/// Whether the connection ended within the body, rather than carried something malformed.
fn is_peer_gone(error: &hyper::Error) -> bool {
    use std::{error::Error, io::ErrorKind};
    let io = error.source().and_then(|source| source.downcast_ref::<std::io::Error>());
    error.is_incomplete_message()
        || io.is_some_and(|io| {
            matches!(
                io.kind(),
                ErrorKind::UnexpectedEof
                    | ErrorKind::ConnectionReset
                    | ErrorKind::ConnectionAborted
                    | ErrorKind::BrokenPipe
            )
        })
}
