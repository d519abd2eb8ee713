//! What administrators do about incidents: open, settle, escalate, report (§8.2, §8.3.1).

use domain::error::Reason;
use operations::{
    About, FinalReport, IncidentAct, MAX_INCIDENT_TEXT_CHARS, NewIncident, act_on_incident, enter_incident,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use web::extract::{Call, Json, Staff, rights};
use web::values::{ClientId, Eid, IncidentId, IncidentKind, ProvinceCode, Severity};
use web::{Answer, Refusal, Success, codes};

use crate::incident::Incident;

// The schemas below need this number as a literal.
const _: () = assert!(MAX_INCIDENT_TEXT_CHARS == 4_000);

/// Why an incident is not opened.
const OPEN_REASONS: &[Reason] = &[
    Reason::ParameterMissing,
    Reason::ParameterMalformed,
    Reason::ParameterEmpty,
    Reason::ParameterTooLong,
    Reason::ParameterNotApplicable,
    Reason::EidMalformed,
    Reason::ProvinceMalformed,
    Reason::UnknownChip,
    Reason::UnknownClient,
];

/// Why an incident is not settled.
const CLOSE_REASONS: &[Reason] = &[
    Reason::ParameterMissing,
    Reason::ParameterMalformed,
    Reason::ParameterEmpty,
    Reason::ParameterTooLong,
    Reason::UnknownIncident,
    Reason::IncidentSettled,
];

/// Why an incident is not made severe.
const ESCALATE_REASONS: &[Reason] = &[
    Reason::ParameterMissing,
    Reason::ParameterMalformed,
    Reason::UnknownIncident,
    Reason::IncidentSettled,
];

/// Why an incident is not reported.
const REPORT_REASONS: &[Reason] = &[
    Reason::ParameterMissing,
    Reason::ParameterMalformed,
    Reason::ParameterEmpty,
    Reason::ParameterTooLong,
    Reason::UnknownIncident,
    Reason::IncidentNotSevere,
];

/// Why the final report of an incident is not taken.
const FINAL_REPORT_REASONS: &[Reason] = &[
    Reason::ParameterMissing,
    Reason::ParameterMalformed,
    Reason::ParameterEmpty,
    Reason::ParameterTooLong,
    Reason::UnknownIncident,
    Reason::IncidentNotSevere,
    Reason::IncidentOpen,
];

/// 待登记的异常 / an incident to be opened
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct OpenIncident {
    /// 异常种类，决定须填 eid、client_id、province_code 中的哪一个 / its kind, which decides whether eid, client_id or
    /// province_code is needed
    kind: IncidentKind,
    /// 所涉芯片 / the chip it is about
    eid: Option<Eid>,
    /// 所涉业务需求方 / the client it is about
    client_id: Option<ClientId>,
    /// 所涉省份 / the province it is about
    province_code: Option<ProvinceCode>,
    /// 严重程度，默认且不低于该种类的 / its severity; by default that of the kind, and never lower
    severity: Option<Severity>,
    /// 说明 / a note
    #[schema(min_length = 1, max_length = 4000)]
    note: Option<String>,
}

impl OpenIncident {
    /// What the incident is about: one of chip, client and province, or the platform.
    fn about(&self) -> Result<About, Reason> {
        match (&self.eid, &self.client_id, &self.province_code) {
            (None, None, None) => Ok(About::Platform),
            (Some(eid), None, None) => Ok(About::Chip(**eid)),
            (None, Some(client), None) => Ok(About::Client((**client).clone())),
            (None, None, Some(province)) => Ok(About::Province(**province)),
            _ => Err(Reason::ParameterNotApplicable),
        }
    }
}

/// 登记的异常，或此前已登记的同一异常 / the incident that was opened, or the one that was open already
#[derive(Serialize, ToSchema)]
pub(crate) struct IncidentOpened {
    /// 异常 / the incident
    incident: Incident,
    /// 同类同对象的异常已登记时为 false，此时不作改动 / false when one of this kind and subject was open; then nothing
    /// changed
    opened: bool,
}

/// Opens an incident that an administrator has noticed.
#[utoipa::path(
    post,
    path = "/admin/v1/incidents:open",
    summary = "登记异常 / Open an incident (§8.2)",
    request_body = OpenIncident,
    responses((status = 200, body = Success<IncidentOpened>)),
    extensions(("x-reasons" = json!(codes(OPEN_REASONS))))
)]
pub(crate) async fn open(
    call: Call,
    _: Staff<rights::IncidentsOpen>,
    Json(document): Json<OpenIncident>,
) -> Answer<IncidentOpened> {
    let new = NewIncident {
        kind: *document.kind,
        about: document.about()?,
        severity: document.severity.as_deref().copied(),
        note: document.note.as_deref(),
    };
    if let Some((reason, field)) = new.misfit() {
        return Err(Refusal::of_field(field, reason));
    }
    let opened = enter_incident(&call.context(), &new).await?;
    Ok(Success::new(IncidentOpened {
        incident: Incident::new(&call, opened.incident),
        opened: opened.is_new,
    }))
}

