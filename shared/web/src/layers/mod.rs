//! What every request passes, one concern to a file, as tower layers.
//!
//! Around every path, from the outside: `called` (the operations of the path), `request_id`, `language`,
//! `operator_log`, `arrival`, `call_log`, `address`. Around each operation, after routing: `called`, `secret`, `limits`,
//! `token`, `permission`, `rate_limit`. A layer hands what it found to the inner ones in the extensions of the request,
//! and to the outer ones in those of the response.
//!
//! A layer must not know what an operation does.

mod address;
mod arrival;
mod call_log;
mod called;
mod language;
mod limits;
mod operator_log;
mod permission;
mod rate_limit;
mod request_id;
mod secret;
mod token;

pub(crate) use address::{CallerAddress, TrueAddress};
pub(crate) use arrival::{Arrival, ArrivalLayer};
pub(crate) use call_log::CallLog;
pub(crate) use called::{Called, CalledOperation, PathOperations};
pub(crate) use language::CallerLanguage;
pub(crate) use limits::{Document, Limits, Pairs};
pub(crate) use operator_log::OperatorLog;
pub(crate) use permission::RequirePermission;
pub(crate) use rate_limit::{RateLimit, RefusedBudget};
pub(crate) use request_id::{RequestId, RequestIds};
pub(crate) use secret::{RequireSecret, is_secret_right};
pub(crate) use token::{Client, RequireToken};

use std::convert::Infallible;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::Body;
use axum::extract::Request;
use axum::response::{IntoResponse as _, Response};
use send_wrapper::SendWrapper;
use tower_layer::Layer;
use tower_service::Service;

use super::refusal::Refusal;
use domain::error::Error;

/// A service that always answers.
pub(crate) trait Inner:
    Service<Request<Body>, Response = Response, Error = Infallible> + Clone + 'static
{
}

impl<S> Inner for S where S: Service<Request<Body>, Response = Response, Error = Infallible> + Clone + 'static {}

/// One concern of every request.
pub(crate) trait Middleware: Clone + 'static {
    /// Answers the request, as a rule by handing it on to `next`.
    async fn pass<S: Inner>(&self, request: Request, next: Next<S>) -> Response;
}

/// The service inside a layer.
pub(crate) struct Next<S>(S);

impl<S: Inner> Next<S> {
    /// Hands the request on.
    pub(crate) async fn run(mut self, request: Request) -> Response {
        let Ok(()) = poll_fn(|cx| self.0.poll_ready(cx)).await;
        let Ok(response) = self.0.call(request).await;
        response
    }
}

/// A middleware as a layer. Its futures stay on their thread: they hold resources of the host.
#[derive(Clone)]
pub(crate) struct MiddlewareLayer<C>(pub(crate) C);

impl<C: Clone, S> Layer<S> for MiddlewareLayer<C> {
    type Service = MiddlewareService<C, S>;

    fn layer(&self, inner: S) -> Self::Service {
        MiddlewareService {
            middleware: self.0.clone(),
            inner: Some(inner),
        }
    }
}

/// A service inside a layer, as a service. It serves one request: a router clones its services for every request, and a
/// second copy of all that is inside would be made for each layer.
#[derive(Clone)]
pub(crate) struct MiddlewareService<C, S> {
    middleware: C,
    inner: Option<S>,
}

impl<C: Middleware, S: Inner> Service<Request<Body>> for MiddlewareService<C, S> {
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner
            .as_mut()
            .map_or(Poll::Ready(Ok(())), |inner| inner.poll_ready(cx))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let (middleware, inner) = (self.middleware.clone(), self.inner.take());
        let passing = async move {
            Ok(match inner {
                Some(inner) => middleware.pass(request, Next(inner)).await,
                None => refused(Error::internal("a service was called twice")),
            })
        };
        Box::pin(SendWrapper::new(passing))
    }
}

/// Puts what a layer found into the extensions of the request and of its response.
pub(crate) async fn with_extension<T, S>(mut request: Request, next: Next<S>, found: T) -> Response
where
    T: Clone + Send + Sync + 'static,
    S: Inner,
{
    request.extensions_mut().insert(found.clone());
    let mut response = next.run(request).await;
    response.extensions_mut().insert(found);
    response
}

/// What an outer layer has put into the extensions of the request.
pub(crate) fn found<T>(extensions: &http::Extensions) -> Result<&T, Refusal>
where
    T: Clone + Send + Sync + 'static,
{
    extensions.get().ok_or_else(|| {
        let name = std::any::type_name::<T>();
        Error::internal(format!("no layer provides {name}")).into()
    })
}

/// The answer of a layer that refuses.
pub(crate) fn refused(refusal: impl Into<Refusal>) -> Response {
    refusal.into().into_response()
}
