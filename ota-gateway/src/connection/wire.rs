//! Requests in, responses out, over one TLS stream.
//!
//! A response leaves in one write, and so in one TLS record where it fits (cards cannot always join an HTTP
//! head over records). At the end `close_notify` goes out before anything more is read. It must never wait
//! without a limit.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::{Instant, timeout_at};
use tokio_openssl::SslStream;

use super::Transport;
use crate::http::{HttpError, Request, RequestReader};
use crate::settings::Limits;
use crate::tls::Traffic;

/// Bytes taken from the stream at once.
const CHUNK_BYTES: usize = 4_096;
/// Bytes of input that are thrown away after the end, and for how long: else a late byte of the chip
/// would make TCP forget what is still on its way to it.
const MAX_DRAIN_BYTES: usize = 64 * 1024;
const DRAIN_TIME: Duration = Duration::from_secs(2);

/// What came instead of a request.
#[derive(Debug)]
pub(super) enum NoRequest {
    /// The chip or the network closed the connection.
    Closed,
    /// Nothing came in time.
    Idle,
    /// The session may not last longer.
    Overlong,
    /// What came is no request.
    Bad(HttpError),
}

/// The stream.
pub(super) struct Wire {
    stream: SslStream<Transport>,
    reader: RequestReader,
    traffic: Arc<Traffic>,
    idle: Duration,
    deadline: Instant,
}

impl Wire {
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

    pub(super) fn traffic(&self) -> &Traffic {
        &self.traffic
    }

    pub(super) fn ssl(&self) -> &openssl::ssl::SslRef {
        self.stream.ssl()
    }

    /// The next request.
    pub(super) async fn receive(&mut self) -> Result<Request, NoRequest> {
        let mut chunk = [0; CHUNK_BYTES];
        loop {
            if let Some(request) = self.reader.next_request().map_err(NoRequest::Bad)? {
                return Ok(request);
            }
            let until = (Instant::now() + self.idle).min(self.deadline);
            match timeout_at(until, self.stream.read(&mut chunk)).await {
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

    /// Says goodbye, then throws away what still comes.
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
