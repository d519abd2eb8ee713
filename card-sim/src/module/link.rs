//! One BIP channel: the TCP socket, the receive buffer of the opened size, what is still to be told.
//!
//! It must never hold more received bytes than the buffer it granted: what does not fit stays in the
//! socket, and TCP holds the sender back.

use std::collections::VecDeque;
use std::io;

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use uicc::cat::{ChannelId, LENGTH_255_OR_MORE};

/// Bytes that went over the air in one power cycle, and where it breaks.
#[derive(Debug, Default)]
pub(super) struct Traffic {
    /// TCP payload towards the server.
    pub up: u64,
    /// TCP payload from the server.
    pub down: u64,
    /// The link breaks when `up` reaches this.
    pub drop_after_up: Option<u64>,
    /// The link breaks when `down` reaches this.
    pub drop_after_down: Option<u64>,
}

impl Traffic {
    fn room(limit: Option<u64>, used: u64) -> usize {
        limit.map_or(usize::MAX, |limit| {
            usize::try_from(limit.saturating_sub(used)).unwrap_or(usize::MAX)
        })
    }

    /// The planned break towards the server has been reached; it comes only once.
    fn breaks_up(&mut self) -> bool {
        self.drop_after_up.take_if(|limit| *limit <= self.up).is_some()
    }

    fn breaks_down(&mut self) -> bool {
        self.drop_after_down
            .take_if(|limit| *limit <= self.down)
            .is_some()
    }
}

/// A channel.
pub(super) struct Link {
    /// Its number.
    pub channel: ChannelId,
    stream: Option<TcpStream>,
    received: VecDeque<u8>,
    capacity: usize,
    stored: Vec<u8>,
    data_news: bool,
    drop_news: bool,
}

impl Link {
    /// A channel over a connected socket, with a receive buffer of `capacity` bytes.
    pub(super) fn new(channel: ChannelId, stream: TcpStream, capacity: u16) -> Self {
        Self {
            channel,
            stream: Some(stream),
            received: VecDeque::new(),
            capacity: usize::from(capacity),
            stored: Vec::new(),
            data_news: false,
            drop_news: false,
        }
    }

    /// The link is there.
    pub(super) const fn is_up(&self) -> bool {
        self.stream.is_some()
    }

    /// The link is gone; what was received stays.
    fn break_off(&mut self) {
        self.stream = None;
        self.drop_news = true;
    }

