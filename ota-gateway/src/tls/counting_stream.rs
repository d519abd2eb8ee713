//! A TCP stream whose bytes are counted in both directions, for the test allowance of a chip.
//!
//! TCP payload, that is: TLS records with their overhead, but no TCP or IP headers. It must never change a
//! byte.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Bytes of one connection; shared between the stream and the session that reports them.
#[derive(Debug, Default)]
pub(crate) struct Traffic {
    up: AtomicU64,
    down: AtomicU64,
}

impl Traffic {
    /// Bytes that came from the chip.
    pub(crate) fn up(&self) -> u64 {
        self.up.load(Ordering::Relaxed)
    }

    /// Bytes that went to the chip.
    pub(crate) fn down(&self) -> u64 {
        self.down.load(Ordering::Relaxed)
    }
}

/// A stream that counts its bytes.
#[derive(Debug)]
pub(crate) struct CountingStream<S> {
    inner: S,
    traffic: Arc<Traffic>,
}

impl<S> CountingStream<S> {
    /// A stream over `inner` that counts in `traffic`.
    pub(crate) fn new(inner: S, traffic: Arc<Traffic>) -> Self {
        Self { inner, traffic }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for CountingStream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let done = ready!(Pin::new(&mut self.inner).poll_read(cx, buf));
        let read = buf.filled().len().saturating_sub(before);
        self.traffic.up.fetch_add(read as u64, Ordering::Relaxed);
        Poll::Ready(done)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for CountingStream<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.inner).poll_write(cx, bytes))?;
        self.traffic.down.fetch_add(written as u64, Ordering::Relaxed);
        Poll::Ready(Ok(written))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    #[tokio::test]
    async fn every_byte_counts_once_in_its_direction() {
        let (near, mut far) = tokio::io::duplex(64);
        let traffic = Arc::new(Traffic::default());
        let mut stream = CountingStream::new(near, Arc::clone(&traffic));
        stream.write_all(&[0; 10]).await.unwrap();
        far.write_all(&[0; 7]).await.unwrap();
        drop(far);
        let mut read = Vec::new();
        stream.read_to_end(&mut read).await.unwrap();
        assert_eq!((traffic.up(), traffic.down()), (7, 10));
    }

    #[tokio::test]
    async fn the_other_side_sees_the_end_while_this_side_still_reads() {
        let (near, mut far) = tokio::io::duplex(64);
        let mut stream = CountingStream::new(near, Arc::default());
        stream.shutdown().await.unwrap();
        let mut read = Vec::new();
        let ended = tokio::time::timeout(Duration::from_secs(5), far.read_to_end(&mut read));
        assert_eq!(ended.await.unwrap().unwrap(), 0);
        far.write_all(&[7]).await.unwrap();
        assert_eq!(stream.read_u8().await.unwrap(), 7);
    }
}
