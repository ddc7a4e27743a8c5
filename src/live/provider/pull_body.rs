//! The body of a pull API answer: whole, slow, or cut off half way by a fault.

use std::{
    future::Future,
    io,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::{Bytes, BytesMut};
use hyper::body::{Body, Frame, SizeHint};

use super::pace::Pace;

/// A body in memory.
#[derive(Default)]
pub(super) struct PullBody {
    data: Bytes,
    cut: Cut,
    slow: Option<Slow>,
}

/// How a body dribbles.
struct Slow {
    pace: Pace,
    gone: usize,
    /// Ends when the next portion is due.
    wait: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
}

/// Whether the connection breaks behind the data.
#[derive(Debug, Default, PartialEq, Eq)]
enum Cut {
    #[default]
    Never,
    /// Once the data has had a chance to be flushed.
    AfterFlush,
    Now,
}

impl PullBody {
    /// All of it.
    pub fn whole(data: impl Into<Bytes>) -> PullBody {
        PullBody { data: data.into(), ..PullBody::default() }
    }

    /// Its first half, then the connection breaks. The Content-Length that the answer's head tells
    /// must be the whole body's.
    pub fn into_half(self) -> PullBody {
        PullBody { data: self.data.slice(..self.data.len() / 2), cut: Cut::AfterFlush, ..self }
    }

    /// With its bytes changed in their places.
    pub fn with(self, change: impl FnOnce(&mut [u8])) -> PullBody {
        let mut bytes = BytesMut::from(self.data);
        change(&mut bytes);
        PullBody { data: bytes.freeze(), ..self }
    }

    /// Coming at this pace.
    pub fn paced(self, pace: Pace) -> PullBody {
        PullBody { slow: Some(Slow { pace, gone: 0, wait: None }), ..self }
    }

    /// Length in bytes of what will be sent.
    pub fn len(&self) -> usize {
        self.data.len()
    }
}

impl Slow {
    /// How many bytes are due, once some are.
    fn poll_portion(&mut self, cx: &mut Context<'_>) -> Poll<usize> {
        let (pace, gone) = (self.pace, self.gone);
        let wait = self.wait.get_or_insert_with(|| Box::pin(async move { pace.wait_beyond(gone).await }));
        std::task::ready!(wait.as_mut().poll(cx));
        self.wait = None;
        let due = pace.due_beyond(gone);
        self.gone += due;
        Poll::Ready(due)
    }
}

impl Body for PullBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let this = self.get_mut();
        if !this.data.is_empty() {
            if let Some(slow) = &mut this.slow {
                return slow.poll_portion(cx).map(|due| {
                    let portion = this.data.split_to(due.min(this.data.len()));
                    Some(Ok(Frame::data(portion)))
                });
            }
            return Poll::Ready(Some(Ok(Frame::data(std::mem::take(&mut this.data)))));
        }
        match this.cut {
            Cut::Never => Poll::Ready(None),
            Cut::AfterFlush => {
                // A body that has nothing for the moment makes the server flush what it has.
                this.cut = Cut::Now;
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            Cut::Now => Poll::Ready(Some(Err(io::ErrorKind::ConnectionReset.into()))),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.data.is_empty() && self.cut == Cut::Never
    }

    fn size_hint(&self) -> SizeHint {
        match self.cut {
            Cut::Never => SizeHint::with_exact(self.data.len() as u64),
            _ => SizeHint::default(),
        }
    }
}
