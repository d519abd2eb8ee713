//! Staff: the people and programs that run the platform, by the management interfaces.
//!
//! Checked before the body is read, like the secret of a component. Around the operation, the audit trail: what changes
//! something has its row with the change; what was refused or failed, and what was read in bulk, gets one here.

use axum::extract::Request;
use axum::response::Response;

use super::{
    Admitted, Arrival, CallerAddress, Inner, Middleware, Next, RequestId, found, is_secret_right, refused,
};
use crate::answer::{Refused, fields_of};
use crate::log;
use crate::refusal::Refusal;
use domain::error::{Error, Reason};
use domain::{Does, Right};
use operations::{Act, ReadFigures, StaffMember, conclude_act, record_read};

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
                let arrival = begun(request, &member, self.0);
                request.extensions_mut().insert(CallingStaff(member));
                let mut response = next.run(request).await;
                if let Some(arrival) = arrival {
                    response = concluded(&arrival, response).await;
                }
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
    arrival.begin_act(act);
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
