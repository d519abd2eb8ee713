//! Staff: the people and programs that run the platform, by the management interfaces.
//!
//! Checked before the body is read, like the secret of a component. An unknown caller costs no statement of the database: it
//! is looked up only what can be a session or an API key, of an address that has not presented too many wrong ones. The
//! connection is given back at once, so that none is held while the body arrives.

use axum::extract::Request;
use axum::response::Response;

use super::{Admitted, Arrival, CallerAddress, Inner, Middleware, Next, found, is_secret_right, refused};
use crate::connections::Connections;
use crate::credential::bearer;
use crate::refusal::Refusal;
use domain::Right;
use domain::error::{Error, Reason};
use operations::{
    StaffMember, admit_secret, check_staff_credentials, count_staff_credential, is_credential_of_staff,
    verify_staff,
};

/// Who of the staff calls.
#[derive(Clone, Debug)]
pub(crate) struct CallingStaff(pub(crate) StaffMember);

/// Opens an operation to staff with this right.
#[derive(Clone)]
pub(crate) struct RequireStaff(pub(crate) Right);

impl Middleware for RequireStaff {
    async fn pass<S: Inner>(&self, request: &mut Request, next: Next<'_, S>) -> Response {
        match self.check(request).await {
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
    async fn check(&self, request: &Request) -> Result<StaffMember, Refusal> {
        let member = calling_staff(request).await?;
        if member.may(self.0) {
            return Ok(member);
        }
        let right = self.0.code();
        Err(Error::new(Reason::RightMissing).with_detail(right, right).into())
    }
}

/// Who of the staff a request comes from.
///
/// # Errors
/// [`Reason::CredentialWrong`], [`Reason::CredentialEnded`]; [`Reason::RateLimited`] for an address that has presented too
/// many wrong credentials.
pub(crate) async fn calling_staff(request: &Request) -> Result<StaffMember, Refusal> {
    let arrival: &Arrival = found(request.extensions())?;
    let presented = bearer(request.headers()).ok().flatten().unwrap_or_default();
    let is_secret = is_secret_right(request, arrival.settings());
    if !is_secret && !is_credential_of_staff(presented) {
        return Err(Reason::CredentialWrong.into());
    }
    let CallerAddress(from) = *found(request.extensions())?;
    let (limits, now) = (arrival.app().host().limits(), arrival.time());
    check_staff_credentials(limits, now, from)?;
    let connections = Connections::take(arrival.app()).await?;
    let context = arrival.context(&connections);
    let member = if is_secret {
        admit_secret(&context).await
    } else {
        verify_staff(&context, presented).await
    };
    if let Err(refusal) = &member
        && refusal.reason().status() == 401
    {
        count_staff_credential(limits, now, from);
    }
    Ok(member?)
}
