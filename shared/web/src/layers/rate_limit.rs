//! How many calls a minute a client may make of an operation. Every answer says what is left.

use std::sync::Arc;

use axum::extract::Request;
use axum::response::Response;

use super::{Arrival, Client, Inner, Middleware, Next, found, refused};
use crate::answer::Refused;
use crate::budget::show_budget;
use crate::operation::Operation;
use crate::refusal::Refusal;
use domain::{Budget, Permission};
use operations::spend_calls;

/// Charges each call to the client's limit of an operation.
#[derive(Clone)]
pub(crate) struct RateLimit {
    pub(crate) operation: Arc<Operation>,
    pub(crate) permission: Permission,
}

impl Middleware for RateLimit {
    async fn pass<S: Inner>(&self, request: &mut Request, next: Next<'_, S>) -> Response {
        let name = &self.operation.name;
        match self.charge(request).await {
            Ok(budget) => {
                let mut response = next.run(request).await;
                show_budget(response.headers_mut(), name, budget);
                response
            }
            Err(refusal) => with_refused_budget(refused(refusal), name),
        }
    }
}

impl RateLimit {
    async fn charge(&self, request: &Request) -> Result<Budget, Refusal> {
        let arrival: &Arrival = found(request.extensions())?;
        let Client(client) = found(request.extensions())?;
        let (id, name, now) = (&client.caller.id, self.permission.code(), arrival.time());
        let leases = arrival.app().leases();
        if let Some(budget) = leases.spend(id, name, now) {
            return Ok(budget);
        }
        let limit = client.calls_per_minute(name);
        let limit = limit.unwrap_or_else(|| self.permission.calls_per_minute());
        let connections = arrival.connect().await?;
        let context = arrival.context(&connections);
        let taken = spend_calls(&context, id, name, limit, leases.permits_to_take(id, name))?;
        Ok(leases.keep(id, name, now, taken))
    }
}

/// Says what is left where the operation itself charges its calls and refuses one.
#[derive(Clone)]
pub(crate) struct RefusedBudget(pub(crate) Arc<Operation>);

impl Middleware for RefusedBudget {
    async fn pass<S: Inner>(&self, request: &mut Request, next: Next<'_, S>) -> Response {
        with_refused_budget(next.run(request).await, &self.0.name)
    }
}

/// Shows what the client has left, if the answer is a refusal that knows it.
fn with_refused_budget(mut response: Response, name: &str) -> Response {
    let refused: Option<&Refused> = response.extensions().get();
    if let Some(budget) = refused.and_then(|Refused(refusal)| refusal.budget()) {
        show_budget(response.headers_mut(), name, budget);
    }
    response
}
