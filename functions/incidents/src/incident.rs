//! An incident as administrators see it, with its deadlines.

use operations::IncidentView;
use serde::Serialize;
use utoipa::ToSchema;
use web::extract::Call;
use web::values::{Eid, IncidentActor, IncidentClass, IncidentId, IncidentKind, Severity, Time};

/// 异常 / an incident
#[derive(Serialize, ToSchema)]
pub(crate) struct Incident {
    /// 异常类别 / its class
    class: IncidentClass,
    /// 关闭时间 / when it was settled
    #[schema(required)]
    closed_at: Option<Time>,
    /// 所涉芯片的 EID / EID of the chip it is about
    #[schema(required, value_type = Option<Eid>)]
    eid: Option<String>,
    /// 异常处理报告 / its final report
    #[schema(required)]
    final_report: Option<IncidentFinalReport>,
    /// 首次提交异常处理报告的时间 / when its final report was first given
    #[schema(required)]
    final_report_at: Option<Time>,
    /// 提交异常处理报告的时限 / when its final report is due
    #[schema(required)]
    final_report_by: Option<Time>,
    /// 处理时限 / when it has to be settled
    #[schema(required)]
    handle_by: Option<Time>,
    /// 异常标识 / its identifier
    #[schema(value_type = IncidentId)]
    id: String,
    /// 异常种类 / its kind
    kind: IncidentKind,
    /// 登记时的说明 / the note written when it was opened
    #[schema(required)]
    note: Option<String>,
    /// 登记时间 / when it was opened
    opened_at: Time,
    /// 登记方 / who opened it
    opened_by: IncidentActor,
    /// 上报内容 / its report
    #[schema(required)]
    report: Option<String>,
    /// 上报时限 / when it has to be reported
    #[schema(required)]
    report_by: Option<Time>,
    /// 首次上报时间 / when it was first reported
    #[schema(required)]
    reported_at: Option<Time>,
    /// 关闭方 / who settled it
    #[schema(required)]
    settled_by: Option<IncidentActor>,
    /// 关闭时的说明 / the note written when it was settled
    #[schema(required)]
    settlement: Option<String>,
    /// 成为严重异常的时间 / when it became severe
    #[schema(required)]
    severe_at: Option<Time>,
    /// 严重程度 / its severity
    severity: Severity,
    /// 处理时限的起点 / when its clock began
    since: Time,
    /// 所涉对象，不含芯片与号码的标识 / what it is about, without identifiers of chips and numbers
    subject: String,
    /// 异常现象，按调用方的语言 / its symptom, in the caller's language
    symptom: &'static str,
    /// 无法解密的字段，仅在有时出现 / the fields whose values cannot be opened; only if there are any
    #[serde(skip_serializing_if = "Vec::is_empty")]
    unreadable: Vec<&'static str>,
}

/// 严重异常的处理报告 / the final report of a severe incident
#[derive(Serialize, ToSchema)]
struct IncidentFinalReport {
    /// 处理过程 / how it was handled
    course: String,
    /// 改进措施 / measures for the future
    measures: String,
    /// 根本原因 / the root cause
    root_cause: String,
}

impl Incident {
    /// An incident in the caller's language and the platform's zone.
    pub(crate) fn new(call: &Call, incident: IncidentView) -> Self {
        let state = incident.state;
        let row = state.kind.row();
        let time = |at| call.time(at);
        Self {
            class: row.class.into(),
            closed_at: state.closed_at.map(time),
            eid: incident.eid,
            final_report: incident.final_report.map(|report| IncidentFinalReport {
                course: report.course,
                measures: report.measures,
                root_cause: report.root_cause,
            }),
            final_report_at: state.final_report_at.map(time),
            final_report_by: state.final_report_by().map(time),
            handle_by: state.handle_by().map(time),
            id: incident.id.text(),
            kind: state.kind.into(),
            note: incident.note,
            opened_at: time(incident.opened_at),
            opened_by: incident.opened_by.into(),
            report: incident.report,
            report_by: state.report_by().map(time),
            reported_at: state.reported_at.map(time),
            settled_by: incident.settled_by.map(Into::into),
            settlement: incident.settlement,
            severe_at: state.severe_at.map(time),
            severity: state.severity.into(),
            since: time(state.since),
            subject: incident.subject,
            symptom: row.symptom[call.lang as usize],
            unreadable: incident.unreadable,
        }
    }
}