    /// Takes from the socket what is there and fits.
    pub(super) fn fill(&mut self, traffic: &mut Traffic) {
        // Every turn takes at least a byte into a buffer of bounded size.
        loop {
            let room = (self.capacity - self.received.len())
                .min(Traffic::room(traffic.drop_after_down, traffic.down));
            let Some(stream) = self.stream.as_ref().filter(|_| room > 0) else {
                break;
            };
            let mut bytes = vec![0; room];
            match stream.try_read(&mut bytes) {
                Ok(0) => return self.break_off(),
                Ok(count) => {
                    self.data_news |= self.received.is_empty();
                    self.received.extend(&bytes[..count]);
                    traffic.down += count as u64;
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(_) => return self.break_off(),
            }
        }
        if self.is_up() && traffic.breaks_down() {
            self.break_off();
        }
    }

    /// Waits until [`Self::fill`] has something to do; for ever if the buffer is full or the link gone.
    pub(super) async fn readable(&self) {
        match &self.stream {
            Some(stream) if self.received.len() < self.capacity => {
                // An error shows up again in fill().
                let _ = stream.readable().await;
            }
            _ => std::future::pending().await,
        }
    }

    /// Keeps bytes for a later [`Self::flush`]. `false` if they do not fit.
    #[must_use]
    pub(super) fn store(&mut self, data: &[u8]) -> bool {
        let fits = self.stored.len() + data.len() <= self.capacity;
        if fits {
            self.stored.extend_from_slice(data);
        }
        fits
    }

    /// Sends what is stored. `false` if the link is gone, or breaks on the way.
    #[must_use]
    pub(super) async fn flush(&mut self, traffic: &mut Traffic) -> bool {
        let data = std::mem::take(&mut self.stored);
        let Some(stream) = &mut self.stream else {
            return false;
        };
        let count = data.len().min(Traffic::room(traffic.drop_after_up, traffic.up));
        let sent = stream.write_all(&data[..count]).await.is_ok();
        traffic.up += count as u64;
        if !sent || traffic.breaks_up() {
            self.break_off();
        }
        sent && count == data.len()
    }

    /// Up to `wanted` received bytes.
    pub(super) fn take(&mut self, wanted: usize) -> Vec<u8> {
        // Who asks for data knows that there is some.
        self.data_news = false;
        let count = wanted.min(self.received.len());
        self.received.drain(..count).collect()
    }

    /// Received bytes that wait, as channel data lengths say it.
    pub(super) fn waiting(&self) -> u8 {
        u8::try_from(self.received.len()).unwrap_or(LENGTH_255_OR_MORE)
    }

    /// The buffer got its first bytes, and nobody was told.
    pub(super) fn take_data_news(&mut self) -> bool {
        std::mem::take(&mut self.data_news) && !self.received.is_empty()
    }

    /// The link broke, and nobody was told.
    pub(super) fn take_drop_news(&mut self) -> bool {
        std::mem::take(&mut self.drop_news)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn connected(capacity: u16) -> (TcpStream, Link) {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let ours = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (theirs, _) = listener.accept().await.unwrap();
        (theirs, Link::new(ChannelId::new(1).unwrap(), ours, capacity))
    }

    #[tokio::test]
    async fn a_full_buffer_takes_no_more_and_loses_nothing() {
        let (mut peer, mut link) = connected(512).await;
        let sent: Vec<u8> = (0..2000u32).map(|at| at as u8).collect();
        peer.write_all(&sent).await.unwrap();
        let mut traffic = Traffic::default();
        while link.received.len() < 512 {
            link.readable().await;
            link.fill(&mut traffic);
        }
        link.fill(&mut traffic);
        assert_eq!((link.received.len(), traffic.down), (512, 512));
        let mut got = Vec::new();
        while got.len() < sent.len() {
            got.extend(link.take(237));
            assert!(link.received.len() <= 512);
            if link.received.is_empty() && got.len() < sent.len() {
                link.readable().await;
            }
            link.fill(&mut traffic);
        }
        assert_eq!(got, sent);
    }

    #[tokio::test]
    async fn news_of_data_come_once_until_it_was_asked_for() {
        let (mut peer, mut link) = connected(512).await;
        let mut traffic = Traffic::default();
        peer.write_all(b"abc").await.unwrap();
        while link.received.len() < 3 {
            link.readable().await;
            link.fill(&mut traffic);
        }
        assert!(link.take_data_news());
        assert!(!link.take_data_news());
        assert_eq!(link.take(10), b"abc");
        drop(peer);
        while link.is_up() {
            link.readable().await;
            link.fill(&mut traffic);
        }
        assert!(link.take_drop_news() && !link.take_drop_news() && !link.take_data_news());
    }

    #[tokio::test]
    async fn a_planned_break_comes_after_exactly_so_many_bytes() {
        use tokio::io::AsyncReadExt;
        let (mut peer, mut link) = connected(512).await;
        let mut traffic = Traffic {
            drop_after_up: Some(5),
            ..Traffic::default()
        };
        assert!(link.store(b"abc") && link.flush(&mut traffic).await);
        assert!(link.store(b"defg"));
        assert!(!link.flush(&mut traffic).await);
        let mut seen = Vec::new();
        peer.read_to_end(&mut seen).await.unwrap();
        assert_eq!(
            (seen.as_slice(), traffic.up, traffic.drop_after_up),
            (&b"abcde"[..], 5, None)
        );
    }
}
