//! A server: one runtime for each core, each with a router of its own, because the state of a router stays on its
//! thread.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::num::NonZero;
use std::sync::Arc;
use std::thread;

use axum::Router;
use axum::extract::Request;
use axum::middleware::map_request;
use axum::serve::ListenerExt as _;
use http::HeaderValue;

/// The header in which Spin gives the peer of the connection.
const CLIENT_ADDR: &str = "spin-client-addr";
/// The peer of every connection: tests and measurements run on one machine.
const PEER: HeaderValue = HeaderValue::from_static("127.0.0.1:1");

/// Serves on a free port of this machine until the process ends. `router` is called once on each thread.
///
/// # Errors
/// The error of binding, or of starting a thread.
pub fn serve(router: impl Fn() -> Router + Send + Sync + 'static) -> io::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    listener.set_nonblocking(true)?;
    let addr = listener.local_addr()?;
    let router = Arc::new(router);
    for _ in 0..thread::available_parallelism().map_or(1, NonZero::get) {
        let (listener, router) = (listener.try_clone()?, Arc::clone(&router));
        thread::Builder::new().spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            if let Ok(runtime) = runtime {
                runtime.block_on(serve_on_thread(listener, router()));
            }
        })?;
    }
    Ok(addr)
}

async fn serve_on_thread(listener: TcpListener, router: Router) {
    let Ok(listener) = tokio::net::TcpListener::from_std(listener) else {
        return;
    };
    let listener = listener.tap_io(|socket| {
        // Without it an answer may wait for the client's acknowledgement; a failure only makes it slower.
        let _ = socket.set_nodelay(true);
    });
    let router = router.layer(map_request(with_peer));
    // Ends only with the process.
    let _ = axum::serve(listener, router).await;
}

async fn with_peer(mut request: Request) -> Request {
    request.headers_mut().insert(CLIENT_ADDR, PEER);
    request
}
