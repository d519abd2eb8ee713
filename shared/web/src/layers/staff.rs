//! Staff: the people and programs that run the platform, by the management interfaces.
//!
//! Checked before the body is read, like the secret of a component. An unknown caller costs no statement of the database:
//! only a text that can be a session or an API key is looked up, of an address that has not presented too many wrong ones. The
//! connection is given back at once, so that none is held while the body arrives.
//!
//! Around the operation, the audit trail: what changes something has its row with the change; what was refused or failed,
//! and what was read in bulk, gets one here.

use std::rc::Rc;

use axum::extract::Request;
use axum::response::Response;

use super::{
    Admitted, Arrival, CallerAddress, Inner, Middleware, Next, RequestId, found, is_secret_right, refused,
};
use crate::answer::{Refused, fields_of};
use crate::connections::Connections;
use crate::credential::bearer;
use crate::log;
use crate::refusal::Refusal;
use domain::error::{Error, Reason};
use domain::{Does, Right};
use operations::{
    Act, ReadFigures, StaffMember, admit_secret, check_staff_credentials, conclude_act,
    count_staff_credential, is_credential_of_staff, record_read, verify_staff,
};

/// Who of the staff calls.
#[derive(Clone, Debug)]
pub(crate) struct CallingStaff(pub(crate) StaffMember);

/// Opens an operation to staff with this right.
#[derive(Clone)]
pub(crate) struct RequireStaff(pub(crate) Right);

impl Middleware for RequireStaff {
    async fn pass<S: Inner>(&self, request: &mut Request, next: Next<'_, S>) -> Response {
        let member = match calling_staff(request).await {
            Ok(member) => member,
            Err(refusal) => return refused(refusal),
        };
        let arrival = begun(request, &member, self.0);
        let may = member.may(self.0);
        let mut response = if may {
            request.extensions_mut().insert(CallingStaff(member));
            next.run(request).await
        } else {
            let right = self.0.code();
            refused(Error::new(Reason::RightMissing).with_detail(right, right))
        };
        if let Some(arrival) = arrival {
            response = concluded(&arrival, response).await;
        }
        // One without the right counts against its address.
        if may {
            response.extensions_mut().insert(Admitted);
        }
        response
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
        && refusal.reason() == Reason::CredentialWrong
    {
        count_staff_credential(limits, now, from);
    }
    Ok(member?)
}

/// Begins the act of a member of staff.
fn begun(request: &Request, member: &StaffMember, right: Right) -> Option<Arrival> {
    let extensions = request.extensions();
    let arrival = extensions.get::<Arrival>().cloned()?;
    let address = extensions.get::<CallerAddress>();
    let address = address.map(|CallerAddress(address)| address.to_string());
    let id = extensions.get::<RequestId>().map(|id| id.0.to_string());
    let act = Act::new(
        member.code(),
        right,
        address.unwrap_or_default(),
        id.unwrap_or_default(),
    );
    arrival.begin_act(Rc::new(act));
    Some(arrival)
}

/// Ends the act: what is not in the audit trail yet gets its row. Rows are shown only when they are in the trail.
async fn concluded(arrival: &Arrival, response: Response) -> Response {
    let Some(act) = arrival.act() else { return response };
    let refusal = response.extensions().get::<Refused>();
    let refusal = refusal.map(|Refused(refusal)| refusal.reason());
    let is_read = act.right().does() == Does::Lists;
    if act.is_recorded() || !(act.right().changes() || is_read && refusal.is_none()) {
        return response;
    }
    let recorded = async {
        let connections = arrival.connect().await?;
        let context = arrival.context(&connections);
        if is_read {
            let read = fields_of(&response).map(ReadFigures::of_fields);
            record_read(&context, read).await
        } else {
            conclude_act(&context, refusal).await
        }
    };
    match recorded.await {
        Ok(()) => response,
        Err(error) if is_read => refused(error),
        Err(error) => {
            report(arrival, act, &error);
            response
        }
    }
}

/// A line in the operator's log for an act that changed nothing and could not be recorded.
fn report(arrival: &Arrival, act: &Act, error: &Error) {
    arrival
        .app()
        .host()
        .log(&log::unrecorded(act.right().code(), error));
}