/// 处理后的异常 / an incident after an act
#[derive(Serialize, ToSchema)]
pub(crate) struct ChangedIncident {
    /// 异常 / the incident
    incident: Incident,
}

async fn act(call: &Call, id: &IncidentId, act: IncidentAct<'_>) -> Answer<ChangedIncident> {
    let incident = act_on_incident(&call.context(), **id, &act).await?;
    Ok(Success::new(ChangedIncident {
        incident: Incident::new(call, incident),
    }))
}

/// 待关闭的异常 / an incident to be settled
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CloseIncident {
    /// 异常标识 / its identifier
    id: IncidentId,
    /// 说明 / a note
    #[schema(min_length = 1, max_length = 4000)]
    note: Option<String>,
}

/// Settles an incident.
#[utoipa::path(
    post,
    path = "/admin/v1/incidents:close",
    summary = "关闭异常 / Settle an incident (§8.2)",
    request_body = CloseIncident,
    responses((status = 200, body = Success<ChangedIncident>)),
    extensions(("x-reasons" = json!(codes(CLOSE_REASONS))))
)]
pub(crate) async fn close(
    call: Call,
    _: Staff<rights::IncidentsClose>,
    Json(document): Json<CloseIncident>,
) -> Answer<ChangedIncident> {
    let note = document.note.as_deref();
    act(&call, &document.id, IncidentAct::Settle(note)).await
}

/// 待升级的异常 / an incident to be made severe
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct EscalateIncident {
    /// 异常标识 / its identifier
    id: IncidentId,
}

/// Makes an incident severe.
#[utoipa::path(
    post,
    path = "/admin/v1/incidents:escalate",
    summary = "升级为严重异常 / Make an incident severe (§8.1)",
    request_body = EscalateIncident,
    responses((status = 200, body = Success<ChangedIncident>)),
    extensions(("x-reasons" = json!(codes(ESCALATE_REASONS))))
)]
pub(crate) async fn escalate(
    call: Call,
    _: Staff<rights::IncidentsEscalate>,
    Json(document): Json<EscalateIncident>,
) -> Answer<ChangedIncident> {
    act(&call, &document.id, IncidentAct::Escalate).await
}

/// 严重异常的上报 / the report of a severe incident
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReportIncident {
    /// 异常标识 / its identifier
    id: IncidentId,
    /// 现象、初步原因、处理进展 / symptom, first cause, progress
    #[schema(min_length = 1, max_length = 4000)]
    text: String,
}

/// Reports a severe incident. A further report replaces the text.
#[utoipa::path(
    post,
    path = "/admin/v1/incidents:report",
    summary = "上报严重异常 / Report a severe incident (§8.3.1)",
    request_body = ReportIncident,
    responses((status = 200, body = Success<ChangedIncident>)),
    extensions(("x-reasons" = json!(codes(REPORT_REASONS))))
)]
pub(crate) async fn report(
    call: Call,
    _: Staff<rights::IncidentsReport>,
    Json(document): Json<ReportIncident>,
) -> Answer<ChangedIncident> {
    act(&call, &document.id, IncidentAct::Report(&document.text)).await
}

/// 严重异常的处理报告 / the final report of a severe incident
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ConcludeIncident {
    /// 异常标识 / its identifier
    id: IncidentId,
    /// 处理过程 / how it was handled
    #[schema(min_length = 1, max_length = 4000)]
    course: String,
    /// 根本原因 / the root cause
    #[schema(min_length = 1, max_length = 4000)]
    root_cause: String,
    /// 改进措施 / measures for the future
    #[schema(min_length = 1, max_length = 4000)]
    measures: String,
}

/// Gives the final report of a severe incident that is settled. A further one replaces it.
#[utoipa::path(
    post,
    path = "/admin/v1/incidents:final-report",
    summary = "提交异常处理报告 / Give the final report of a severe incident (§8.3.1)",
    request_body = ConcludeIncident,
    responses((status = 200, body = Success<ChangedIncident>)),
    extensions(("x-reasons" = json!(codes(FINAL_REPORT_REASONS))))
)]
pub(crate) async fn final_report(
    call: Call,
    _: Staff<rights::IncidentsFinalReport>,
    Json(document): Json<ConcludeIncident>,
) -> Answer<ChangedIncident> {
    let report = FinalReport {
        course: document.course.as_str(),
        root_cause: &document.root_cause,
        measures: &document.measures,
    };
    act(&call, &document.id, IncidentAct::Conclude(report)).await
}
