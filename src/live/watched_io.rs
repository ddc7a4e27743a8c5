//! A socket that is watched: everything passes through, and somebody is told what did.

use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Who watches a socket. Called by the connection's own task, within a read or a write.
pub trait Watch {
    /// Whether anything may be read now; who says no sees to it that the task is woken.
    fn may_read(&self) -> bool {
        true
    }

    /// So many bytes were read, at least one.
    fn read(&self, bytes: usize) {
        let _ = bytes;
    }

    /// A write came to this.
    fn written(&self, polled: &Poll<io::Result<usize>>);
}

/// A stream and who watches it.
#[derive(Debug)]
pub struct WatchedIo<S, W> {
    inner: S,
    watch: Arc<W>,
}

impl<S, W> WatchedIo<S, W> {
    /// Lets `watch` see what passes `inner`.
    pub fn new(inner: S, watch: Arc<W>) -> WatchedIo<S, W> {
        WatchedIo { inner, watch }
    }

    /// The stream itself. What passes it here nobody sees.
    pub fn get_ref(&self) -> &S {
        &self.inner
    }
}

impl<S: AsyncRead + Unpin, W: Watch> AsyncRead for WatchedIo<S, W> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if !this.watch.may_read() {
            return Poll::Pending;
        }
        let before = buf.filled().len();
        let polled = Pin::new(&mut this.inner).poll_read(cx, buf);
        let read = buf.filled().len().saturating_sub(before);
        if read > 0 {
            this.watch.read(read);
        }
        polled
    }
}

impl<S: AsyncWrite + Unpin, W: Watch> AsyncWrite for WatchedIo<S, W> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let polled = Pin::new(&mut this.inner).poll_write(cx, buf);
        this.watch.written(&polled);
        polled
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let polled = Pin::new(&mut this.inner).poll_write_vectored(cx, bufs);
        this.watch.written(&polled);
        polled
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_shutdown(cx)
    }
}
