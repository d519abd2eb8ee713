//! The kinds of incidents: Tables 3–6 (§8.2).

use domain::MINUTE_MS;
use serde::Serialize;
use utoipa::ToSchema;
use web::extract::{Call, Staff, rights};
use web::values::{IncidentClass, IncidentKind, Party, Severity};
use web::{Answer, Success};

/// 异常种类（表 3 至表 6） / Tables 3–6
#[derive(Serialize, ToSchema)]
pub(crate) struct IncidentKinds {
    /// 全部种类，按表的顺序 / every kind, in the order of the tables
    kinds: Vec<IncidentKindRow>,
}

/// 异常种类；文字按调用方的语言 / a kind of incident; texts in the caller's language
#[derive(Serialize, ToSchema)]
struct IncidentKindRow {
    /// 异常原因 / its cause
    cause: &'static str,
    /// 异常类别 / its class
    class: IncidentClass,
    /// 异常类别的名称 / name of its class
    class_name: &'static str,
    /// 异常种类 / the kind
    kind: IncidentKind,
    /// 一般异常的处理时限，分钟；即时处理时为 null / minutes to settle a general one; null when it is settled at once
    #[schema(required)]
    limit_minutes: Option<i64>,
    /// 处理方 / who acts
    parties: Vec<IncidentParty>,
    /// 处理方式 / what has to be done
    remedy: &'static str,
    /// 严重异常的处理时限，分钟；即时处理时为 null / minutes to settle a severe one; null when it is settled at once
    #[schema(required)]
    severe_limit_minutes: Option<i64>,
    /// 登记时的严重程度 / severity when it is opened
    severity: Severity,
    /// 异常现象 / its symptom
    symptom: &'static str,
    /// 标准中的表号 / number of its table in the standard
    table: u8,
}

/// 处理方 / who acts on an incident
#[derive(Serialize, ToSchema)]
struct IncidentParty {
    /// 代码 / its code
    code: Party,
    /// 名称 / its name
    name: &'static str,
}

/// Every kind of incident with cause, remedy and time limit, in the caller's language.
#[utoipa::path(
    get,
    path = "/admin/v1/incidents/kinds",
    summary = "查询异常种类、处理方式与处理时限 / Every kind of incident with its remedy and time limit (§8.2)",
    responses((status = 200, body = Success<IncidentKinds>))
)]
pub(crate) async fn kinds(call: Call, _: Staff<rights::IncidentsKinds>) -> Answer<IncidentKinds> {
    let text = |texts: [&'static str; 2]| texts[call.lang as usize];
    let row = |kind: domain::IncidentKind| {
        let row = kind.row();
        let limit_minutes = |severity| row.limit.for_severity(severity).map(|ms| ms / MINUTE_MS);
        let parties = row.parties.iter().map(|party| IncidentParty {
            code: (*party).into(),
            name: text(party.names()),
        });
        IncidentKindRow {
            cause: text(row.cause),
            class: row.class.into(),
            class_name: text(row.class.names()),
            kind: kind.into(),
            limit_minutes: limit_minutes(domain::Severity::General),
            parties: parties.collect(),
            remedy: text(row.remedy),
            severe_limit_minutes: limit_minutes(domain::Severity::Severe),
            severity: row.severity.into(),
            symptom: text(row.symptom),
            table: row.class.table(),
        }
    };
    Ok(Success::new(IncidentKinds {
        kinds: domain::IncidentKind::all().map(row).collect(),
    }))
}
