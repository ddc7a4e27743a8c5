//! Counts the bytes that pass a socket, for the one party that they belong to.
//!
//! Seen from the provider's process: what is read came up from a consumer, what is written goes
//! down to it. A connection to the pull API belongs to nobody until a request names its consumer;
//! what passed before is then counted after the fact.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll},
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// What one consumer's traffic adds up to.
#[derive(Debug, Default)]
pub struct Traffic {
    up: AtomicU64,
    down: AtomicU64,
    requests: AtomicU64,
}

impl Traffic {
    /// One HTTP request more.
    pub fn count_request(&self) {
        self.requests.fetch_add(1, Ordering::Relaxed);
    }

    /// Bytes up, bytes down and requests so far.
    #[must_use]
    pub fn totals(&self) -> (u64, u64, u64) {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        (read(&self.up), read(&self.down), read(&self.requests))
    }
}

/// The counter of one connection.
#[derive(Debug, Default)]
pub struct Meter {
    owner: OnceLock<Arc<Traffic>>,
    unclaimed: Traffic,
}

impl Meter {
    /// A connection whose owner is known from the start.
    #[must_use]
    pub fn of(owner: Arc<Traffic>) -> Meter {
        Meter { owner: OnceLock::from(owner), unclaimed: Traffic::default() }
    }

    /// Says whose connection it is; the first owner keeps it. Called by the connection's own task.
    pub fn claim(&self, owner: &Arc<Traffic>) {
        if self.owner.set(Arc::clone(owner)).is_ok() {
            owner.up.fetch_add(self.unclaimed.up.swap(0, Ordering::Relaxed), Ordering::Relaxed);
            owner.down.fetch_add(self.unclaimed.down.swap(0, Ordering::Relaxed), Ordering::Relaxed);
        }
    }

    fn traffic(&self) -> &Traffic {
        self.owner.get().map_or(&self.unclaimed, |owner| owner)
    }
}

/// A stream whose bytes are counted.
#[derive(Debug)]
pub struct CountingIo<S> {
    inner: S,
    meter: Arc<Meter>,
}

impl<S> CountingIo<S> {
    /// Counts what passes `inner` on `meter`.
    pub fn new(inner: S, meter: Arc<Meter>) -> CountingIo<S> {
        CountingIo { inner, meter }
    }

    /// The stream itself. What passes it here is not counted.
    pub fn get_ref(&self) -> &S {
        &self.inner
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for CountingIo<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buf.filled().len();
        let polled = Pin::new(&mut this.inner).poll_read(cx, buf);
        let read = buf.filled().len().saturating_sub(before);
        if read > 0 {
            this.meter.traffic().up.fetch_add(read as u64, Ordering::Relaxed);
        }
        polled
    }
}

impl<S: AsyncWrite + Unpin> CountingIo<S> {
    fn written(&self, polled: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if let Poll::Ready(Ok(count)) = &polled {
            self.meter.traffic().down.fetch_add(*count as u64, Ordering::Relaxed);
        }
        polled
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for CountingIo<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let polled = Pin::new(&mut this.inner).poll_write(cx, buf);
        this.written(polled)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let polled = Pin::new(&mut this.inner).poll_write_vectored(cx, bufs);
        this.written(polled)
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

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    #[tokio::test]
    async fn bytes_count_for_the_owner_also_those_before_it_was_known() {
        let (near, mut far) = tokio::io::duplex(64);
        let meter = Arc::new(Meter::default());
        let mut near = CountingIo::new(near, Arc::clone(&meter));
        far.write_all(b"hello").await.unwrap();
        near.read_exact(&mut [0; 5]).await.unwrap();
        let owner = Arc::new(Traffic::default());
        meter.claim(&owner);
        near.write_all(b"goodbye").await.unwrap();
        owner.count_request();
        assert_eq!(owner.totals(), (5, 7, 1));
        let other = Arc::new(Traffic::default());
        meter.claim(&other);
        near.write_all(b"x").await.unwrap();
        assert_eq!((owner.totals().1, other.totals()), (8, (0, 0, 0)));
    }
}
