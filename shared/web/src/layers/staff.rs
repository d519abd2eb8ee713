//! Staff: the people and programs that run the platform, by the management interfaces.
//!
//! Checked before the body is read, like the secret of a component.

use axum::extract::Request;
use axum::response::Response;

use super::{Admitted, Arrival, Inner, Middleware, Next, found, is_secret_right, refused};
use crate::refusal::Refusal;
use domain::Right;
use domain::error::Reason;
use operations::StaffMember;

/// Who of the staff calls.
#[derive(Clone, Debug)]
pub(crate) struct CallingStaff(pub(crate) StaffMember);

/// Opens an operation to staff with this right.
#[derive(Clone)]
pub(crate) struct RequireStaff(pub(crate) Right);

impl Middleware for RequireStaff {
    async fn pass<S: Inner>(&self, request: &mut Request, next: Next<'_, S>) -> Response {
        match self.check(request) {
            Ok(member) => {
                request.extensions_mut().insert(CallingStaff(member));
                let mut response = next.run(request).await;
                response.extensions_mut().insert(Admitted);
                response
            }
            Err(refusal) => refused(refusal),
        }
    }
}

impl RequireStaff {
    fn check(&self, request: &Request) -> Result<StaffMember, Refusal> {
        let arrival: &Arrival = found(request.extensions())?;
        let member = is_secret_right(request, arrival.settings()).then_some(StaffMember::Secret);
        let member = member.ok_or(Reason::CredentialWrong)?;
        if member.may(self.0) {
            Ok(member)
        } else {
            Err(Reason::CredentialWrong.into())
        }
    }
}
