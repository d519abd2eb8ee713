//! Acts of administrators on incidents (§8.2, §8.3.1).

use domain::error::Reason;
use domain::{ClientId, Eid, IncidentId, Province};
use operations::{About, FinalReport, IncidentAct, NewIncident, act_on_incident, enter_incident};
use spin_host::Connection;
use web::{Call, Refusal, Reply, TextFields, field};

use crate::incidents::{document, kind, severity};

/// Opens an incident that an administrator has noticed.
pub(crate) async fn open(call: &Call<'_, Connection>) -> Result<Reply, Refusal> {
    let names = ["kind", "eid", "client_id", "province_code", "severity", "note"];
    let request = call.text_fields(&names)?;
    let severity = request.optional("severity").map(severity).transpose();
    let new = NewIncident {
        kind: field("kind", kind(request.required("kind")?))?,
        about: about(&request)?,
        severity: field("severity", severity)?,
        note: request.optional("note"),
    };
    if let Some((reason, field)) = new.misfit() {
        return Err(Refusal::of_field(field, reason));
    }
    let opened = enter_incident(call.cx, &new).await?;
    Ok(Reply::ok()
        .with("incident", document(call, &opened.incident))
        .with("opened", opened.is_new))
}

/// The subject of an incident: one of chip, client and province, or the platform.
fn about(request: &TextFields) -> Result<About, Refusal> {
    let [eid, client, province] = ["eid", "client_id", "province_code"].map(|name| request.optional(name));
    match (eid, client, province) {
        (None, None, None) => Ok(About::Platform),
        (Some(eid), None, None) => field("eid", Eid::parse(eid)).map(About::Chip),
        (None, Some(client), None) => field("client_id", ClientId::parse(client)).map(About::Client),
        (None, None, Some(code)) => field("province_code", Province::parse(code)).map(About::Province),
        _ => Err(Reason::ParameterNotApplicable.into()),
    }
}

/// Settles, escalates or reports an incident, or gives its final report, by the name of the interface.
pub(crate) async fn act(name: &str, call: &Call<'_, Connection>) -> Result<Reply, Refusal> {
    let names: &[&str] = match name {
        "admin.incidents.close" => &["id", "note"],
        "admin.incidents.escalate" => &["id"],
        "admin.incidents.report" => &["id", "text"],
        "admin.incidents.final_report" => &["id", "course", "root_cause", "measures"],
        _ => return Err(call.nowhere()),
    };
    let request = call.text_fields(names)?;
    let id = field("id", IncidentId::parse(request.required("id")?))?;
    let act = match name {
        "admin.incidents.close" => IncidentAct::Settle(request.optional("note")),
        "admin.incidents.escalate" => IncidentAct::Escalate,
        "admin.incidents.report" => IncidentAct::Report(request.required("text")?),
        _ => IncidentAct::Conclude(FinalReport {
            course: request.required("course")?,
            root_cause: request.required("root_cause")?,
            measures: request.required("measures")?,
        }),
    };
    let incident = act_on_incident(call.cx, id, &act).await?;
    Ok(Reply::ok().with("incident", document(call, &incident)))
}
