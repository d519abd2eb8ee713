//! TLS with a pre-shared key inside the chip, over memory buffers (Amendment B §3.2, RFC 4279, RFC 8446).
//!
//! [`Tls::push`] takes received ciphertext, [`Tls::take_ciphertext`] returns ciphertext to send. It must never open a
//! socket, resume a session, accept a certificate, or offer a suite that its personalisation does not name.

use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::sync::{Arc, OnceLock};

use ffi::limit_fragments;
use openssl::error::ErrorStack;
use openssl::ex_data::Index;
use openssl::ssl::{
    ErrorCode, Ssl, SslContext, SslMethod, SslMode, SslOptions, SslSessionCacheMode, SslStream, SslVersion,
};

use crate::personalisation::{MaxFragment, Personalisation, Suite, TlsChoice};

mod ffi;

/// Most bytes of ciphertext that are queued in either direction.
const MAX_QUEUED_BYTES: usize = 64 * 1024;
/// Most plaintext bytes of one TLS record (RFC 8446 §5.1).
const MAX_RECORD_BYTES: usize = 16 * 1024;

/// Protocol version and cipher suite that a handshake agreed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TlsParameters {
    /// `TLSv1.2` or `TLSv1.3`.
    pub version: &'static str,
    /// The suite by its IANA name.
    pub suite: &'static str,
}

/// Why a connection is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum TlsEnd {
    /// The peer sent close_notify.
    Closed,
    /// Handshake refused, bad record, alert: a security failure, after which the chip does not retry.
    Failed(String),
}

impl From<ErrorStack> for TlsEnd {
    fn from(error: ErrorStack) -> Self {
        Self::Failed(error.to_string())
    }
}

/// Two byte queues that OpenSSL uses in place of a socket.
#[derive(Default)]
struct Pipe {
    incoming: VecDeque<u8>,
    outgoing: VecDeque<u8>,
}

impl Read for Pipe {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.incoming.is_empty() {
            Err(io::ErrorKind::WouldBlock.into())
        } else {
            self.incoming.read(buffer)
        }
    }
}

impl Write for Pipe {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        if self.outgoing.len() + buffer.len() > MAX_QUEUED_BYTES {
            return Err(io::ErrorKind::OutOfMemory.into());
        }
        self.outgoing.extend(buffer);
        Ok(buffer.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The chip's end of one TLS connection.
pub(crate) struct Tls {
    stream: SslStream<Pipe>,
    established: bool,
    takes_tickets: bool,
}

impl Tls {
    /// Makes a connection whose handshake has not begun.
    ///
    /// # Errors
    /// [`ErrorStack`] of OpenSSL.
    pub(crate) fn new(card: &Arc<Personalisation>) -> Result<Self, ErrorStack> {
        let mut ssl = Ssl::new(context(card.tls)?)?;
        ssl.set_ex_data(card_index()?, Arc::clone(card));
        Ok(Self {
            stream: SslStream::new(ssl, Pipe::default())?,
            established: false,
            takes_tickets: card.takes_tickets,
        })
    }

    /// Queues received ciphertext.
    ///
    /// # Errors
    /// [`TlsEnd::Failed`] when the queue is full.
    pub(crate) fn push(&mut self, ciphertext: &[u8]) -> Result<(), TlsEnd> {
        let incoming = &mut self.stream.get_mut().incoming;
        if incoming.len() + ciphertext.len() > MAX_QUEUED_BYTES {
            return Err(TlsEnd::Failed("more ciphertext than any record holds".to_owned()));
        }
        incoming.extend(ciphertext);
        Ok(())
    }

    /// Takes up to `limit` bytes of ciphertext to send.
    pub(crate) fn take_ciphertext(&mut self, limit: usize) -> Vec<u8> {
        let outgoing = &mut self.stream.get_mut().outgoing;
        let count = outgoing.len().min(limit);
        outgoing.drain(..count).collect()
    }

    /// Tells whether there is ciphertext to send.
    #[must_use]
    pub(crate) fn has_ciphertext(&self) -> bool {
        !self.stream.get_ref().outgoing.is_empty()
    }

    /// Continues the handshake as far as the received bytes allow; returns its parameters at the moment it completes.
    ///
    /// # Errors
    /// [`TlsEnd`].
    pub(crate) fn handshake(&mut self) -> Result<Option<TlsParameters>, TlsEnd> {
        if self.established {
            return Ok(None);
        }
        match self.stream.connect() {
            Ok(()) => {
                self.established = true;
                Ok(Some(self.parameters()))
            }
            Err(error) if error.code() == ErrorCode::WANT_READ => Ok(None),
            Err(error) => Err(end_of(&error)),
        }
    }

    fn parameters(&self) -> TlsParameters {
        let ssl = self.stream.ssl();
        let suite = ssl
            .current_cipher()
            .and_then(|cipher| cipher.standard_name())
            .unwrap_or("unknown");
        TlsParameters {
            version: ssl.version_str(),
            suite,
        }
    }

    /// Tells whether the handshake is complete.
    #[must_use]
    pub(crate) const fn is_established(&self) -> bool {
        self.established
    }

    /// Returns the plaintext of the next whole record; `None` while there is none.
    ///
    /// # Errors
    /// [`TlsEnd`].
    pub(crate) fn read_record(&mut self) -> Result<Option<Vec<u8>>, TlsEnd> {
        let mut buffer = vec![0; MAX_RECORD_BYTES];
        let read = self.stream.ssl_read(&mut buffer);
        if !self.takes_tickets
            && self
                .stream
                .ssl()
                .ex_data(ticket_index().map_err(TlsEnd::from)?)
                .is_some()
        {
            return Err(TlsEnd::Failed("unexpected NewSessionTicket".to_owned()));
        }
        match read {
            Ok(count) => {
                buffer.truncate(count);
                Ok(Some(buffer))
            }
            Err(error) if error.code() == ErrorCode::WANT_READ => Ok(None),
            Err(error) => Err(end_of(&error)),
        }
    }

    /// Encrypts `plaintext`, in as many records as the agreed fragment length needs.
    ///
    /// # Errors
    /// [`TlsEnd::Failed`].
    pub(crate) fn write(&mut self, plaintext: &[u8]) -> Result<(), TlsEnd> {
        self.stream
            .write_all(plaintext)
            .map_err(|error| TlsEnd::Failed(error.to_string()))
    }

    /// Queues close_notify.
    pub(crate) fn close(&mut self) {
        // The peer's close_notify is not awaited: the channel is closed after this one is sent.
        if self.established {
            let _ = self.stream.shutdown();
        }
    }
}

fn end_of(error: &openssl::ssl::Error) -> TlsEnd {
    if error.code() == ErrorCode::ZERO_RETURN {
        return TlsEnd::Closed;
    }
    let reason = error
        .ssl_error()
        .and_then(|stack| stack.errors().last().and_then(openssl::error::Error::reason));
    TlsEnd::Failed(reason.map_or_else(|| error.to_string(), str::to_owned))
}

/// Index of the personalisation in the extra data of a connection.
fn card_index() -> Result<Index<Ssl, Arc<Personalisation>>, ErrorStack> {
    static INDEX: OnceLock<Index<Ssl, Arc<Personalisation>>> = OnceLock::new();
    index(&INDEX)
}

/// Index of the mark that the server sent a session ticket.
fn ticket_index() -> Result<Index<Ssl, TicketSeen>, ErrorStack> {
    static INDEX: OnceLock<Index<Ssl, TicketSeen>> = OnceLock::new();
    index(&INDEX)
}

/// Marks a connection on which the server sent a session ticket.
struct TicketSeen;

fn index<T: Send + Sync + 'static>(cell: &OnceLock<Index<Ssl, T>>) -> Result<Index<Ssl, T>, ErrorStack> {
    match cell.get() {
        Some(index) => Ok(*index),
        None => {
            let fresh = Ssl::new_ex_index()?;
            Ok(*cell.get_or_init(|| fresh))
        }
    }
}

/// Returns the context for a suite and fragment length. There is one per choice and process, since a context is far
/// larger than a chip; the key belongs to each connection.
fn context(choice: TlsChoice) -> Result<&'static SslContext, ErrorStack> {
    static CONTEXTS: [OnceLock<SslContext>; TlsChoice::COUNT] = [const { OnceLock::new() }; TlsChoice::COUNT];
    let slot = &CONTEXTS[choice.index()];
    match slot.get() {
        Some(context) => Ok(context),
        None => {
            let fresh = build_context(choice)?;
            Ok(slot.get_or_init(|| fresh))
        }
    }
}

