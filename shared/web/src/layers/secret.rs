//! The component's secret, which opens the interfaces of administrators, operators, gateways and timers.
//!
//! Checked before the body is read, so that an unknown caller cannot make the platform read megabytes.

use std::sync::Arc;

use axum::extract::Request;
use axum::response::Response;

use super::{Arrival, Inner, Middleware, Next, found, refused};
use crate::credential::{KEY_PARAMETER, bearer};
use crate::operation::{Access, Operation, Role};
use crate::query::{MAX_QUERY_BYTES, decode_form};
use crate::refusal::Refusal;
use crate::settings::Settings;
use domain::error::Reason;

/// The secret of the component was presented.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Admitted;

/// Opens an operation to the component's secret only.
#[derive(Clone)]
pub(crate) struct RequireSecret(pub(crate) Arc<Operation>);

impl Middleware for RequireSecret {
    async fn pass<S: Inner>(&self, request: &mut Request, next: Next<'_, S>) -> Response {
        match self.check(request) {
            Ok(()) => {
                let mut response = next.run(request).await;
                response.extensions_mut().insert(Admitted);
                response
            }
            Err(refusal) => refused(refusal),
        }
    }
}

impl RequireSecret {
    fn check(&self, request: &Request) -> Result<(), Refusal> {
        let arrival: &Arrival = found(request.extensions())?;
        let settings = arrival.settings();
        let may_be_key = self.0.access == Access::Secret(Role::Timer);
        if is_secret_right(request, settings) || may_be_key && is_key(request, settings) {
            Ok(())
        } else {
            Err(Reason::CredentialWrong.into())
        }
    }
}

/// Whether the request carries the component's secret as its bearer.
pub(crate) fn is_secret_right(request: &Request, settings: &Settings) -> bool {
    let presented = bearer(request.headers()).ok().flatten();
    presented.is_some_and(|presented| settings.is_secret(presented))
}

/// Whether it carries the secret as a parameter, and no credential in its head.
fn is_key(request: &Request, settings: &Settings) -> bool {
    if !matches!(bearer(request.headers()), Ok(None)) {
        return false;
    }
    let query = request
        .uri()
        .query()
        .filter(|query| query.len() <= MAX_QUERY_BYTES);
    let pairs = decode_form(query.unwrap_or_default(), &settings.ignored_parameters).unwrap_or_default();
    let mut keys = pairs.iter().filter(|(name, _)| name == KEY_PARAMETER);
    keys.next().is_some_and(|(_, key)| settings.is_secret(key))
}
