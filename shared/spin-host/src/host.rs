//! [`web::Host`] on Spin, and how a component hands a request to its router.

use std::cell::{Cell, OnceCell};
use std::marker::PhantomData;
use std::rc::Rc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use bytes::Bytes;
use http_body_util::{BodyExt as _, BodyStream, StreamBody};
use send_wrapper::SendWrapper;
use spin_sdk::http::{FullBody, Request, Response, send};
use spin_sdk::wasip3::http_compat::{IncomingBody, Request as OutgoingRequest};
use tower_service::Service as _;

use super::clock::{HostRandom, now};
use super::connection::Connection as SpinConnection;
use super::limits::SharedLimits;
use super::problem::describe;
use super::variables::{RequiredVariables, settings};
use domain::Timestamp;
use domain::error::Error;
use operations::Limits;
use vault::Random;
use web::{App, Connection, Host, LocalFuture, Purpose, Received, Routes, Settings, read_bounded, within};

thread_local! {
    // Made with the first request of an instance.
    static ROUTER: OnceCell<Router> = const { OnceCell::new() };
    // When the keys of an instance were compared with the database: with its first connection, and then every hour.
    static KEYS_CHECKED_AT: Cell<Option<Timestamp>> = const { Cell::new(None) };
}

/// A body that did not arrive whole. The cause is dropped: the host's own error would bring along texts for everything
/// that can happen to a request.
#[derive(Debug, thiserror::Error)]
#[error("the body is broken")]
struct BrokenBody;

/// Whether a component sends requests to others.
trait Outgoing: 'static {
    /// Sends a request; see [`Host::send`].
    fn send(
        host: &dyn Host,
        request: http::Request<Bytes>,
        max_bytes: usize,
        time: Duration,
    ) -> LocalFuture<'_, Result<Received, &'static str>>;
}

/// A component that sends none. Most do not, and should not contain how.
enum Nothing {}

impl Outgoing for Nothing {
    fn send(
        _: &dyn Host,
        _: http::Request<Bytes>,
        _: usize,
        _: Duration,
    ) -> LocalFuture<'_, Result<Received, &'static str>> {
        Box::pin(std::future::ready(Err("this component sends no requests")))
    }
}

/// A component that sends requests.
enum Requests {}

impl Outgoing for Requests {
    fn send(
        host: &dyn Host,
        request: http::Request<Bytes>,
        max_bytes: usize,
        time: Duration,
    ) -> LocalFuture<'_, Result<Received, &'static str>> {
        Box::pin(async move {
            let started = Instant::now();
            let request: OutgoingRequest<_> = request.map(FullBody::new);
            let response = match within(host, time, send(request)).await {
                Some(Ok(response)) => response,
                Some(Err(problem)) => return Err(describe(&problem)),
                None => return Err("no answer in time"),
            };
            let (parts, body) = response.into_parts();
            let left = time.saturating_sub(started.elapsed());
            Ok(Received {
                status: parts.status.as_u16(),
                headers: parts.headers,
                body: read_bounded(host, body, max_bytes, left).await,
            })
        })
    }
}

/// Spin, for a component that requires these variables.
struct Spin<O> {
    required: RequiredVariables,
    outgoing: PhantomData<O>,
}

impl<O: Outgoing> Host for Spin<O> {
    fn now(&self) -> Timestamp {
        now()
    }

    fn random(&self) -> &dyn Random {
        &HostRandom
    }

    fn settings(&self) -> LocalFuture<'_, Result<Rc<Settings>, Error>> {
        Box::pin(settings(self.required))
    }

    fn connection(&self, purpose: Purpose) -> LocalFuture<'_, Result<Connection, Error>> {
        Box::pin(async move {
            let now = now();
            let settings = settings(self.required).await?;
            let database = settings.database.as_ref().map(|address| address.as_str());
            let connection = SpinConnection::take(now, purpose, database).await?;
            let is_checked = |at: Timestamp| store::keys_checked_lately(at, now);
            // The keys are those of the state.
            if purpose != Purpose::Calls && !KEYS_CHECKED_AT.get().is_some_and(is_checked) {
                let is_right = store::check_keys(&connection, &settings.vault, now).await?;
                KEYS_CHECKED_AT.set(is_right.then_some(now));
            }
            Ok(Connection::new(connection))
        })
    }

    fn limits(&self) -> &dyn Limits {
        &SharedLimits
    }

    fn sleep(&self, time: Duration) -> LocalFuture<'_, ()> {
        Box::pin(spin_sdk::time::sleep(time))
    }

    fn spawn(&self, work: LocalFuture<'static, ()>) {
        spin_sdk::wasip3::spawn(work);
    }

    fn send(
        &self,
        request: http::Request<Bytes>,
        max_bytes: usize,
        time: Duration,
    ) -> LocalFuture<'_, Result<Received, &'static str>> {
        O::send(self, request, max_bytes, time)
    }

    fn log(&self, line: &str) {
        eprintln!("{line}");
    }
}

/// Answers one request of a component with its router, which is made once for each instance.
pub async fn answer(router: fn() -> Routes, required: RequiredVariables, request: Request) -> Response<Body> {
    answer_on::<Nothing>(router, required, request).await
}

/// The same, for a component that sends requests to others.
pub async fn answer_and_send(
    router: fn() -> Routes,
    required: RequiredVariables,
    request: Request,
) -> Response<Body> {
    answer_on::<Requests>(router, required, request).await
}

async fn answer_on<O: Outgoing>(
    router: fn() -> Routes,
    required: RequiredVariables,
    request: Request,
) -> Response<Body> {
    let mut router = ROUTER.with(|made| {
        let host = || Spin::<O> {
            required,
            outgoing: PhantomData,
        };
        made.get_or_init(|| web::service(router(), App::new(host())))
            .clone()
    });
    let incoming = |body: IncomingBody<_>| {
        let body = BodyStream::new(body.map_err(|_| BrokenBody));
        Body::new(StreamBody::new(SendWrapper::new(body)))
    };
    // The host takes the parts of the body as the caller reads them.
    let Ok(response) = router.call(request.map(incoming)).await;
    response
}
