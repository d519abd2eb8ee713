//! An HTTP request of the host through an interface's checks and the endpoint's sentence, and back.

use std::net::IpAddr;
use std::time::Duration;

use bytes::Bytes;
use spin_sdk::http::{FullBody, Request, Response};

use super::body::read_bounded;
use super::clock::{HostRandom, now};
use super::database::Connection;
use super::variables::{Needs, settings};
use crate::error::Reason;
use crate::operations::Context;
use crate::web::{self, Call, Exchange, Interface, Refusal, Reply, interface};

/// How long a caller may take to send its body, in seconds.
pub const BODY_READ_SECS: u64 = 20;

/// Answers one request: everything `web::serve` promises, on the host's database, clock and randomness.
pub async fn serve(
    interface: &'static Interface,
    needs: Needs,
    request: Request,
    sentence: impl AsyncFnOnce(&Call<'_, Connection>) -> Result<Reply, Refusal>,
) -> Response<FullBody<Bytes>> {
    let exchange = Exchange::begin(interface, request.headers(), &HostRandom);
    let mut from = None;
    let outcome = answer(interface, needs, request, &mut from, sentence).await;
    deliver(&exchange, from, &outcome)
}

/// Answers a path that no interface has.
pub fn not_found(request: &Request) -> Response<FullBody<Bytes>> {
    let exchange = Exchange::begin(&interface::NONE, request.headers(), &HostRandom);
    deliver(&exchange, None, &Err(Reason::RouteUnknown.into()))
}

async fn answer(
    interface: &Interface,
    needs: Needs,
    request: Request,
    from: &mut Option<IpAddr>,
    sentence: impl AsyncFnOnce(&Call<'_, Connection>) -> Result<Reply, Refusal>,
) -> Result<Reply, Refusal> {
    let settings = settings(needs).await?;
    let admitted = web::admit(interface, request.method(), request.headers(), &settings)?;
    *from = Some(admitted.from());
    let (parts, body) = request.into_parts();
    let body = read_bounded(
        body,
        interface.max_body_bytes,
        Duration::from_secs(BODY_READ_SECS),
    )
    .await;
    let request = web::Request::from_parts(parts, body);
    let now = now();
    let db = Connection::take(now).await?;
    let cx = Context {
        db: &db,
        journal: &db,
        vault: &settings.vault,
        now,
        random: &HostRandom,
        zone: &settings.zone,
    };
    web::serve(interface, &admitted, &request, &cx, &settings, sentence).await
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
