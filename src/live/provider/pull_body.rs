//! The body of a pull API answer: whole, or cut off half way by a fault.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};

/// A body in memory.
#[derive(Debug, Default)]
pub(super) struct PullBody {
    data: Bytes,
    cut: Cut,
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
        PullBody { data: data.into(), cut: Cut::Never }
    }

    /// Its first half, then the connection breaks. The Content-Length that the answer's head tells
    /// must be the whole body's.
    pub fn into_half(self) -> PullBody {
        PullBody { data: self.data.slice(..self.data.len() / 2), cut: Cut::AfterFlush }
    }

    /// Length in bytes of what will be sent.
    pub fn len(&self) -> usize {
        self.data.len()
    }
}

impl Body for PullBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let this = self.get_mut();
        if !this.data.is_empty() {
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
