//! One connection of one chip: the TLS handshake, then a session.
//!
//! It must never keep a connection that does not finish its handshake in time, nor log what a client sent.

mod agent_stream;
mod driver;
mod platform_session;
mod watch;

use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use openssl::ssl::{ErrorCode, SslRef};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_openssl::SslStream;
use uicc::Eid;

use self::agent_stream::{AgentStream, Transport};
use self::driver::SessionDriver;
use crate::context::Context;
use crate::metrics::{Direction, Handshake, Refused};
use crate::platform::ChipKeys;
use crate::shutdown::Shutdown;
use crate::slots::{Eviction, Limit, SlotGuard, Source};
use crate::tls::{self, CountingStream, KeySlot, Lookup, LookupStream, Traffic};

/// A connection that was accepted, with its slot before the handshake.
pub(crate) struct Connection {
    pub(crate) stream: TcpStream,
    pub(crate) peer: SocketAddr,
    pub(crate) slot: SlotGuard<Source>,
    /// Tells it that it has to go, as long as its handshake is not finished.
    pub(crate) eviction: Arc<Eviction>,
}

/// A finished handshake.
struct Handshaken {
    stream: SslStream<Transport>,
    keys: ChipKeys,
    /// Bytes of one TLS record, as the chip asked for.
    max_fragment: Option<usize>,
}

/// Why there is no session.
enum NoSession {
    /// The handshake failed; the label of its metric.
    Failed(&'static str),
    /// A limit was reached.
    Limit(Limit),
}

impl From<&'static str> for NoSession {
    fn from(result: &'static str) -> Self {
        Self::Failed(result)
    }
}

/// Serves one connection to its end.
pub(crate) async fn serve(context: &Arc<Context>, connection: Connection, shutdown: Shutdown) {
    let traffic = Arc::new(Traffic::default());
    let (peer, eviction) = (connection.peer, Arc::clone(&connection.eviction));
    let keys = Arc::new(KeySlot::default());
    let result = tokio::select! {
        limit = eviction.ordered() => Err(NoSession::Limit(limit)),
        result = handshake(context, connection, &traffic, &keys) => result,
    };
    // A handshake that was refused a slot fails in its own way, too.
    let result = result.map_err(|error| eviction.limit().map_or(error, NoSession::Limit));
    match result {
        Ok(handshaken) => begin(context, handshaken, peer, &traffic, shutdown).await,
        Err(NoSession::Limit(limit)) => refused(context, peer, limit),
        Err(NoSession::Failed(result)) => {
            tracing::info!(%peer, result, "handshake failed");
            count(context, result, "none", "none");
            if let Some(eid) = keys.chip() {
                context.failed_handshakes.add(eid, result);
            }
        }
    }
    for (direction, bytes) in [("up", traffic.up()), ("down", traffic.down())] {
        context
            .metrics
            .bytes
            .get_or_create(&Direction { direction })
            .inc_by(bytes);
    }
}

/// Counts a connection that is closed because of a limit.
pub(crate) fn refused(context: &Context, peer: SocketAddr, limit: Limit) {
    context
        .metrics
        .refused_connections
        .get_or_create(&Refused { limit })
        .inc();
    tracing::info!(%peer, limit, "connection closed: a limit is reached");
}

/// Runs the session of a finished handshake, if there is a slot for it.
async fn begin(
    context: &Arc<Context>,
    handshaken: Handshaken,
    peer: SocketAddr,
    traffic: &Arc<Traffic>,
    shutdown: Shutdown,
) {
    let Handshaken {
        stream,
        keys,
        max_fragment,
    } = handshaken;
    let (version, suite) = (version_of(stream.ssl()), suite_of(stream.ssl()));
    count(context, "ok", version, suite);
    match context.admission.session(keys.eid, peer.ip().into()) {
        Ok(slot) => {
            let stream = AgentStream::new(stream, Arc::clone(traffic), &context.settings.limits);
            SessionDriver::new(context, stream, keys, max_fragment, (peer, slot), shutdown)
                .run()
                .await;
        }
        Err(limit) => refused(context, peer, limit),
    }
}

