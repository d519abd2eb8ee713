//! A chip's admin agent: TLS with its PSK, HTTP byte for byte, and a count of every TLS record it was sent.
//!
//! It must not use the simulator, which is tested against the gateway elsewhere: a fault of both would go unseen.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use openssl::ssl::{Ssl, SslContextBuilder, SslMethod, SslOptions, SslVerifyMode, SslVersion};
use ota_gateway::keys::Purpose;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ReadBuf};
use tokio::net::TcpStream;
use tokio_openssl::SslStream;

use super::card::Card;
use super::chip_key;
use crate::eid::IDENTITY;

const PROTOCOL: &str = "Host: 127.0.0.1\r\nX-Admin-Protocol: globalplatform-remote-admin/1.0\r\n";
/// Kinds of TLS records.
const ALERT: u8 = 21;
const APPLICATION_DATA: u8 = 23;
/// Where an agent begins.
pub const FIRST_URI: &str = "/adminagent";

/// How the agent's TLS is set up.
pub struct Tls {
    /// The PSK identity.
    pub identity: Vec<u8>,
    /// The PSK.
    pub psk: Vec<u8>,
    /// The suites that it offers, as OpenSSL names them.
    pub suites: &'static str,
    /// The only version that it offers.
    pub version: SslVersion,
}

impl Default for Tls {
    fn default() -> Self {
        Self {
            identity: IDENTITY.into(),
            psk: chip_key(Purpose::Psk),
            suites: "PSK-AES128-CBC-SHA256",
            version: SslVersion::TLS1_2,
        }
    }
}

/// A response of the gateway.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// Names and values, in order.
    pub headers: Vec<(String, String)>,
    /// The body, as long as `Content-Length` says.
    pub body: Vec<u8>,
}

impl Answer {
    /// A header's value.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(other, _)| other.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// Where the agent goes on.
    #[must_use]
    pub fn next_uri(&self) -> Option<&str> {
        self.header("X-Admin-Next-URI")
    }
}

/// An admin agent with its connection.
pub struct Agent {
    stream: SslStream<Watched>,
    records: Arc<Mutex<Records>>,
    buffer: Vec<u8>,
}

impl Agent {
    /// Connects as the one chip.
    pub async fn connect(addr: SocketAddr) -> Self {
        Self::connect_with(addr, Tls::default()).await.unwrap()
    }

    /// Connects with another TLS.
    ///
    /// # Errors
    /// The handshake failed.
    pub async fn connect_with(addr: SocketAddr, tls: Tls) -> Result<Self, openssl::ssl::Error> {
        let mut context = SslContextBuilder::new(SslMethod::tls_client()).unwrap();
        context.set_verify(SslVerifyMode::PEER);
        context.set_min_proto_version(Some(tls.version)).unwrap();
        context.set_max_proto_version(Some(tls.version)).unwrap();
        context.set_options(SslOptions::NO_TICKET);
        context.set_cipher_list(tls.suites).unwrap();
        context.set_psk_client_callback(move |_, _, identity, psk| {
            identity[..tls.identity.len()].copy_from_slice(&tls.identity);
            identity[tls.identity.len()] = 0;
            psk[..tls.psk.len()].copy_from_slice(&tls.psk);
            Ok(tls.psk.len())
        });
        let tcp = TcpStream::connect(addr).await.unwrap();
        let records = Arc::new(Mutex::new(Records::default()));
        let watched = Watched {
            inner: tcp,
            records: Arc::clone(&records),
        };
        let mut stream = SslStream::new(Ssl::new(&context.build()).unwrap(), watched).unwrap();
        Pin::new(&mut stream).connect().await?;
        Ok(Self {
            stream,
            records,
            buffer: Vec::new(),
        })
    }

    /// The suite that was agreed on, as OpenSSL names it.
    #[must_use]
    pub fn suite(&self) -> String {
        self.stream.ssl().current_cipher().unwrap().name().to_owned()
    }

    /// Sends bytes as they are.
    pub async fn send(&mut self, bytes: &[u8]) {
        // The gateway may have closed already; what it answered is still to be read.
        let _ = self.stream.write_all(bytes).await;
    }

    /// Sends bytes as they are, past TLS.
    pub async fn send_past_tls(&mut self, bytes: &[u8]) {
        self.stream.get_mut().write_all(bytes).await.unwrap();
    }

    /// The first request of a session.
    pub async fn begin(&mut self, uri: &str, resume: bool) -> Answer {
        let resume = if resume { "X-Admin-Resume: true\r\n" } else { "" };
        self.send(
            format!("POST {uri} HTTP/1.1\r\n{PROTOCOL}X-Admin-From: //se-id/eid/x\r\n{resume}\r\n")
                .as_bytes(),
        )
        .await;
        self.answer().await.expect("an answer to the first request")
    }

