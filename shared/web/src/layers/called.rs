//! Which operation is called. The outer layers learn it from the response, or, of a request that does not come so far,
//! from the path and the method.

use std::sync::Arc;

use axum::extract::Request;
use axum::response::Response;
use http::Method;

use super::{Inner, Middleware, Next, with_extension};
use crate::operation::Operation;

/// The operation of a request.
#[derive(Clone, Debug)]
pub(crate) struct Called(pub(crate) Arc<Operation>);

impl Default for Called {
    /// What is called by a path that does not exist.
    fn default() -> Self {
        Self(Arc::new(Operation::nowhere()))
    }
}

/// Says to which operation of its path a request leads, before anything else.
#[derive(Clone)]
pub(crate) struct PathOperations(pub(crate) Arc<[(Method, Arc<Operation>)]>);

impl Middleware for PathOperations {
    async fn pass<S: Inner>(&self, request: &mut Request, next: Next<'_, S>) -> Response {
        let by_method = self.0.iter().find(|(method, _)| method == request.method());
        if let Some((_, operation)) = by_method.or(self.0.first()) {
            request.extensions_mut().insert(Called(Arc::clone(operation)));
        }
        next.run(request).await
    }
}

/// Says which operation is called.
#[derive(Clone)]
pub(crate) struct CalledOperation(pub(crate) Arc<Operation>);

impl Middleware for CalledOperation {
    async fn pass<S: Inner>(&self, request: &mut Request, next: Next<'_, S>) -> Response {
        with_extension(request, next, Called(Arc::clone(&self.0))).await
    }
}
