//! What people do about incidents (§8.2, §8.3.1).

use serde::Deserialize;
use shared::domain::{ClientId, Eid, IncidentId, Malformed, Province};
use shared::error::Reason;
use shared::operations::{
    About, FinalReport, IncidentView, NewIncident, enter_incident, escalate_incident, final_report_incident,
    report_incident, settle_incident,
};
use shared::spin::Connection;
use shared::web::{Call, Refusal, Reply};

use crate::incidents::{document, kind, severity};

/// What any of these acts takes. One document for all: a reader for each would fill a tenth of the component.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Wanted {
    id: Option<String>,
    kind: Option<String>,
    eid: Option<String>,
    client_id: Option<String>,
    province_code: Option<String>,
    severity: Option<String>,
    note: Option<String>,
    text: Option<String>,
    course: Option<String>,
    root_cause: Option<String>,
    measures: Option<String>,
}

impl Wanted {
    /// The document of an act that takes the fields called `names` and no others.
    fn read(call: &Call<'_, Connection>, names: &[&str]) -> Result<Self, Refusal> {
        let wanted: Self = call.json()?;
        for (name, value) in [
            ("id", &wanted.id),
            ("kind", &wanted.kind),
            ("eid", &wanted.eid),
            ("client_id", &wanted.client_id),
            ("province_code", &wanted.province_code),
            ("severity", &wanted.severity),
            ("note", &wanted.note),
            ("text", &wanted.text),
            ("course", &wanted.course),
            ("root_cause", &wanted.root_cause),
            ("measures", &wanted.measures),
        ] {
            if value.is_some() && !names.contains(&name) {
                return Err(Refusal::of_field(name, Reason::ParameterUnknown));
            }
        }
        Ok(wanted)
    }

    fn id(&self) -> Result<IncidentId, Refusal> {
        field("id", IncidentId::parse(present("id", self.id.as_ref())?))
    }

    /// What the incident is about: one of chip, client and province, or the platform.
    fn about(&self) -> Result<About, Refusal> {
        match (&self.eid, &self.client_id, &self.province_code) {
            (None, None, None) => Ok(About::Platform),
            (Some(eid), None, None) => field("eid", Eid::parse(eid)).map(About::Chip),
            (None, Some(client), None) => field("client_id", ClientId::parse(client)).map(About::Client),
            (None, None, Some(code)) => field("province_code", Province::parse(code)).map(About::Province),
            _ => Err(Reason::ParameterNotApplicable.into()),
        }
    }
}

/// Opens an incident that somebody has seen.
pub(crate) async fn open(call: &Call<'_, Connection>) -> Result<Reply, Refusal> {
    let names = ["kind", "eid", "client_id", "province_code", "severity", "note"];
    let wanted = Wanted::read(call, &names)?;
    let severity = wanted.severity.as_deref().map(severity).transpose();
    let new = NewIncident {
        kind: field("kind", kind(present("kind", wanted.kind.as_ref())?))?,
        about: wanted.about()?,
        severity: field("severity", severity)?,
        note: wanted.note.as_deref(),
    };
    let opened = enter_incident(call.cx, &new).await?;
    Ok(shown(call, &opened.incident).with("opened", opened.is_new))
}

/// Settles an incident.
pub(crate) async fn close(call: &Call<'_, Connection>) -> Result<Reply, Refusal> {
    let wanted = Wanted::read(call, &["id", "note"])?;
    let incident = settle_incident(call.cx, wanted.id()?, wanted.note.as_deref()).await?;
    Ok(shown(call, &incident))
}

/// Makes an incident severe.
pub(crate) async fn escalate(call: &Call<'_, Connection>) -> Result<Reply, Refusal> {
    let wanted = Wanted::read(call, &["id"])?;
    let incident = escalate_incident(call.cx, wanted.id()?).await?;
    Ok(shown(call, &incident))
}

/// Reports a severe incident.
pub(crate) async fn report(call: &Call<'_, Connection>) -> Result<Reply, Refusal> {
    let wanted = Wanted::read(call, &["id", "text"])?;
    let text = present("text", wanted.text.as_ref())?;
    let incident = report_incident(call.cx, wanted.id()?, text).await?;
    Ok(shown(call, &incident))
}

/// Gives the final report of a severe incident.
pub(crate) async fn final_report(call: &Call<'_, Connection>) -> Result<Reply, Refusal> {
    let wanted = Wanted::read(call, &["id", "course", "root_cause", "measures"])?;
    let report = FinalReport {
        course: present("course", wanted.course.as_ref())?,
        root_cause: present("root_cause", wanted.root_cause.as_ref())?,
        measures: present("measures", wanted.measures.as_ref())?,
    };
    let incident = final_report_incident(call.cx, wanted.id()?, &report).await?;
    Ok(shown(call, &incident))
}

fn shown(call: &Call<'_, Connection>, incident: &IncidentView) -> Reply {
    Reply::ok().with("incident", document(call, incident))
}

fn present<'a>(name: &str, value: Option<&'a String>) -> Result<&'a String, Refusal> {
    value.ok_or_else(|| Refusal::of_field(name, Reason::ParameterMissing))
}

fn field<T>(name: &str, read: Result<T, Malformed>) -> Result<T, Refusal> {
    read.map_err(|malformed| Refusal::of_malformed(name, malformed))
}