    /// Sends the result of a script, chunked as SGP.02 demands.
    pub async fn result(&mut self, uri: &str, result: &[u8]) {
        let head = format!(
            "POST {uri} HTTP/1.1\r\n{PROTOCOL}X-Admin-Script-Status: ok\r\nContent-Type: application/vnd.etsi.scp.response-data;version=1.0\r\nTransfer-Encoding: chunked\r\n\r\n"
        );
        let mut bytes = head.into_bytes();
        for chunk in result.chunks(200) {
            bytes.extend(format!("{:X}\r\n", chunk.len()).into_bytes());
            bytes.extend_from_slice(chunk);
            bytes.extend_from_slice(b"\r\n");
        }
        bytes.extend_from_slice(b"0\r\n\r\n");
        self.send(&bytes).await;
    }

    /// The next answer; nothing if the gateway closed instead.
    pub async fn answer(&mut self) -> Option<Answer> {
        loop {
            let mut headers = [httparse::EMPTY_HEADER; 16];
            let mut head = httparse::Response::new(&mut headers);
            if let Ok(httparse::Status::Complete(end)) = head.parse(&self.buffer) {
                let headers: Vec<(String, String)> = head
                    .headers
                    .iter()
                    .map(|header| {
                        (
                            header.name.to_owned(),
                            String::from_utf8(header.value.to_vec()).unwrap(),
                        )
                    })
                    .collect();
                let status = head.code.unwrap();
                let mut answer = Answer {
                    status,
                    headers,
                    body: Vec::new(),
                };
                let length: usize = answer
                    .header("Content-Length")
                    .map_or(0, |length| length.parse().unwrap());
                if self.buffer.len() >= end + length {
                    answer.body = self.buffer[end..end + length].to_vec();
                    self.buffer.drain(..end + length);
                    return Some(answer);
                }
            }
            if !self.more().await {
                return None;
            }
        }
    }

    /// Whether the gateway closes the connection and sends nothing more.
    pub async fn is_closed(&mut self) -> bool {
        !self.more().await && self.buffer.is_empty()
    }

    async fn more(&mut self) -> bool {
        let mut chunk = [0; 4_096];
        match self.stream.read(&mut chunk).await {
            Ok(length) if length > 0 => {
                self.buffer.extend_from_slice(&chunk[..length]);
                true
            }
            _ => false,
        }
    }

    /// Whether the gateway's last record was a `close_notify`. The record shows it, because the binding treats a
    /// connection that just ends like one that was closed. TLS 1.2 alone: later versions hide alerts.
    #[must_use]
    pub fn got_close_notify(&self) -> bool {
        self.records
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .last_kind
            == ALERT
    }

    /// Lengths of the application records since the last call.
    #[must_use]
    pub fn take_records(&self) -> Vec<usize> {
        std::mem::take(
            &mut self
                .records
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .lengths,
        )
    }

    /// Runs scripts with this card until the session ends; gives the last answer.
    pub async fn run(&mut self, card: &mut Card, first: Answer) -> Answer {
        let mut answer = first;
        while answer.status == 200 {
            let result = card.run(&answer.body);
            let Some(next) = answer.next_uri().map(str::to_owned) else {
                break;
            };
            self.result(&next, &result).await;
            answer = self.answer().await.expect("an answer to a result");
        }
        answer
    }
}

/// One whole session; gives the last answer.
pub async fn session(addr: SocketAddr, card: &mut Card) -> Answer {
    let mut agent = Agent::connect(addr).await;
    let first = agent.begin(FIRST_URI, false).await;
    let last = agent.run(card, first).await;
    assert!(agent.is_closed().await && agent.got_close_notify());
    last
}

/// TLS records that were received.
#[derive(Default)]
struct Records {
    bytes: Vec<u8>,
    lengths: Vec<usize>,
    last_kind: u8,
}

impl Records {
    fn take(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
        while let Some(&[kind, _, _, high, low]) = self.bytes.first_chunk::<5>() {
            let length = usize::from(u16::from_be_bytes([high, low]));
            if self.bytes.len() < 5 + length {
                break;
            }
            self.last_kind = kind;
            if kind == APPLICATION_DATA {
                self.lengths.push(length);
            }
            self.bytes.drain(..5 + length);
        }
    }
}

/// A TCP stream that counts its incoming records.
struct Watched {
    inner: TcpStream,
    records: Arc<Mutex<Records>>,
}

impl AsyncRead for Watched {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.inner).poll_read(cx, buf))?;
        self.records
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take(&buf.filled()[before..]);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Watched {
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
