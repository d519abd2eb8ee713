//! What went wrong, and what became of it (§8.2, §8.3.1).

use serde_json::{Value, json};
use shared::domain::{IncidentClass, IncidentId, IncidentKind, Kind, Malformed, Severity};
use shared::operations::{IncidentFilter, IncidentView, MAX_INCIDENTS_PER_PAGE, list_incidents};
use shared::spin::Connection;
use shared::web::{Call, Param, Refusal, Reply};

/// The incidents there are, the latest first.
pub(crate) async fn list(call: &Call<'_, Connection>) -> Result<Reply, Refusal> {
    let params = &call.params;
    let state = params.one_of(Param::State, &["open", "closed", "all"])?;
    let filter = IncidentFilter {
        open: match state {
            Some("open") => Some(true),
            Some("closed") => Some(false),
            _ => None,
        },
        kind: params.optional(Param::Kind, kind)?,
        class: params.optional(Param::Class, class)?,
        severity: params.optional(Param::Severity, severity)?,
        from: params.time(Param::From)?,
        to: params.time(Param::To)?,
        cursor: params.optional(Param::Cursor, IncidentId::parse)?,
        limit: params.limit(MAX_INCIDENTS_PER_PAGE)?,
    };
    let page = list_incidents(call.cx, &filter).await?;
    let incidents: Vec<Value> = page
        .incidents
        .iter()
        .map(|incident| document(call, incident))
        .collect();
    Ok(Reply::ok()
        .with("incidents", incidents)
        .with("next", page.next.map(|id| id.text())))
}

/// Tables 3–6 in the caller's language.
pub(crate) fn kinds(call: &Call<'_, Connection>) -> Reply {
    let text = |texts: [&'static str; 2]| texts[call.lang as usize];
    let minutes = |row: &shared::domain::KindRow, severity| {
        let limit = row.limit.for_severity(severity);
        limit.map(|ms| ms / shared::domain::MINUTE_MS)
    };
    let kinds: Vec<Value> = IncidentKind::all()
        .map(|kind| {
            let row = kind.row();
            let parties: Vec<Value> = row
                .parties
                .iter()
                .map(|party| json!({"code": party.code(), "name": text(party.names())}))
                .collect();
            json!({
                "kind": row.code,
                "class": row.class.code(),
                "class_name": text(row.class.names()),
                "table": row.class.table(),
                "severity": row.severity.code(),
                "symptom": text(row.symptom),
                "cause": text(row.cause),
                "remedy": text(row.remedy),
                "parties": parties,
                "limit_minutes": minutes(row, Severity::General),
                "severe_limit_minutes": minutes(row, Severity::Severe),
            })
        })
        .collect();
    Reply::ok().with("kinds", kinds)
}

/// An incident as an administrator sees it, with the times that are running.
pub(crate) fn document(call: &Call<'_, Connection>, incident: &IncidentView) -> Value {
    let standing = &incident.standing;
    let time = |at: Option<shared::domain::Timestamp>| at.map(|at| call.text_of(at));
    let row = standing.kind.row();
    json!({
        "id": incident.id.text(),
        "kind": row.code,
        "class": row.class.code(),
        "severity": standing.severity.code(),
        "symptom": row.symptom[call.lang as usize],
        "subject": incident.subject,
        "eid": incident.eid,
        "since": call.text_of(standing.since),
        "opened_at": call.text_of(incident.opened_at),
        "opened_by": incident.opened_by.code(),
        "note": incident.note,
        "handle_by": time(standing.handle_by()),
        "closed_at": time(standing.closed_at),
        "settled_by": incident.settled_by.map(|by| by.code()),
        "settlement": incident.settlement,
        "severe_at": time(standing.severe_at),
        "report_by": time(standing.report_by()),
        "reported_at": time(standing.reported_at),
        "report": incident.report,
        "final_report_by": time(standing.final_report_by()),
        "final_report_at": time(standing.final_report_at),
        "final_report": incident.final_report,
    })
}

pub(crate) fn kind(code: &str) -> Result<IncidentKind, Malformed> {
    IncidentKind::from_code(code).ok_or(Malformed {
        kind: Kind::Value,
        zh: "没有这种异常，见 /admin/v1/incidents/kinds",
        en: "no such kind, see /admin/v1/incidents/kinds",
    })
}

pub(crate) fn severity(code: &str) -> Result<Severity, Malformed> {
    Severity::from_code(code).ok_or(Malformed {
        kind: Kind::Value,
        zh: "应为 general 或 severe",
        en: "neither general nor severe",
    })
}

fn class(code: &str) -> Result<IncidentClass, Malformed> {
    let found = IncidentClass::ALL.into_iter().find(|class| class.code() == code);
    found.ok_or(Malformed {
        kind: Kind::Value,
        zh: "应为 application、writing、interface 或 terminal",
        en: "not one of application, writing, interface, terminal",
    })
}
