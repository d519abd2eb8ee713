//! What people do about incidents: open those that the platform cannot see, settle, make severe, report (§8.3.1).

use serde_json::{Value, json};

use super::super::Context;
use super::super::transition::guarded;
use super::list::{IncidentView, view};
use super::platform::{fewer_provinces_empty, settle};
use crate::domain::{ClientId, Eid, IncidentId, IncidentKind, Province, Receiver, Severity, Standing};
use crate::error::{Error, Reason};
use crate::store::{
    Database, Subject, chip, client,
    incident::{self, By, IncidentRow, NewIncidentRow},
    transaction,
};
use crate::vault::{Column, IndexKind, random_bytes};

/// Longest note, report or part of a final report, in characters.
pub const MAX_INCIDENT_TEXT_CHARS: usize = 4_000;

/// What an incident is about.
#[derive(Clone, Debug)]
pub enum About {
    /// A chip.
    Chip(Eid),
    /// A client.
    Client(ClientId),
    /// A province.
    Province(Province),
    /// The platform as a whole.
    Platform,
}

/// An incident that somebody has seen.
#[derive(Clone, Debug)]
pub struct NewIncident<'a> {
    /// Its kind.
    pub kind: IncidentKind,
    /// What it is about.
    pub about: About,
    /// How grave it is; as the kind usually is when nothing is said, and never less than that.
    pub severity: Option<Severity>,
    /// What there is to say.
    pub note: Option<&'a str>,
}

/// An incident that was opened, or the one that was open already.
#[derive(Clone, Debug, PartialEq)]
pub struct Opened {
    /// The incident.
    pub incident: IncidentView,
    /// False when one of this kind about the same was open: then nothing changed.
    pub is_new: bool,
}

/// The final report of a severe incident.
#[derive(Clone, Copy, Debug)]
pub struct FinalReport<'a> {
    /// 处理过程.
    pub course: &'a str,
    /// 根本原因.
    pub root_cause: &'a str,
    /// 改进措施.
    pub measures: &'a str,
}

/// Opens an incident.
///
/// # Errors
/// [`Reason::UnknownChip`], [`Reason::UnknownClient`]; [`Reason::ParameterEmpty`] and [`Reason::ParameterTooLong`] for
/// the note.
pub async fn enter_incident<D: Database>(
    cx: &Context<'_, D>,
    new: &NewIncident<'_>,
) -> Result<Opened, Error> {
    let id = IncidentId::new(cx.now, random_bytes(cx.random));
    let note_sealed = optional(cx, incident::NOTE, id, "note", new.note)?;
    let severity = match (new.kind.row().severity, new.severity) {
        (Severity::General, Some(severity)) => severity,
        (usual, _) => usual,
    };
    transaction(cx.db, async |db| {
        let subject = subject_of(cx, new).await?;
        let row = NewIncidentRow {
            id,
            subject: &subject,
            standing: &Standing::new(new.kind, severity, cx.now, cx.now),
            opened_by: By::Admin,
            note_sealed,
        };
        let is_new = incident::open(db, row, cx.now).await?;
        let row = incident::open_of(db, &[new.kind], &subject).await?.pop();
        let row = row.ok_or_else(|| Error::internal("an incident that is open is not found"))?;
        Ok(Opened {
            incident: view(cx, row).await?,
            is_new,
        })
    })
    .await
}

async fn subject_of<D: Database>(cx: &Context<'_, D>, new: &NewIncident<'_>) -> Result<Subject, Error> {
    match &new.about {
        About::Platform => Ok(Subject::platform()),
        About::Province(province) => Ok(Subject::province(province.code())),
        About::Chip(eid) => {
            let index = cx.vault.blind_index(IndexKind::Eid, eid.as_str().as_bytes());
            chip::by_eid(cx.db, &index).await?.ok_or(Reason::UnknownChip)?;
            Ok(Subject::chip(&index))
        }
        About::Client(id) => {
            client::by_id(cx.db, id).await?.ok_or(Reason::UnknownClient)?;
            Ok(match new.kind {
                // The same as the platform's own, which a message that gets through settles.
                IncidentKind::CallbackUndeliverable => Subject::receiver(&Receiver::Client(id.clone())),
                _ => Subject::client(id),
            })
        }
    }
}

/// Settles an incident.
///
/// # Errors
/// [`Reason::UnknownIncident`], [`Reason::IncidentSettled`] when it is settled already, and those of the note.
pub async fn settle_incident<D: Database>(
    cx: &Context<'_, D>,
    id: IncidentId,
    note: Option<&str>,
) -> Result<IncidentView, Error> {
    let sealed = optional(cx, incident::SETTLEMENT, id, "note", note)?;
    transaction(cx.db, async |_| {
        let row = open_one(cx, id).await?;
        settle(cx, &row, By::Admin, sealed).await?;
        if row.standing.kind == IncidentKind::ProvinceWithoutNumber {
            fewer_provinces_empty(cx).await?;
        }
        seen(cx, id).await
    })
    .await
}

