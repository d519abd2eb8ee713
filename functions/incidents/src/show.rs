//! One incident (§8).

use domain::error::Reason;
use operations::show_incident;
use serde::Serialize;
use utoipa::ToSchema;
use web::extract::{Call, Segment, Staff, rights};
use web::values::IncidentId;
use web::{Answer, Success, codes};

use crate::incident::Incident;

/// Why an incident is not shown.
const REASONS: &[Reason] = &[
    Reason::BadPercentEncoding,
    Reason::ParameterMalformed,
    Reason::UnknownIncident,
];

/// 一项异常 / one incident
#[derive(Serialize, ToSchema)]
pub(crate) struct ShownIncident {
    /// 异常 / the incident
    incident: Incident,
}

/// Shows an incident with its deadlines, by its identifier.
#[utoipa::path(
    get,
    path = "/admin/v1/incidents/{id}",
    summary = "查询一项异常 / Show an incident (§8.2)",
    params(("id" = inline(IncidentId), Path, description = "异常标识 / identifier of the incident")),
    responses((status = 200, body = Success<ShownIncident>)),
    extensions(("x-reasons" = json!(codes(REASONS))))
)]
pub(crate) async fn show(
    call: Call,
    _: Staff<rights::IncidentsShow>,
    Segment(id): Segment<domain::IncidentId>,
) -> Answer<ShownIncident> {
    let incident = show_incident(&call.context(), id).await?;
    Ok(Success::new(ShownIncident {
        incident: Incident::new(&call, incident),
    }))
}
