//! Which operation is called. The outer layers learn it from the response.

use std::sync::Arc;

use axum::extract::Request;
use axum::response::Response;

use super::{Concern, Inner, Next, hand_on};
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

/// Says which operation is called.
#[derive(Clone)]
pub(crate) struct Calls(pub(crate) Arc<Operation>);

impl Concern for Calls {
    async fn pass<S: Inner>(&self, request: Request, next: Next<S>) -> Response {
        hand_on(request, next, Called(Arc::clone(&self.0))).await
    }
}
