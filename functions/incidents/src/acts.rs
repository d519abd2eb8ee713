//! What people do about incidents (§8.2, §8.3.1).

use domain::error::Reason;
use domain::{ClientId, Eid, IncidentId, Province};
use operations::{About, FinalReport, IncidentAct, NewIncident, act_on_incident, enter_incident};
use spin_host::Connection;
use web::{Call, Refusal, Reply, Texts, field};

use crate::incidents::{document, kind, severity};

/// Opens an incident that somebody has seen.
pub(crate) async fn open(call: &Call<'_, Connection>) -> Result<Reply, Refusal> {
    let names = ["kind", "eid", "client_id", "province_code", "severity", "note"];
    let wanted = call.texts(&names)?;
    let severity = wanted.optional("severity").map(severity).transpose();
    let new = NewIncident {
        kind: field("kind", kind(wanted.required("kind")?))?,
        about: about(&wanted)?,
        severity: field("severity", severity)?,
        note: wanted.optional("note"),
    };
    if let Some((reason, field)) = new.misfit() {
        return Err(Refusal::of_field(field, reason));
    }
    let opened = enter_incident(call.cx, &new).await?;
    Ok(Reply::ok()
        .with("incident", document(call, &opened.incident))
        .with("opened", opened.is_new))
}

/// What an incident is about: one of chip, client and province, or the platform.
fn about(wanted: &Texts) -> Result<About, Refusal> {
    let [eid, client, province] = ["eid", "client_id", "province_code"].map(|name| wanted.optional(name));
    match (eid, client, province) {
        (None, None, None) => Ok(About::Platform),
        (Some(eid), None, None) => field("eid", Eid::parse(eid)).map(About::Chip),
        (None, Some(client), None) => field("client_id", ClientId::parse(client)).map(About::Client),
        (None, None, Some(code)) => field("province_code", Province::parse(code)).map(About::Province),
        _ => Err(Reason::ParameterNotApplicable.into()),
    }
}

/// Settles, makes severe, reports or concludes an incident; which, the interface's name says.
pub(crate) async fn act(name: &str, call: &Call<'_, Connection>) -> Result<Reply, Refusal> {
    let names: &[&str] = match name {
        "admin.incidents.close" => &["id", "note"],
        "admin.incidents.escalate" => &["id"],
        "admin.incidents.report" => &["id", "text"],
        "admin.incidents.final_report" => &["id", "course", "root_cause", "measures"],
        _ => return Err(call.nowhere()),
    };
    let wanted = call.texts(names)?;
    let id = field("id", IncidentId::parse(wanted.required("id")?))?;
    let act = match name {
        "admin.incidents.close" => IncidentAct::Settle(wanted.optional("note")),
        "admin.incidents.escalate" => IncidentAct::Escalate,
        "admin.incidents.report" => IncidentAct::Report(wanted.required("text")?),
        _ => IncidentAct::Conclude(FinalReport {
            course: wanted.required("course")?,
            root_cause: wanted.required("root_cause")?,
            measures: wanted.required("measures")?,
        }),
    };
    let incident = act_on_incident(call.cx, id, &act).await?;
    Ok(Reply::ok().with("incident", document(call, &incident)))
}