/// Makes an open incident severe. One that is stays so.
///
/// # Errors
/// [`Reason::UnknownIncident`], [`Reason::IncidentSettled`].
pub async fn escalate_incident<D: Database>(
    cx: &Context<'_, D>,
    id: IncidentId,
) -> Result<IncidentView, Error> {
    transaction(cx.db, async |db| {
        let row = open_one(cx, id).await?;
        let mut severe = row.standing;
        severe.escalate(cx.now);
        guarded(incident::change(db, &row, &severe).await?)?;
        seen(cx, id).await
    })
    .await
}

/// Reports a severe incident: symptom, first cause, how far it is (§8.3.1). Reporting again replaces the text; the
/// first report is the one that was in time or not.
///
/// # Errors
/// [`Reason::UnknownIncident`], [`Reason::IncidentNotSevere`], and those of the text.
pub async fn report_incident<D: Database>(
    cx: &Context<'_, D>,
    id: IncidentId,
    text: &str,
) -> Result<IncidentView, Error> {
    let sealed = sealed(cx, incident::REPORT, id, bounded("text", text)?)?;
    transaction(cx.db, async |db| {
        let row = severe_one(cx, id).await?;
        let reported = Standing {
            reported_at: row.standing.reported_at.or(Some(cx.now)),
            ..row.standing
        };
        guarded(incident::change(db, &row, &reported).await?)?;
        guarded(incident::reported(db, id, sealed).await?)?;
        seen(cx, id).await
    })
    .await
}

/// Gives the final report of a severe incident that is settled (§8.3.1). Giving it again replaces it; the first one is
/// the one that was in time or not.
///
/// # Errors
/// [`Reason::UnknownIncident`], [`Reason::IncidentNotSevere`], [`Reason::IncidentOpen`], and those of the texts.
pub async fn final_report_incident<D: Database>(
    cx: &Context<'_, D>,
    id: IncidentId,
    report: &FinalReport<'_>,
) -> Result<IncidentView, Error> {
    let document: Value = json!({
        "course": bounded("course", report.course)?,
        "root_cause": bounded("root_cause", report.root_cause)?,
        "measures": bounded("measures", report.measures)?,
    });
    let sealed = sealed(cx, incident::FINAL_REPORT, id, &document.to_string())?;
    transaction(cx.db, async |db| {
        let row = severe_one(cx, id).await?;
        if row.standing.closed_at.is_none() {
            return Err(Reason::IncidentOpen.into());
        }
        let concluded = Standing {
            final_report_at: row.standing.final_report_at.or(Some(cx.now)),
            ..row.standing
        };
        guarded(incident::change(db, &row, &concluded).await?)?;
        guarded(incident::concluded(db, id, sealed).await?)?;
        seen(cx, id).await
    })
    .await
}

async fn one<D: Database>(cx: &Context<'_, D>, id: IncidentId) -> Result<IncidentRow, Error> {
    let found = incident::by_id(cx.db, id).await?;
    found.ok_or_else(|| Reason::UnknownIncident.into())
}

async fn open_one<D: Database>(cx: &Context<'_, D>, id: IncidentId) -> Result<IncidentRow, Error> {
    let row = one(cx, id).await?;
    match row.standing.closed_at {
        None => Ok(row),
        Some(_) => Err(Reason::IncidentSettled.into()),
    }
}

async fn severe_one<D: Database>(cx: &Context<'_, D>, id: IncidentId) -> Result<IncidentRow, Error> {
    let row = one(cx, id).await?;
    match row.standing.severity {
        Severity::Severe => Ok(row),
        Severity::General => Err(Reason::IncidentNotSevere.into()),
    }
}

async fn seen<D: Database>(cx: &Context<'_, D>, id: IncidentId) -> Result<IncidentView, Error> {
    view(cx, one(cx, id).await?).await
}

fn bounded<'a>(name: &str, text: &'a str) -> Result<&'a str, Error> {
    let text = text.trim();
    if text.is_empty() {
        return Err(Error::new(Reason::ParameterEmpty).with_detail(name, name));
    }
    if text.chars().nth(MAX_INCIDENT_TEXT_CHARS).is_some() {
        return Err(Error::new(Reason::ParameterTooLong).with_detail(
            format!("{name}，最多 {MAX_INCIDENT_TEXT_CHARS} 字"),
            format!("{name}, at most {MAX_INCIDENT_TEXT_CHARS} characters"),
        ));
    }
    Ok(text)
}

fn optional<D>(
    cx: &Context<'_, D>,
    column: Column,
    id: IncidentId,
    name: &str,
    text: Option<&str>,
) -> Result<Option<Vec<u8>>, Error> {
    text.map(|text| sealed(cx, column, id, bounded(name, text)?))
        .transpose()
}

/// Sealed, because people may write about cards.
fn sealed<D>(cx: &Context<'_, D>, column: Column, id: IncidentId, text: &str) -> Result<Vec<u8>, Error> {
    Ok(cx
        .vault
        .seal(cx.random, column, id.text().as_bytes(), text.as_bytes())?)
}
