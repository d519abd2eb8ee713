//! One connection of one chip: the TLS handshake, then a session.
//!
//! It must never keep a connection that does not finish its handshake in time, nor log what a client sent.

mod agent_stream;
mod driver;
mod platform_session;
mod watch;

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;

use openssl::ssl::{ErrorCode, SslRef};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_openssl::SslStream;

use self::agent_stream::{AgentStream, Transport};
use self::driver::SessionDriver;
use crate::context::Context;
use crate::metrics::{Direction, Handshake};
use crate::platform::ChipKeys;
use crate::shutdown::Shutdown;
use crate::tls::{self, CountingStream, KeySlot, Lookup, LookupStream, Traffic};

/// Serves one connection to its end.
pub(crate) async fn serve(context: &Arc<Context>, stream: TcpStream, peer: SocketAddr, shutdown: Shutdown) {
    let traffic = Arc::new(Traffic::default());
    if let Some((stream, keys, max_fragment)) = handshake(context, stream, peer, &traffic).await {
        let stream = AgentStream::new(stream, Arc::clone(&traffic), &context.settings.limits);
        SessionDriver::new(context, stream, keys, max_fragment, peer, shutdown)
            .run()
            .await;
    }
    for (direction, bytes) in [("up", traffic.up()), ("down", traffic.down())] {
        context
            .metrics
            .bytes
            .get_or_create(&Direction { direction })
            .inc_by(bytes);
    }
}

/// The TLS handshake: the stream, the chip's keys, and the fragment length that the chip asked for, in bytes. None if
/// it failed.
async fn handshake(
    context: &Arc<Context>,
    stream: TcpStream,
    peer: SocketAddr,
    traffic: &Arc<Traffic>,
) -> Option<(SslStream<Transport>, ChipKeys, Option<usize>)> {
    let slot = Arc::new(KeySlot::default());
    let attempt = timeout(context.settings.limits.handshake_timeout(), async {
        // A connection that sends nothing takes no permit: it cannot keep chips out.
        stream.readable().await.map_err(|_| "closed")?;
        let _permit = context.handshakes.acquire().await.map_err(|_| "shutdown")?;
        stream.set_nodelay(true).map_err(|_| "closed")?;
        let ssl = tls::server(&context.tls, Arc::clone(&slot)).map_err(|_| "internal")?;
        let stream = LookupStream::new(
            CountingStream::new(stream, Arc::clone(traffic)),
            lookup(context),
            Arc::clone(&slot),
        );
        let mut stream = SslStream::new(ssl, stream).map_err(|_| "internal")?;
        match Pin::new(&mut stream).accept().await {
            Ok(()) => Ok(stream),
            Err(error) => Err(failure_label(&error, &slot)),
        }
    });
    let result = attempt.await.unwrap_or(Err("timeout"));
    let (stream, keys) = match (result, slot.keys()) {
        (Ok(stream), Some(keys)) => (stream, keys),
        (result, _) => {
            let result = result.err().unwrap_or("no_key");
            tracing::info!(%peer, result, "handshake failed");
            count(context, result, "none", "none");
            return None;
        }
    };
    let (version, suite) = (version_of(stream.ssl()), suite_of(stream.ssl()));
    count(context, "ok", version, suite);
    Some((stream, keys, slot.max_fragment()))
}

fn lookup(context: &Arc<Context>) -> Lookup {
    let context = Arc::clone(context);
    Arc::new(move |identity| {
        let context = Arc::clone(&context);
        Box::pin(async move { context.directory.find(&identity).await })
    })
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
