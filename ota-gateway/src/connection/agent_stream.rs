//! Requests of a chip's admin agent in, responses out, over one TLS stream.
//!
//! A response leaves in one write, and so in one TLS record where it fits (cards cannot always join an HTTP
//! head over records). At the end `close_notify` goes out before anything more is read. It must never wait
//! without a limit.

use std::ffi::c_int;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};
use tokio_openssl::SslStream;

use crate::http::{HttpError, Request, RequestReader};
use crate::settings::Limits;
use crate::tls::{CountingStream, LookupStream, Traffic};

/// Bytes read from the stream at once.
const CHUNK_BYTES: usize = 4_096;
/// Bytes of input that are discarded after the end. Unread input would make TCP reset the connection and drop what
/// has not reached the chip yet.
const MAX_DRAIN_BYTES: usize = 64 * 1024;
/// Longest time for the end of a connection.
const DRAIN_TIME: Duration = Duration::from_secs(2);

/// What TLS runs over: TCP with byte counts and the look-up of the key.
pub(super) type Transport = LookupStream<CountingStream<TcpStream>>;

/// Why there is no request.
#[derive(Debug)]
pub(super) enum NoRequest {
    /// The chip or the network closed the connection.
    Closed,
    /// The chip ended TLS with an alert of an error.
    Alert,
    /// Nothing came within the idle timeout.
    Idle,
    /// The session reached its longest duration.
    Overlong,
    /// The bytes are no request.
    Bad(HttpError),
}

/// Reason codes of OpenSSL for an alert of the peer: `SSL_AD_REASON_OFFSET` and the number of the alert (RFC 8446 §6).
const PEER_ALERTS: RangeInclusive<c_int> = 1_000..=1_255;

/// Whether the peer ended TLS with an alert of an error.
fn is_alert(error: &std::io::Error) -> bool {
    error
        .get_ref()
        .and_then(|error| error.downcast_ref::<openssl::ssl::Error>())
        .and_then(openssl::ssl::Error::ssl_error)
        .is_some_and(|stack| {
            let mut reasons = stack.errors().iter().map(openssl::error::Error::reason_code);
            reasons.any(|reason| PEER_ALERTS.contains(&reason))
        })
}

/// The stream, with its deadlines and its byte counts.
pub(super) struct AgentStream {
    stream: SslStream<Transport>,
    reader: RequestReader,
    traffic: Arc<Traffic>,
    idle: Duration,
    deadline: Instant,
}

impl AgentStream {
    /// A stream after its handshake; its session may last from now as long as `limits` say.
    pub(super) fn new(stream: SslStream<Transport>, traffic: Arc<Traffic>, limits: &Limits) -> Self {
        let deadline = Instant::now() + limits.max_session();
        Self {
            stream,
            reader: RequestReader::default(),
            traffic,
            idle: limits.idle_timeout(),
            deadline,
        }
    }

    /// Byte counts of the connection.
    pub(super) fn traffic(&self) -> &Traffic {
        &self.traffic
    }

    /// The TLS session, for its version and suite.
    pub(super) fn ssl(&self) -> &openssl::ssl::SslRef {
        self.stream.ssl()
    }

    /// The next request.
    ///
    /// # Errors
    /// Every [`NoRequest`]; the connection is of no use after one.
    pub(super) async fn receive(&mut self) -> Result<Request, NoRequest> {
        let mut chunk = [0; CHUNK_BYTES];
        loop {
            if let Some(request) = self.reader.next_request().map_err(NoRequest::Bad)? {
                return Ok(request);
            }
            let until = (Instant::now() + self.idle).min(self.deadline);
            match timeout_at(until, self.stream.read(&mut chunk)).await {
                Ok(Err(error)) if is_alert(&error) => return Err(NoRequest::Alert),
                Ok(Ok(0) | Err(_)) => return Err(NoRequest::Closed),
                Ok(Ok(length)) => self.reader.feed(&chunk[..length]),
                Err(_) if until == self.deadline => return Err(NoRequest::Overlong),
                Err(_) => return Err(NoRequest::Idle),
            }
        }
    }

    /// Sends one response. False if it could not be sent whole.
    pub(super) async fn send(&mut self, response: &[u8]) -> bool {
        let until = (Instant::now() + self.idle).min(self.deadline);
        let sending = async {
            self.stream.write_all(response).await?;
            self.stream.flush().await
        };
        matches!(timeout_at(until, sending).await, Ok(Ok(())))
    }

    /// Sends `close_notify`, then discards what still comes.
    pub(super) async fn close(&mut self) {
        let until = Instant::now() + DRAIN_TIME;
        if !matches!(timeout_at(until, self.stream.shutdown()).await, Ok(Ok(()))) {
            return;
        }
        let mut chunk = [0; CHUNK_BYTES];
        let mut drained = 0;
        while drained < MAX_DRAIN_BYTES {
            match timeout_at(until, self.stream.read(&mut chunk)).await {
                Ok(Ok(length)) if length > 0 => drained += length,
                _ => return,
            }
        }
    }
}
