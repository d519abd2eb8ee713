//! A client reports a fault of one of its chips (§8.2, 上报故障).

use domain::error::Reason;
use operations::{ChipFaultReport, FaultReported, MAX_FAULT_TEXT_CHARS, report_chip_fault};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use web::extract::permits::ChipFault;
use web::extract::{Call, Caller, Query};
use web::values::{Eid, IncidentId, ReportedFault, Time};
use web::{Answer, Success, codes};

// The schema below needs this number as a literal.
const _: () = assert!(MAX_FAULT_TEXT_CHARS == 500);

/// Why this operation refuses, besides the reasons that every operation has.
const REASONS: &[Reason] = &[
    Reason::ParameterMissing,
    Reason::ParameterMalformed,
    Reason::ParameterTooLong,
    Reason::EidMalformed,
    Reason::UnknownChip,
];

/// 上报的芯片故障 / a fault that is reported
#[derive(Deserialize, IntoParams, ToSchema)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReportChipFault {
    /// 芯片 EID，属于调用方 / EID of the chip, one of the caller's
    #[param(inline)]
    eid: Eid,
    /// 故障种类 / what is wrong
    #[param(inline)]
    fault: ReportedFault,
    /// 现象描述，最多 500 字 / what was seen, at most 500 characters
    #[schema(max_length = 500)]
    #[param(max_length = 500)]
    description: Option<String>,
}

/// 故障所登记的异常 / the incident of the fault
#[derive(Serialize, ToSchema)]
pub(crate) struct ChipFaultReported {
    /// 异常标识 / identifier of the incident
    #[schema(value_type = IncidentId)]
    incident_id: String,
    /// 该芯片的同类异常已登记时为 false，此时不作改动 / false when an incident of this kind about the chip was open; then
    /// nothing changed
    opened: bool,
    /// 异常登记时间 / when the incident was opened
    report_time: Time,
}

/// Reports a fault of a chip. It opens an incident; applications and sessions of the chip go on.
#[utoipa::path(
    get,
    path = "/v1/chip/fault",
    summary = "上报芯片故障 / Report a fault of a chip (§8.2)",
    params(ReportChipFault),
    responses((status = 200, body = Success<ChipFaultReported>)),
    extensions(("x-reasons" = json!(codes(REASONS))))
)]
pub(crate) async fn fault(
    call: Call,
    caller: Caller<ChipFault>,
    Query(report): Query<ReportChipFault>,
) -> Answer<ChipFaultReported> {
    let report = ChipFaultReport {
        eid: *report.eid,
        fault: *report.fault,
        description: report.description.as_deref(),
    };
    let FaultReported {
        incident_id,
        is_new,
        at,
    } = report_chip_fault(&call.context(), &caller, &report).await?;
    Ok(Success::new(ChipFaultReported {
        incident_id: incident_id.text(),
        opened: is_new,
        report_time: call.time(at),
    }))
}

/// The same by POST, with the parameters as a form or as JSON.
#[utoipa::path(
    post,
    path = "/v1/chip/fault",
    summary = "上报芯片故障 / Report a fault of a chip (§8.2)",
    request_body(content(
        (ReportChipFault = "application/x-www-form-urlencoded"),
        (ReportChipFault = "application/json")
    )),
    responses((status = 200, body = Success<ChipFaultReported>)),
    extensions(("x-reasons" = json!(codes(REASONS))))
)]
pub(crate) async fn fault_by_post(
    call: Call,
    caller: Caller<ChipFault>,
    report: Query<ReportChipFault>,
) -> Answer<ChipFaultReported> {
    fault(call, caller, report).await
}
