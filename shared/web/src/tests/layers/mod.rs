//! Each layer alone, around a service that answers with what a test makes of the request.

mod address;
mod arrival;
mod call_log;
mod language;
mod limits;
mod operation;
mod operator_log;
mod rate_limit;
mod request_id;
mod token;
mod waiting_calls;

use std::future::poll_fn;
use std::net::IpAddr;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::Request;
use axum::response::{IntoResponse as _, Response};
use futures::executor::block_on;
use tower_layer::Layer as _;
use tower_service::Service;

use super::{NOW, SECRET, Sent, TestHost, variables};
use crate::answer::Refused;
use crate::layers::{
    Arrival, Called, CallerAddress, Client, Inner, Middleware, MiddlewareLayer, Pairs, RequestId,
};
use crate::operation::{Access, Content, Operation};
use crate::query::Pair;
use crate::{App, Refusal};
use domain::error::Reason;

/// The address of the caller in these tests.
const FROM: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(203, 0, 113, 9));

/// The service inside a layer.
#[derive(Clone)]
struct Inside<F>(F);

impl<F: Fn(Request) -> Response + Clone + 'static> Inner for Inside<F> {
    async fn answer(&mut self, request: &mut Request) -> Response {
        (self.0)(std::mem::take(request))
    }
}

/// Sends a request through one layer to `inside`.
fn through<C, F>(layer: C, request: Request, inside: F) -> Response
where
    C: Middleware,
    F: Fn(Request) -> Response + Clone + 'static,
{
    let mut service = MiddlewareLayer(layer).layer(Inside(inside));
    let Ok(response) = block_on(async {
        let Ok(()) = poll_fn(|cx| service.poll_ready(cx)).await;
        service.call(request).await
    });
    response
}

/// Sends a request through a layer that must not let it pass.
fn stopped<C: Middleware>(layer: C, request: Request) -> Response {
    through(layer, request, |_| panic!("the request must not pass"))
}

/// The same, to an empty success.
fn passed<C: Middleware>(layer: C, request: Request) -> Response {
    through(layer, request, |_| empty())
}

fn empty() -> Response {
    Response::new(Body::empty())
}

fn refusal(refusal: impl Into<Refusal>) -> Response {
    refusal.into().into_response()
}

/// Why a layer refused, if it did.
fn reason(response: &Response) -> Option<Reason> {
    let Refused(refusal) = response.extensions().get()?;
    Some(refusal.reason())
}

fn operation(access: Access, content: Content) -> Arc<Operation> {
    Arc::new(Operation {
        name: "write.status".to_owned(),
        path: "/v1/write/status".to_owned(),
        access,
        content,
    })
}

fn pairs(pairs: &[(&str, &str)]) -> Pairs {
    let owned = |(name, value): &(&str, &str)| -> Pair { ((*name).to_owned(), (*value).to_owned()) };
    Pairs(Arc::new(pairs.iter().map(owned).collect()))
}

fn id(text: &str) -> RequestId {
    RequestId(text.into())
}

/// A request that has arrived at this application.
fn arrived(app: &App, sent: Sent) -> Request {
    let mut request = sent.request();
    let arrival = block_on(Arrival::now(app)).unwrap();
    request.extensions_mut().insert(arrival);
    request
}

#[test]
fn a_layer_that_finds_nothing_of_the_outer_ones_fails_and_does_not_let_the_request_pass() {
    use crate::layers::{
        Limits, RateLimit, RequirePermission, RequireSecret, RequireStaff, RequireToken, TrueAddress,
    };
    use crate::operation::Role;
    use domain::{Permission, Right};

    let bare = || Sent::get("/").with_secret().request();
    let permission = Permission::WriteStatus;
    let operation = operation(Access::Secret(Role::Operator), Content::Json);
    let limit = RateLimit {
        operation: Arc::clone(&operation),
        permission,
    };
    for response in [
        stopped(TrueAddress, bare()),
        stopped(RequireSecret(Arc::clone(&operation)), bare()),
        stopped(Limits(operation), bare()),
        stopped(RequireToken, bare()),
        stopped(RequireStaff(Right::TasksEnd), bare()),
        stopped(RequirePermission(permission), bare()),
        stopped(limit, bare()),
    ] {
        assert_eq!(reason(&response), Some(Reason::Internal));
    }
}
