//! Holds back a client's bytes while the key for its identity is looked up.
//!
//! The stream stands between the socket and OpenSSL. When [`super::hello`] finds an identity, everything
//! read so far is kept until the look-up is done and its result is in the connection's [`KeySlot`], where
//! OpenSSL's callback finds it. No thread ever waits. It must never pass on bytes of a message whose identity is still
//! being looked up.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use futures::future::BoxFuture;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use uicc::Eid;

use super::hello::{Found, HelloReader};
use crate::platform::ChipKeys;

/// Bytes read from the socket at once during the handshake.
const CHUNK_BYTES: usize = 2_048;

/// The result of a look-up: the keys, none for an unknown identity, an error when the platform gave no answer.
pub(crate) type LookedUp = io::Result<Option<ChipKeys>>;

/// Looks up the keys of an identity.
pub(crate) type Lookup = Arc<dyn Fn(Vec<u8>) -> BoxFuture<'static, LookedUp> + Send + Sync>;

/// What is known about the client of one connection: written by the stream, read by OpenSSL's callback and by the
/// session.
#[derive(Debug, Default)]
pub(crate) struct KeySlot(Mutex<Slot>);

#[derive(Debug, Default)]
struct Slot {
    identity: Vec<u8>,
    keys: Option<ChipKeys>,
    max_fragment: Option<usize>,
}

impl KeySlot {
    /// The keys of this identity, if it is the one that was looked up and found.
    pub(crate) fn keys_of(&self, identity: &[u8]) -> Option<ChipKeys> {
        let slot = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // OpenSSL hands identities over as C strings, cut at the first NUL.
        let as_c_string = slot.identity.split(|&byte| byte == 0).next();
        (as_c_string == Some(identity))
            .then(|| slot.keys.clone())
            .flatten()
    }

    /// The keys looked up last.
    pub(crate) fn keys(&self) -> Option<ChipKeys> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).keys.clone()
    }

    /// The chip whose keys were looked up last.
    pub(crate) fn chip(&self) -> Option<Eid> {
        let slot = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        slot.keys.as_ref().map(|keys| keys.eid)
    }

    /// Whether an identity was looked up.
    pub(crate) fn asked(&self) -> bool {
        !self
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .identity
            .is_empty()
    }

    /// The fragment length the client asked for, in bytes.
    pub(crate) fn max_fragment(&self) -> Option<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).max_fragment
    }

    fn put(&self, identity: Vec<u8>, keys: Option<ChipKeys>) {
        let mut slot = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        slot.identity = identity;
        slot.keys = keys;
    }

    fn put_max_fragment(&self, bytes: Option<usize>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).max_fragment = bytes;
    }
}

/// A stream that holds its input back during look-ups.
pub(crate) struct LookupStream<S> {
    inner: S,
    /// None once no identity can follow.
    reader: Option<HelloReader>,
    held: Vec<u8>,
    pending: Option<(Vec<u8>, BoxFuture<'static, LookedUp>)>,
    lookup: Lookup,
    slot: Arc<KeySlot>,
}

impl<S> LookupStream<S> {
    /// A stream over `inner`, of which `begun` was read already, that fills `slot` through `lookup`.
    pub(crate) fn new(inner: S, begun: Vec<u8>, lookup: Lookup, slot: Arc<KeySlot>) -> Self {
        let mut stream = Self {
            inner,
            reader: Some(HelloReader::default()),
            held: Vec::new(),
            pending: None,
            lookup,
            slot,
        };
        stream.inspect(&begun);
        stream.held = begun;
        stream
    }

    /// Starts a look-up if the bytes so far hold an identity; stops reading when none can follow.
    fn inspect(&mut self, bytes: &[u8]) {
        let Some(reader) = &mut self.reader else { return };
        match reader.take(bytes) {
            Found::Nothing => {}
            Found::Over => self.reader = None,
            Found::Identity => {
                self.slot.put_max_fragment(reader.max_fragment());
                let identity = reader.identity().to_vec();
                self.pending = Some((identity.clone(), (self.lookup)(identity)));
            }
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for LookupStream<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        // Each turn either ends, or finishes a look-up; bytes that came in one piece hold few identities.
        loop {
            if let Some((_, future)) = &mut this.pending {
                let keys = ready!(future.as_mut().poll(cx));
                if let Some((identity, _)) = this.pending.take() {
                    // An error ends the connection without an alert: the chip tries again, which it would not
                    // after a security failure (Amendment B §3.5).
                    this.slot.put(identity, keys?);
                }
            }
            if !this.held.is_empty() {
                let length = this.held.len().min(buf.remaining());
                buf.put_slice(&this.held[..length]);
                this.held.drain(..length);
                return Poll::Ready(Ok(()));
            }
            if this.reader.is_none() {
                return Pin::new(&mut this.inner).poll_read(cx, buf);
            }
            let mut chunk = [0; CHUNK_BYTES];
            let mut chunk = ReadBuf::new(&mut chunk);
            ready!(Pin::new(&mut this.inner).poll_read(cx, &mut chunk))?;
            if chunk.filled().is_empty() {
                return Poll::Ready(Ok(()));
            }
            this.held.extend_from_slice(chunk.filled());
            this.inspect(chunk.filled());
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for LookupStream<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

impl<S> std::fmt::Debug for LookupStream<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LookupStream")
            .field("held", &self.held.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::Key;

    #[test]
    fn an_identity_with_a_nul_is_found_as_openssl_names_it() {
        let keys = ChipKeys {
            eid: "89086030202200000022000000000090".parse().unwrap(),
            home: None,
            key_version: 0x40,
            psk: Key::from(vec![1; 16]),
            dek: Key::from(vec![2; 16]),
        };
        let slot = KeySlot::default();
        slot.put(vec![0x41, 0x42, 0x00, 0x43], Some(keys));
        assert!(slot.keys_of(&[0x41, 0x42]).is_some());
        assert!(slot.keys_of(&[0x41]).is_none());
        assert!(
            slot.keys_of(&[0x41, 0x42, 0x00, 0x43]).is_none(),
            "OpenSSL never names it so"
        );
    }
}
