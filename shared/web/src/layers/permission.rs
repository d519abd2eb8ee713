//! The permission of a client: interfaces are opened to it one by one (§6.2.1.1).

use axum::extract::Request;
use axum::response::Response;

use super::{Client, Inner, Middleware, Next, found, refused};
use crate::refusal::Refusal;
use domain::Permission;
use domain::error::{Error, Reason};

/// Opens an operation to clients with this permission.
#[derive(Clone)]
pub(crate) struct RequirePermission(pub(crate) Permission);

impl Middleware for RequirePermission {
    async fn pass<S: Inner>(&self, request: &mut Request, next: Next<'_, S>) -> Response {
        match self.check(request) {
            Ok(()) => next.run(request).await,
            Err(refusal) => refused(refusal),
        }
    }
}

impl RequirePermission {
    fn check(&self, request: &Request) -> Result<(), Refusal> {
        let Client(client) = found(request.extensions())?;
        if client.may(self.0) {
            return Ok(());
        }
        let code = self.0.code();
        Err(Error::new(Reason::PermissionMissing)
            .with_detail(code, code)
            .into())
    }
}