fn build_context(choice: TlsChoice) -> Result<SslContext, ErrorStack> {
    let mut builder = SslContext::builder(SslMethod::tls_client())?;
    let (version, suite) = match choice.suite {
        Suite::Tls12CbcSha256 => (SslVersion::TLS1_2, "PSK-AES128-CBC-SHA256"),
        Suite::Tls12GcmSha256 => (SslVersion::TLS1_2, "PSK-AES128-GCM-SHA256"),
        Suite::Tls13GcmSha256 => (SslVersion::TLS1_3, "TLS_AES_128_GCM_SHA256"),
    };
    builder.set_min_proto_version(Some(version))?;
    builder.set_max_proto_version(Some(version))?;
    if version == SslVersion::TLS1_3 {
        builder.set_ciphersuites(suite)?;
        // The callback only detects tickets; no session is stored.
        builder.set_session_cache_mode(SslSessionCacheMode::CLIENT | SslSessionCacheMode::NO_INTERNAL);
        builder.set_new_session_callback(|ssl, _| {
            if let Ok(index) = ticket_index() {
                ssl.set_ex_data(index, TicketSeen);
            }
        });
    } else {
        builder.set_cipher_list(suite)?;
    }
    // A chip keeps no session: neither tickets nor identifiers (SGP.02 §2.4.4).
    builder.set_options(SslOptions::NO_TICKET);
    // Thousands of chips share the process, so record buffers are released between records.
    builder.set_mode(SslMode::RELEASE_BUFFERS);
    if let Some(length) = choice.max_fragment {
        limit_fragments(&mut builder, length)?;
    }
    builder.set_psk_client_callback(|ssl, _hint, identity, key| {
        let card = card_index()?;
        Ok(ssl
            .ex_data(card)
            .and_then(|card| offer(card, identity, key))
            .unwrap_or(0))
    });
    Ok(builder.build())
}

/// Writes identity (NUL-terminated) and key; returns the length of the key, or `None` if they do not fit.
fn offer(card: &Personalisation, identity: &mut [u8], key: &mut [u8]) -> Option<usize> {
    let name = card.psk_identity.as_slice();
    identity.get_mut(..name.len())?.copy_from_slice(name);
    *identity.get_mut(name.len())? = 0;
    key.get_mut(..card.psk.len())?
        .copy_from_slice(card.psk.as_slice());
    Some(card.psk.len())
}

impl MaxFragment {
    /// The code of RFC 6066 §4.
    const fn code(self) -> u8 {
        match self {
            Self::Bytes512 => 1,
            Self::Bytes1024 => 2,
            Self::Bytes2048 => 3,
            Self::Bytes4096 => 4,
        }
    }
}
