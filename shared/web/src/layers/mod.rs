//! What every request passes, one concern to a file, as tower layers.
//!
//! Around every path, from the outside: `called` (the operations of the path), `request_id`, `language`,
//! `operator_log`, `arrival`, `call_log`, `address`. Around each operation, after routing: `called`, `secret`, `staff`, `limits`,
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
mod second_person;
mod secret;
mod staff;
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
pub(crate) use secret::{Admitted, RequireSecret, is_secret_right};
pub(crate) use staff::{CallingStaff, RequireStaff, calling_staff};
pub(crate) use token::{Client, RequireToken};

use std::convert::Infallible;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::extract::Request;
use axum::response::{IntoResponse as _, Response};
use axum::routing::Route;
use send_wrapper::SendWrapper;
use tower_layer::Layer;
use tower_service::Service;

use super::refusal::Refusal;
use domain::error::Error;

/// What is inside a layer, and always answers.
///
/// Layers inside one another answer as one future, through references to one request: each as a service of its own would
/// move the request and box the future once more.
pub(crate) trait Inner: Clone + 'static {
    /// Answers one request, and leaves an empty one.
    async fn answer(&mut self, request: &mut Request) -> Response;
}

/// What axum has routed.
impl Inner for Route {
    async fn answer(&mut self, request: &mut Request) -> Response {
        let Ok(()) = poll_fn(|cx| Service::<Request>::poll_ready(self, cx)).await;
        let Ok(response) = self.call(std::mem::take(request)).await;
        response
    }
}

/// One concern of every request.
pub(crate) trait Middleware: Clone + 'static {
    /// Answers the request, as a rule by handing it on to `next`. Nothing is left of it after that.
    async fn pass<S: Inner>(&self, request: &mut Request, next: Next<'_, S>) -> Response;
}

/// A concern of some requests only.
impl<C: Middleware> Middleware for Option<C> {
    async fn pass<S: Inner>(&self, request: &mut Request, next: Next<'_, S>) -> Response {
        match self {
            Some(middleware) => middleware.pass(request, next).await,
            None => next.run(request).await,
        }
    }
}

/// What is inside a layer, for one request.
pub(crate) struct Next<'a, S>(&'a mut S);

impl<S: Inner> Next<'_, S> {
    /// Hands the request on.
    pub(crate) fn run(self, request: &mut Request) -> impl Future<Output = Response> {
        self.0.answer(request)
    }
}

/// A middleware as a layer.
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

/// What is inside a layer, with that layer. As a service it serves one request: a router clones its services for every
/// request, and what is inside would be cloned once more.
#[derive(Clone)]
pub(crate) struct MiddlewareService<C, S> {
    middleware: C,
    inner: Option<S>,
}

impl<C: Middleware, S: Inner> Inner for MiddlewareService<C, S> {
    async fn answer(&mut self, request: &mut Request) -> Response {
        match &mut self.inner {
            Some(inner) => self.middleware.pass(request, Next(inner)).await,
            None => refused(Error::internal("a service was called twice")),
        }
    }
}

/// The outermost layer is what axum calls. Its futures stay on their thread: they hold resources of the host.
impl<C: Middleware, S: Inner> Service<Request> for MiddlewareService<C, S> {
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request) -> Self::Future {
        let mut once = Self {
            middleware: self.middleware.clone(),
            inner: self.inner.take(),
        };
        Box::pin(SendWrapper::new(
            async move { Ok(once.answer(&mut request).await) },
        ))
    }
}

/// Puts what a layer found into the extensions of the request and of its response.
pub(crate) async fn with_extension<T, S>(request: &mut Request, next: Next<'_, S>, found: T) -> Response
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