/// Waits for a whole ClientHello, then for a slot, then for the end of the TLS handshake. The keys of the chip are in
/// `slot` from when they were looked up.
async fn handshake(
    context: &Arc<Context>,
    connection: Connection,
    traffic: &Arc<Traffic>,
    slot: &Arc<KeySlot>,
) -> Result<Handshaken, NoSession> {
    let Connection {
        stream,
        peer,
        slot: before,
        eviction,
    } = connection;
    let source = Source::from(peer.ip());
    let limits = &context.settings.limits;
    stream.set_nodelay(true).map_err(|_| "closed")?;
    let mut stream = CountingStream::new(stream, Arc::clone(traffic));
    let hello = timeout(limits.hello_timeout(), tls::read_hello(&mut stream)).await;
    let hello = hello.map_err(|_| "hello_timeout")?.map_err(|_| "closed")?;
    let _place = context
        .admission
        .handshake(source, &eviction)
        .map_err(NoSession::Limit)?;
    drop(before);
    let of_chip = Arc::new(Mutex::new(None));
    let lookup = lookup(context, peer.ip(), &eviction, &of_chip);
    let attempt = timeout(limits.handshake_timeout(), async {
        let ssl = tls::server(&context.tls, Arc::clone(slot)).map_err(|_| "internal")?;
        let stream = LookupStream::new(stream, hello, lookup, Arc::clone(slot));
        let mut stream = SslStream::new(ssl, stream).map_err(|_| "internal")?;
        match Pin::new(&mut stream).accept().await {
            Ok(()) => Ok(stream),
            Err(error) => Err(failure_label(&error, slot)),
        }
    });
    let result = attempt.await.unwrap_or(Err("timeout"));
    // The look-up lives as long as the stream; the slot is one of the handshake.
    locked(&of_chip).take();
    let stream = result?;
    let keys = slot.keys().ok_or("no_key")?;
    Ok(Handshaken {
        stream,
        keys,
        max_fragment: slot.max_fragment(),
    })
}

/// Looks up keys, and takes a slot in the handshakes of the chip that they belong to.
fn lookup(
    context: &Arc<Context>,
    address: IpAddr,
    eviction: &Arc<Eviction>,
    of_chip: &Arc<Mutex<Option<SlotGuard<Eid>>>>,
) -> Lookup {
    let (context, eviction, of_chip) = (Arc::clone(context), Arc::clone(eviction), Arc::clone(of_chip));
    Arc::new(move |identity| {
        let (context, eviction, of_chip) =
            (Arc::clone(&context), Arc::clone(&eviction), Arc::clone(&of_chip));
        Box::pin(async move {
            let found = context.directory.find(&identity, address).await?;
            let Some(keys) = found else { return Ok(None) };
            // A second ClientHello of the same handshake looks up again.
            drop(locked(&of_chip).take());
            match context.admission.chip(keys.eid, address.into(), &eviction) {
                Ok(slot) => *locked(&of_chip) = Some(slot),
                Err(limit) => {
                    eviction.order(limit);
                    return Err(std::io::Error::other(limit));
                }
            }
            Ok(Some(keys))
        })
    })
}

/// What is in the lock, also after a panic elsewhere, which cannot leave it half-changed.
fn locked<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

fn count(context: &Context, result: &'static str, version: &'static str, suite: &'static str) {
    context
        .metrics
        .handshakes
        .get_or_create(&Handshake {
            result,
            version,
            suite,
        })
        .inc();
}

/// The label of a failed handshake in the metrics. OpenSSL's own texts are no labels: a chip could make up many.
fn failure_label(error: &openssl::ssl::Error, slot: &KeySlot) -> &'static str {
    if slot.asked() && slot.keys().is_none() {
        return "unknown_identity";
    }
    if error.code() == ErrorCode::SYSCALL || error.code() == ErrorCode::ZERO_RETURN {
        return "closed";
    }
    let reasons = error.ssl_error().map(|stack| stack.errors()).unwrap_or_default();
    let names = |words: &str| {
        reasons
            .iter()
            .filter_map(|error| error.reason())
            .any(|reason| reason.contains(words))
    };
    if names("bad record mac") || names("binder does not verify") {
        "wrong_key"
    } else if names("no shared cipher") || names("no suitable") || names("no ciphers") {
        "no_common_suite"
    } else if names("unsupported protocol") || names("version too low") || names("wrong version") {
        "version"
    } else {
        "failed"
    }
}

fn version_of(ssl: &SslRef) -> &'static str {
    match ssl.version_str() {
        "TLSv1.2" => "TLSv1.2",
        "TLSv1.3" => "TLSv1.3",
        _ => "other",
    }
}

fn suite_of(ssl: &SslRef) -> &'static str {
    match ssl.current_cipher().map(|cipher| cipher.name()) {
        Some("PSK-AES128-GCM-SHA256") => "PSK-AES128-GCM-SHA256",
        Some("PSK-AES128-CBC-SHA256") => "PSK-AES128-CBC-SHA256",
        Some("TLS_AES_128_GCM_SHA256") => "TLS_AES_128_GCM_SHA256",
        Some("TLS_AES_128_CCM_SHA256") => "TLS_AES_128_CCM_SHA256",
        _ => "other",
    }
}
