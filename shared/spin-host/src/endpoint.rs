//! Takes an HTTP request of the host through an interface's checks to the handler, and returns the answer.

use std::net::IpAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::Method;
use http::header::{CONTENT_LENGTH, HeaderMap, TRANSFER_ENCODING};
use spin_sdk::http::{FullBody, Request, Response};

use super::body::read_bounded;
use super::clock::{HostRandom, now};
use super::database::Connection;
use super::variables::{RequiredVariables, settings};
use domain::Timestamp;
use operations::Context;
use web::{self, Admitted, Call, Durability, Exchange, Instance, Interface, Leases, Refusal, Reply, Settings, Trace};

/// How long a caller may take to send its body, in seconds.
const BODY_READ_SECS: u64 = 20;

thread_local! {
    static LEASES: Rc<Leases> = Rc::default();
}

/// Answers one request with `web::serve` on the host's database, clock and randomness.
pub async fn serve(
    interface: &'static Interface,
    required: RequiredVariables,
    request: Request,
    handler: impl AsyncFnOnce(&Call<'_, Connection>) -> Result<Reply, Refusal>,
) -> Response<FullBody<Bytes>> {
    let exchange = Exchange::begin(interface, request.headers(), &HostRandom);
    let mut trace = Trace::default();
    let outcome = match settings(required).await {
        Ok(settings) => answer(&exchange, &settings, request, &mut trace, handler).await,
        Err(error) => Err(error.into()),
    };
    deliver(&exchange, trace.from, &outcome)
}

/// Checks the request, runs the handler and logs the call, in this order.
async fn answer(
    exchange: &Exchange,
    settings: &Settings,
    request: Request,
    trace: &mut Trace,
    handler: impl AsyncFnOnce(&Call<'_, Connection>) -> Result<Reply, Refusal>,
) -> Result<Reply, Refusal> {
    let (started, now) = (Instant::now(), now());
    let received = receive(exchange, settings, request, trace).await;
    // Taken after the body is read, so that no connection is held while waiting for a caller. Statements block too, so
    // the requests of an instance share one connection instead of each opening its own.
    let journal = match Connection::take(now, Durability::Process).await {
        Ok(journal) => journal,
        // Without the database no handler runs, but a call that is refused anyway gets its own reason.
        Err(error) => return Err(received.err().unwrap_or_else(|| error.into())),
    };
    let outcome = match received {
        Ok(received) => work(exchange, settings, &received, (now, &journal), trace, handler).await,
        Err(refusal) => Err(refusal),
    };
    let cx = context(&journal, &journal, settings, now);
    let (outcome, unwritten) = trace.finish(exchange, &cx, outcome, started.elapsed()).await;
    if let Some(error) = unwritten {
        eprintln!("{}", exchange.lost_from_log(&error));
    }
    outcome
}

/// Checks what can be checked without the database, and reads the body.
async fn receive(
    exchange: &Exchange,
    settings: &Settings,
    request: Request,
    trace: &mut Trace,
) -> Result<(Admitted, web::Request), Refusal> {
    let interface = exchange.interface();
    let admitted = web::admit(
        interface,
        (request.method(), request.uri()),
        request.headers(),
        settings,
        trace,
    )?;
    let (parts, body) = request.into_parts();
    let body = if announces_a_body(&parts.method, &parts.headers) {
        let time = Duration::from_secs(BODY_READ_SECS);
        read_bounded(body, interface.max_body_bytes, time).await
    } else {
        Ok(Vec::new())
    };
    Ok((admitted, web::Request::from_parts(parts, body)))
}

/// A GET hardly ever has a body, and reading an absent one costs several calls of the host.
fn announces_a_body(method: &Method, headers: &HeaderMap) -> bool {
    method != Method::GET || headers.contains_key(CONTENT_LENGTH) || headers.contains_key(TRANSFER_ENCODING)
}

/// Takes the connections that the interface needs and runs the handler.
async fn work(
    exchange: &Exchange,
    settings: &Settings,
    (admitted, request): &(Admitted, web::Request),
    (now, journal): (Timestamp, &Connection),
    trace: &mut Trace,
    handler: impl AsyncFnOnce(&Call<'_, Connection>) -> Result<Reply, Refusal>,
) -> Result<Reply, Refusal> {
    let interface = exchange.interface();
    let durable = if interface.is_durable() {
        Some(Connection::take(now, Durability::Full).await?)
    } else {
        None
    };
    let cx = context(durable.as_ref().unwrap_or(journal), journal, settings, now);
    let leases = LEASES.with(Rc::clone);
    let instance = Instance {
        settings,
        leases: &leases,
    };
    web::serve(interface, admitted, request, &cx, instance, trace, handler).await
}

fn context<'a>(
    db: &'a Connection,
    journal: &'a Connection,
    settings: &'a Settings,
    now: Timestamp,
) -> Context<'a, Connection> {
    Context::new((db, journal), &settings.vault, now, &HostRandom, &settings.zone)
}

fn deliver(
    exchange: &Exchange,
    from: Option<IpAddr>,
    outcome: &Result<Reply, Refusal>,
) -> Response<FullBody<Bytes>> {
    let (response, line) = exchange.finish(from, outcome);
    if let Some(line) = line {
        eprintln!("{line}");
    }
    response.map(|body| FullBody::new(Bytes::from(body)))
}
