//! The list of incidents and their kinds (§8.2, §8.3.1).

use domain::{IncidentClass, IncidentId, IncidentKind, Kind, MINUTE_MS, Malformed, Severity};
use operations::{IncidentFilter, IncidentView, MAX_INCIDENTS_PER_PAGE, list_incidents};
use serde_json::{Map, Value, json};
use spin_host::Connection;
use web::{Call, Param, Refusal, Reply};

/// A page of incidents, the latest first.
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
    let kinds: Vec<Value> = IncidentKind::all()
        .map(|kind| {
            let row = kind.row();
            let parties: Vec<Value> = row
                .parties
                .iter()
                .map(|party| json!({"code": party.code(), "name": text(party.names())}))
                .collect();
            let mut document = Map::new();
            for (name, text) in [
                ("kind", row.code),
                ("class", row.class.code()),
                ("class_name", text(row.class.names())),
                ("severity", row.severity.code()),
                ("symptom", text(row.symptom)),
                ("cause", text(row.cause)),
                ("remedy", text(row.remedy)),
            ] {
                document.insert(name.to_owned(), text.into());
            }
            document.insert("table".to_owned(), row.class.table().into());
            document.insert("parties".to_owned(), parties.into());
            for (name, severity) in [
                ("limit_minutes", Severity::General),
                ("severe_limit_minutes", Severity::Severe),
            ] {
                let limit = row.limit.for_severity(severity);
                document.insert(name.to_owned(), limit.map(|ms| ms / MINUTE_MS).into());
            }
            Value::Object(document)
        })
        .collect();
    Reply::ok().with("kinds", kinds)
}

/// An incident as administrators see it, with its deadlines.
pub(crate) fn document(call: &Call<'_, Connection>, incident: &IncidentView) -> Value {
    let state = &incident.state;
    let row = state.kind.row();
    let mut document = Map::new();
    for (name, text) in [
        ("id", Some(incident.id.text())),
        ("kind", Some(row.code.to_owned())),
        ("class", Some(row.class.code().to_owned())),
        ("severity", Some(state.severity.code().to_owned())),
        ("symptom", Some(row.symptom[call.lang as usize].to_owned())),
        ("subject", Some(incident.subject.clone())),
        ("eid", incident.eid.clone()),
        ("opened_by", Some(incident.opened_by.code().to_owned())),
        ("note", incident.note.clone()),
        ("settled_by", incident.settled_by.map(|by| by.code().to_owned())),
        ("settlement", incident.settlement.clone()),
        ("report", incident.report.clone()),
    ] {
        document.insert(name.to_owned(), text.into());
    }
    for (name, at) in [
        ("since", Some(state.since)),
        ("opened_at", Some(incident.opened_at)),
        ("handle_by", state.handle_by()),
        ("closed_at", state.closed_at),
        ("severe_at", state.severe_at),
        ("report_by", state.report_by()),
        ("reported_at", state.reported_at),
        ("final_report_by", state.final_report_by()),
        ("final_report_at", state.final_report_at),
    ] {
        document.insert(name.to_owned(), at.map(|at| call.text_of(at)).into());
    }
    document.insert("final_report".to_owned(), incident.final_report.clone().into());
    Value::Object(document)
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
