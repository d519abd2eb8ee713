//! One BIP channel: the TCP socket, the receive buffer of the opened size, and the events that are due.
//!
//! It must never hold more received bytes than the buffer it granted: what does not fit stays in the
//! socket, and TCP holds the sender back.

use std::collections::VecDeque;
use std::io;

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use uicc::cat::{ChannelId, LENGTH_255_OR_MORE};

/// Bytes that went over the air in one power cycle, and the planned link drops.
#[derive(Debug, Default)]
pub(super) struct Traffic {
    /// TCP payload towards the server.
    pub up: u64,
    /// TCP payload from the server.
    pub down: u64,
    /// The link drops when `up` reaches this.
    pub drop_after_up: Option<u64>,
    /// The link drops when `down` reaches this.
    pub drop_after_down: Option<u64>,
}

impl Traffic {
    fn room(limit: Option<u64>, used: u64) -> usize {
        limit.map_or(usize::MAX, |limit| {
            usize::try_from(limit.saturating_sub(used)).unwrap_or(usize::MAX)
        })
    }

    /// Tells whether the planned drop towards the server has been reached, once.
    fn drops_up(&mut self) -> bool {
        self.drop_after_up.take_if(|limit| *limit <= self.up).is_some()
    }

    /// Tells whether the planned drop from the server has been reached, once.
    fn drops_down(&mut self) -> bool {
        self.drop_after_down
            .take_if(|limit| *limit <= self.down)
            .is_some()
    }
}

/// An open channel to a TCP server.
pub(super) struct Channel {
    /// Channel identifier.
    pub id: ChannelId,
    stream: Option<TcpStream>,
    received: VecDeque<u8>,
    capacity: usize,
    to_send: Vec<u8>,
    data_event_due: bool,
    drop_event_due: bool,
}

impl Channel {
    /// Makes a channel over a connected socket, with a receive buffer of `capacity` bytes.
    pub(super) fn new(id: ChannelId, stream: TcpStream, capacity: u16) -> Self {
        Self {
            id,
            stream: Some(stream),
            received: VecDeque::new(),
            capacity: usize::from(capacity),
            to_send: Vec::new(),
            data_event_due: false,
            drop_event_due: false,
        }
    }

    /// Tells whether the link is established.
    pub(super) const fn is_up(&self) -> bool {
        self.stream.is_some()
    }

    /// Drops the link; received bytes stay in the buffer.
    fn drop_link(&mut self) {
        self.stream = None;
        self.drop_event_due = true;
    }

    /// Reads from the socket as many bytes as there are and the buffer holds.
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
                Ok(0) => return self.drop_link(),
                Ok(count) => {
                    self.data_event_due |= self.received.is_empty();
                    self.received.extend(&bytes[..count]);
                    traffic.down += count as u64;
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(_) => return self.drop_link(),
            }
        }
        if self.is_up() && traffic.drops_down() {
            self.drop_link();
        }
    }

    /// Waits until [`Self::fill`] can read; for ever if the buffer is full or the link dropped.
    pub(super) async fn readable(&self) {
        match &self.stream {
            Some(stream) if self.received.len() < self.capacity => {
                // An error shows up again in fill().
                let _ = stream.readable().await;
            }
            _ => std::future::pending().await,
        }
    }

    /// Stores bytes for a later [`Self::flush`]. `false` if they do not fit.
    #[must_use]
    pub(super) fn store(&mut self, data: &[u8]) -> bool {
        let fits = self.to_send.len() + data.len() <= self.capacity;
        if fits {
            self.to_send.extend_from_slice(data);
        }
        fits
    }

    /// Sends the stored bytes. `false` if the link is dropped before all are sent.
    #[must_use]
    pub(super) async fn flush(&mut self, traffic: &mut Traffic) -> bool {
        let data = std::mem::take(&mut self.to_send);
        let Some(stream) = &mut self.stream else {
            return false;
        };
        let count = data.len().min(Traffic::room(traffic.drop_after_up, traffic.up));
        let sent = stream.write_all(&data[..count]).await.is_ok();
        traffic.up += count as u64;
        if !sent || traffic.drops_up() {
            self.drop_link();
        }
        sent && count == data.len()
    }

    /// Takes up to `requested` received bytes.
    pub(super) fn take(&mut self, requested: usize) -> Vec<u8> {
        // A chip that receives data needs no event for what is already there.
        self.data_event_due = false;
        let count = requested.min(self.received.len());
        self.received.drain(..count).collect()
    }

    /// Number of bytes in the buffer, coded as a channel data length.
    pub(super) fn waiting(&self) -> u8 {
        u8::try_from(self.received.len()).unwrap_or(LENGTH_255_OR_MORE)
    }

    /// Tells whether the event data available is due; it is due once per empty buffer that got bytes.
    pub(super) fn take_data_event(&mut self) -> bool {
        std::mem::take(&mut self.data_event_due) && !self.received.is_empty()
    }

    /// Tells whether the event channel status is due; it is due once after the link dropped.
    pub(super) fn take_drop_event(&mut self) -> bool {
        std::mem::take(&mut self.drop_event_due)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn connected(capacity: u16) -> (TcpStream, Channel) {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let ours = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (theirs, _) = listener.accept().await.unwrap();
        (theirs, Channel::new(ChannelId::new(1).unwrap(), ours, capacity))
    }

    #[tokio::test]
    async fn a_full_buffer_takes_no_more_and_loses_nothing() {
        let (mut peer, mut channel) = connected(512).await;
        let sent: Vec<u8> = (0..2000u32).map(|at| at as u8).collect();
        peer.write_all(&sent).await.unwrap();
        let mut traffic = Traffic::default();
        while channel.received.len() < 512 {
            channel.readable().await;
            channel.fill(&mut traffic);
        }
        channel.fill(&mut traffic);
        assert_eq!((channel.received.len(), traffic.down), (512, 512));
        let mut got = Vec::new();
        while got.len() < sent.len() {
            got.extend(channel.take(237));
            assert!(channel.received.len() <= 512);
            if channel.received.is_empty() && got.len() < sent.len() {
                channel.readable().await;
            }
            channel.fill(&mut traffic);
        }
        assert_eq!(got, sent);
    }

    #[tokio::test]
    async fn data_available_is_due_once_until_the_data_is_received() {
        let (mut peer, mut channel) = connected(512).await;
        let mut traffic = Traffic::default();
        peer.write_all(b"abc").await.unwrap();
        while channel.received.len() < 3 {
            channel.readable().await;
            channel.fill(&mut traffic);
        }
        assert!(channel.take_data_event());
        assert!(!channel.take_data_event());
        assert_eq!(channel.take(10), b"abc");
        drop(peer);
        while channel.is_up() {
            channel.readable().await;
            channel.fill(&mut traffic);
        }
        assert!(channel.take_drop_event() && !channel.take_drop_event() && !channel.take_data_event());
    }

    #[tokio::test]
    async fn a_planned_drop_comes_after_exactly_so_many_bytes() {
        use tokio::io::AsyncReadExt;
        let (mut peer, mut channel) = connected(512).await;
        let mut traffic = Traffic {
            drop_after_up: Some(5),
            ..Traffic::default()
        };
        assert!(channel.store(b"abc") && channel.flush(&mut traffic).await);
        assert!(channel.store(b"defg"));
        assert!(!channel.flush(&mut traffic).await);
        let mut seen = Vec::new();
        peer.read_to_end(&mut seen).await.unwrap();
        assert_eq!(
            (seen.as_slice(), traffic.up, traffic.drop_after_up),
            (&b"abcde"[..], 5, None)
        );
    }
}
